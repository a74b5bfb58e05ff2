// The image and its composition: every folder that a process loads is copied, and every setting and
// volume that it reads is handed to it.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { mailFrom } from '../../notifications/from-env.ts';
import { gatewayFrom } from '../../payments/from-env.ts';

const root = new URL('../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), 'utf8');
const compose = read('docker-compose.yml');
const entries = [...compose.matchAll(/command: \[node,.* ([\w-]+\/[\w-]+\.ts)\]/g)].map(
  ([, file]) => file ?? '',
);

const sources = new Map<string, string>();

/** Types are gone by the time that a module runs. */
function source(file: string): string {
  const known = sources.get(file);
  if (known !== undefined) return known;
  const code = read(file).replaceAll(/^(?:import|export) type [^;]*;/gm, '');
  sources.set(file, code);
  return code;
}

/** What a module loads beside itself. */
function loadedBy(file: string): readonly string[] {
  const named = [...source(file).matchAll(/'(\.\.?\/[^'\n]+\.ts)'/g)].map(([, path]) => path ?? '');
  return named.map((path) => new URL(path, new URL(file, root)).href.slice(root.href.length));
}

function reachable(from: readonly string[]): ReadonlySet<string> {
  const seen = new Set(from);
  // A set hands out what is added while it is walked.
  for (const file of seen) {
    for (const path of loadedBy(file)) if (existsSync(new URL(path, root))) seen.add(path);
  }
  return seen;
}

test('the image holds every folder from which one of its processes loads', () => {
  expect(entries).toContain('api/server.ts');
  expect(entries.length).toBeGreaterThanOrEqual(9);
  const files = [...reachable(entries)];
  expect(files.length).toBeGreaterThan(300);
  const needed = new Set(files.map((file) => file.slice(0, file.indexOf('/'))));
  const copied = [...read('deploy/Dockerfile').matchAll(/^COPY (\S+) \.\/\1$/gm)].map(([, d]) => d);
  const ignored = read('.dockerignore').split('\n');
  expect([...needed].filter((folder) => !copied.includes(folder))).toEqual([]);
  expect([...needed].filter((folder) => ignored.includes(folder))).toEqual([]);
});

test('the image installs every package that one of its processes loads', () => {
  const { dependencies } = JSON.parse(read('package.json')) as { dependencies: object };
  const loaded = [...reachable(entries)].flatMap((file) =>
    [
      ...source(file).matchAll(/(?: from |import\(|^import )'(?!node:)((?:@[\w-]+\/)?[\w-]+)/gm),
    ].map(([, name]) => `${name}`),
  );
  expect(loaded.length).toBeGreaterThan(300);
  expect(new Set(loaded.filter((name) => !(name in dependencies)))).toEqual(new Set());
});

test('whoever opens the object store has the same one', () => {
  const services = compose.slice(compose.indexOf('\nservices:')).split(/\n {2}(?=[\w-]+:\n)/);
  const opening = services.filter((service) => {
    const entry = entries.find((file) => service.includes(` ${file}]`));
    return entry !== undefined && reachable([entry]).has('storage/object-store.ts');
  });
  expect(opening.map((service) => service.split(':')[0])).toEqual(['load-demo', 'api', 'worker']);
  for (const service of opening) {
    expect(service).toContain('volumes: ["objects:/var/lib/forecourt/objects"]');
  }
});

test('every process of the composition is told how to reach what is outside', () => {
  const [, all = ''] = compose.split(/^x-[\w-]+environment: .*$/m);
  const told = [...(all.split('\nx-')[0] ?? '').matchAll(/^ {2}(\w+): \$\{\1:-/gm)];
  expect(told.map(([, name]) => name)).toEqual(
    expect.arrayContaining([
      ...['PAYMENT_GATEWAY', 'STRIPE_SECRET_KEY', 'PAYMENT_WEBHOOK_SECRET', 'PAYMENT_WEBHOOK_URL'],
      ...['SMTP_URL', 'MAIL_FROM', 'OBJECT_STORE_BUCKET', 'OBJECT_STORE_ENDPOINT'],
      ...['OBJECT_STORE_REGION', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'],
    ]),
  );
});

test('a setting that is empty is not set', async () => {
  const db = {} as Parameters<typeof gatewayFrom>[1];
  const empty = { PAYMENT_GATEWAY: '', STRIPE_SECRET_KEY: '', PAYMENT_WEBHOOK_SECRET: '' };
  expect(gatewayFrom(empty, db).name).toBe('simulated');
  expect(() => gatewayFrom({ ...empty, NODE_ENV: 'production' }, db)).toThrow('PAYMENT_GATEWAY');
  const folder = mkdtempSync(join(tmpdir(), 'forecourt-mail-'));
  const mail = mailFrom({ SMTP_URL: '', MAIL_FROM: '', MAIL_FOLDER: folder });
  await mail.send({ to: 'a@b.example', subject: 's', text: 't' });
  const [letter = ''] = readdirSync(folder);
  expect(readFileSync(join(folder, letter), 'utf8')).toContain('From: forecourt@localhost');
  rmSync(folder, { recursive: true });
});

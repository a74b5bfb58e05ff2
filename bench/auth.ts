// What signing in and being signed in cost: a token's verification, and a password's check.
import { argon2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { v7 as uuidv7 } from 'uuid';
import { simulatedMail } from '../api/auth/mail.ts';
import { createPasswords, PRODUCT_COST } from '../api/auth/passwords.ts';
import { createSignIn } from '../api/auth/sign-in.ts';
import { openDb } from '../db/client.ts';
import { registerClass } from '../db/commands/branches.ts';
import { hireStaff } from '../db/commands/staff.ts';
import { openEnvelope } from '../db/envelope.ts';
import type { BenchContext, Figure } from './figure.ts';
import { openHttpClient } from './support/http.ts';
import { median, progress, rounded, setting } from './support/measure.ts';
import { freePort, startProcess } from './support/process.ts';
import { benchToken } from './support/token.ts';

const PRINCIPAL = 'system:bench';
const PATH = '/api/v1/classes';
const PASSWORD = 'four candles, a lamp';
const PAIRS = setting('BENCH_PAIRS', 3_000);
const WARM_UP_PAIRS = 500;
const SIGN_INS = setting('BENCH_SIGN_INS', 30);
const MAX_EXTRA_MS = 1;
const MAX_RATIO = 1.1;

const REQUEST = {
  figure: `GET ${PATH} with its token verified, p50, against a caller taken as known`,
  unit: 'ms',
  goal: `<= the floor + ${MAX_EXTRA_MS} ms`,
} as const;
const SIGN_IN = {
  figure: 'the password step of a sign-in, p50, against Argon2id alone (64 MiB, t=3, p=4)',
  unit: 'ms',
  goal: `<= ${MAX_RATIO} x the floor`,
} as const;

export const goals = [REQUEST, SIGN_IN];

export async function run(ctx: BenchContext): Promise<Figure[]> {
  return [await measureRequests(ctx), await measureSignIns(ctx)];
}

/** Both are asked in turns, each second time the other one first. */
async function measureRequests(ctx: BenchContext): Promise<Figure> {
  const [port, barePort] = [await freePort(), await freePort()];
  const db = openDb(ctx.databaseUrl, { max: 1 });
  await registerClass(db, PRINCIPAL, { id: 'CDMR', name: 'Compact' });
  await db.destroy();
  const token = await benchToken(ctx, port);
  const api = await startProcess({
    name: 'api-with-and-without',
    file: 'auth/server.ts',
    readyUrl: `http://127.0.0.1:${port}/health/ready`,
    env: {
      DATABASE_URL: ctx.databaseUrl,
      TEMPORAL_ADDRESS: ctx.temporalAddress,
      PORT: String(port),
      BARE_PORT: String(barePort),
      BENCH_TOKEN: token,
    },
  });
  const sides = [port, barePort].map((at) => ({ http: openHttpClient(at), ms: [] as number[] }));
  let failures = 0;
  try {
    for (let index = -WARM_UP_PAIRS; index < PAIRS; index += 1) {
      for (const { http, ms } of index % 2 === 0 ? sides : sides.toReversed()) {
        const started = performance.now();
        const answer = await http.get(PATH, { authorization: `Bearer ${token}` });
        if (answer.status !== 200) failures += 1;
        if (index >= 0) ms.push(performance.now() - started);
      }
    }
  } finally {
    for (const { http } of sides) http.close();
    await api.stop();
  }
  if (failures > 0) progress(`auth: ${failures} answers were not 200`);
  const [value = 0, floor = 0] = sides.map(({ ms }) => median(ms));
  const met = failures === 0 && value <= floor + MAX_EXTRA_MS;
  return { bench: 'auth', ...REQUEST, ...compared(value, floor), met };
}

async function measureSignIns(ctx: BenchContext): Promise<Figure> {
  const db = openDb(ctx.databaseUrl);
  try {
    const passwords = createPasswords();
    const passwordHash = await passwords.hash(PASSWORD);
    const person = { id: uuidv7(), name: 'Bench', email: 'bench@example.com', branches: null };
    const userName = 'bench-sign-in';
    await hireStaff(db, PRINCIPAL, { ...person, userName, roles: ['technician'], passwordHash });
    const signIn = createSignIn({
      db,
      envelope: openEnvelope(process.env['DATA_KEYS'] ?? ''),
      mail: simulatedMail(db),
      now: () => new Date().toISOString(),
      publicUrl: 'http://localhost',
    });
    const given = { userName, password: PASSWORD, address: '127.0.0.1' };
    const ours: number[] = [];
    const plain: number[] = [];
    for (let index = -3; index < SIGN_INS; index += 1) {
      const oursMs = await timed(async () => {
        const { outcome } = await signIn.passwordStep(given);
        if (outcome !== 'ok') throw new Error(`The sign-in was ${outcome}.`);
      });
      const plainMs = await timed(argon2idAlone);
      if (index < 0) continue;
      ours.push(oursMs);
      plain.push(plainMs);
    }
    const [value, floor] = [median(ours), median(plain)];
    const met = value <= MAX_RATIO * floor;
    return { bench: 'auth', ...SIGN_IN, ...compared(value, floor), met };
  } finally {
    await db.destroy();
  }
}

async function argon2idAlone(): Promise<void> {
  await promisify(argon2)('argon2id', {
    message: PASSWORD,
    nonce: randomBytes(16),
    parallelism: PRODUCT_COST.lanes,
    tagLength: 32,
    memory: PRODUCT_COST.memoryKiB,
    passes: PRODUCT_COST.passes,
  });
}

async function timed(work: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

function compared(value: number, floor: number) {
  return { value: rounded(value), floor: rounded(floor), ratio: rounded(value / floor) };
}

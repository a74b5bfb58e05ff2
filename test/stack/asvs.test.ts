// The map of OWASP ASVS 5.0 in docs/asvs.md: complete, and true where it names files and tests.
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** What version 5.0.0 asks: 70 requirements of level 1, 183 of level 2; those of level 3 are none. */
const LEVEL_1 = `1.2.1-5 1.3.1-2 1.5.1 2.1.1 2.2.1-2 2.3.1 3.2.1-2 3.3.1 3.4.1-2 3.5.1-3 4.1.1 4.4.1
  5.2.1-2 5.3.1-2 6.1.1 6.2.1-8 6.3.1-2 6.4.1-2 7.2.1-4 7.4.1-2 8.1.1 8.2.1-2 8.3.1 9.1.1-3 9.2.1
  10.4.1-5 11.3.1-2 11.4.1 12.1.1 12.2.1-2 13.4.1 14.2.1 14.3.1 15.1.1 15.2.1 15.3.1`;
const LEVEL_2 = `1.1.1-2 1.2.6-9 1.3.3-11 1.4.1-3 1.5.2 2.1.2-3 2.2.3 2.3.2-4 2.4.1 3.3.2-4 3.4.3-6
  3.5.4-5 3.7.1-2 4.1.2-3 4.2.1 4.3.1-2 4.4.2-4 5.1.1 5.2.3 5.4.1-3 6.1.2-3 6.2.9-12 6.3.3-4 6.4.3-4
  6.5.1-5 6.6.1-3 6.8.1-4 7.1.1-3 7.3.1-2 7.4.3-5 7.5.1-2 7.6.1-2 8.1.2 8.2.3 8.4.1 9.2.2-4 10.1.1-2
  10.2.1-2 10.3.1-4 10.4.6-11 10.5.1-5 10.6.1-2 10.7.1-3 11.1.1-2 11.2.1-3 11.3.3 11.4.2-4 11.5.1
  11.6.1 12.1.2-3 12.3.1-4 13.1.1 13.2.1-5 13.3.1-2 13.4.2-5 14.1.1-2 14.2.2-4 14.3.2-3 15.1.2-3
  15.2.2-3 15.3.2-7 16.1.1 16.2.1-5 16.3.1-4 16.4.1-3 16.5.1-3 17.1.1 17.2.1-4 17.3.1-2`;
const STATUSES = ['holds', 'partly', 'not yet', 'n/a'];

const root = new URL('../../', import.meta.url);
const map = read('docs/asvs.md');

type Row = {
  readonly ids: readonly string[];
  readonly levels: readonly string[];
  readonly status: string;
  readonly evidence: string;
};
const rows: readonly Row[] = map
  .split('\n')
  .filter((line) => /^\| \d/.test(line))
  .map((line) => {
    const [ids = '', levels = '', , status = '', evidence = ''] = line.slice(2, -2).split(' | ');
    return { ids: expanded(ids.split(', ')), levels: levels.split(', '), status, evidence };
  });

function read(file: string): string {
  return readFileSync(new URL(file, root), 'utf8');
}

/** `1.2.6-8`, or as the page writes it `1.2.6-1.2.8`, is 1.2.6, 1.2.7 and 1.2.8. */
function expanded(ranges: readonly string[]): readonly string[] {
  return ranges.flatMap((range) => {
    const [, section, first, last] =
      /^(\d+\.\d+)\.(\d+)(?:-(?:\d+\.\d+\.)?(\d+))?$/.exec(range) ?? [];
    const [from, to] = [Number(first), Number(last ?? first)];
    return Array.from({ length: to - from + 1 }, (_, n) => `${section}.${from + n}`);
  });
}

/** The files that a row names in backticks, each with the “names” that follow it. */
function namedIn({ evidence }: Row): readonly (readonly [string, readonly string[]])[] {
  return [...evidence.matchAll(/`([^`]+)`([^`]*)/g)].map(([, file = '', after = '']) => [
    file,
    [...after.matchAll(/“([^”]+)”/g)].map(([, name = '']) => name),
  ]);
}

/** Names of tests as their quotes write them; of a page, its headings. */
function holdsName(file: string, name: string): boolean {
  const text = read(file);
  if (file.endsWith('.md')) return text.split('\n').some((line) => line === `## ${name}`);
  const escaped = name.replaceAll("'", "\\'");
  return [`'${name}'`, `"${name}"`, `\`${name}\``, `'${escaped}'`].some((n) => text.includes(n));
}

test('every requirement of levels 1 and 2 has its row, at its level', () => {
  const [one, two] = [LEVEL_1, LEVEL_2].map((level) => expanded(level.split(/\s+/)));
  expect([one?.length, two?.length]).toEqual([70, 183]);
  const mapped = rows.flatMap(({ ids }) => ids);
  const wanted = [...(one ?? []), ...(two ?? [])];
  expect(mapped.toSorted()).toEqual(wanted.toSorted());
  const levelOf = (id: string) => (one?.includes(id) ? '1' : '2');
  for (const { ids, levels } of rows) {
    expect([ids, [...new Set(ids.map(levelOf))].sort()]).toEqual([ids, levels]);
  }
});

test('a status is one of four', () => {
  expect(rows.filter(({ status }) => !STATUSES.includes(status))).toEqual([]);
});

test('what holds, wholly or partly, says where; what does not, says why', () => {
  const claims = rows.filter(({ status }) => status === 'holds' || status === 'partly');
  expect(claims.filter((row) => namedIn(row).length === 0)).toEqual([]);
  expect(rows.filter(({ evidence }) => evidence.trim() === '')).toEqual([]);
});

test('every file that a row names is there', () => {
  const files = rows.flatMap((row) => namedIn(row).map(([file]) => file));
  expect(files.length).toBeGreaterThan(100);
  expect(files.filter((file) => !existsSync(new URL(file, root)))).toEqual([]);
});

test('every test and heading that a row names is in its file', () => {
  const missing = rows.flatMap((row) =>
    namedIn(row).flatMap(([file, names]) =>
      names.filter((name) => !holdsName(file, name)).map((name) => `${file}: ${name}`),
    ),
  );
  expect(missing).toEqual([]);
});

test('the summary counts the rows', () => {
  for (const status of STATUSES) {
    const counted = rows.filter((row) => row.status === status).flatMap(({ ids }) => ids).length;
    expect(map).toContain(`| ${status} | ${counted} |`);
  }
});

// Importing vehicles, the dry run: what is read from a file, and what its report says.
import { sql } from 'kysely';
import { beforeAll, expect, test } from 'vitest';
import { registerVehicle } from '../../db/commands/vehicles.ts';
import { expectProblem, type TestApi, testApi } from '../support/api.ts';
import { AGENT, CLASS, plantFleet } from '../support/fleet.ts';
import { csvOf, goodRows, HEAD, importDesk, problemsOf } from '../support/imports.ts';
import { type Cell, xlsxOf, zipOf } from '../support/xlsx.ts';

let api: TestApi;
let branchId: string;
const { upload, apply, read, registered } = importDesk(() => api);

beforeAll(async () => {
  api = await testApi();
  ({ branchId } = await plantFleet(api.database.db, { vehicles: 0 }));
});

const OCTETS = { type: 'application/octet-stream' };

test('a dry run registers nothing; applied, every row is a vehicle with event and audit row', async () => {
  const { prefix, rows } = goodRows(branchId, 3);
  const checked = await upload(csvOf(rows));
  expect(checked.status, checked.text).toBe(201);
  expect(checked.body).toMatchObject({
    format: 'csv',
    status: 'checked',
    rows: 3,
    errors: 0,
    problems: [],
    contentSha256: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  expect(await registered(prefix)).toBe(0);
  const { id } = checked.body;
  const applied = await apply(id);
  expect([applied.status, applied.body.status]).toEqual([200, 'applied']);
  expect(await registered(prefix)).toBe(3);
  const { rows: effects } = await sql`select v.model, v.odometer_km, v.status,
      (select count(*)::int from events.outbox o where o.aggregate_id = v.id
        and o.type = 'forecourt.vehicle.registered.v1') as events,
      (select count(*)::int from people.audit_entry a where a.subject_id = v.id::text
        and a.action = 'vehicle.register') as audits
    from vehicles.vehicle v where plate = ${`${prefix}-2`}`.execute(api.database.owner);
  expect(effects).toEqual([
    { model: 'Octavia', odometer_km: 12, status: 'in_service', events: 1, audits: 1 },
  ]);
  expect((await read(id)).body).toEqual(applied.body);
});

test('marks, semicolons, quotes, empty lines and members of members are read', async () => {
  const head = [...HEAD, 'VIN', 'ownership', 'supplier', 'acquisition.acquiredOn'];
  const more = ['acquisition.costMinor', 'Acquisition.Currency'];
  const { prefix, rows } = goodRows(branchId, 2);
  const lines = [
    [...head, ...more].join(';'),
    [...(rows[0] ?? []), 'wdb1240231a123456', 'owned', '', '2026-05-01', 1_999_900, 'EUR'].join(
      ';',
    ),
    '',
    [...(rows[1] ?? []), '', 'leased', '"Lease; ""Fast"" \nAG"', '', '', ''].join(';'),
  ];
  const checked = await upload(`\uFEFF${lines.join('\r\n')}\r\n`);
  expect(problemsOf(checked)).toEqual([
    [2, 'VIN', 'has an unusual check digit'],
    [4, 'supplier', 'must be visible text'],
  ]);
  const good = lines.join('\r\n').replace(' \n', ' ').replaceAll(';', '\t').replace('\t ', '; ');
  const again = await upload(`\uFEFF${good}`);
  expect([again.body.status, again.body.warnings], again.text).toEqual(['checked', 1]);
  expect((await apply(again.body.id)).status).toBe(200);
  const { rows: kept } = await sql`select vin, ownership, supplier, acquired_on,
      acquisition_cost_minor from vehicles.vehicle where plate like ${`${prefix}-%`}
    order by plate`.execute(api.database.owner);
  expect(kept).toEqual([
    {
      vin: 'WDB1240231A123456',
      ownership: 'owned',
      supplier: null,
      acquired_on: '2026-05-01',
      acquisition_cost_minor: 1_999_900,
    },
    {
      vin: null,
      ownership: 'leased',
      supplier: 'Lease; "Fast" AG',
      acquired_on: null,
      acquisition_cost_minor: null,
    },
  ]);
});

test('XLSX is known by its content; its dates and numbers are what they look like', async () => {
  const bought = ['acquiredOn', 'costMinor', 'currency'].map((name) => `acquisition.${name}`);
  const head = [...HEAD, ...bought, 'Status', 'Expected on'];
  const good = goodRows(branchId, 2);
  const { prefix } = good;
  const ordered: Cell[] = [{ day: 46_143 }, 100, 'EUR', 'ordered', { day: 46_150 }];
  const rows: Cell[][] = good.rows.map((row) => [...row, ...ordered]);
  const checked = await upload(xlsxOf([head, ...rows]), OCTETS);
  expect([checked.body.format, checked.body.status], checked.text).toEqual(['xlsx', 'checked']);
  expect((await apply(checked.body.id)).status).toBe(200);
  const { rows: kept } = await sql`select acquired_on, model_year, status, expected_on
    from vehicles.vehicle where plate = ${`${prefix}-1`}`.execute(api.database.owner);
  expect(kept).toEqual([
    { acquired_on: '2026-05-01', model_year: 2026, status: 'ordered', expected_on: '2026-05-08' },
  ]);
});

test('CSV tells when an ordered vehicle is expected, by a date that there is', async () => {
  const { prefix, rows } = goodRows(branchId, 2);
  const dates = ['2027-02-28', '2027-02-29'];
  const table = rows.map((row, n) => [...row, 'ordered', dates[n] ?? '']);
  const head = [...HEAD, 'status', 'expectedOn'];
  const refused = await upload(csvOf(table, head));
  expect(problemsOf(refused)).toEqual([[3, 'expectedOn', expect.any(String)]]);
  const checked = await upload(csvOf(table.slice(0, 1), head));
  expect((await apply(checked.body.id)).body.status).toBe('applied');
  const { rows: kept } = await sql`select expected_on from vehicles.vehicle
    where plate = ${`${prefix}-0`}`.execute(api.database.owner);
  expect(kept).toEqual([{ expected_on: '2027-02-28' }]);
});

test('every fault is named by row and column, by the rules of registering one', async () => {
  const { db } = api.database;
  const { prefix, rows } = goodRows(branchId, 6);
  const taken = { plate: `${prefix}-3`, classId: CLASS, branchId, make: 'A', model: 'B' };
  const id = '01990000-0000-7000-8000-00000000aaaa';
  await registerVehicle(db, AGENT, { id, ...taken, modelYear: 2026, odometerKm: 1 });
  const set = (row: number, at: number, value: string | number) => {
    (rows[row] as (string | number)[])[at] = value;
  };
  set(0, 5, 'new');
  set(1, 2, 'NOPE');
  set(2, 1, 'XXXX');
  set(4, 0, `${prefix.toLowerCase()} 2`);
  set(5, 6, -1);
  const answer = await upload(csvOf(rows));
  expect([answer.status, answer.body.status, answer.body.errors]).toEqual([201, 'refused', 6]);
  const found = problemsOf(answer);
  expect(found.map(([row, column]) => [row, column])).toEqual([
    [2, 'model year'],
    [3, 'branchId'],
    [4, 'classId'],
    [5, 'plate'],
    [6, 'plate'],
    [7, 'odometerKm'],
  ]);
  expect(found[4]).toEqual([6, 'plate', 'is in row 4 already']);
  expectProblem(await apply(answer.body.id), 409, 'import-refused');
  expect(await registered(prefix)).toBe(1);
});

test('columns that are missing, unknown or twice are said once, not for each row', async () => {
  const head = ['plate', 'Plate', 'classId', 'branchId', 'make', 'model', 'colour'];
  const answer = await upload(csvOf(goodRows(branchId, 50).rows, head));
  expect(problemsOf(answer)).toEqual([
    [1, 'Plate', 'is there twice'],
    [1, 'colour', expect.stringContaining('is no column of vehicles; there are plate, classId')],
    [1, 'modelYear', 'is missing'],
    [1, 'odometerKm', 'is missing'],
  ]);
});

test('formulas, bombs, lies, cells far out and other files are refused, and the API goes on', async () => {
  const [row = []] = goodRows(branchId, 1).rows;
  const formula = await upload(xlsxOf([HEAD, [{ formula: 'A1&amp;1' }, ...row.slice(1)]]), OCTETS);
  expect(problemsOf(formula)).toEqual([[2, 'A', 'is a formula']]);
  const zeros = Buffer.alloc(65 * 1_048_576);
  const bomb = xlsxOf([HEAD, row], [{ name: 'xl/media/a.bin', content: zeros }]);
  expect(bomb.length).toBeLessThan(100_000);
  expect(problemsOf(await upload(bomb, OCTETS))).toEqual([
    [1, null, 'Unpacked, the file has more than 64 MiB.'],
  ]);
  const lie = [{ name: 'xl/media/a.bin', content: zeros, claimedBytes: 10 }];
  expect(problemsOf(await upload(xlsxOf([HEAD, row], lie), OCTETS))).toEqual([
    [1, null, 'Unpacked, the file has more than 64 MiB.'],
  ]);
  const small = [{ name: 'xl/media/a.bin', content: 'abc', claimedBytes: 2 }];
  expect(problemsOf(await upload(xlsxOf([HEAD, row], small), OCTETS))).toEqual([
    [1, null, 'The archive is not as it says.'],
  ]);
  const far = '<worksheet><c r="A1048576"><v>1</v></c></worksheet>';
  const out = zipOf([{ name: 'xl/worksheets/sheet1.xml', content: far }]);
  expect(problemsOf(await upload(out, OCTETS))).toEqual([
    [1_048_576, 'A', 'lies outside the table'],
  ]);
  const named = (name: string) => ({ name, content: 'a' });
  const crowd = Array.from({ length: 201 }, (_, n) => named(`xl/media/${n}`));
  expect(problemsOf(await upload(zipOf(crowd), OCTETS))).toEqual([
    [1, null, 'The archive has too many files.'],
  ]);
  const twins = [named('xl/workbook.xml'), named('xl/workbook.xml')];
  expect(problemsOf(await upload(zipOf(twins), OCTETS))).toEqual([
    [1, null, 'The archive has a file twice.'],
  ]);
  const entities = zipOf([{ name: 'xl/workbook.xml', content: '<!DOCTYPE a [<!ENTITY b "c">]>' }]);
  expect(problemsOf(await upload(entities, OCTETS))).toEqual([
    [1, null, 'The workbook declares its own XML.'],
  ]);
  expect((await upload(zipOf([]), OCTETS)).body.errors).toBe(1);
  expect((await upload('PK\u0003\u0004 and no more', OCTETS)).body.errors).toBe(1);
  expect((await upload(Buffer.from([0xff, 0xfe, 0x41]))).body.errors).toBe(1);
  expect(problemsOf(await upload(csvOf([])))).toEqual([[1, null, 'The file has no vehicles.']]);
  expect((await upload(csvOf([['"open', ...row.slice(1)]]))).body.errors).toBe(1);
});

test('size, media type and number of rows have limits', async () => {
  expectProblem(await upload('a', { type: 'text/plain' }), 415, 'unsupported-media-type');
  const large = await upload(Buffer.alloc(10 * 1_048_576 + 1, 'a'));
  expectProblem(large, 413, 'payload-too-large');
  // What lies beyond the limit is not even read.
  const many = await upload(`${csvOf(goodRows(branchId, 10_001).rows)}\n"open`);
  expect(problemsOf(many)).toEqual([[10_002, null, 'A file has at most 10000 vehicles.']]);
});

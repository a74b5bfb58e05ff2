// What tables refuse by themselves: each guard refuses, and once it is gone nothing else does.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Tx } from '../../db/client.ts';
import { registerBranch } from '../../db/commands/branches.ts';
import { registerVehicle } from '../../db/commands/vehicles.ts';
import { walkPostings } from '../../domain/ledger.ts';
import { guarded, tried as triedAs } from '../support/broken-guards.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { AGENT, CLASS, ENTITY, plantFleet, plantTrade } from '../support/fleet.ts';
import {
  CASES,
  DAY,
  HARD,
  HOLD,
  IMPORT,
  IN,
  LIFTED,
  NEEDS,
  RECALL,
  ROWS,
  type Row,
  type Table,
  TRANSFER,
  VEHICLE,
} from '../support/guarded-rows.ts';

let t: TestDatabase;
beforeAll(async () => {
  t = await testDatabase();
  const { branchId } = await plantFleet(t.db, { vehicles: 0 });
  for (const id of ['GU1', 'GU2']) {
    await registerBranch(t.db, AGENT, { id, name: id, timeZone: 'UTC', entityId: ENTITY });
  }
  const model = { make: 'Skoda', model: 'Octavia', modelYear: 2026, odometerKm: 0 };
  const vehicle = { id: VEHICLE, plate: 'G-1', classId: CLASS, branchId, ...model };
  await registerVehicle(t.db, AGENT, vehicle);
  await plantTrade(t.db);
  await sql`insert into accounting.period (entity_id, month) values (${ENTITY}, '2020-01')`.execute(
    t.owner,
  );
});

function tried<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
  return triedAs(t.owner, work);
}

async function plantNeeds(tx: Tx, table: Table): Promise<void> {
  for (const other of NEEDS[table] ?? []) await plant(tx, other);
}

function plant(tx: Tx, table: Table, over: Row = {}) {
  const name = sql.id('vehicles', table);
  return sql`insert into ${name} select * from jsonb_populate_record(null::${name},
    ${JSON.stringify({ ...ROWS[table], ...over })}::jsonb)`.execute(tx);
}

/** These compare with a row that is there. */
const UNIQUE = ['hold_open_source', 'recall_jurisdiction_authority_number_key'];

describe('a row is refused by its own guard, and by no other', () => {
  test.each(Object.entries(CASES))('%s', async (table, cases) => {
    const name = table as Table;
    const found = await tried(async (tx) => {
      const said: [string, readonly string[]][] = [];
      await plantNeeds(tx, name);
      for (const [guard, over] of Object.entries(cases)) {
        await sql`savepoint one`.execute(tx);
        if (UNIQUE.includes(guard)) await plant(tx, name);
        const gone =
          guard === 'hold_open_source'
            ? sql`drop index vehicles.hold_open_source`
            : sql`alter table ${sql.id('vehicles', name)} drop constraint ${sql.id(guard)}`;
        said.push([guard, await guarded(tx, () => plant(tx, name, over), gone)]);
        await sql`rollback to savepoint one`.execute(tx);
      }
      await plant(tx, name);
      return said;
    });
    expect(found).toEqual(Object.keys(cases).map((guard) => [guard, [guard, 'accepted']]));
  });
});

const TABLE = { hold: HOLD, import: IMPORT, recall: RECALL, transfer: TRANSFER } as const;
const TIMES = 'recall_times_until_its_deadline';
const CHANGES: readonly (readonly [keyof typeof TABLE, string, string, Row, Row])[] = [
  ['hold', 'hold_guard', 'hold_lifted_is_final', LIFTED, { reason: 'other' }],
  ['hold', 'hold_guard', 'hold_keeps_its_source', {}, { type: 'damage' }],
  ['hold', 'hold_guard', 'hold_not_weakened', HARD, { severity: 'soft', hard_from: null }],
  ['hold', 'hold_guard', 'hold_not_weakened', HARD, { hard_from: DAY[1] }],
  [
    ...(['import', 'import_guard', 'import_is_final'] as const),
    ...([{ status: 'refused', error_count: 1, rows: null }, { row_count: 2 }] as const),
  ],
  ['recall', 'recall_times', TIMES, { grounded_at: DAY[1] }, { hard_at: DAY[0] }],
  ['recall', 'recall_times', TIMES, { grounded_at: DAY[1] }, { deadline_at: DAY[2] }],
  ['transfer', 'transfer_transition', 'transfer_transition', {}, { overdue: true }],
  [
    'transfer',
    'transfer_transition',
    'transfer_transition',
    {},
    { departs_at: DAY[1], version: 2 },
  ],
  ['transfer', 'transfer_transition', 'transfer_transition', {}, { ...IN, version: 2 }],
  [
    'transfer',
    'transfer_transition',
    'transfer_transition',
    IN,
    { arrived_at: DAY[2], version: 2 },
  ],
];

test.each(CHANGES)('%s: %s refuses a change (%s)', async (...change) => {
  const [table, trigger, refusal, before, after] = change;
  const name = sql.id('vehicles', table);
  const found = await tried(async (tx) => {
    await plant(tx, table, before);
    const columns = Object.entries(after).map(([k, v]) => sql`${sql.id(k)} = ${v}`);
    const update = sql`update ${name} set ${sql.join(columns)} where id = ${TABLE[table]}`;
    const gone = sql`alter table ${name} disable trigger ${sql.id(trigger)}`;
    return guarded(tx, () => update.execute(tx), gone);
  });
  expect(found).toEqual([refusal, 'accepted']);
});

describe('who works at another branch sees nothing of', () => {
  const ELSEWHERE = [
    ...(['hold', 'recall_vehicle', 'recall_notice'] as const),
    ...(['import', 'transfer', 'transfer_command'] as const),
  ];
  test.each(ELSEWHERE)('%s, by its policy alone', async (table) => {
    const name = sql.id('vehicles', table);
    const count = async (scope: string, isGuarded: boolean) =>
      tried(async (tx) => {
        await plantNeeds(tx, table);
        await plant(tx, table);
        if (!isGuarded) await sql`alter table ${name} disable row level security`.execute(tx);
        await sql`select set_config('app.principal', 'staff:b', true),
          set_config('app.scope', ${scope}, true)`.execute(tx);
        await sql`set local role api_read`.execute(tx);
        return (await sql`select from ${name}`.execute(tx)).rows.length;
      });
    expect(await count('*', true)).toBe(1);
    expect([await count('branches:NONE', true), await count('branches:NONE', false)]).toEqual([
      0, 1,
    ]);
  });
});

describe('the books lose nothing', () => {
  const KEPT_FOR_EVER = ['legal_entity', 'account', 'period', 'entry', 'line', 'invoice'];

  test.each([...KEPT_FOR_EVER, 'invoice_line', 'invoice_tax'])(
    'by a truncate of %s',
    async (table) => {
      const name = sql.id('accounting', table);
      const [refused, without] = await tried((tx) => {
        const gone = sql`alter table ${name} disable trigger refuse_truncate`;
        return guarded(tx, () => sql`truncate ${name} cascade`.execute(tx), gone);
      });
      expect(refused).toContain(`accounting.${table} is never changed`);
      expect(without).not.toContain(`accounting.${table} is never changed`);
    },
  );

  test.each(['legal_entity', 'account', 'period'])('by a delete from %s', async (table) => {
    const name = sql.id('accounting', table);
    const [refused, without] = await tried((tx) => {
      const gone = sql`alter table ${name} disable trigger refuse_change`;
      return guarded(tx, () => sql`delete from ${name}`.execute(tx), gone);
    });
    expect(refused).toContain(`accounting.${table} is never changed`);
    expect(without).not.toContain(`accounting.${table} is never changed`);
  });
});

test('of a recall only its remedy and its times may be written, by rights alone', async () => {
  const change = (column: string, value: unknown) =>
    tried(async (tx) => {
      await plant(tx, 'recall');
      const gone = sql`grant update on vehicles.recall to vehicles_rw`;
      const attempt = async () => {
        await sql`set local role vehicles_rw`.execute(tx);
        await sql`update vehicles.recall set ${sql.id(column)} = ${value}
          where id = ${RECALL}`.execute(tx);
      };
      return guarded(tx, attempt, gone);
    });
  const denied = ['permission denied for table recall', 'accepted'];
  expect(await change('title', 'Another')).toEqual(denied);
  expect(await change('jurisdiction', 'AT')).toEqual(denied);
  expect((await change('remedy', 'A new inflator'))[0]).toBe('accepted');
});

test('a walk is one entry a case, however often it is told, by its key alone', async () => {
  const created = await tried(async (tx) => {
    await sql`select set_config('app.principal', 'system:test', true)`.execute(tx);
    const about = {
      ...{ caseId: uuidv7(), entityId: ENTITY, rentalId: uuidv7(), currency: 'EUR' },
      effectiveAt: new Date().toISOString(),
      postings: walkPostings({ currency: 'EUR', costMinor: 900 }),
    };
    const isNew = async () => {
      const request = JSON.stringify({ id: uuidv7(), ...about });
      const { rows } = await sql<{ answer: { created: boolean } }>`select
        accounting.post_walk(${request}::jsonb) as answer`.execute(tx);
      return rows[0]?.answer.created;
    };
    const told = [await isNew(), await isNew()];
    const { rows } = await sql<{ text: string }>`select
      pg_get_functiondef('accounting.post_walk(jsonb)'::regprocedure) as text`.execute(tx);
    await sql.raw((rows[0]?.text ?? '').replace("p->>'caseId'", "p->>'id'")).execute(tx);
    return [...told, await isNew()];
  });
  expect(created).toEqual([true, false, true]);
});

// The second wall: which rows a transaction sees is decided by who acts in it and how far he sees.
import { readFile } from 'node:fs/promises';
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Acting, transact } from '../../db/client.ts';
import { recordCommand } from '../../db/commands/rentals.ts';
import { reserveRental } from '../../db/commands/reservations.ts';
import { refundPayment } from '../../db/commands/tender-refunds.ts';
import { receivePayment } from '../../db/commands/tenders.ts';
import type { RentalState } from '../../domain/rental.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { CLASS, hoursFromNow, plantFleet, plantTrade } from '../support/fleet.ts';
import { plantStaff } from '../support/people.ts';
import { backOf, OUT } from '../support/rental-desk.ts';

const SYSTEM = 'system:test';
let t: TestDatabase;
let customerId: string;
/** Picked up and returned at the first branch, which has an invoice; nothing at the second. */
let here: RentalState;
let there: RentalState;

async function reserve(vehicles: number): Promise<RentalState> {
  const { branchId } = await plantFleet(t.db, { vehicles });
  const ids = { id: uuidv7(), branchId, classId: CLASS, customerId };
  const term = { pickUpAt: hoursFromNow(0), dueAt: hoursFromNow(72) };
  return reserveRental(t.db, SYSTEM, { ...ids, ...term });
}

beforeAll(async () => {
  t = await testDatabase();
  ({ customerId } = await plantTrade(t.db));
  here = await reserve(1);
  there = await reserve(1);
  const given = { rentalId: here.id };
  await recordCommand(t.db, SYSTEM, { ...given, commandId: uuidv7(), version: 1, command: OUT });
  const back = backOf(here);
  await recordCommand(t.db, SYSTEM, { ...given, commandId: uuidv7(), version: 2, command: back });
});

function count(acting: Acting, table: string, role: 'api_read' | 'people_rw' = 'api_read') {
  return transact(t.db, role, acting, async (tx) => {
    const { rows } = await sql<{ n: number }>`select count(*) as n
      from ${sql.table(table)}`.execute(tx);
    return rows[0]?.n;
  });
}

const TABLES = ['rentals.customer', 'rentals.rental', 'vehicles.vehicle', 'accounting.invoice'];

function seen(acting: Acting): Promise<readonly (number | undefined)[]> {
  return Promise.all(TABLES.map((table) => count(acting, table)));
}

function at(...branches: readonly string[]): Acting {
  return { principal: 'staff:somebody', scope: `branches:${branches.join(',')}` };
}

describe('which rows are there', () => {
  test('all, for the system and for who works at every branch', async () => {
    expect(await seen(SYSTEM)).toEqual([1, 2, 2, 1]);
    expect(await seen({ principal: 'staff:somebody', scope: '*' })).toEqual([1, 2, 2, 1]);
  });

  test('without a principal none, whatever the scope', async () => {
    for (const scope of ['*', `branches:${here.branchId}`, `customer:${customerId}`]) {
      expect(await seen({ principal: '', scope })).toEqual([0, 0, 0, 0]);
    }
    const bare = await t.db.transaction().execute(async (tx) => {
      await sql`set local role api_read`.execute(tx);
      return sql`select from rentals.rental`.execute(tx);
    });
    expect(bare.rows).toHaveLength(0);
  });

  test('those of the branches; customers are the company’s', async () => {
    expect(await seen(at(here.branchId))).toEqual([1, 1, 1, 1]);
    expect(await seen(at(there.branchId))).toEqual([1, 1, 1, 0]);
    expect(await seen(at(here.branchId, there.branchId))).toEqual([1, 2, 2, 1]);
    expect(await seen(at('NONE'))).toEqual([1, 0, 0, 0]);
    expect(await seen(at())).toEqual([1, 0, 0, 0]);
  });

  test('a customer’s own, and nobody else’s', async () => {
    const own = `customer:${customerId}`;
    expect(await seen({ principal: own, scope: own })).toEqual([1, 2, 0, 1]);
    const other = `customer:${uuidv7()}`;
    expect(await seen({ principal: other, scope: other })).toEqual([0, 0, 0, 0]);
  });

  test('of a rental that is returned elsewhere, both branches', async () => {
    await sql`update rentals.rental set return_branch_id = 'ELSEWHERE', version = version + 1
      where id = ${there.id}`.execute(t.owner);
    expect(await count(at('ELSEWHERE'), 'rentals.rental')).toBe(1);
    expect(await count(at(there.branchId), 'rentals.rental')).toBe(1);
  });

  test('a partner sees none of them', async () => {
    const partner = `partner:${uuidv7()}`;
    expect(await seen({ principal: partner, scope: partner })).toEqual([0, 0, 0, 0]);
  });

  test('staff see their own sessions; proofs of others are not there', async () => {
    const [one, other] = [await plantStaff(t.owner), await plantStaff(t.owner)];
    const me = { principal: `staff:${one.id}`, scope: 'branches:VIE' };
    expect(await count(me, 'people.session', 'people_rw')).toBe(1);
    expect(await count(me, 'people.staff', 'people_rw')).toBe(1);
    expect(await count(SYSTEM, 'people.session', 'people_rw')).toBe(2);
    expect(other.id).not.toBe(one.id);
  });

  test('who gets the vehicle back is paid for it, and whoever gives money back opens the document', async () => {
    const [to, third] = [at('ELSEWHERE'), at('THIRD')];
    await sql`update rentals.rental set return_branch_id = 'ELSEWHERE', version = version + 1
      where id = ${here.id}`.execute(t.owner);
    const open = async () =>
      (
        await sql<{ id: string; open: number }>`select invoice_id as id,
          due_minor - settled_minor as open from accounting.open_item`.execute(t.owner)
      ).rows[0];
    const { id: invoiceId = '', open: amountMinor = 0 } = (await open()) ?? {};
    const paid = { id: uuidv7(), tender: 'bank-transfer', amountMinor } as const;
    await expect(receivePayment(t.db, third, { ...paid, invoiceId })).rejects.toMatchObject({
      code: 'not-found',
    });
    await receivePayment(t.db, to, { ...paid, invoiceId });
    const documents = ['invoice', 'open_item', 'payment', 'application'];
    const seenBy = (who: Acting) =>
      Promise.all(documents.map((table) => count(who, `accounting.${table}`)));
    expect([await seenBy(to), await seenBy(third)]).toEqual([
      [1, 1, 1, 1],
      [0, 0, 0, 0],
    ]);
    // As when it was paid at a third one, for nobody's rental.
    await sql`alter table accounting.payment disable trigger user`.execute(t.owner);
    await sql`update accounting.payment set branch_id = 'THIRD', rental_id = null`.execute(t.owner);
    await sql`alter table accounting.payment enable trigger user`.execute(t.owner);
    const refund = { id: uuidv7(), paymentId: paid.id, reason: 'twice', shiftId: null };
    const terms = { approvalId: null, limitMinor: 10_000_000 };
    const { id } = await plantStaff(t.owner);
    const who = { principal: `staff:${id}`, scope: 'branches:THIRD' };
    await refundPayment(t.db, who, { ...refund, ...terms, amountMinor: 1_000 });
    expect((await open())?.open).toBe(1_000);
  });
});

test('a row out of scope can be neither changed nor made', async () => {
  const rename = sql`update vehicles.vehicle set model = 'Stolen'
    where branch_id = ${there.branchId}`;
  const changed = await transact(t.db, 'vehicles_rw', at(here.branchId), (tx) =>
    rename.execute(tx),
  );
  expect(changed.numAffectedRows).toBe(0n);
  const moved = transact(t.db, 'vehicles_rw', at(here.branchId), (tx) =>
    sql`update vehicles.vehicle set branch_id = ${there.branchId}
      where branch_id = ${here.branchId}`.execute(tx),
  );
  await expect(moved).rejects.toMatchObject({ code: '42501' });
});

test('a search by name keeps its index under the policies', { timeout: 60_000 }, async () => {
  await sql`insert into rentals.customer (id, name)
    select uuidv7(), 'Name ' || md5(n::text) from generate_series(1, 20000) n`.execute(t.owner);
  await sql`analyze rentals.customer`.execute(t.owner);
  const plan = await transact(t.db, 'api_read', at(here.branchId), async (tx) => {
    const { rows } = await sql<{ 'QUERY PLAN': object }>`explain (format json)
      select * from rentals.customer where name_key >= lower('NAME abc') and
        name_key < lower('NAME abc') || ${'\u{10ffff}'} order by id limit 51`.execute(tx);
    return JSON.stringify(rows[0]);
  });
  expect(plan).toContain('customer_name_key');
  expect(plan).not.toContain('Seq Scan');
});

test('docs/security.md lists the tables that have policies, and no others', async () => {
  const { rows } = await sql<{ name: string }>`select schemaname || '.' || tablename as name
    from pg_policies order by 1`.execute(t.owner);
  const text = await readFile(new URL('../../docs/security.md', import.meta.url), 'utf8');
  const section = text.split('## Row-level policies')[1]?.split('\n## ')[0] ?? '';
  const listed = [...section.matchAll(/^\| `([a-z]+\.[a-z_]+)`/gm)].map((match) => match[1]);
  expect(listed.sort()).toEqual(rows.map(({ name }) => name));
});

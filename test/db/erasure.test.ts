// Erasing a person in the database: only when two agreed and nothing is open, and then all of it.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { createPrivacyActivities } from '../../activities/privacy.ts';
import { keepAgreementFile } from '../../db/commands/agreements.ts';
import { mergeCustomers } from '../../db/commands/customer-merge.ts';
import { createCustomer } from '../../db/commands/customers.ts';
import { eraseContacts, eraseName } from '../../db/commands/erasure.ts';
import { keepInvoiceFile } from '../../db/commands/invoice-files.ts';
import { driversOfRental, nameDriver, removeDriver } from '../../db/commands/rental-drivers.ts';
import { filesToRemove } from '../../db/queries/file-removals.ts';
import { lastInvoiceDate } from '../../db/queries/personal-data.ts';
import type { RentalState } from '../../domain/rental.ts';
import { refusal } from '../support/accounting.ts';
import { type CustomerDesk, customerDesk } from '../support/customers.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { ELSEWHERE, PERSONAL, rowsOf, SIGNATURE } from '../support/erased-columns.ts';
import { AGENT, PERSON } from '../support/fleet.ts';
import { foundIn, freeColumns, insertAnyhow, plantIn } from '../support/planted-text.ts';
import { backOf, OUT, type RentalDesk, rentalDesk } from '../support/rental-desk.ts';
import { someoneWaits } from '../support/waiting.ts';

let t: TestDatabase;
/** By the store, as it was told. */
const removed: string[] = [];
const removeFile = async (key: string) => void removed.push(key);
let desk: RentalDesk;
let customers: CustomerDesk;
beforeAll(async () => {
  t = await testDatabase();
  desk = await rentalDesk(t);
  customers = customerDesk(t);
});

async function newCustomer(): Promise<string> {
  const id = uuidv7();
  const person = { ...PERSON, email: `${id}@planted.example` };
  await createCustomer(t.db, AGENT, { ...person, id });
  return id;
}

async function approval(subjectId: string, status = 'approved'): Promise<string> {
  const id = uuidv7();
  const decided = status === 'open' ? null : 'staff:second';
  await sql`insert into people.approval (id, kind, subject_type, subject_id, amount, reason,
      requested_by, requested_at, expires_at, status, decided_by, decided_at)
    values (${id}, 'erasure', 'customer', ${subjectId}, 0, 'asked', 'staff:first', now(),
      now() + interval '1 day', ${status}, ${decided}::text,
      case when ${decided}::text is null then null else now() end)`.execute(t.owner);
  return id;
}

async function row(id: string) {
  const { rows } = await sql<{ name: string; email: string | null; phone: string | null }>`
    select name, email, phone from rentals.customer where id = ${id}`.execute(t.owner);
  return rows[0];
}

async function eventsOf(id: string): Promise<readonly string[]> {
  const { rows } = await sql<{ type: string }>`select type from events.outbox
    where aggregate_id = ${id} order by id`.execute(t.owner);
  return rows.map(({ type }) => type.replace('forecourt.customer.', ''));
}

test.each([
  ['none', async () => uuidv7()],
  ["another person's", async () => approval(uuidv7())],
  ['an undecided one', (id: string) => approval(id, 'open')],
  ['a refused one', (id: string) => approval(id, 'refused')],
])('with %s approval nothing is erased', async (_, approvalFor) => {
  const customerId = await newCustomer();
  const request = { customerId, approvalId: await approvalFor(customerId) };
  expect(await refusal(eraseContacts(t.db, AGENT, request))).toBe('four-eyes');
  expect(await row(customerId)).toMatchObject({ phone: PERSON.phone });
});

test('contacts go once, with what people kept under the address; the name stays', async () => {
  const customerId = await newCustomer();
  const email = `${customerId}@planted.example`;
  await sql`insert into people.mail (id, to_address, subject_line, body)
    values (${uuidv7()}, ${email.toUpperCase()}, 'link', 'text')`.execute(t.owner);
  await sql`insert into people.session (id, subject, device, address, expires_at)
    values (${uuidv7()}, ${`customer:${customerId}`}, 'Phone of Ada', '192.0.2.7',
      now() + interval '1 day')`.execute(t.owner);
  const approvalId = await approval(customerId);
  const { eraseContacts: erase } = createPrivacyActivities({ db: t.db, removeFile });
  const envelope = { commandId: uuidv7(), actor: { kind: 'staff', id: 'test' } as const };
  for (let n = 0; n < 2; n += 1) {
    const state = await erase({ ...envelope, command: { customerId, approvalId } });
    expect(state).toEqual({ customerId, status: 'contacts-erased', keptUntil: null });
  }
  expect(await row(customerId)).toEqual({ name: PERSON.name, email: null, phone: null });
  expect(await eventsOf(customerId)).toEqual(['registered.v1', 'contacts-erased.v1']);
  const { rows } = await sql`select from people.mail where lower(to_address) = ${email}`.execute(
    t.owner,
  );
  expect(rows).toEqual([]);
  const sessions = await sql`select device, address, end_reason from people.session
    where subject = ${`customer:${customerId}`}`.execute(t.owner);
  expect(sessions.rows).toEqual([{ device: 'erased', address: null, end_reason: 'erased' }]);
});

test('the name goes once, and is found nowhere in what was told about it', async () => {
  const customerId = await newCustomer();
  await eraseContacts(t.db, AGENT, { customerId, approvalId: await approval(customerId) });
  await eraseName(t.db, AGENT, customerId);
  await eraseName(t.db, AGENT, customerId);
  expect(await row(customerId)).toMatchObject({ name: 'Erased' });
  expect(await eventsOf(customerId)).toEqual(['registered.v1', 'contacts-erased.v1', 'erased.v1']);
  const { rows } = await sql`select from people.audit_entry a where to_jsonb(a)::text
    like ${`%${PERSON.name}%`}`.execute(t.owner);
  expect(rows).toEqual([]);
});

test('who has an open rental is not erased; whose invoice is kept, keeps the name', async () => {
  const { customerId } = desk;
  const rental = await desk.handedOut();
  const request = { customerId, approvalId: await approval(customerId) };
  expect(await refusal(eraseContacts(t.db, AGENT, request))).toBe('resource-in-use');
  await desk.record(rental, backOf(rental));
  await desk.record(await desk.read(rental.id), { type: 'close' });
  const { eraseContacts: erase, eraseName: forget } = createPrivacyActivities({
    db: t.db,
    removeFile,
  });
  const year = Number((await lastInvoiceDate(t.db, customerId))?.slice(0, 4));
  const keptUntil = `${year + 11}-01-01T00:00:00.000Z`;
  const envelope = { commandId: uuidv7(), actor: { kind: 'staff', id: 'test' } as const };
  expect(await erase({ ...envelope, command: request })).toMatchObject({ keptUntil });
  expect(await forget({ customerId })).toEqual({
    customerId,
    status: 'contacts-erased',
    keptUntil,
  });
  expect(await row(customerId)).toEqual({ name: PERSON.name, email: null, phone: null });
});

describe('a named driver', () => {
  const naming = (rental: RentalState, customerId: string) =>
    nameDriver(t.db, customers.envelope, AGENT, { rentalId: rental.id, customerId });
  const erasing = async (customerId: string) =>
    eraseContacts(t.db, AGENT, await customers.approved(customerId));

  /** Two records of one person, who may drive. */
  async function merged() {
    const [survivorId, duplicateId] = [await customers.customer(), await customers.licensed()];
    await mergeCustomers(t.db, AGENT, { survivorId, duplicateId });
    return { survivorId, duplicateId };
  }

  test('is not erased while the vehicle is out, under whichever record', async () => {
    const rental = await desk.handedOut();
    const { survivorId, duplicateId } = await merged();
    await naming(rental, duplicateId);
    const details = { rentalId: rental.id, as: 'driver' };
    await expect(erasing(survivorId)).rejects.toMatchObject({ code: 'resource-in-use', details });
    await removeDriver(t.db, AGENT, { rentalId: rental.id, customerId: duplicateId });
    await erasing(survivorId);
    expect(await customers.row(duplicateId)).toMatchObject({ licence_number: null });
  });

  test('of a rental to come is erased, and drives it no more', async () => {
    const rental = await desk.reserved();
    const driver = await customers.licensed();
    await naming(rental, driver);
    await erasing(driver);
    expect(await driversOfRental(t.db, AGENT, rental.id)).toEqual([]);
    await expect(naming(rental, driver)).rejects.toMatchObject({ code: 'not-found' });
    expect((await desk.record(rental, OUT)).type).toBe('checkedOut');
  });

  test('who is named as the erasure begins, or gets keys, waits for it and is refused', async () => {
    const [named, handed] = [await desk.handedOut(), await desk.reserved()];
    const driver = await customers.licensed();
    await naming(handed, driver);
    const request = await customers.approved(driver);
    const late: Promise<string | null>[] = [];
    await t.owner.transaction().execute(async (tx) => {
      // The erasure has locked the person, and waits for its approval.
      await sql`select from people.approval where id = ${request.approvalId} for update`.execute(
        tx,
      );
      late.push(refusal(eraseContacts(t.db, AGENT, request)));
      await someoneWaits(t.owner);
      late.push(refusal(naming(named, driver)), refusal(desk.record(handed, OUT)));
      await someoneWaits(t.owner, 3);
    });
    expect(await Promise.all(late)).toEqual([null, 'not-found', 'not-found']);
  });

  test('who was named before the erasure began is seen by it', async () => {
    const rental = await desk.handedOut();
    const { survivorId, duplicateId } = await merged();
    let late: Promise<string | null> | undefined;
    await t.owner.transaction().execute(async (tx) => {
      await sql`insert into rentals.rental_driver (rental_id, customer_id, judged_pick_up_at)
        values (${rental.id}, ${duplicateId}, now())`.execute(tx);
      late = refusal(erasing(survivorId));
      await someoneWaits(t.owner);
    });
    expect(await late).toBe('resource-in-use');
  });
});

test('what was written of a person anywhere is found nowhere after the erasure', async () => {
  const columns = await freeColumns(t.owner);
  const names = columns.map(({ table, column }) => `${table}.${column}`);
  // Whoever adds a column says there whether a person may be named in it.
  expect(names).toEqual([...PERSONAL.keys(), ...ELSEWHERE].sort());
  const rental = await desk.handedOut();
  await desk.record(rental, backOf(rental));
  await desk.record(await desk.read(rental.id), { type: 'close' });
  const one = { rentalId: rental.id, customerId: await newCustomer() };
  await sql`update rentals.rental set customer_id = ${one.customerId}, version = version + 1
    where id = ${rental.id}`.execute(t.owner);
  for (const [table, row] of rowsOf(one)) await insertAnyhow(t.owner, table, row);
  const agreement = 'b'.repeat(64);
  const file = { rental_id: rental.id, version: 1, language: 'en', sha256: agreement };
  const written = { ...file, sizeBytes: 9, names: [PERSON.name] };
  const [late, outdated] = [{ ...written, language: 'de' }, 'c'.repeat(64)];
  const before = { ...late, sha256: outdated, names: ['Ada Before'] };
  expect(await keepAgreementFile(t.db, before)).toBeUndefined();
  await keepAgreementFile(t.db, written);
  const invoice = { invoiceId: uuidv7(), customerId: one.customerId, customerTaxId: null } as const;
  const billed = { ...invoice, language: 'en', customer: PERSON.name, sizeBytes: 9 } as const;
  const [paper, renamed] = ['d'.repeat(64), 'e'.repeat(64)];
  const other = { ...billed, customer: 'Ada Before', sha256: renamed };
  expect(await keepInvoiceFile(t.db, other)).toBeUndefined();
  await keepInvoiceFile(t.db, { ...billed, sha256: paper });
  const mine = columns.filter(({ table, column }) => PERSONAL.has(`${table}.${column}`));
  for (const column of mine) {
    const rows = PERSONAL.get(`${column.table}.${column.column}`)?.(one) ?? 'false';
    await plantIn(t.owner, column, rows);
  }
  expect(await foundIn(t.owner, mine)).toEqual([...PERSONAL.keys()]);

  const approvalId = await approval(one.customerId);
  await eraseContacts(t.db, AGENT, { customerId: one.customerId, approvalId });
  const { eraseName: forget } = createPrivacyActivities({ db: t.db, removeFile });
  await forget(one);
  expect(await foundIn(t.owner, columns)).toEqual([]);
  expect(removed.toSorted()).toEqual([SIGNATURE, agreement, outdated, paper, renamed]);
  expect(await filesToRemove(t.db)).toEqual([]);
});

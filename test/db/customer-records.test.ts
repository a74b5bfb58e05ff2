// Customers on the real database: who may be the same, and what a merge keeps.
import { sql } from 'kysely';
import { beforeAll, describe, expect, test } from 'vitest';
import { possibleDuplicates } from '../../api/customer-duplicates.ts';
import { setContact } from '../../db/commands/company-contacts.ts';
import { mergeCustomers } from '../../db/commands/customer-merge.ts';
import { type CustomerChange, updateCustomer } from '../../db/commands/customers.ts';
import { eraseContacts, eraseName } from '../../db/commands/erasure.ts';
import { setLicence } from '../../db/commands/licences.ts';
import { setOptOuts } from '../../db/commands/notifications.ts';
import { resealAll } from '../../db/commands/reseal.ts';
import { openEnvelope } from '../../db/envelope.ts';
import { up as joinSides } from '../../db/migrations/0237_rentals_merged_guests.ts';
import { contactsOf } from '../../db/queries/customers.ts';
import { personalData } from '../../db/queries/personal-data.ts';
import { type CustomerDesk, customerDesk, dataKey, LICENCE } from '../support/customers.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { AGENT, hoursFromNow } from '../support/fleet.ts';
import { OUT, type RentalDesk, rentalDesk } from '../support/rental-desk.ts';

const [first, second] = [dataKey('d1'), dataKey('d2')];
let t: TestDatabase;
let desk: RentalDesk;
let customers: CustomerDesk;
beforeAll(async () => {
  t = await testDatabase();
  desk = await rentalDesk(t);
  customers = customerDesk(t, first);
});

const doubles = async (id: string, envelope = customers.envelope) => {
  const found = await possibleDuplicates(
    { db: t.db, envelope },
    { principal: AGENT, scope: '*' },
    id,
  );
  return found.map((one) => [one.id, ...one.by]);
};

describe('possible duplicates', () => {
  test('are found by mail, phone, and name without case, accents and order', async () => {
    const one = await customers.customer({
      name: 'Åsa Öberg-Straße',
      email: 'asa@x.example',
      phone: '+4312345',
    });
    const two = await customers.customer({ name: 'STRASSE, asa  oberg', email: 'ASA@x.example' });
    const three = await customers.customer({ name: 'Someone Else', phone: '+4312345' });
    await customers.customer({ kind: 'company', name: 'Åsa Öberg-Straße', email: 'asa@x.example' });
    expect(await doubles(one)).toEqual([
      [two, 'email', 'name'],
      [three, 'phone'],
    ]);
  });

  test('are found by licence, however it is written, and by name with birth date', async () => {
    const one = await customers.licensed({ number: 'AT-77 1234' }, { name: 'Eva Maier' });
    const same = await customers.licensed(
      { number: 'at771234', birthDate: '1991-01-01' },
      { name: 'E. M.' },
    );
    const twin = await customers.licensed({}, { name: 'Maier Eva' });
    const namesake = await customers.licensed({ birthDate: '1955-01-01' }, { name: 'Eva Maier' });
    const found = await doubles(one);
    expect(found).toEqual([
      [same, 'licence'],
      [twin, 'name-and-birth-date'],
    ]);
    expect(found.flat()).not.toContain(namesake);
  });

  test('are found while the data key changes, and after it', async () => {
    const one = await customers.licensed({ number: 'KEY-1' });
    const two = await customers.licensed({ number: 'KEY 1' });
    const both = openEnvelope(`${second},${first}`);
    await setLicence(t.db, both, AGENT, two, 2, { ...LICENCE, number: 'KEY/1' });
    expect(await doubles(two, both)).toEqual([[one, 'licence']]);
    await resealAll(t.db, both);
    expect(await doubles(one, openEnvelope(second))).toEqual([[two, 'licence']]);
    expect(await doubles(two, openEnvelope(second))).toEqual([[one, 'licence']]);
    // Back, for the other cases.
    await resealAll(t.db, openEnvelope(`${first},${second}`));
  });
});

describe('a merge', () => {
  test('keeps rentals, moves blocks, contacts and payers, and is done once', async () => {
    const phone = '+43999111';
    const [survivor, duplicate] = [await customers.customer(), await customers.customer({ phone })];
    const company = await customers.customer({ kind: 'company', payerId: duplicate });
    await setContact(t.db, AGENT, company, 1, duplicate, 'billing');
    const rental = await customers.reserve(duplicate);
    const merge = () =>
      mergeCustomers(t.db, AGENT, { survivorId: survivor, duplicateId: duplicate });
    const answers = await Promise.all([merge(), merge()]);
    expect(answers.map(({ id, phone: taken, version }) => [id, taken, version])).toEqual([
      [survivor, phone, 2],
      [survivor, phone, 2],
    ]);
    expect(await customers.row(duplicate)).toMatchObject({ merged_into: survivor, phone });
    expect(await customers.eventsOf(duplicate)).toEqual([
      'customer.registered.v1',
      'customer.merged.v1',
    ]);
    expect((await desk.read(rental.id)).customerId).toBe(duplicate);
    expect((await customers.row(company)).payer_id).toBe(survivor);
    expect((await contactsOf(t.db, AGENT, company)).map((one) => one.person_id)).toEqual([
      survivor,
    ]);
    await expect(customers.reserve(duplicate)).rejects.toMatchObject({
      code: 'customer-merged',
      details: { survivorId: survivor },
    });
    await customers.block(duplicate);
    await expect(desk.record(rental, OUT)).rejects.toMatchObject({ code: 'customer-blocked' });
    await expect(customers.reserve(survivor)).rejects.toMatchObject({ code: 'customer-blocked' });
  });

  test('both ways at once: one wins, and the records never lead in a circle', async () => {
    const [a, b] = [await customers.customer(), await customers.customer()];
    const merged = await Promise.allSettled([
      mergeCustomers(t.db, AGENT, { survivorId: a, duplicateId: b }),
      mergeCustomers(t.db, AGENT, { survivorId: b, duplicateId: a }),
    ]);
    expect(merged.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    const refusal = merged.find(({ status }) => status === 'rejected') as PromiseRejectedResult;
    expect(refusal.reason).toMatchObject({ code: 'customer-merged' });
  });

  test('of what was merged before leads in one step', async () => {
    const [a, b, c] = [
      await customers.customer(),
      await customers.customer(),
      await customers.customer(),
    ];
    await mergeCustomers(t.db, AGENT, { survivorId: b, duplicateId: c });
    await mergeCustomers(t.db, AGENT, { survivorId: a, duplicateId: b });
    expect([(await customers.row(b)).merged_into, (await customers.row(c)).merged_into]).toEqual([
      a,
      a,
    ]);
    const chain = sql`update rentals.customer set merged_into = ${b} where id = ${a}`;
    await expect(chain.execute(t.owner)).rejects.toMatchObject({
      constraint: 'customer_merge_one_step',
    });
    const back = sql`update rentals.customer set merged_into = null where id = ${c}`;
    await expect(back.execute(t.owner)).rejects.toMatchObject({
      constraint: 'customer_stays_merged',
    });
  });

  test('of one whose guest was of the sandbox before sides were kept', async () => {
    const [stands, next] = [await customers.customer(), await customers.customer()];
    const guest = await customers.customer();
    await t.owner.transaction().execute(async (tx) => {
      await sql`set local session_replication_role = replica`.execute(tx);
      await sql`update rentals.customer set is_sandbox = true, merged_into = ${stands}
        where id = ${guest}`.execute(tx);
    });
    await joinSides(t.owner as never);
    await mergeCustomers(t.db, AGENT, { survivorId: next, duplicateId: stands });
    expect(await customers.row(guest)).toMatchObject({ merged_into: next, is_sandbox: false });
  });

  test('is refused for a person with a company, for oneself and for the erased', async () => {
    const [one, other] = [await customers.customer(), await customers.customer()];
    const company = await customers.customer({ kind: 'company' });
    await eraseContacts(t.db, AGENT, await customers.approved(other));
    for (const duplicateId of [company, one, other]) {
      const merging = mergeCustomers(t.db, AGENT, { survivorId: one, duplicateId });
      await expect(merging).rejects.toMatchObject({ code: 'invalid-state' });
    }
  });

  test('is erased and told as one person, with every copy', async () => {
    const [survivor, duplicate] = [
      await customers.licensed({ recheckOn: '2027-01-01' }),
      await customers.licensed({}, { email: 'copy@x.example' }),
    ];
    const rental = await customers.reserve(duplicate, 24, 48);
    await customers.block(duplicate, hoursFromNow(-1));
    await mergeCustomers(t.db, AGENT, { survivorId: survivor, duplicateId: duplicate });
    const told = JSON.stringify(await personalData(t.db, AGENT, survivor));
    for (const part of [rental.id, duplicate, 'Owes for RA-17', 'copy@x.example']) {
      expect(told).toContain(part);
    }
    expect(told).not.toContain('_hash');
    await expect(
      eraseContacts(t.db, AGENT, await customers.approved(duplicate)),
    ).rejects.toMatchObject({
      code: 'customer-merged',
    });
    await expect(
      eraseContacts(t.db, AGENT, await customers.approved(survivor)),
    ).rejects.toMatchObject({
      code: 'resource-in-use',
    });
    await desk.record(rental, { type: 'cancel', reason: 'customer' });
    await eraseContacts(t.db, AGENT, await customers.approved(survivor));
    await eraseName(t.db, AGENT, survivor);
    for (const id of [survivor, duplicate]) {
      expect(await customers.row(id)).toMatchObject({
        ...{ name: 'Erased', email: null, email_key: null, licence_number: null, birth_date: null },
        ...{ licence_hash: null, birth_hash: null, licence_classes: null, licence_issued_on: null },
        ...{ licence_valid_until: null, licence_recheck_on: null, name_match: 'erased' },
      });
    }
    const { rows } = await sql`select reason from rentals.customer_block
      where customer_id = ${survivor}`.execute(t.owner);
    expect(rows).toEqual([{ reason: 'Erased' }]);
  });
});

describe('a record that is merged or erased', () => {
  test('takes no details any more, and its wishes are those of the one that stands', async () => {
    const [survivor, duplicate] = [await customers.customer(), await customers.customer()];
    await setOptOuts(t.db, AGENT, survivor, 1, ['deposit-released']);
    await setOptOuts(t.db, AGENT, duplicate, 1, ['reminder']);
    const { opt_outs: optOuts } = await mergeCustomers(t.db, AGENT, {
      ...{ survivorId: survivor, duplicateId: duplicate },
    });
    expect(optOuts).toEqual(['deposit-released', 'reminder']);
    const refused = { details: { constraint: 'customer_details_kept_away' } };
    const told = (id: string, version: number, change: CustomerChange) =>
      updateCustomer(t.db, AGENT, id, version, change);
    await expect(told(duplicate, 3, { phone: '+43 1 2' })).rejects.toMatchObject(refused);
    await eraseContacts(t.db, AGENT, await customers.approved(survivor));
    for (const change of [{ email: 'a@x.example' }, { name: 'Somebody' }]) {
      await expect(told(survivor, 4, change)).rejects.toMatchObject(refused);
    }
    const licence = setLicence(t.db, customers.envelope, AGENT, survivor, 4, LICENCE);
    await expect(licence).rejects.toMatchObject(refused);
  });

  test('brings a contact that had ended back, when the duplicate still is one', async () => {
    const [one, two] = [await customers.customer(), await customers.customer()];
    const company = await customers.customer({ kind: 'company' });
    await setContact(t.db, AGENT, company, 1, one, 'fleet');
    await setContact(t.db, AGENT, company, 2, one, null);
    await setContact(t.db, AGENT, company, 3, two, 'billing');
    await mergeCustomers(t.db, AGENT, { survivorId: one, duplicateId: two });
    expect(await contactsOf(t.db, AGENT, company)).toMatchObject([
      { person_id: one, function: 'billing' },
    ]);
  });
});

// Whom we rent to: the blocklist, named drivers, credit, and what the tables refuse.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { liftBlock } from '../../db/commands/blocklist.ts';
import { setContact } from '../../db/commands/company-contacts.ts';
import { mergeCustomers } from '../../db/commands/customer-merge.ts';
import { setCredit } from '../../db/commands/customers.ts';
import { setDriverRule } from '../../db/commands/driver-rules.ts';
import {
  driversOfRental,
  nameDriver,
  overrideDriver,
  removeDriver,
} from '../../db/commands/rental-drivers.ts';
import { licencesDue } from '../../db/queries/customers.ts';
import { type CustomerDesk, customerDesk } from '../support/customers.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { AGENT, CLASS, hoursFromNow } from '../support/fleet.ts';
import { OUT, type RentalDesk, rentalDesk } from '../support/rental-desk.ts';
import { moneyDesk } from '../support/rental-money.ts';

let t: TestDatabase;
let desk: RentalDesk;
let customers: CustomerDesk;
beforeAll(async () => {
  t = await testDatabase();
  desk = await rentalDesk(t);
  customers = customerDesk(t);
});

describe('a blocked customer', () => {
  test('gets no rental, and the keys of none; lifted, both', async () => {
    const id = await customers.customer();
    const before = await customers.reserve(id);
    const blockId = await customers.block(id);
    const refused = { code: 'customer-blocked', details: { customerId: id } };
    await expect(customers.reserve(id)).rejects.toMatchObject(refused);
    await expect(desk.record(before, OUT)).rejects.toMatchObject(refused);
    await expect(customers.reserve(id)).rejects.not.toThrow(/Owes/);
    await liftBlock(t.db, AGENT, blockId, 'Paid');
    const again = await liftBlock(t.db, AGENT, blockId, 'Paid twice');
    expect(again.lift_reason).toBe('Paid');
    await desk.record(before, OUT);
    await customers.reserve(id);
    expect(await customers.eventsOf(blockId)).toEqual([
      'customer-block.set.v1',
      'customer-block.lifted.v1',
    ]);
  });

  test('may rent again once the block is over', async () => {
    const id = await customers.customer();
    await customers.block(id, hoursFromNow(-1));
    expect((await customers.reserve(id)).status).toBe('reserved');
  });

  test('drives for nobody else either', async () => {
    const [renter, driver] = [await customers.customer(), await customers.licensed()];
    const rental = await customers.reserve(renter);
    await nameDriver(t.db, customers.envelope, AGENT, { rentalId: rental.id, customerId: driver });
    const blockId = await customers.block(driver);
    const refused = { code: 'customer-blocked', details: { customerId: driver } };
    await expect(desk.record(rental, OUT)).rejects.toMatchObject(refused);
    const naming = nameDriver(t.db, customers.envelope, AGENT, {
      rentalId: rental.id,
      customerId: driver,
    });
    await expect(naming).rejects.toMatchObject(refused);
    await liftBlock(t.db, AGENT, blockId, 'Sorry');
    await desk.record(rental, OUT);
  });

  test('keeps the block as it was made', async () => {
    const blockId = await customers.block(await customers.customer());
    const changed = sql`update rentals.customer_block set reason = 'x', version = version + 1
      where id = ${blockId}`.execute(t.owner);
    await expect(changed).rejects.toMatchObject({ constraint: 'customer_block_kept' });
  });
});

describe('a named driver', () => {
  test('who may not drive keeps the keys here, until a manager lets them pass', async () => {
    const driver = await customers.licensed({ classes: ['AM'] });
    const rental = await customers.reserve(await customers.customer());
    const named = { rentalId: rental.id, customerId: driver };
    const judged = await nameDriver(t.db, customers.envelope, AGENT, named);
    expect(judged.verdict).toEqual({ eligible: false, reasons: ['licence-class'], young: false });
    await expect(desk.record(rental, OUT)).rejects.toMatchObject({
      code: 'driver-ineligible',
      details: { drivers: [{ customerId: driver, reason: 'licence-class' }] },
    });
    const passed = await overrideDriver(t.db, AGENT, named, 'Drives a moped-class car');
    expect(passed).toMatchObject({ overridden: true, version: 2 });
    await desk.record(rental, OUT);
    const { rows } = await sql`select reason, actor from people.audit_entry
      where subject_id = ${rental.id} and action = 'rental.override-driver'`.execute(t.owner);
    expect(rows).toEqual([{ reason: 'see rentals.rental_driver', actor: AGENT }]);
  });

  test('whose licence ends refuses the extension beyond it, override or not', async () => {
    const until = (hours: number) => hoursFromNow(hours).slice(0, 10);
    for (const [ends, isLetPass] of [
      [96, false],
      [24, true],
    ] as const) {
      const driver = await customers.licensed({ validUntil: until(ends) });
      const rental = await customers.reserve(await customers.customer());
      const named = { rentalId: rental.id, customerId: driver };
      await nameDriver(t.db, customers.envelope, AGENT, named);
      if (isLetPass) await overrideDriver(t.db, AGENT, named, 'As agreed');
      await desk.record(rental, OUT);
      const out = await desk.read(rental.id);
      const extend = (hours: number) =>
        desk.record(out, { type: 'extend', dueAt: hoursFromNow(hours) });
      await expect(extend(150)).rejects.toMatchObject({
        code: 'driver-ineligible',
        details: { drivers: [{ customerId: driver, reason: 'licence-ends' }] },
      });
      if (!isLetPass) expect((await extend(80)).type).toBe('extended');
    }
  });

  test('without a licence, or removed: the first keeps the keys, the second does not', async () => {
    const [bare, rental] = [
      await customers.customer(),
      await customers.reserve(await customers.customer()),
    ];
    const named = { rentalId: rental.id, customerId: bare };
    await nameDriver(t.db, customers.envelope, AGENT, named);
    await expect(desk.record(rental, OUT)).rejects.toMatchObject({ code: 'driver-ineligible' });
    await removeDriver(t.db, AGENT, named);
    await removeDriver(t.db, AGENT, named);
    expect(await driversOfRental(t.db, AGENT, rental.id)).toEqual([]);
    await desk.record(rental, OUT);
    await expect(nameDriver(t.db, customers.envelope, AGENT, named)).rejects.toMatchObject({
      code: 'driver-ineligible',
    });
  });

  test('is judged by the class’s own rule, and again for another pick-up', async () => {
    const rental = await customers.reserve(await customers.customer());
    const driver = await customers.licensed();
    const named = { rentalId: rental.id, customerId: driver };
    const rule = { minAge: 60, maxAge: null, youngBelowAge: 60, minHeldMonths: 0 };
    await setDriverRule(t.db, AGENT, CLASS, { ...rule, licenceClass: 'B' });
    const judged = await nameDriver(t.db, customers.envelope, AGENT, named);
    expect(judged.verdict).toEqual({ eligible: false, reasons: ['too-young'], young: true });
    await setDriverRule(t.db, AGENT, CLASS, {
      ...{ ...rule, minAge: 18, youngBelowAge: 25, licenceClass: 'B' },
    });
    await sql`update rentals.rental set pick_up_at = pick_up_at + interval '1 minute',
      version = version + 1 where id = ${rental.id}`.execute(t.owner);
    const [again] = await driversOfRental(t.db, AGENT, rental.id);
    expect(again?.verdict.reasons).toEqual(['judged-for-another-time']);
    expect((await nameDriver(t.db, customers.envelope, AGENT, named)).verdict.eligible).toBe(true);
    // As an upgrade for want of a vehicle leaves it: another class is given than was booked.
    await sql`with better as (insert into vehicles.class (id, name) values ('LDMR', 'L') returning id)
      update vehicles.vehicle set class_id = 'LDMR' where id = ${rental.vehicleId}`.execute(
      t.owner,
    );
    await setDriverRule(t.db, AGENT, 'LDMR', { ...rule, licenceClass: 'B' });
    const out = desk.record(await desk.read(rental.id), OUT);
    await expect(out).rejects.toMatchObject({ code: 'driver-ineligible' });
  });
});

describe('what tables refuse', () => {
  test.each([
    ['a tax id of a person', { tax_id: 'ATU1' }, 'customer_tax_id_of_company'],
    ['credit without a currency', { credit_limit_minor: 5 }, 'customer_credit_whole'],
    [
      'terms of payment of a year',
      { payment_terms_days: 365 },
      'customer_payment_terms_days_check',
    ],
    [
      'a licence that ends before it begins',
      { licence_issued_on: '2027-02-02', licence_valid_until: '2027-02-01' },
      'customer_licence_ends_later',
    ],
    [
      'a licence of a company',
      { kind: 'company', licence_classes: ['B'] },
      'customer_licence_of_person',
    ],
  ])('%s', async (_, values, constraint) => {
    const insert = t.owner
      .insertInto('rentals.customer')
      .values({ id: uuidv7(), name: 'X', ...values })
      .execute();
    await expect(insert).rejects.toMatchObject({ constraint });
  });

  test('a contact who is a company, and one of a person', async () => {
    const [person, company] = [
      await customers.customer(),
      await customers.customer({ kind: 'company' }),
    ];
    for (const [whose, who] of [
      [company, company],
      [person, person],
    ] as const) {
      const setting = setContact(t.db, AGENT, whose, 1, who, 'fleet');
      await expect(setting).rejects.toMatchObject({
        code: 'not-found',
        details: { of: 'contact' },
      });
    }
  });
});

test('credit is set with the version known; due licences are listed, the longest due first', async () => {
  const id = await customers.licensed({ recheckOn: '2026-01-01' });
  const terms = { limitMinor: 100_000, currency: 'EUR', paymentTermsDays: 14 };
  await expect(setCredit(t.db, AGENT, id, 1, terms)).rejects.toMatchObject({
    code: 'version-conflict',
  });
  expect(await setCredit(t.db, AGENT, id, 2, terms)).toMatchObject({ credit_limit_minor: 100_000 });
  const later = await customers.licensed({ recheckOn: '2026-02-01' });
  await customers.licensed({ recheckOn: '2026-02-02' });
  expect((await licencesDue(t.db, AGENT, '2026-02-01')).map((one) => one.id)).toEqual([id, later]);
});

describe('who pays', () => {
  test('obeys the blocklist and leads to the record that stands, also when named later', async () => {
    const [renter, payer, duplicate] = [
      await customers.customer(),
      await customers.customer(),
      await customers.customer(),
    ];
    await mergeCustomers(t.db, AGENT, { survivorId: payer, duplicateId: duplicate });
    const money = await moneyDesk(t);
    const booked = await money.book({ customerId: renter });
    const paid = await money.book({ customerId: renter, payerId: payer });
    const amended = (payerId: string) => money.record(booked, { type: 'amend', payerId });
    const merged = { code: 'customer-merged', details: { survivorId: payer } };
    const other = money.book({ customerId: renter, payerId: duplicate });
    await expect(other).rejects.toMatchObject(merged);
    await expect(amended(duplicate)).rejects.toMatchObject(merged);
    await customers.block(duplicate);
    const blocked = { code: 'customer-blocked', details: { customerId: payer } };
    const next = money.book({ customerId: renter, payerId: payer });
    await expect(next).rejects.toMatchObject(blocked);
    await expect(amended(payer)).rejects.toMatchObject(blocked);
    await expect(money.record(paid, OUT)).rejects.toMatchObject(blocked);
    // Somebody else pays, so it goes out.
    const again = await money.after(paid, { type: 'amend', payerId: null });
    expect((await money.after(again, OUT)).status).toBe('active');
  });
});

// Inspections and damage cases on the rows: evidence stays, a damage is charged once, limits hold.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { setDamageRule } from '../../db/commands/damage-rules.ts';
import { addInspectionFile, completeInspection } from '../../db/commands/inspections.ts';
import { caseById, listCases } from '../../db/queries/damage-cases.ts';
import { inspectionById } from '../../db/queries/inspections.ts';
import {
  besideCase,
  CHIP,
  commandsSeen,
  type DamageDesk,
  DENT,
  damageBooks,
  damageDesk,
  damageHolds,
  ESTIMATE,
  ruleOf,
  waiverApproved,
} from '../support/damage-desk.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { AGENT, attempt } from '../support/fleet.ts';
import { backOf, OUT } from '../support/rental-desk.ts';
import { entryOf, heldDeposit } from '../support/rental-money.ts';
import { attemptRaw } from '../support/waiting.ts';

let t: TestDatabase;
let desk: DamageDesk;
let rentals: DamageDesk['rentals'];

beforeAll(async () => {
  t = await testDatabase();
  desk = await damageDesk(t);
  ({ rentals } = desk);
});

const chip = [{ panel: 'windscreen', kind: 'chip' }] as const;
const raw = (statement: ReturnType<typeof sql>) => attemptRaw(statement.execute(t.owner));

describe('an inspection', () => {
  test('is fixed once completed, under a hash of all that it says', async () => {
    const rental = await rentals.reserved();
    const draft = await desk.drafted(rental, 'out', { marks: [CHIP] });
    const file = { mediaType: 'image/png', sha256: 'a'.repeat(64), sizeBytes: 9 };
    const photo = { inspectionId: draft.id, kind: 'photo', panel: 'roof', ...file } as const;
    await addInspectionFile(t.db, AGENT, { ...photo, id: uuidv7() });
    const done = await completeInspection(t.db, AGENT, draft.id);
    expect(done).toMatchObject({ vehicle_id: rental.vehicleId, completed_by: AGENT, version: 2 });
    expect(await completeInspection(t.db, AGENT, draft.id)).toEqual(done);
    const late = addInspectionFile(t.db, AGENT, { ...photo, id: uuidv7() });
    expect(await attempt(late)).toBe('invalid-state');
    const { id } = draft;
    const changes = [
      sql`update rentals.inspection set odometer_km = 1 where id = ${id}`,
      sql`update rentals.inspection_mark set count = 2 where inspection_id = ${id}`,
      sql`insert into rentals.inspection_mark (inspection_id, panel, kind, severity)
        values (${id}, 'roof', 'dent', 'minor')`,
    ];
    for (const change of changes) expect(await raw(change)).toBe('inspection_is_final');
    for (const table of ['inspection', 'inspection_mark', 'inspection_file']) {
      const name = sql.id('rentals', table);
      expect(await raw(sql`delete from ${name}`)).toBe('inspection_stays');
      expect(await raw(sql`truncate ${name} cascade`)).toBe('inspection_stays');
    }
  });

  test('is one of each kind; a correction names the old one, once, and counts', async () => {
    const rental = await rentals.handedOut();
    const first = await desk.inspected(rental, 'out');
    expect(await attempt(desk.inspected(rental, 'out'))).toBe('duplicate');
    const corrects = first.id;
    await desk.inspected(rental, 'out', { corrects, marks: [DENT] });
    expect(await attempt(desk.inspected(rental, 'out', { corrects }))).toBe('duplicate');
    expect(await attempt(desk.inspected(rental, 'in', { corrects }))).toBe('invalid-state');
    const draft = await desk.drafted(rental, 'in');
    expect(await attempt(desk.drafted(rental, 'in', { corrects: draft.id }))).toBe('invalid-state');
    const back = await desk.inspected(rental, 'in', { marks: [DENT] });
    const seen = await inspectionById(t.db, AGENT, back.id);
    expect(seen?.out).toMatchObject([{ panel: 'roof', severity: 'severe' }]);
    expect(await attempt(desk.reported(rental, back.id))).toBe('not-found');
    await desk.inspected(rental, 'in', { corrects: back.id, marks: [CHIP] });
    expect(await attempt(desk.reported(rental, back.id, chip))).toBe('invalid-state');
  });

  test('is of a rental that may have one', async () => {
    const rental = await rentals.reserved();
    expect(await attempt(desk.drafted(rental, 'in'))).toBe('invalid-state');
    expect(await attempt(desk.drafted({ ...rental, id: uuidv7() }, 'out'))).toBe('not-found');
    await rentals.record(rental, { type: 'cancel', reason: 'customer' });
    expect(await attempt(desk.drafted(rental, 'out'))).toBe('invalid-state');
  });

  test('is demanded at check-out and check-in where the branch says so', async () => {
    const rental = await rentals.reserved();
    const rule = ruleOf(rental.branchId, { inspectionRequired: true });
    await setDamageRule(t.db, AGENT, rule, null);
    expect(await attempt(setDamageRule(t.db, AGENT, rule, null))).toBe('version-conflict');
    expect((await setDamageRule(t.db, AGENT, rule, 1)).version).toBe(2);
    expect(await attempt(rentals.record(rental, OUT))).toBe('inspection-missing');
    const draft = await desk.drafted(rental, 'out');
    expect(await attempt(rentals.record(rental, OUT))).toBe('inspection-missing');
    await completeInspection(t.db, AGENT, draft.id);
    await rentals.record(rental, OUT);
    const out = await rentals.read(rental.id);
    expect(await attempt(rentals.record(out, backOf(out)))).toBe('inspection-missing');
    await desk.inspected(out, 'in', { odometerKm: 2_300 });
    expect(await rentals.record(out, backOf(out))).toMatchObject({ type: 'checkedIn' });
  });
});

describe('a damage case', () => {
  test('takes what is new once, holds the vehicle while severe, and is charged once', async () => {
    const case1 = await desk.estimated();
    const { id, rentalId, inspectionId } = case1;
    const whole = await caseById(t.db, AGENT, id);
    expect(whole?.items).toEqual([
      { panel: 'roof', kind: 'dent', severity: 'severe', change: 'new' },
    ]);
    expect(case1).toMatchObject({ severity: 'severe', held: true, charge: { totalMinor: 97_000 } });
    expect(await damageHolds(t, case1)).toEqual([true]);
    const rental = await rentals.read(rentalId);
    expect(await attempt(desk.reported(rental, inspectionId))).toBe('duplicate');
    expect(await attempt(desk.reported(rental, inspectionId, chip))).toBe('pre-existing-damage');

    await heldDeposit(t.db, rentalId, 50_000);
    const agreed = await desk.sent(case1, { type: 'agree' });
    const key = uuidv7();
    const charged = await desk.sent(agreed, { type: 'charge' }, key);
    expect(await desk.sent(agreed, { type: 'charge' }, key)).toEqual(charged);
    expect(await attempt(desk.sent(agreed, { type: 'charge' }))).toBe('version-conflict');
    expect(await attempt(desk.sent(charged, { type: 'charge' }))).toBe('invalid-state');
    expect(charged.invoiceNumber).toMatch(/^DMG-\d{4}-\d{6}$/);
    expect(await damageBooks(t, rentalId)).toEqual([
      'damage.charge 1200 97000',
      'damage.charge 4300 -97000',
    ]);
    const forfeit = await entryOf(t.owner, rental, 'payment.forfeit');
    expect(forfeit).toEqual(['2120 50000', '1200 -50000']);

    const repaired = await desk.sent(charged, { type: 'markRepaired' });
    expect(await damageHolds(t, case1)).toEqual([false]);
    const settled = await desk.sent(repaired, { type: 'settle' });
    expect(settled).toMatchObject({ status: 'settled', held: false });
    expect(await attempt(desk.sent(settled, { type: 'settle' }))).toBe('invalid-state');
  });

  test('asks the rental’s cover: the excess, the exclusion and the cap of the branch', async () => {
    const case1 = await desk.estimated();
    const cdw = JSON.stringify({ code: 'coverage.cdw', basis: { excessMinor: 50_000 } });
    await sql`update rentals.rental set version = version + 1,
      price = jsonb_set(price, '{lines}', price->'lines' || ${cdw}::jsonb)
      where id = ${case1.rentalId}`.execute(t.owner);
    const covered = await desk.sent(case1, ESTIMATE);
    expect(covered.charge).toMatchObject({ totalMinor: 50_000, limitedBy: 'excess' });
    const driver = await desk.sent(covered, { ...ESTIMATE, exclusion: 'unauthorised-driver' });
    expect(driver.charge).toMatchObject({ totalMinor: 97_000, limitedBy: 'nothing' });
    const sold = { capMinor: 60_000, vatClass: 'sold-repair', vatRateBp: 2_000 } as const;
    await setDamageRule(t.db, AGENT, ruleOf(driver.branchId, sold), null);
    const capped = await desk.sent(driver, { ...ESTIMATE, exclusion: 'negligence' });
    expect(capped.charge).toMatchObject({ totalMinor: 60_000, vatMinor: 10_000, limitedBy: 'cap' });
    await desk.sent(await desk.sent(capped, { type: 'agree' }), { type: 'charge' });
    expect(await damageBooks(t, case1.rentalId)).toEqual([
      'damage.charge 1200 60000',
      'damage.charge 2200 -10000',
      'damage.charge 4300 -50000',
    ]);
  });

  test('has an insurer’s share in the books once it is virtually certain, not before', async () => {
    const { rentalId, ...case1 } = await desk.estimated();
    const claim = { type: 'claim', amountMinor: 90_000 } as const;
    const told = await desk.sent({ ...case1, rentalId }, { ...claim, isCertain: false });
    expect(told).toMatchObject({ status: 'insurer', insurerPosted: false });
    expect(await damageBooks(t, rentalId)).toEqual([]);
    const certain = await desk.sent(told, { ...claim, isCertain: true });
    expect(certain.insurerPosted).toBe(true);
    expect(await damageBooks(t, rentalId)).toEqual([
      'damage.insurer 1230 90000',
      'damage.insurer 4300 -90000',
    ]);
    expect(await attempt(desk.sent(certain, { ...claim, isCertain: true }))).toBe('invalid-state');
    await desk.sent(certain, { type: 'settle' });
    expect(await damageHolds(t, case1)).toEqual([false]);
  });

  test('is waived within one’s limit, above it by two, and posts nothing', async () => {
    const case1 = await desk.estimated();
    const waive = {
      type: 'waive',
      reason: 'goodwill',
      approvalId: null,
      limitMinor: 2_500,
    } as const;
    expect(await attempt(desk.sent(case1, waive))).toBe('limit-exceeded');
    expect(await attempt(desk.sent(case1, { ...waive, approvalId: uuidv7() }))).toBe('four-eyes');
    const approval = (amount: number) => waiverApproved(t, case1, desk.agentId, amount);
    const other = await approval(96_999);
    expect(await attempt(desk.sent(case1, { ...waive, approvalId: other }))).toBe('four-eyes');
    const waived = await desk.sent(case1, { ...waive, approvalId: await approval(97_000) });
    expect(waived).toMatchObject({ status: 'waived', waiveReason: 'goodwill' });
    const cheap = { ...ESTIMATE, lossOfUseMinor: 0, adminMinor: 0 };
    const small = { ...cheap, repairMinor: 2_000 };
    await desk.sent(await desk.sent(await desk.estimated(), small), waive);
    // Splitting gains nothing: 20.00 of today's 25.00 are used.
    const next = await desk.sent(await desk.estimated(), { ...cheap, repairMinor: 501 });
    expect(await attempt(desk.sent(next, waive))).toBe('limit-exceeded');
    expect(await damageBooks(t, case1.rentalId)).toEqual([]);
  });

  test('is seen where its rental is, and its rows refuse what must never be', async () => {
    const case1 = await desk.estimated();
    const { id } = case1;
    const there = { principal: 'staff:a', scope: 'branches:NONE' };
    const here = { principal: 'staff:a', scope: `branches:${case1.branchId}` };
    const seen = async (acting: typeof there) =>
      (await listCases(t.db, acting, { branchId: case1.branchId, limit: 9 })).rows.length;
    expect([await seen(here), await seen(there)]).toEqual([1, 0]);
    expect(await inspectionById(t.db, there, case1.inspectionId)).toBeUndefined();
    const commands = (scope: string) => commandsSeen(t, { principal: 'staff:a', scope }, id);
    expect([await commands(here.scope), await commands('*')]).toEqual([0, 2]);

    const set = (to: ReturnType<typeof sql>) =>
      raw(sql`update rentals.damage_case set ${to}, version = version + 1 where id = ${id}`);
    const invoice = sql`invoice_id = ${uuidv7()}, invoice_number = 'DMG-1'`;
    expect(await set(sql`status = 'charged', ${invoice}`)).toBe('damage_case_transition');
    expect(await set(sql`severity = 'minor', held = false`)).toBe('damage_case_keeps_the_books');
    await desk.sent(case1, { type: 'agree' });
    expect(await set(sql`status = 'charged'`)).toBe('damage_case_charged_has_invoice');
    expect(await set(sql`status = 'insurer'`)).toBe('damage_case_insurer_has_share');
    expect(await set(sql`insurer_minor = 97001`)).toBe('damage_case_insurer_bears_the_rest');
    expect(await set(sql`status = 'waived'`)).toBe('damage_case_waived_is_free');
    expect(await set(sql`insurer_entry_id = ${uuidv7()}`)).toBe('damage_case_entry_of_insurer');
    expect(await set(sql`repaired_at = now()`)).toBe('damage_case_settled_holds_nothing');
    expect(await set(sql`status = 'estimated', loss = null`)).toBe('damage_case_transition');
    expect(await set(sql`loss = null`)).toBe('damage_case_estimated');
    expect(await set(sql`status = 'charged', ${invoice}`)).toBe('done');
    expect(await set(sql`invoice_number = 'DMG-2'`)).toBe('damage_case_keeps_the_books');
    const second = await besideCase(t, id);
    const item = (rentalId: string) =>
      raw(sql`insert into rentals.damage_item (case_id, rental_id, vehicle_id, panel, kind,
          severity, change)
        values (${second}, ${rentalId}, ${case1.vehicleId}, 'roof', 'dent', 'minor', 'new')`);
    expect(await item(case1.rentalId)).toBe('damage_item_in_one_case');
    expect(await item(uuidv7())).toBe('damage_item_of_its_case');
  });
});

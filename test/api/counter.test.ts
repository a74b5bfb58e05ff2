// The counter's screen: what a branch has to do today, by its own clocks.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { createApiKey, newApiKeyToken } from '../../db/commands/api-keys.ts';
import { openShift } from '../../db/commands/drawer-shifts.ts';
import { recordCommand } from '../../db/commands/rentals.ts';
import { reserveRental } from '../../db/commands/reservations.ts';
import { localTime } from '../../domain/calendar.ts';
import type { RentalState } from '../../domain/rental.ts';
import { expectProblem, type TestApi, testApi } from '../support/api.ts';
import { AGENT, CLASS, ENTITY, hoursFromNow, plantFleet, plantTrade } from '../support/fleet.ts';
import { type Person, plantStaff, tokenOf } from '../support/people.ts';
import { OUT } from '../support/rental-desk.ts';

let api: TestApi;
let customerId: string;
/** As the API sees it: tests move it. */
let now = '';

beforeAll(async () => {
  api = await testApi({ deps: { now: () => now } });
  now = hoursFromNow(0);
  ({ customerId } = await plantTrade(api.database.db));
});

async function reserved(
  branchId: string,
  from: string,
  to: string,
  over: object = {},
): Promise<RentalState> {
  const ids = { id: uuidv7(), branchId, classId: CLASS, customerId };
  return reserveRental(api.database.db, AGENT, { ...ids, pickUpAt: from, dueAt: to, ...over });
}

function record(
  { id, version }: RentalState,
  command: Parameters<typeof recordCommand>[2]['command'],
) {
  const given = { commandId: uuidv7(), rentalId: id, version, command };
  return recordCommand(api.database.db, AGENT, given);
}

async function handedOut(branchId: string, over: object = {}): Promise<RentalState> {
  const rental = await reserved(branchId, hoursFromNow(0), hoursFromNow(5), over);
  await record(rental, OUT);
  return rental;
}

/** Of hers, but for nothing else than to read rentals. */
async function readingKey({ id }: Person): Promise<string> {
  const token = newApiKeyToken();
  const rights = { scopes: ['rentals:read'], expiresAt: '2099-01-01T00:00:00Z' } as const;
  const key = { id: uuidv7(), owner: `staff:${id}`, name: 'Screen', ...rights };
  await createApiKey(api.database.db, key.owner, key, token);
  return token;
}

const LISTS = ['dueOut', 'dueIn', 'overdue', 'needsAttention'] as const;

const day = (branchId: string, token?: string) =>
  read(`/counter/today?branchId=${branchId}`, token);

function read(path: string, token?: string) {
  return api.call('GET', `/api/v1${path}`, token === undefined ? {} : { token });
}

/** Numbers by list. */
async function numbers(branchId: string): Promise<Record<string, readonly string[]>> {
  const { body } = await day(branchId);
  return Object.fromEntries(
    LISTS.map((list) => [list, body[list].rows.map((row: { number: string }) => row.number)]),
  );
}

describe('a day at the counter', () => {
  test('shows who comes, whose car comes back, and what both need, in the zone of the branch', async () => {
    const { branchId, vehicleIds } = await plantFleet(api.database.db, { vehicles: 2 });
    const out = await reserved(branchId, hoursFromNow(1), hoursFromNow(30));
    const back = await handedOut(branchId);
    now = out.pickUpAt;
    const { body } = await day(branchId);
    const zone = 'Europe/Vienna';
    const local = (at: string) => localTime(at, zone);
    expect(body).toMatchObject({
      branchId,
      timeZone: zone,
      date: local(now).slice(0, 10),
      dueOut: { count: 1 },
      overdue: { count: 0, rows: [] },
      needsAttention: { count: 0, rows: [] },
    });
    expect(body.dueOut.rows).toEqual([
      {
        id: out.id,
        number: out.number,
        status: 'reserved',
        classId: CLASS,
        branchId,
        returnBranchId: branchId,
        customerId,
        customerName: 'Ada Planted',
        vehicleId: out.vehicleId,
        plate: expect.stringContaining(`${branchId}-`),
        pickUpAt: local(out.pickUpAt),
        dueAt: local(out.dueAt),
        announcedReturnAt: null,
        unassigned: false,
        overdue: false,
        ...{ delayMinutes: 0, flightNumber: null, reason: null },
        actions: expect.any(Array),
      },
    ]);
    expect(body.dueOut.rows[0].actions[0]).toMatchObject({ name: 'checkOut', allowed: true });
    expect(vehicleIds).toContain(out.vehicleId);
    now = back.dueAt;
    expect((await day(branchId)).body.dueIn.rows).toMatchObject([
      { id: back.id, status: 'active' },
    ]);
  });

  test('begins and ends by the clocks of the branch, also on the days they change', async () => {
    const { branchId } = await plantFleet(api.database.db, { vehicles: 4 });
    // In Vienna the last Sunday of March is from 23:00 to 22:00 UTC, 31 October from 22:00 to 23:00.
    const year = new Date().getUTCFullYear() + 1;
    const march = new Date(Date.UTC(year, 2, 31));
    const last = march.getUTCDate() - march.getUTCDay();
    const [sat, sun] = [`${year}-03-${last - 1}`, `${year}-03-${last}`];
    const at = async (pickUpAt: string) => reserved(branchId, pickUpAt, `${year}-12-01T10:00:00Z`);
    const spring = [await at(`${sat}T22:59:59.500Z`), await at(`${sun}T21:59:59.500Z`)];
    const next = await at(`${sun}T22:00:00.000Z`);
    now = `${sat}T22:59:59.999Z`;
    expect((await numbers(branchId))['dueOut']).toEqual([spring[0]?.number]);
    now = `${sat}T23:00:00.000Z`;
    const { body } = await day(branchId);
    expect(body.date).toBe(sun);
    const shown = body.dueOut.rows.map((row: { pickUpAt: string }) => row.pickUpAt);
    expect(shown).toEqual([`${sat}T23:59:59.5+01:00`, `${sun}T23:59:59.5+02:00`]);
    now = `${sun}T22:00:00.000Z`;
    expect((await numbers(branchId))['dueOut']).toContain(next.number);
    await sql`update vehicles.branch set time_zone = 'America/St_Johns' where id = ${branchId}`.execute(
      api.database.owner,
    );
    expect((await day(branchId)).body.dueOut.rows[0].pickUpAt).toBe(`${sat}T20:29:59.5-02:30`);
  });

  test('lists as needing somebody what each rental says of itself, and why', async () => {
    const { db, owner } = api.database;
    const { branchId } = await plantFleet(db, { vehicles: 4 });
    const [late, fine, short, far] = [
      await handedOut(branchId),
      await handedOut(branchId),
      await reserved(branchId, hoursFromNow(20), hoursFromNow(40)),
      await reserved(branchId, hoursFromNow(200), hoursFromNow(210)),
    ];
    const asked = await reserved(branchId, hoursFromNow(300), hoursFromNow(310));
    await record({ ...late, version: 2 }, { type: 'markOverdue' });
    await sql`update vehicles.span set vehicle_id = null, grip = 'unassigned',
      over_limit_reason = 'overdue'
      where ref in (${short.id}, ${far.id})`.execute(owner);
    await sql`set local session_replication_role = replica; update rentals.rental set
      status = 'requested', vehicle_id = null, answer_by = pick_up_at - interval '3 hours'
      where id = ${sql.lit(asked.id)}`.execute(owner);
    await sql`insert into rentals.authorisation (id, rental_id, payer, gateway, gateway_ref,
        payment_method, state, amount_minor, currency, opened_at, valid_until, attention)
      values (${uuidv7()}, ${fine.id}, 'renter', 'simulated', ${fine.id}, 'sim_x', 'open', 100,
        'EUR', now(), now() + interval '5 days', 'renewal-declined')`.execute(owner);
    await sql`update rentals.rental set version = version + 1, pick_up_at = now() - interval '2 hours',
      due_at = now() - interval '1 hour' where id = ${late.id}`.execute(owner);
    now = hoursFromNow(0);
    const { body } = await day(branchId);
    const reasons = body.needsAttention.rows.map((row: { number: string; reason: string }) => [
      row.number,
      row.reason,
    ]);
    expect(reasons.toSorted()).toEqual(
      [
        [late.number, 'overdue'],
        [fine.number, 'deposit'],
        [short.number, 'unassigned'],
        [asked.number, 'requested'],
      ].toSorted(),
    );
    expect(body.needsAttention.count).toBe(4);
    expect(body.overdue.rows).toMatchObject([{ number: late.number, overdue: true }]);
    const all = (await read(`/rentals?branchId=${branchId}`)).body.items;
    const needy = all.filter((one: { needsAttention: boolean }) => one.needsAttention);
    const byRule = reasons.filter(([, reason]: [string, string]) => reason !== 'deposit');
    expect(needy.map(({ number }: RentalState) => number).toSorted()).toEqual(
      byRule.map(([number]: [string]) => number).toSorted(),
    );
    now = hoursFromNow(48);
    const { dueIn } = await numbers(branchId);
    expect(dueIn, 'of days before, what is not late yet').toEqual([fine.number]);
  });

  test('counts all and shows a hundred of each', async () => {
    const { db, owner } = api.database;
    const { branchId } = await plantFleet(db, { vehicles: 1 });
    const one = await reserved(branchId, hoursFromNow(1), hoursFromNow(2));
    await sql`insert into rentals.rental select (jsonb_populate_record(r,
        jsonb_build_object('id', uuidv7(), 'number', 'RA-9' || n))).* from rentals.rental r,
        generate_series(1, 120) n where r.id = ${one.id}`.execute(owner);
    now = one.pickUpAt;
    const { body } = await day(branchId);
    expect([body.dueOut.count, body.dueOut.rows.length]).toEqual([121, 100]);
    expect(body.needsAttention.count).toBe(120);
  });

  test('names the drawers that are still open, without what is in them, and counts what differs', async () => {
    const { db, owner } = api.database;
    const { branchId } = await plantFleet(db, { vehicles: 0 });
    const other = await plantFleet(db, { vehicles: 0 });
    now = hoursFromNow(0);
    expect((await day(branchId)).body).toMatchObject({ openShifts: [], fleetDifferences: 0 });
    const id = uuidv7();
    const place = { entityId: ENTITY, branchId, timeZone: 'Europe/Vienna' };
    const shift = { ...place, id, drawer: 'FRONT', floatMinor: 0 };
    await openShift(db, AGENT, shift);
    await openShift(db, AGENT, { ...shift, id: uuidv7(), branchId: other.branchId });
    await sql`insert into vehicles.fleet_difference (kind, subject_type, subject_id, branch_id, owner,
        sides)
      values ('vehicle-place', 'vehicle', ${id}, ${branchId}, 'branch-manager', '{}')`.execute(
      owner,
    );
    const { openShifts, fleetDifferences } = (await day(branchId)).body;
    const shown = { id, drawer: 'FRONT', state: 'open', stale: false };
    expect([openShifts, fleetDifferences]).toEqual([[shown], 1]);
    now = hoursFromNow(24);
    expect((await day(branchId)).body.openShifts).toEqual([{ ...shown, stale: true }]);
  });

  test('is the own branch’s alone, names nobody without the right, and is sent once', async () => {
    const { db, owner } = api.database;
    const here = await plantFleet(db, { vehicles: 1 });
    const there = await plantFleet(db, { vehicles: 1 });
    // Due here, with a vehicle of another branch: its plate is shown all the same.
    const guest = await handedOut(there.branchId, { returnBranchId: here.branchId });
    now = guest.dueAt;
    const person = await plantStaff(owner, { roles: ['counter-agent'], branches: [here.branchId] });
    const token = await tokenOf(person);
    const mine = await day(here.branchId, token);
    expect(mine.body.dueIn.rows).toMatchObject([
      { number: guest.number, customerName: 'Ada Planted', plate: expect.any(String) },
    ]);
    const [hidden, unknown] = [await day(there.branchId, token), await day('NOPE', token)];
    expectProblem(hidden, 404, 'not-found');
    expect({ ...hidden.body, instance: '' }).toEqual({ ...unknown.body, instance: '' });
    const key = await readingKey(person);
    const planner = await tokenOf(await plantStaff(owner, { roles: ['fleet-planner'] }));
    for (const nameless of [key, planner]) {
      expect((await day(here.branchId, nameless)).body.dueIn.rows).toMatchObject([
        { customerId, customerName: null },
      ]);
    }
    const headers = { 'if-none-match': mine.headers.get('etag') ?? '' };
    const path = `/api/v1/counter/today?branchId=${here.branchId}`;
    expect((await api.call('GET', path, { token, headers })).status).toBe(304);
  });
});

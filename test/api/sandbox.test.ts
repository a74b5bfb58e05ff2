// The sandbox: keys of its partners reach it and nothing else, those of others never; rows hold it too.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { transact } from '../../db/client.ts';
import { createApiKey, newApiKeyToken } from '../../db/commands/api-keys.ts';
import { registerBranch } from '../../db/commands/branches.ts';
import { mergeCustomers } from '../../db/commands/customer-merge.ts';
import { holdQuote } from '../../db/commands/held-quotes.ts';
import { queueNotices } from '../../db/commands/notifications.ts';
import { openBooking } from '../../db/commands/partner-bookings.ts';
import { registerPartner } from '../../db/commands/partners.ts';
import { recordCommand } from '../../db/commands/rentals.ts';
import { reserveRental } from '../../db/commands/reservations.ts';
import { customersByEmail } from '../../db/queries/people.ts';
import type { Notice } from '../../domain/notification.ts';
import { SCOPES } from '../../domain/people.ts';
import type { RentalCommand } from '../../domain/rental.ts';
import { expectProblem, type TestApi, testApi } from '../support/api.ts';
import { guarded, tried } from '../support/broken-guards.ts';
import {
  AGENT,
  CLASS,
  hoursFromNow,
  plantFleet,
  plantTrade,
  plantVehicles,
} from '../support/fleet.ts';
import { customerPerson, tokenOf } from '../support/people.ts';
import { OUT } from '../support/rental-desk.ts';

const SANDBOX = 'SBX1';
let api: TestApi;
let live: string;
let customerId: string;
const partner = { live: uuidv7(), sandbox: uuidv7() };
const key = { live: newApiKeyToken(), sandbox: newApiKeyToken() };

beforeAll(async () => {
  api = await testApi();
  const { db } = api.database;
  ({ customerId } = await plantTrade(db));
  ({ branchId: live } = await plantFleet(db, { vehicles: 2 }));
  const branch = { name: 'Sandbox', timeZone: 'Europe/Vienna', entityId: 'FC-SANDBOX' };
  await registerBranch(db, AGENT, { ...branch, id: SANDBOX, sandbox: true });
  await plantVehicles(db, SANDBOX, 2);
  for (const side of ['live', 'sandbox'] as const) {
    const id = partner[side];
    const sandbox = side === 'sandbox';
    await registerPartner(db, AGENT, { id, name: side, branches: null, sandbox });
    const rights = { scopes: SCOPES, expiresAt: '2099-01-01T00:00:00Z', name: side };
    await createApiKey(db, AGENT, { ...rights, id: uuidv7(), owner: `partner:${id}` }, key[side]);
  }
});

function noticeOf(rentalId: string): Notice {
  const at = { factId: uuidv7(), factAt: hoursFromNow(0) };
  return { ...at, kind: 'confirmation', rentalId, subjectId: rentalId, occasion: at.factId };
}

const term = { classId: CLASS, pickUpAt: hoursFromNow(0.5), dueAt: hoursFromNow(30) };

describe.each([
  ['sandbox', 'live'],
  ['live', 'sandbox'],
] as const)('a key of a %s partner', (side, other) => {
  const branchOf = (which: string) => (which === 'live' ? live : SANDBOX);
  const call = (method: string, path: string, body?: object) =>
    api.call(method, `/api/v1${path}`, { body, token: key[side] });

  test('sees, counts and prices at the branches of its side alone', async () => {
    const list = await call('GET', '/branches');
    expect(list.body.items.map((one: { id: string }) => one.id)).toEqual([branchOf(side)]);
    const span = `from=${term.pickUpAt}&to=${term.dueAt}`;
    for (const [which, ok] of [
      [side, true],
      [other, false],
    ] as const) {
      const id = branchOf(which);
      const statuses = [
        await call('GET', `/branches/${id}`),
        await call('GET', `/branches/${id}/opening-hours`),
        await call('GET', `/availability?branchId=${id}&${span}`),
        await call('POST', '/quotes', { ...term, branchId: id }),
      ].map(({ status }) => status);
      expect(statuses).toEqual(ok ? [200, 200, 200, 200] : [404, 404, 404, 422]);
    }
  });

  test('books nothing at the other side, nor brings anything back there', async () => {
    const booking = { ...term, externalReference: 'X-1', customer: { name: 'Guest' } };
    const here = branchOf(side);
    const there = branchOf(other);
    for (const places of [{ branchId: there }, { branchId: here, returnBranchId: there }]) {
      const refused = await call('POST', '/partner/bookings', { ...booking, ...places });
      expectProblem(refused, 403, 'forbidden');
    }
    const across = { ...term, branchId: here, returnBranchId: there };
    expectProblem(await call('POST', '/quotes', across), 422, 'unknown-reference');
  });

  test('whatever a booking asks for, its rental is refused by the row itself', async () => {
    const { db, owner } = api.database;
    const asked = { externalReference: `R-${side}`, customer: { name: 'Guest' }, wanted: {} };
    const booking = await openBooking(db, AGENT, { ...asked, partnerId: partner[side] });
    const wanted = { ...term, id: booking.rental_id, customerId: booking.customer_id };
    const reserve = (branchId: string) => reserveRental(db, AGENT, { ...wanted, branchId });
    await expect(reserve(branchOf(other))).rejects.toMatchObject({ code: 'not-found' });
    const { status } = await reserve(branchOf(side));
    expect(status).toBe('reserved');
    await transact(db, 'events_rw', AGENT, (tx) => queueNotices(tx, [noticeOf(booking.rental_id)]));
    const queued = await sql`select from rentals.notification
      where rental_id = ${booking.rental_id}`.execute(owner);
    expect(queued.rows).toHaveLength(side === 'live' ? 1 : 0);
    const moved = await tried(owner, (tx) =>
      guarded(
        tx,
        () =>
          sql`update rentals.rental set branch_id = ${branchOf(other)},
            return_branch_id = ${branchOf(other)}, version = version + 1 where id = ${booking.rental_id}`.execute(
            tx,
          ),
        sql`alter table rentals.rental disable trigger rental_side_kept`,
      ),
    );
    expect(moved).toEqual(['rental_on_one_side', 'accepted']);
    const record = (version: number, command: RentalCommand) =>
      recordCommand(db, AGENT, {
        commandId: uuidv7(),
        rentalId: booking.rental_id,
        version,
        command,
      });
    await record(1, OUT);
    const there = { odometerKm: 2_000, fuelEighths: 8, branchId: branchOf(other) };
    for (const command of [
      { type: 'checkIn', ...there },
      { type: 'exchange', reason: 'customer', ...there },
    ] as const) {
      const refusal = { code: 'not-found', details: { of: 'branch' } };
      await expect(record(2, command)).rejects.toMatchObject(refusal);
    }
  });
});

test('guests and held quotes of the sandbox stay there, by their rows', async () => {
  const { db, owner } = api.database;
  const hold = {
    ...term,
    pickUpAt: hoursFromNow(5),
    customerId: null,
    channel: 'partner',
  } as const;
  const across = (branchId: string, side: 'live' | 'sandbox') =>
    holdQuote(db, AGENT, { ...hold, id: uuidv7(), branchId, partnerId: partner[side] });
  const refusal = { code: 'not-found', details: { of: 'branch' } };
  await expect(across(live, 'sandbox')).rejects.toMatchObject(refusal);
  await expect(across(SANDBOX, 'live')).rejects.toMatchObject(refusal);
  const guest = { name: 'Guest of both', email: 'guest@both.example' };
  const asked = { externalReference: 'SIDE', customer: guest, wanted: {} };
  const made = await openBooking(db, AGENT, { ...asked, partnerId: partner.sandbox });
  const other = await openBooking(db, AGENT, { ...asked, partnerId: partner.live });
  const [ours, theirs] = [other.customer_id, made.customer_id];
  const wanted = { ...term, id: uuidv7(), branchId: live };
  for (const who of [{ customerId: theirs }, { customerId, payerId: theirs }]) {
    await expect(reserveRental(db, AGENT, { ...wanted, ...who })).rejects.toMatchObject(refusal);
  }
  // Nobody is asked whether the one is the other, nor may anybody say so, nor signs in as both.
  const found = await sql`select from rentals.possible_duplicate
    where ${theirs} in (customer_id, other_id)`.execute(owner);
  expect(found.rows).toEqual([]);
  expect(await customersByEmail(db, guest.email)).toEqual([ours]);
  const merging = mergeCustomers(db, AGENT, { survivorId: ours, duplicateId: theirs });
  await expect(merging).rejects.toMatchObject({ code: 'invalid-state' });
  const led = await tried(owner, (tx) =>
    guarded(
      tx,
      () =>
        sql`update rentals.customer set merged_into = ${ours}, version = version + 1
          where id = ${theirs}`.execute(tx),
      sql`alter table rentals.customer disable trigger customer_side`,
    ),
  );
  expect(led).toEqual(['customer_keeps_its_side', 'accepted']);
});

test('no rental is one-way across, and customers see nothing of the sandbox', async () => {
  const wanted = { ...term, id: uuidv7(), customerId, branchId: live, returnBranchId: SANDBOX };
  const across = reserveRental(api.database.db, AGENT, wanted);
  await expect(across).rejects.toMatchObject({ code: 'not-found' });
  const token = await tokenOf(await customerPerson(api.database.owner, customerId));
  const { body } = await api.call('GET', '/api/v1/branches', { token });
  expect(body.items.map((one: { id: string }) => one.id)).toEqual([live]);
  expect((await api.call('GET', `/api/v1/branches/${SANDBOX}`, { token })).status).toBe(404);
  const places = [{ branchId: SANDBOX }, { branchId: live, returnBranchId: SANDBOX }];
  for (const [path, more] of [
    ['/rentals', { customerId }],
    ['/quotes/holds', { customerId, channel: 'online' }],
    ['/quotes', {}],
  ] as const) {
    for (const place of places) {
      const asked = { body: { ...term, ...more, ...place }, token };
      const refused = await api.call('POST', `/api/v1${path}`, asked);
      expectProblem(refused, 422, 'unknown-reference');
      expect(refused.body.of).toBe('branch');
    }
  }
});

test.each([
  [
    'vehicle_keeps_its_side',
    'vehicles.vehicle',
    'vehicle_side_kept',
    () => sql`update vehicles.vehicle set branch_id = ${live} where branch_id = ${SANDBOX}`,
  ],
  [
    'customer_keeps_its_side',
    'rentals.customer',
    'customer_side',
    () => sql`update rentals.customer set is_sandbox = true where id = ${customerId}`,
  ],
  [
    'branch_keeps_its_side',
    'vehicles.branch',
    'branch_keeps_its_side',
    () => sql`update vehicles.branch set is_sandbox = false where id = ${SANDBOX}`,
  ],
  [
    'branch_on_its_companys_side',
    'vehicles.branch',
    'branch_side',
    () => sql`update vehicles.branch set entity_id = 'FC-AT' where id = ${SANDBOX}`,
  ],
  [
    'partner_keeps_its_side',
    'people.partner',
    'partner_keeps_its_side',
    () => sql`update people.partner set is_sandbox = not is_sandbox`,
  ],
] as const)('%s: nothing moves across', async (refusal, table, trigger, change) => {
  const gone = sql`alter table ${sql.table(table)} disable trigger ${sql.id(trigger)}`;
  const said = await tried(api.database.owner, (tx) =>
    guarded(tx, () => change().execute(tx), gone),
  );
  expect(said).toEqual([refusal, 'accepted']);
});

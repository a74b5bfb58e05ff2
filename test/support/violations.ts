// Rentals whose vehicles are seen by authorities, for tests of tolls and fines.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { recordCommand } from '../../db/commands/rentals.ts';
import { reserveRental } from '../../db/commands/reservations.ts';
import { setViolationTerms } from '../../db/commands/violation-terms.ts';
import { rentalById } from '../../db/queries/rentals.ts';
import type { ViolationTerms } from '../../domain/violation-charge.ts';
import type { ApiAnswer, CallOptions, TestApi } from './api.ts';
import type { TestDatabase } from './database.ts';
import { CLASS, ENTITY, hoursFromNow, plantFleet, plantTrade } from './fleet.ts';
import { plantStaff, tokenOf } from './people.ts';
import { backOf, OUT } from './rental-desk.ts';

const SYSTEM = 'system:test';

export const TERMS: ViolationTerms & { readonly sender: string } = {
  currency: 'EUR',
  fineFeeMinor: 2_500,
  tollFeeMinor: 500,
  vatRateBp: 2_000,
  tollTreatment: 'disbursement',
  cardWindowDays: 90,
  sender: 'Forecourt Austria, Vienna',
};

export async function plantTerms({ db }: TestDatabase): Promise<void> {
  await setViolationTerms(db, SYSTEM, 0, { entityId: ENTITY, ...TERMS });
}

/** The plate of a vehicle, registered in Austria and on it since 2020. */
async function oldPlate({ owner }: TestDatabase, vehicleId: string): Promise<string> {
  const { rows } = await sql<{ plate: string }>`update vehicles.plate
    set valid = tstzrange('2020-01-01T00:00:00Z', null), jurisdiction = 'AT'
    where vehicle_id = ${vehicleId} returning plate`.execute(owner);
  return rows[0]?.plate ?? '';
}

type Trip = {
  readonly branchId: string;
  readonly customerId: string;
  readonly out: string;
  readonly back: string;
};

/** A rental that was taken out and brought back, at those instants as far as its record says. */
async function pastRental({ db, owner }: TestDatabase, trip: Trip): Promise<string> {
  const { branchId, customerId, out, back } = trip;
  const ids = { id: uuidv7(), branchId, classId: CLASS, customerId };
  const term = { pickUpAt: hoursFromNow(1), dueAt: hoursFromNow(72) };
  await reserveRental(db, SYSTEM, { ...ids, ...term });
  const reserved = await rentalById(db, SYSTEM, ids.id);
  if (reserved === undefined) throw new Error('The rental is gone.');
  const { rows } = await sql<{ km: number }>`select max(odometer_km) as km from vehicles.vehicle
    where branch_id = ${branchId}`.execute(owner);
  const km = (rows[0]?.km ?? 0) + 10;
  const commands = [
    { ...OUT, odometerKm: km },
    { ...backOf(reserved), odometerKm: km },
  ] as const;
  for (const [index, command] of commands.entries()) {
    const given = { commandId: uuidv7(), rentalId: ids.id, version: index + 1 };
    await recordCommand(db, SYSTEM, { ...given, command } as Parameters<typeof recordCommand>[2]);
  }
  await sql`update rentals.rental set checked_out_at = ${out}, checked_in_at = ${back},
    version = version + 1 where id = ${ids.id}`.execute(owner);
  return ids.id;
}

/** Two rentals of one vehicle, handed over in the hour that autumn repeats. */
export const FIRST = { out: '2026-10-20T08:00:00Z', back: '2026-10-25T00:45:00Z' };
export const SECOND = { out: '2026-10-25T00:50:00Z', back: '2026-10-30T08:00:00Z' };

export type Sightings = {
  readonly customerId: string;
  readonly here: string;
  readonly plate: string;
  readonly first: string;
  readonly second: string;
  /** Of another vehicle at another branch, at the times of the first. */
  readonly third: string;
  readonly thirdPlate: string;
  /** The token of a manager of the first branch alone. */
  readonly manager: string;
};

/** Call it in `beforeAll`. */
export async function plantSightings({ database }: TestApi): Promise<Sightings> {
  const { customerId } = await plantTrade(database.db);
  const at = await plantFleet(database.db, { vehicles: 1 });
  const there = await plantFleet(database.db, { vehicles: 1 });
  const plate = await oldPlate(database, at.vehicleIds[0] ?? '');
  const thirdPlate = await oldPlate(database, there.vehicleIds[0] ?? '');
  const trip = { branchId: at.branchId, customerId };
  const first = await pastRental(database, { ...trip, ...FIRST });
  const second = await pastRental(database, { ...trip, ...SECOND });
  const third = await pastRental(database, { ...trip, branchId: there.branchId, ...FIRST });
  const person = await plantStaff(database.owner, {
    roles: ['branch-manager'],
    branches: [at.branchId],
  });
  const manager = await tokenOf(person);
  return { customerId, here: at.branchId, plate, first, second, third, thirdPlate, manager };
}

let notices = 0;

/** A fine of 60.00 during the first rental; each call another notice of another minute. */
export function notice(plate: string, over: object = {}) {
  notices += 1;
  const clock = new Date(Date.UTC(2026, 9, 21, 8, notices)).toISOString().slice(0, 16);
  return {
    ...{ kind: 'fine', authority: 'LPD Wien', noticeNumber: `W-${notices}`, plate },
    ...{ plateJurisdiction: 'AT', localTime: clock, timeZone: 'Europe/Vienna', place: 'A23 km 5' },
    ...{ amountMinor: 6_000, currency: 'EUR', dueOn: '2026-12-01', ...over },
  };
}

/** `api` and `plate` are asked for at each call, because they are there from `beforeAll` on only. */
export function violationDesk(api: () => TestApi, plate: () => string) {
  const send = (path: string, body: object, options: CallOptions = {}): Promise<ApiAnswer> =>
    api().call('POST', `/api/v1/violations${path}`, { body, ...options });
  return {
    send,
    /** Taken in; answers what is shown of it. */
    received: async (over: object = {}) => {
      const answer = await send('', notice(plate(), over));
      if (answer.status !== 201) throw new Error(answer.text);
      return answer.body;
    },
    settle: (id: string, settlement = 'recharge', options: CallOptions = {}) =>
      send(`/${id}/settle`, { settlement }, options),
    effects: async (id: string) => {
      const { rows } = await sql`select
          (select array_agg(type order by seq) from events.outbox
            where aggregate_id = ${id}) as events,
          (select array_agg(action order by at) from people.audit_entry
            where subject_id = ${id}) as audits`.execute(api().database.owner);
      return rows[0];
    },
    /** Account and amount of each leg of an invoice's entry. */
    legs: async (invoiceId: string): Promise<readonly string[]> => {
      const { rows } = await sql<{ code: string; amount: number }>`select a.code, l.amount
        from accounting.invoice i join accounting.line l on l.entry_id = i.entry_id
        join accounting.account a on a.id = l.account_id
        where i.id = ${invoiceId} order by l.line_no`.execute(api().database.owner);
      return rows.map(({ code, amount }) => `${code} ${amount}`);
    },
    invoicesOf: async (id: string): Promise<number> => {
      const { rows } = await sql<{ n: number }>`select count(*)::int as n from accounting.invoice
        where idempotency_key like ${`violation/${id}/%`}`.execute(api().database.owner);
      return rows[0]?.n ?? -1;
    },
  };
}

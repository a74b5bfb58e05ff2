// Tolls and fines: taken in and matched, assigned by a person, dismissed; each with event and audit row.
import { type Selectable, sql } from 'kysely';
import { instantsShown } from '../../domain/calendar.ts';
import { DomainError } from '../../domain/errors.ts';
import {
  type Candidate,
  hadItAt,
  type Match,
  matchOf,
  refuseUnless,
  type ViolationKind,
  type ViolationStatus,
} from '../../domain/violation.ts';
import { type Acting, type Db, rowAccess, type Tx, transact } from '../client.ts';
import { publish } from '../outbox.ts';
import type { RentalsViolation } from '../schema.ts';
import { reasonIn, recordAudit } from './audit.ts';
import { named } from './master-data.ts';

export type ViolationRow = Selectable<RentalsViolation>;

/** A notice as it came. `localTime` is what clocks in `timeZone` showed at the place. */
export type NewViolation = {
  readonly id: string;
  readonly kind: ViolationKind;
  readonly authority: string;
  readonly noticeNumber: string;
  readonly plate: string;
  readonly plateJurisdiction: string;
  readonly localTime: string;
  readonly timeZone: string;
  readonly place: string;
  readonly amountMinor: number;
  readonly currency: string;
  readonly dueOn?: string | undefined;
};

/**
 * Takes a notice in and matches it in the whole company, whatever branches the acting person works
 * at. Repeats of the id answer the first. Throws `duplicate` for a notice number that its authority
 * used, `invalid-time` for a time that never was or has not come.
 */
export function registerViolation(
  db: Db,
  acting: Acting,
  notice: NewViolation,
): Promise<ViolationRow> {
  const wide = { ...rowAccess(acting), scope: '*' };
  return transact(db, 'rentals_rw', wide, async (tx) => {
    const known = await violationIn(tx, notice.id);
    if (known !== undefined) return known;
    const row = await insertViolation(tx, notice);
    await publish(tx, receivedFact(row));
    const after = { kind: row.kind, status: row.status, rentalId: row.rental_id };
    await recordAudit(tx, { action: 'violation.receive', ...subjectOf(row), after });
    return row;
  });
}

export function violationIn(tx: Tx, id: string): Promise<ViolationRow | undefined> {
  return tx.selectFrom('rentals.violation').selectAll().where('id', '=', id).executeTakeFirst();
}

/** The row alone, for those who tell of many at once. In the role rentals_rw, of all branches. */
export async function insertViolation(tx: Tx, notice: NewViolation): Promise<ViolationRow> {
  const instants = instantsShown(notice.localTime, notice.timeZone);
  refuseFuture(instants, Date.now());
  const candidates = await candidatesFor(tx, notice, instants);
  const match = matchOf(candidates, await isSimilar(tx, notice, instants));
  const row = await insertAs(tx, notice, instants, match);
  if (row !== undefined) return row;
  // Another notice of the same sighting was matched beside us.
  const queued = await insertAs(tx, notice, instants, { reason: 'similar-notice' });
  if (queued === undefined) throw new Error('A queued violation met another one.');
  return queued;
}

/** Throws `invalid-time` when every instant that the notice can mean is still to come. */
function refuseFuture([first = '']: readonly string[], nowMs: number): void {
  if (Date.parse(first) <= nowMs) return;
  throw new DomainError('invalid-time', 'The time of the notice has not come yet.', { at: first });
}

async function candidatesFor(
  tx: Tx,
  notice: NewViolation,
  instants: readonly string[],
): Promise<readonly Candidate[]> {
  const { rows } = await sql<Candidate>`
    select at, vehicle_id as "vehicleId", rental_id as "rentalId"
    from rentals.violation_candidates(${notice.plate}, ${notice.plateJurisdiction},
      ${[...instants]}::timestamptz[])`.execute(tx);
  return rows;
}

/** Dismissed ones count too: whoever dismissed one has to look at the next. */
async function isSimilar(
  tx: Tx,
  { plate, plateJurisdiction, place }: NewViolation,
  instants: readonly string[],
): Promise<boolean> {
  const { rows } = await sql`select from rentals.violation
    where plate_key = vehicles.plate_key(${plate}) and plate_jurisdiction = ${plateJurisdiction}
      and (at = any (${[...instants]}::timestamptz[]) or or_at = any (${[...instants]}::timestamptz[]))
      and place_key = rentals.notice_key(${place}) limit 1`.execute(tx);
  return rows.length > 0;
}

/** Undefined when the same sighting is matched already. */
async function insertAs(
  tx: Tx,
  notice: NewViolation,
  [at, orAt]: readonly string[],
  match: Match,
): Promise<ViolationRow | undefined> {
  const rental = 'rentalId' in match ? match : { rentalId: null, vehicleId: null };
  const reason = 'reason' in match ? match.reason : null;
  const { rows } = await named(() =>
    sql<ViolationRow>`
      insert into rentals.violation (id, kind, authority, notice_number, plate, plate_jurisdiction,
        local_time, time_zone, at, or_at, place, amount_minor, currency, due_on, status,
        queue_reason, vehicle_id, rental_id, customer_id, branch_id, entity_id)
      select ${notice.id}::uuid, ${notice.kind}, ${notice.authority}, ${notice.noticeNumber},
        ${notice.plate}, ${notice.plateJurisdiction}, ${notice.localTime}, ${notice.timeZone},
        ${at}::timestamptz, ${orAt ?? null}::timestamptz, ${notice.place},
        ${notice.amountMinor}::bigint, ${notice.currency}, ${notice.dueOn ?? null}::date,
        ${reason === null ? 'matched' : 'queued'}, ${reason}, ${rental.vehicleId}::uuid, r.id,
        r.customer_id, r.branch_id, r.entity_id
      from (select) as notice left join rentals.rental r on r.id = ${rental.rentalId}::uuid
      on conflict (plate_key, plate_jurisdiction, at, place_key)
        where status in ('matched', 'settled') and assigned_by is null do nothing
      returning *`.execute(tx),
  );
  return rows[0];
}

/**
 * A person says whose it was, whatever the plate on the notice; the rental must have had a vehicle at
 * that time. Undefined when there is no such violation. Throws `not-found` for an unknown rental,
 * `value-refused` when it had no vehicle then, `invalid-state` unless it is queued.
 */
export function assignViolation(
  db: Db,
  acting: Acting,
  id: string,
  rentalId: string,
): Promise<ViolationRow | undefined> {
  return transact(db, 'rentals_rw', acting, async (tx) => {
    const row = await lockViolation(tx, id);
    if (row === undefined || (row.assigned_by !== null && row.rental_id === rentalId)) return row;
    refuseUnless(statusOf(row), ['queued'], 'assigned');
    const segmentId = await segmentThen(tx, row, rentalId);
    const { rows } = await sql<ViolationRow>`
      update rentals.violation v set status = 'matched', rental_id = r.id,
        vehicle_id = s.vehicle_id, customer_id = r.customer_id, branch_id = r.branch_id,
        entity_id = r.entity_id, assigned_by = ${rowAccess(acting).principal},
        version = v.version + 1
      from rentals.rental r join rentals.segment s on s.rental_id = r.id
      where v.id = ${id} and r.id = ${rentalId}
        and s.id = ${segmentId} returning v.*`.execute(tx);
    const assigned = rows[0] as ViolationRow;
    const type = 'forecourt.violation.assigned.v1' as const;
    await publish(tx, { ...receivedFact(assigned), type });
    const after = { rentalId, queueReason: row.queue_reason };
    await recordAudit(tx, { action: 'violation.assign', ...subjectOf(row), after });
    return assigned;
  });
}

/** The first of its segments that an instant of the notice falls into. */
async function segmentThen(tx: Tx, row: ViolationRow, rentalId: string): Promise<string> {
  const { rows } = await sql<{ id: string | null; outAt: string | null; inAt: string | null }>`
    select s.id, s.from_at as "outAt", s.to_at as "inAt"
    from rentals.rental r left join rentals.segment s on s.rental_id = r.id
    where r.id = ${rentalId} order by s.from_at`.execute(tx);
  if (rows.length === 0) {
    throw new DomainError('not-found', 'There is no such rental.', { of: 'rental' });
  }
  const segment = rows.find((one) =>
    [row.at, row.or_at].some((at) => at !== null && hadItAt(one, at)),
  );
  if (segment?.id) return segment.id;
  throw new DomainError('value-refused', 'This rental had no vehicle at that time.', { rentalId });
}

/** Nobody is charged for it. Throws `invalid-state` once it is settled. */
export function dismissViolation(
  db: Db,
  acting: Acting,
  id: string,
  reason: string,
): Promise<ViolationRow | undefined> {
  return transact(db, 'rentals_rw', acting, async (tx) => {
    const row = await lockViolation(tx, id);
    if (row === undefined || row.dismiss_reason === reason) return row;
    refuseUnless(statusOf(row), ['queued', 'matched'], 'dismissed');
    const { rows } = await sql<ViolationRow>`update rentals.violation
      set status = 'dismissed', dismiss_reason = ${reason}, version = version + 1
      where id = ${id} returning *`.execute(tx);
    const dismissed = rows[0] as ViolationRow;
    const type = 'forecourt.violation.dismissed.v1' as const;
    await publish(tx, { ...receivedFact(dismissed), type });
    const why = reasonIn('rentals.violation');
    await recordAudit(tx, { action: 'violation.dismiss', ...subjectOf(row), reason: why });
    return dismissed;
  });
}

/** One decision about it at a time. */
export function lockViolation(tx: Tx, id: string): Promise<ViolationRow | undefined> {
  return tx
    .selectFrom('rentals.violation')
    .selectAll()
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst();
}

export function statusOf(row: ViolationRow): ViolationStatus {
  return row.status as ViolationStatus;
}

export function subjectOf({ id }: ViolationRow) {
  return { subjectType: 'violation', subjectId: id } as const;
}

export function receivedFact(row: ViolationRow) {
  return {
    type: 'forecourt.violation.received.v1',
    aggregateId: row.id,
    sequence: row.version,
    data: {
      violationId: row.id,
      kind: row.kind,
      status: row.status,
      queueReason: row.queue_reason,
      rentalId: row.rental_id,
      vehicleId: row.vehicle_id,
      branchId: row.branch_id,
      amountMinor: row.amount_minor,
      currency: row.currency,
    },
  } as const;
}

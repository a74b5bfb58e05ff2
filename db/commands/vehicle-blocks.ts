// Permanent blocks: times in which the calendar never gives a vehicle away, as spans like any other.
import { type Selectable, sql } from 'kysely';
import { v5 as uuidv5 } from 'uuid';
import { DomainError } from '../../domain/errors.ts';
import { overlaps, type Span } from '../../domain/span.ts';
import type { LiveSpan } from '../../domain/vehicle.ts';
import type { Tx } from '../client.ts';
import type { VehiclesVehicle } from '../schema.ts';

type VehicleRow = Selectable<VehiclesVehicle>;
type Block = 'before-sub-rental' | 'after-sub-rental' | 'sale';

/** Of the refs that a block is found by: a UUID of our own, as RFC 9562 section 5.5 asks for. */
const BLOCKS = 'a1d4c0de-6f72-4563-8f75-727400000002';
/** Finite, so that everybody who reads a span can work with its ends. */
const BEGINNING = '2000-01-01T00:00:00.000Z';
const END = '9999-12-31T00:00:00.000Z';
const DAY_MS = 86_400_000;

/**
 * Makes the calendar agree with what the row says: a sub-rented vehicle is ours in
 * `[from, until − notice)` only, one for sale until its date (decisions 34). For the transaction
 * that wrote the row, which locks it. Throws `invalid-state` with the spans in the way.
 */
export async function syncBlocks(tx: Tx, row: VehicleRow): Promise<void> {
  const { sub_rented_from: from, sub_rented_until: until, off_hire_notice_days: days } = row;
  const offHire = until === null ? null : Date.parse(until) - (days ?? 0) * DAY_MS;
  const before = from !== null && from > BEGINNING ? { from: BEGINNING, to: from } : null;
  const after = offHire === null ? null : { from: new Date(offHire).toISOString(), to: END };
  const sale = row.held_for_sale_at === null ? null : { from: row.held_for_sale_at, to: END };
  await setBlock(tx, row, 'before-sub-rental', before);
  await setBlock(tx, row, 'after-sub-rental', after);
  await setBlock(tx, row, 'sale', sale);
}

/** Spans that the calendar still counts on, blocks left out; the vehicle's row must be locked. */
export async function liveSpans(tx: Tx, vehicleId: string): Promise<readonly LiveSpan[]> {
  const { rows } = await sql<LiveSpan>`select id as "spanId", kind, ref, grip,
    lower(during) as "from", upper(during) as "to"
    from vehicles.live_spans(${vehicleId})`.execute(tx);
  return rows;
}

async function setBlock(tx: Tx, row: VehicleRow, block: Block, during: Span | null): Promise<void> {
  const ref = uuidv5(`${row.id}/${block}`, BLOCKS);
  if (during === null) {
    await sql`update vehicles.span set grip = 'released'
      where kind = 'block' and ref = ${ref} and grip <> 'released'`.execute(tx);
    return;
  }
  const { from, to } = during;
  await refuseInTheWay(tx, row.id, during);
  await sql`insert into vehicles.span (kind, ref, class_id, branch_out, branch_in, during,
      turnaround_minutes, vehicle_id, grip)
    values ('block', ${ref}, ${row.class_id}, ${row.branch_id}, ${row.branch_id},
      tstzrange(${from}, ${to}), 0, ${row.id}, 'firm')
    on conflict (kind, ref) do update set during = excluded.during, grip = 'firm',
      class_id = excluded.class_id, branch_out = excluded.branch_out,
      branch_in = excluded.branch_in
    where (span.during, span.grip, span.class_id, span.branch_out)
      is distinct from (excluded.during, 'firm', excluded.class_id, excluded.branch_out)`.execute(
    tx,
  );
}

async function refuseInTheWay(tx: Tx, vehicleId: string, during: Span): Promise<void> {
  const spans = (await liveSpans(tx, vehicleId)).filter((span) => overlaps(span, during));
  if (spans.length === 0) return;
  throw new DomainError('invalid-state', 'The vehicle is out or booked then; move those first.', {
    vehicleId,
    reason: 'booked',
    spans,
  });
}

// Readings of meters: taken in by the hundred or one by one, voided, decided, counters replaced.
import { sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import type { MeterKind, MeterSource } from '../../domain/meter.ts';
import { type Acting, type Db, type Tx, transact } from '../client.ts';
import { publish } from '../outbox.ts';
import { type ReadingRow, selectReadings } from '../queries/meters.ts';
import { recordAudit } from './audit.ts';

export type NewReading = {
  /** Left out, one is made: readings of devices are known by what they say. */
  readonly id?: string;
  readonly vehicleId: string;
  readonly kind: MeterKind;
  readonly source: MeterSource;
  /** Empty for the dash, and only for it. */
  readonly deviceId: string;
  /** What the sender calls it: the same once more is no other reading. */
  readonly externalId?: string | undefined;
  readonly takenAt: string;
  /** In the unit of the kind; of a DTC 1 (on) or 0 (off). */
  readonly value: number;
  /** Of a DTC; empty otherwise. */
  readonly code: string;
  readonly origin: 'http' | 'device' | 'work-order';
};

type Raised = {
  readonly dtcId: string;
  readonly vehicleId: string;
  readonly code: string;
  readonly raisedAt: string;
  readonly sequence: number;
};

type Recorded = {
  readonly stored: number;
  readonly unknown: readonly number[];
  readonly dtcs: readonly Raised[];
};

/**
 * Takes readings in, each once in effect, in any order. `tx` runs as vehicles_rw. Answers how many
 * are new and the places of those whose vehicle does not exist (or is out of scope).
 */
export async function recordReadings(
  tx: Tx,
  readings: readonly NewReading[],
): Promise<{ readonly stored: number; readonly unknown: readonly number[] }> {
  if (readings.length === 0) return { stored: 0, unknown: [] };
  const columns = readings.map(columnsOf).filter(isFirst());
  const { rows } = await sql<{ recorded: Recorded }>`select
    vehicles.record_readings(${JSON.stringify(columns)}) as recorded`.execute(tx);
  const recorded = rows[0]?.recorded;
  if (recorded === undefined) throw new Error('record_readings answered nothing.');
  await publish(
    tx,
    ...recorded.dtcs.map(({ dtcId, vehicleId, code, raisedAt, sequence }) => ({
      type: 'forecourt.vehicle.dtc-raised.v1' as const,
      aggregateId: dtcId,
      sequence,
      data: { vehicleId, code, raisedAt: new Date(raisedAt).toISOString() },
    })),
  );
  return recorded;
}

/** As vehicles.new_reading has them. */
function columnsOf(reading: NewReading, n: number) {
  return {
    n,
    id: reading.id,
    vehicle_id: reading.vehicleId,
    kind: reading.kind,
    source: reading.source,
    device_id: reading.deviceId,
    external_id: reading.externalId,
    taken_at: reading.takenAt,
    value: reading.value,
    code: reading.code,
    origin: reading.origin,
  };
}

/** Of several that the sender calls the same the first counts, whatever the others say. */
function isFirst(): (reading: ReturnType<typeof columnsOf>) => boolean {
  const seen = new Set<string>();
  return ({ vehicle_id, kind, source, device_id, external_id }) => {
    if (external_id === undefined) return true;
    const name = JSON.stringify([vehicle_id, kind, source, device_id, external_id]);
    return seen.size < seen.add(name).size;
  };
}

/** One reading; one that is there already is answered as it is. Throws `not-found` (vehicle). */
export function recordReading(
  db: Db,
  acting: Acting,
  reading: NewReading & { readonly id: string },
): Promise<ReadingRow> {
  return transact(db, 'vehicles_rw', acting, async (tx) => {
    const { unknown } = await recordReadings(tx, [reading]);
    if (unknown.length > 0) {
      throw new DomainError('not-found', 'There is no such vehicle.', { of: 'vehicle' });
    }
    const row = await sameReading(tx, reading);
    if (row.id === reading.id) {
      const { vehicleId, kind, source, takenAt, value, code } = reading;
      const after = { readingId: row.id, kind, source, takenAt, value, code };
      await recordAudit(tx, { ...about(vehicleId), action: 'reading.record', after });
    }
    return row;
  });
}

async function sameReading(
  tx: Tx,
  reading: NewReading & { readonly id: string },
): Promise<ReadingRow> {
  const [row] = await selectReadings(
    tx,
    sql<boolean>`t.id = ${reading.id} or (t.vehicle_id = ${reading.vehicleId}
      and t.kind = ${reading.kind} and t.source = ${reading.source}
      and t.device_id = ${reading.deviceId} and (t.external_id = ${reading.externalId ?? null}
      or (t.taken_at = ${reading.takenAt} and t.value = ${reading.value}
      and t.code = ${reading.code})))`,
  );
  if (row === undefined) throw new Error('A reading was neither stored nor there.');
  return row;
}

/** A repeat answers what was done. Throws `not-found`, or `invalid-state` for one that is void. */
export function voidReading(
  db: Db,
  acting: Acting,
  id: string,
  reason: string,
): Promise<ReadingRow> {
  return transact(db, 'vehicles_rw', acting, async (tx) => {
    const before = await readingOf(tx, id);
    if (before.state === 'void') {
      if (before.void_reason === reason) return before;
      throw new DomainError('invalid-state', 'The reading is void already.', { readingId: id });
    }
    await sql`select vehicles.void_reading(${id}, ${reason})`.execute(tx);
    const subject = about(before.vehicle_id);
    await recordAudit(tx, { ...subject, action: 'reading.void', reason, after: { readingId: id } });
    return readingOf(tx, id);
  });
}

export type ReadingDecision = 'accept' | 'void' | 'new-segment';

/**
 * Decides what waits for a person. Throws `not-found`, `invalid-state` when nothing waits, and
 * `odometer-rollback` when the counter would go back then: void it, or begin a segment.
 */
export function decideReading(
  db: Db,
  acting: Acting,
  id: string,
  given: { readonly decision: ReadingDecision; readonly reason: string },
): Promise<ReadingRow> {
  return transact(db, 'vehicles_rw', acting, async (tx) => {
    const before = await readingOf(tx, id);
    if (before.review_decision === given.decision) return before;
    if (before.review_reason === null || before.review_decision !== null) {
      throw new DomainError('invalid-state', 'Nothing is left to decide.', { readingId: id });
    }
    const { rows } = await sql<{ done: { readonly refused: string | null } }>`select
      vehicles.decide_reading(${id}, ${given.decision}, ${given.reason}) as done`.execute(tx);
    if (rows[0]?.done.refused) {
      throw new DomainError(
        'odometer-rollback',
        'Accepted, it would go back. Void it, or the other one, or begin a new segment.',
        { readingId: id },
      );
    }
    const after = { readingId: id, decision: given.decision };
    const entry = { action: 'reading.decide', reason: given.reason, after };
    await recordAudit(tx, { ...about(before.vehicle_id), ...entry });
    return readingOf(tx, id);
  });
}

export type OdometerReplacement = {
  readonly id: string;
  readonly vehicleId: string;
  readonly replacedAt: string;
  readonly oldKm: number;
  readonly newKm: number;
  readonly reason: string;
};

/** A new odometer goes on where the old one ended. Throws `not-found`, `odometer-rollback`. */
export function replaceOdometer(
  db: Db,
  acting: Acting,
  given: OdometerReplacement,
): Promise<ReadingRow> {
  const { id, vehicleId, replacedAt, oldKm, newKm, reason } = given;
  return transact(db, 'vehicles_rw', acting, async (tx) => {
    const [known] = await selectReadings(tx, sql<boolean>`t.id = ${id}`);
    if (known !== undefined) return known;
    const { rows } = await sql<{ done: Replaced }>`select vehicles.replace_odometer(${id},
      ${vehicleId}, ${replacedAt}, ${oldKm}, ${newKm}, ${reason}) as done`.execute(tx);
    const { refused, lastKm } = rows[0]?.done ?? {};
    if (refused) {
      throw new DomainError('odometer-rollback', `The old odometer read ${lastKm} km before.`, {
        lastKm: lastKm ?? null,
      });
    }
    const after = { replacedAt, oldKm, newKm };
    await recordAudit(tx, { ...about(vehicleId), action: 'odometer.replace', reason, after });
    return readingOf(tx, id);
  });
}

type Replaced = { readonly refused: string | null; readonly lastKm?: number };

/** At a hand-over, in its transaction (of the domain that hands over). It never refuses. */
export async function recordDashReading(
  tx: Tx,
  reading: {
    readonly vehicleId: string;
    readonly odometerKm: number;
    readonly fuelEighths: number;
    readonly at: string;
    readonly origin: 'check-out' | 'check-in' | 'work-order';
  },
): Promise<void> {
  await sql`select vehicles.record_dash_reading(${reading.vehicleId}, ${reading.odometerKm},
    ${reading.fuelEighths}, ${reading.at}, ${reading.origin})`.execute(tx);
}

async function readingOf(tx: Tx, id: string): Promise<ReadingRow> {
  const [row] = await selectReadings(tx, sql<boolean>`t.id = ${id}`);
  if (row === undefined) throw new DomainError('not-found', 'There is no such reading.');
  return row;
}

function about(vehicleId: string) {
  return { subjectType: 'vehicle', subjectId: vehicleId } as const;
}

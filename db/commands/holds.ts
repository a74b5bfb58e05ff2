// Holds on vehicles as what they come from sets and lifts them, each with its event and audit row.
import { type Selectable, sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import type { Hold, HoldSource, HoldType, Severity } from '../../domain/hold.ts';
import type { Tx } from '../client.ts';
import { publish } from '../outbox.ts';
import type { VehiclesHold } from '../schema.ts';

export type HoldRow = Selectable<VehiclesHold>;

/** What a hold says; `from` is now and `hardFrom` the same as `from` when they are not given. */
export type HoldTerms = {
  readonly type: HoldType;
  readonly severity: Severity;
  readonly reason: string;
  readonly from?: string | undefined;
  readonly hardFrom?: string | undefined;
  readonly until?: string | undefined;
  readonly fromKm?: number | undefined;
  readonly toleranceKm?: number | undefined;
  readonly soonKm?: number | undefined;
  readonly barsSale?: boolean | undefined;
};

/** A span that the hold blocks. One that is `out` stays out; it is only not extended. */
export type AffectedSpan = {
  readonly spanId: string;
  readonly kind: string;
  readonly ref: string;
  readonly grip: string;
  readonly from: string;
  readonly until: string;
};

export type SetHold = {
  readonly holdId: string;
  readonly vehicleId: string;
  readonly type: string;
  readonly severity: string;
  readonly version: number;
  /** False when it was the same before. */
  readonly changed: boolean;
  readonly affected: readonly AffectedSpan[];
};

/** A statement has a time limit; a campaign may mean the whole fleet. */
const AT_ONCE = 500;

type NewHold = {
  readonly source: HoldSource;
  readonly sourceRef: string;
  readonly vehicleId: string;
};

/**
 * One open hold for each (source, reference): set again, it is changed. For any domain's transaction.
 * Throws `not-found` for an unknown vehicle.
 */
export async function setHold(
  tx: Tx,
  given: NewHold & { readonly hold: HoldTerms & { readonly id?: string } },
): Promise<SetHold> {
  const [set] = await setHolds(tx, [given], given.hold);
  return set as SetHold;
}

/** The same hold for many vehicles, some hundred a statement; answers in their order. */
export async function setHolds(
  tx: Tx,
  vehicles: readonly NewHold[],
  hold: HoldTerms & { readonly id?: string },
): Promise<readonly SetHold[]> {
  const sets: SetHold[] = [];
  for (let at = 0; at < vehicles.length; at += AT_ONCE) {
    sets.push(...(await setSome(tx, vehicles.slice(at, at + AT_ONCE), hold)));
  }
  return sets;
}

async function setSome(
  tx: Tx,
  vehicles: readonly NewHold[],
  hold: HoldTerms,
): Promise<readonly SetHold[]> {
  const { rows } = await sql<{ set: SetHold & { readonly unknown?: string } }>`
    select vehicles.set_hold(n.source, n.ref, n.vehicle, ${JSON.stringify(hold)}) as set
    from unnest(${vehicles.map(({ source }) => source)}::text[],
      ${vehicles.map(({ sourceRef }) => sourceRef)}::text[],
      ${vehicles.map(({ vehicleId }) => vehicleId)}::uuid[]) as n(source, ref, vehicle)`.execute(
    tx,
  );
  const sets = rows.map(({ set }) => set);
  if (sets.some(({ unknown }) => unknown !== undefined)) {
    throw new DomainError('not-found', 'There is no such vehicle.', { of: 'vehicle' });
  }
  const changed = sets.filter((set) => set.changed);
  const isNew = ({ version }: SetHold) => version === 1;
  await recordHolds(tx, 'apply', changed.filter(isNew), hold);
  const before = changed.filter((set) => !isNew(set));
  await recordHolds(tx, 'change', before, hold);
  return sets;
}

export type LiftedHold = Omit<SetHold, 'changed' | 'affected'>;

/** The source says that it is over. Null when there is no such open hold. */
export async function liftHoldOfSource(
  tx: Tx,
  by: {
    readonly source: HoldSource;
    readonly sourceRef: string;
    readonly reason: string;
    readonly repairCode?: string;
  },
): Promise<LiftedHold | null> {
  const { rows } = await sql<{ lifted: LiftedHold | null }>`select vehicles.lift_hold(${by.source},
    ${by.sourceRef}, ${by.reason}, ${by.repairCode ?? null}) as lifted`.execute(tx);
  const lifted = rows[0]?.lifted ?? null;
  const what = { reason: by.reason, repairCode: by.repairCode };
  await recordHolds(tx, 'lift', lifted === null ? [] : [lifted], what);
  return lifted;
}

/** The columns hold what their constraints allow. */
export function holdOf(row: HoldRow): Hold {
  return {
    type: row.type as HoldType,
    severity: row.severity as Severity,
    from: row.from_at,
    hardFrom: row.hard_from,
    until: row.until_at,
    fromKm: row.from_km,
    toleranceKm: row.tolerance_km,
    soonKm: row.soon_km,
  };
}

const DONE = { apply: 'applied', change: 'changed', lift: 'lifted' } as const;

/** Publishes the facts and writes the audit rows of what was done to holds. */
export async function recordHolds(
  tx: Tx,
  verb: keyof typeof DONE,
  holds: readonly LiftedHold[],
  what: object,
): Promise<void> {
  if (holds.length === 0) return;
  const facts = holds.map(({ holdId, vehicleId, type, severity, version }) => ({
    type: `forecourt.hold.${DONE[verb]}.v1` as const,
    aggregateId: holdId,
    sequence: version,
    data: { holdId, vehicleId, holdType: type, severity },
  }));
  await publish(tx, ...facts);
  const ids = holds.map(({ holdId }) => holdId);
  const afters = holds.map(({ vehicleId, type, severity }) =>
    JSON.stringify({ ...what, vehicleId, type, severity }),
  );
  await sql`select people.record_audit(${`hold.${verb}`}, 'hold', n.id, null, null, null, n.after)
    from unnest(${ids}::text[], ${afters}::jsonb[]) as n(id, after)`.execute(tx);
}

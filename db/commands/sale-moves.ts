// What is booked behind a vehicle's sale date goes to others of its pool, where there is a way.
import { type Detail, DomainError } from '../../domain/errors.ts';
import type { LiveSpan } from '../../domain/vehicle.ts';
import { type Db, transact } from '../client.ts';
import { proposalsForSpan } from '../queries/shortages.ts';
import { type NoPlan, type Plan, search } from './allocation.ts';
import { liveSpans } from './vehicle-blocks.ts';
import { lockVehicleRow } from './vehicle-locks.ts';

const MOVABLE: ReadonlySet<string> = new Set(['rental', 'quote']);

/**
 * Moves after which nothing tentative of the vehicle's pool ends later than `at`. What is firm, out or
 * of another pool stays, for the status machine to name. `none` when there is nothing to move.
 */
export async function planSale(
  db: Db,
  principal: string,
  vehicleId: string,
  at: string,
): Promise<Plan | NoPlan> {
  const found = await transact(db, 'vehicles_rw', principal, async (tx) => {
    const row = await lockVehicleRow(tx, vehicleId);
    return row && { row, spans: await liveSpans(tx, vehicleId) };
  });
  const after = Date.parse(at);
  const moving = found?.spans.filter((span) => isMovable(span) && Date.parse(span.to) > after);
  if (found === undefined || !moving?.length) return 'none';
  const { branch_id: branchId, class_id: classId } = found.row;
  const asking = { db, principal, branchId, classId, now: () => performance.now() };
  const sale = { from: after, to: Number.POSITIVE_INFINITY, branchOut: null, branchIn: null };
  return search(asking, { id: vehicleId, ...hullOf(moving) }, ({ vehicles, spans }) => ({
    vehicles: vehicles.map((one) =>
      one.id === vehicleId ? { ...one, fixed: [...one.fixed, sale] } : one,
    ),
    spans: spans.map((span) =>
      span.vehicleId === vehicleId && span.to > after ? { ...span, vehicleId: null } : span,
    ),
  }));
}

/** Whom a refusal looks for help for; a person asks for no more at once. */
const MOST_HELPED = 10;

/**
 * The refusal with what else may help each booking that stays: an upgrade, or a vehicle to be driven
 * here. Neither happens by itself: one changes what the renter gets, the other costs a drive.
 */
export async function withProposals(db: Db, refusal: DomainError): Promise<DomainError> {
  const { code, message, details } = refusal;
  const proposals: Readonly<Record<string, Detail>>[] = [];
  for (const { ref, spanId, kind, grip } of spansOf(refusal).slice(0, MOST_HELPED)) {
    if (kind !== 'rental' || grip !== 'tentative') continue;
    const { upgrades, transfers } = await proposalsForSpan(db, spanId);
    proposals.push(
      ...upgrades.map((one) => ({ ref, step: 'upgrade', ...one })),
      ...transfers.map((one) => ({ ref, step: 'transfer', ...one })),
    );
  }
  return new DomainError(code, message, { ...details, proposals });
}

/** As vehicle-blocks.ts names them. */
function spansOf({ details }: DomainError): readonly LiveSpan[] {
  return Array.isArray(details['spans']) ? (details['spans'] as readonly LiveSpan[]) : [];
}

function isMovable({ kind, grip }: LiveSpan): boolean {
  return grip === 'tentative' && MOVABLE.has(kind);
}

function hullOf(spans: readonly LiveSpan[]) {
  return {
    from: Math.min(...spans.map(({ from }) => Date.parse(from))),
    to: Math.max(...spans.map(({ to }) => Date.parse(to))),
  };
}

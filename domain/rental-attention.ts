// When a rental needs a person: asked on request, short of a vehicle, late, or outside the hours.
import type { Side } from './opening-hours.ts';
import type { RentalState } from './rental.ts';

/** From then on a missing vehicle is somebody's concern (decisions.md 1). */
export const ATTENTION_HOURS = 24;
const HOUR_MS = 3_600_000;

/**
 * True while a person has to act: a request is to be answered, no vehicle is kept though the pick-up is within a day, the
 * vehicle did not come back, an invoice is overdue, or money of a rental that is over is still here. `now` is ISO 8601 in UTC.
 */
export function needsAttention(
  state: Pick<RentalState, 'status' | 'vehicleId' | 'overdue' | 'pickUpAt' | 'arrears' | 'payBack'>,
  now: string,
): boolean {
  const isNear = Date.parse(state.pickUpAt) - Date.parse(now) <= ATTENTION_HOURS * HOUR_MS;
  const isLate = state.overdue || state.arrears === true;
  const owesBack = state.payBack !== undefined;
  return state.status === 'requested' || (isShort(state) && isNear) || isLate || owesBack;
}

/** True when it is to begin and has no vehicle yet. */
export function isShort(state: Pick<RentalState, 'status' | 'vehicleId'>): boolean {
  return state.status === 'reserved' && state.vehicleId === null;
}

/** Hours that came after the booking: closed, or open at a fee that nobody agreed to. */
export type HandoverDoubt = {
  readonly handover: Side;
  /** For which it was agreed; another time is another agreement. */
  readonly at: string;
  readonly problem: 'closed' | 'fee';
};

/** True while that handover is still to come. */
export function isAhead(
  { handover, at }: Pick<HandoverDoubt, 'handover' | 'at'>,
  { status, pickUpAt, dueAt }: Pick<RentalState, 'status' | 'pickUpAt' | 'dueAt'>,
): boolean {
  const agreed = handover === 'pick-up' ? pickUpAt : dueAt;
  if (Date.parse(at) !== Date.parse(agreed)) return false;
  return status === 'reserved' || (status === 'active' && handover === 'return');
}

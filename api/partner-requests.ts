// What a partner asks for as what a rental takes: its branches, its rates, its quotes, its vouchers.
import type { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { BookingRow } from '../db/commands/partner-bookings.ts';
import { partnerAgent } from '../db/queries/partner-agents.ts';
import { partnerById } from '../db/queries/people.ts';
import { isWithin } from '../domain/people.ts';
import { isMoved, placeAfter } from '../domain/rental/amendment.ts';
import type { Amend, RentalRequest, RentalState } from '../domain/rental.ts';
import { VOUCHER_COVERS } from '../domain/voucher.ts';
import { assertQuote, assertRate, withBands } from './booked-choices.ts';
import type { ApiDeps, ApiEnv } from './deps.ts';
import { ProblemError } from './problems.ts';
import type { AmendPartnerBooking, NewPartnerBooking } from './schemas/partner-bookings.ts';

export type PartnerRequest = Omit<RentalRequest, 'id' | 'customerId' | 'channel'>;
type Wanted = Omit<z.infer<typeof NewPartnerBooking>, 'externalReference' | 'customer' | 'flight'>;
type Change = z.infer<typeof AmendPartnerBooking>;

/** Throws 403 for a branch, 422 for a rate, a quote or a voucher that is not the partner's. */
export async function partnerRequest(
  c: Context<ApiEnv>,
  deps: ApiDeps,
  wanted: Wanted,
): Promise<PartnerRequest> {
  assertPartnersBranch(c, wanted.branchId);
  assertPartnersBranch(c, wanted.returnBranchId ?? wanted.branchId);
  assertRate(c, wanted.rate);
  if (wanted.quoteId) await assertQuote(c, deps, wanted.quoteId);
  const { id: partnerId } = deps.actorOf(c);
  const { voucher: asked, ...priced } = wanted;
  if (asked === undefined || priced.rate === undefined) {
    const agentId = await partnerAgent(deps.db, partnerId, wanted.branchId);
    return { ...(await withBands(c, deps, priced, priced)), ...(agentId && { agentId }) };
  }
  // The renter's price is the public one: what the partner pays is told to nobody else.
  const { rate, ...open } = priced;
  const { covers = VOUCHER_COVERS, netMinor } = asked;
  const voucher = { payerId: await payerOf(deps, partnerId), rate, covers, netMinor };
  return { ...(await withBands(c, deps, open, open)), voucher };
}

/** Throws as above, and where it was booked by a voucher whose rate would change. */
export async function partnerChange(
  c: Context<ApiEnv>,
  deps: ApiDeps,
  booking: BookingRow,
  rental: RentalState,
  { voucher: asked, ...change }: Change,
): Promise<Amend> {
  if (change.returnBranchId) assertPartnersBranch(c, change.returnBranchId);
  const { branchId, price } = rental;
  const next = placeAfter(rental, change);
  // As `amendRental` prices it: what does not move, by the plan that was booked.
  const place = isMoved(rental, next) ? { branchId, classId: next.classId } : price;
  const priced = await withBands(c, deps, change, place);
  const { voucher_rate: rate, voucher_covers: covers } = booking;
  if (rate === null || covers === null) {
    if (asked === undefined) return priced;
    throw refused('voucher', 'It was booked without a voucher.');
  }
  if (change.rate !== undefined) throw refused('rate', 'It is the voucher’s, and stays.');
  const voucher = { payerId: await payerOf(deps, deps.actorOf(c).id), rate, covers };
  return { ...priced, voucher: { ...voucher, netMinor: asked?.netMinor } };
}

/** Throws 422 where no company was agreed to be invoiced. */
async function payerOf({ db }: ApiDeps, partnerId: string): Promise<string> {
  const payerId = (await partnerById(db, partnerId))?.payer_id;
  if (payerId) return payerId;
  throw refused('voucher', 'No vouchers were agreed with you: nobody is named who pays them.');
}

function assertPartnersBranch(c: Context<ApiEnv>, branchId: string): void {
  if (isWithin(c.get('caller').branches, branchId)) return;
  throw new ProblemError('forbidden', 'You do not book at this branch.', { more: { branchId } });
}

function refused(field: string, message: string): ProblemError {
  return new ProblemError('value-refused', message, { more: { field } });
}

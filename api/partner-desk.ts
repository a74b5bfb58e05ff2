// Bookings of partners as they were made: its own alone, each told with what everybody pays.
import type { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { flightOf } from '../db/commands/flights.ts';
import {
  type BookingRow,
  bookingByReference,
  invoicedFor,
  nextAttempt,
} from '../db/commands/partner-bookings.ts';
import { payersOf } from '../db/commands/payer-shares.ts';
import { partnerById } from '../db/queries/people.ts';
import { rentalById } from '../db/queries/rentals.ts';
import { principalOf } from '../domain/actor.ts';
import { isAwaited } from '../domain/rental/delay.ts';
import type { RentalRequest, RentalState } from '../domain/rental.ts';
import { decideRequest } from '../domain/rental-term.ts';
import { rowAccessOf } from './auth/scope.ts';
import { sendReserve } from './commands.ts';
import type { ApiDeps, ApiEnv } from './deps.ts';
import { namingReferences, toProblem } from './errors.ts';
import { tellFlight } from './flights.ts';
import type { PartnerRequest } from './partner-requests.ts';
import { found, PROBLEMS, ProblemError } from './problems.ts';
import type { Flight } from './schemas/flights.ts';
import { partnerBookingView } from './schemas/partner-bookings.ts';

/** Reads what the partner may be told of its own bookings. */
const READER = 'system:api';

type FlightTold = z.infer<typeof Flight> | undefined;
type Shown = ReturnType<typeof partnerBookingView>;

export function partnerDesk(deps: ApiDeps) {
  const { db } = deps;
  return { reserved, made, own, shown };

  /** The rental that is there, also long after its pick-up; else what the workflow says now. */
  async function reserved(
    c: Context<ApiEnv>,
    booking: BookingRow,
    wanted: PartnerRequest,
    flight: FlightTold,
  ): Promise<Shown> {
    const before = await made(c, booking, flight);
    if (before !== undefined) return before;
    const { rental_id: id, customer_id: customerId } = booking;
    const actor = deps.actorOf(c);
    const command: RentalRequest = { id, customerId, channel: 'partner', ...wanted };
    decideRequest(command, deps.now());
    try {
      await namingReferences(sendReserve(deps, { commandId: id, actor, command }));
    } catch (error) {
      // A refusal is final for its attempt; an unknown outcome is not, and is asked for again.
      if (PROBLEMS[toProblem(error).slug].status < 500) {
        await nextAttempt(db, principalOf(actor), id);
      }
      throw error;
    }
    return found(await made(c, booking, flight), 'booking');
  }

  /** With its flight, which a crash may have kept from being noted after the rental was made. */
  async function made(
    c: Context<ApiEnv>,
    booking: BookingRow,
    flight: FlightTold,
  ): Promise<Shown | undefined> {
    const rental = await rentalById(db, READER, booking.rental_id);
    if (rental === undefined) return undefined;
    await assertBound(booking);
    if (flight === undefined || !isAwaited(rental.status)) return viewOf(booking, rental);
    const noted = await flightOf(db, READER, rental.id);
    if (noted !== null && !isDelayOf(flight, noted)) return viewOf(booking, rental);
    const actor = deps.actorOf(c);
    const ids = { rentalId: rental.id, commandId: rental.id };
    await tellFlight(deps, { ...ids, actor, acting: principalOf(actor) }, rental, flight);
    return shown(booking);
  }

  /** Always as the rows say, so that every answer about one state has the same bytes. */
  async function shown(booking: BookingRow): Promise<Shown> {
    const rental = found(await rentalById(db, READER, booking.rental_id), 'booking');
    return viewOf(booking, rental);
  }

  /** A worker of a version that knew no vouchers left it out: not to be told as if one paid. */
  async function assertBound({ rental_id: id, voucher_rate: rate }: BookingRow): Promise<void> {
    if (rate === null || (await payersOf(db, READER, id)) !== undefined) return;
    const message =
      'It is booked without its voucher. Ask again when somebody here set its payers.';
    throw new ProblemError('service-unavailable', message);
  }

  async function own(c: Context<ApiEnv>, reference: string) {
    const { id: partnerId } = deps.actorOf(c);
    const access = rowAccessOf(c);
    const booking = found(await bookingByReference(db, access, partnerId, reference), 'booking');
    const rental = found(await rentalById(db, READER, booking.rental_id), 'booking');
    return { booking, rental };
  }

  async function viewOf(booking: BookingRow, rental: RentalState): Promise<Shown> {
    const split = await payersOf(db, READER, rental.id);
    const { shares = [] } = split ?? {};
    const payers = shares.some(({ kind }) => kind === 'voucher')
      ? await invoicedFor(db, booking, (await partnerById(db, booking.partner_id))?.payer_id)
      : [];
    return partnerBookingView(booking.external_reference, rental, { shares, payers });
  }
}

/** Its delay may have been lost after its number; of another one that somebody told since, nothing is. */
function isDelayOf({ number, delayMinutes }: z.infer<typeof Flight>, noted: string): boolean {
  return delayMinutes !== undefined && noted === number;
}

/**
 * Refusals echo the reference too, so that partners need not keep what they asked by request; and name
 * no customer, whose record may be one of before that a person merged the guest into. Of credit they
 * tell nothing: it may be another customer's.
 */
export async function echoing<T>(externalReference: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { slug, message, more, headers } = toProblem(error);
    const { customerId: _, survivorId: __, ...told } = more;
    const echoed = { ...(slug === 'credit-limit' ? {} : told), externalReference };
    throw new ProblemError(slug, message, { more: echoed, headers, cause: error });
  }
}

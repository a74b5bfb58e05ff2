// Bookings of partners: sent again under the same reference they are the same rental.
import { createRoute, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import {
  type BookingRow,
  bookingByReference,
  nextAttempt,
  openBooking,
} from '../../db/commands/partner-bookings.ts';
import { rentalById } from '../../db/queries/rentals.ts';
import { principalOf } from '../../domain/actor.ts';
import { isWithin } from '../../domain/people.ts';
import type { RentalRequest, RentalState } from '../../domain/rental.ts';
import { decideRequest } from '../../domain/rental-term.ts';
import { cancel } from '../../workflows/rental.messages.ts';
import { secured } from '../auth/access.ts';
import { rowAccessOf } from '../auth/scope.ts';
import { sendCommand, sendReserve } from '../commands.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { namingReferences, toProblem } from '../errors.ts';
import { IdempotencyHeader, idempotent } from '../idempotency.ts';
import { jsonBody } from '../middleware/body.ts';
import { found, PROBLEMS, ProblemError } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { jsonAnswer, jsonRequest, problems } from '../schemas/common.ts';
import {
  CancelPartnerBooking,
  ExternalReference,
  NewPartnerBooking,
  PartnerBooking,
  partnerBookingView,
} from '../schemas/partner-bookings.ts';

const tags = ['Partner bookings'];
const params = z.object({ externalReference: ExternalReference });
const READ = { scope: 'rentals:read', roles: [], partners: true } as const;
const WRITE = { scope: 'rentals:write', roles: [], partners: true } as const;
/** Reads what the partner may be told of its own bookings. */
const READER = 'system:api';

const create = createRoute({
  ...secured(WRITE, jsonBody),
  method: 'post',
  path: '/partner/bookings',
  tags,
  summary: 'Book for a customer; the same reference again is the same booking',
  description:
    'With whatever Idempotency-Key: a reference names one rental for ever, and 409 `duplicate` ' +
    'another booking under it. After a refusal it may be sent again. Refusals have it too.',
  request: { headers: IdempotencyHeader, body: jsonRequest(NewPartnerBooking) },
  responses: { 201: jsonAnswer('Booked', PartnerBooking), ...problems },
});

const read = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/partner/bookings/{externalReference}',
  tags,
  summary: 'One of the partner’s own bookings',
  request: { params },
  responses: { 200: jsonAnswer('The booking', PartnerBooking), ...problems },
});

const cancelOne = createRoute({
  ...secured(WRITE, jsonBody),
  method: 'post',
  path: '/partner/bookings/{externalReference}/cancel',
  tags,
  summary: 'Give one of the partner’s own bookings up',
  request: { params, headers: IdempotencyHeader, body: jsonRequest(CancelPartnerBooking) },
  responses: { 200: jsonAnswer('As it is now', PartnerBooking), ...problems },
});

export function partnerBookingRoutes(deps: ApiDeps): ApiRouter {
  const { db } = deps;
  return apiRouter()
    .openapi(create, (c) =>
      idempotent(c, deps, async () => {
        const { externalReference, customer, ...wanted } = c.req.valid('json');
        return echoing(externalReference, async () => {
          assertPartnersBranch(c, wanted.branchId);
          if (wanted.returnBranchId) assertPartnersBranch(c, wanted.returnBranchId);
          const { id: partnerId } = deps.actorOf(c);
          const asked = { partnerId, externalReference, customer, wanted };
          const booking = await openBooking(db, principalOf(deps.actorOf(c)), asked);
          const rental = await reserved(c, booking, wanted);
          return { status: 201, body: partnerBookingView(externalReference, rental) };
        });
      }),
    )
    .openapi(read, async (c) => {
      const { externalReference } = c.req.valid('param');
      const rental = await ownRental(c, externalReference);
      return c.json(partnerBookingView(externalReference, rental), 200);
    })
    .openapi(cancelOne, (c) =>
      idempotent(c, deps, (commandId) => {
        const { externalReference } = c.req.valid('param');
        return echoing(externalReference, async () => {
          const { id } = await ownRental(c, externalReference);
          const message = { commandId, actor: deps.actorOf(c), command: c.req.valid('json') };
          const state = await sendCommand(deps, id, cancel, message);
          return { status: 200, body: partnerBookingView(externalReference, state) };
        });
      }),
    );

  async function ownRental(c: Context<ApiEnv>, reference: string): Promise<RentalState> {
    const { id: partnerId } = deps.actorOf(c);
    const booking = await bookingByReference(db, rowAccessOf(c), partnerId, reference);
    return found(booking && (await rentalById(db, READER, booking.rental_id)), 'booking');
  }

  type Wanted = Omit<RentalRequest, 'id' | 'customerId' | 'channel'>;

  /** The rental that is there, also long after its pick-up; else what the workflow says now. */
  async function reserved(
    c: Context<ApiEnv>,
    { rental_id: id, customer_id: customerId }: BookingRow,
    wanted: Wanted,
  ): Promise<RentalState> {
    const made = await rentalById(db, READER, id);
    if (made !== undefined) return made;
    const actor = deps.actorOf(c);
    const command: RentalRequest = { id, customerId, channel: 'partner', ...wanted };
    decideRequest(command, deps.now());
    try {
      return await namingReferences(sendReserve(deps, { commandId: id, actor, command }));
    } catch (error) {
      // A refusal is final for its attempt; an unknown outcome is not, and is asked for again.
      if (PROBLEMS[toProblem(error).slug].status < 500) {
        await nextAttempt(db, principalOf(actor), id);
      }
      throw error;
    }
  }
}

function assertPartnersBranch(c: Context<ApiEnv>, branchId: string): void {
  if (isWithin(c.get('caller').branches, branchId)) return;
  throw new ProblemError('forbidden', 'You do not book at this branch.', { more: { branchId } });
}

/** Refusals echo the reference too, so that partners need not keep what they asked by request. */
async function echoing<T>(externalReference: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { slug, message, more, headers } = toProblem(error);
    const echoed = { ...more, externalReference };
    throw new ProblemError(slug, message, { more: echoed, headers, cause: error });
  }
}

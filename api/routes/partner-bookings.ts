// Bookings of partners: sent again under the same reference they are the same rental.
import { createRoute, z } from '@hono/zod-openapi';
import { knownBooking, openBooking } from '../../db/commands/partner-bookings.ts';
import { principalOf } from '../../domain/actor.ts';
import { amend, cancel } from '../../workflows/rental.messages.ts';
import { secured } from '../auth/access.ts';
import { sendCommand } from '../commands.ts';
import type { ApiDeps } from '../deps.ts';
import { namingReferences } from '../errors.ts';
import { IdempotencyHeader, idempotent } from '../idempotency.ts';
import { jsonBody } from '../middleware/body.ts';
import { echoing, partnerDesk } from '../partner-desk.ts';
import { partnerChange, partnerRequest } from '../partner-requests.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { jsonAnswer, jsonRequest, problems } from '../schemas/common.ts';
import {
  AmendPartnerBooking,
  CancelPartnerBooking,
  ExternalReference,
  NewPartnerBooking,
  PartnerBooking,
} from '../schemas/partner-bookings.ts';

const tags = ['Partner bookings'];
const params = z.object({ externalReference: ExternalReference });
const READ = { scope: 'rentals:read', roles: [], partners: true } as const;
const WRITE = { scope: 'rentals:write', roles: [], partners: true } as const;

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

const amendOne = createRoute({
  ...secured(WRITE, jsonBody),
  method: 'post',
  path: '/partner/bookings/{externalReference}/amend',
  tags,
  summary: 'Change one of the partner’s own bookings before its pick-up, or nothing',
  description: 'A voucher is reckoned anew with it, by the rate with which it was booked.',
  request: { params, headers: IdempotencyHeader, body: jsonRequest(AmendPartnerBooking) },
  responses: { 200: jsonAnswer('As it is now', PartnerBooking), ...problems },
});

const cancelOne = createRoute({
  ...secured(WRITE, jsonBody),
  method: 'post',
  path: '/partner/bookings/{externalReference}/cancel',
  tags,
  summary: 'Give one of the partner’s own bookings up; again, it stays so',
  request: { params, headers: IdempotencyHeader, body: jsonRequest(CancelPartnerBooking) },
  responses: { 200: jsonAnswer('As it is now', PartnerBooking), ...problems },
});

export function partnerBookingRoutes(deps: ApiDeps): ApiRouter {
  const { db } = deps;
  const desk = partnerDesk(deps);
  return apiRouter()
    .openapi(create, (c) =>
      idempotent(c, deps, async () => {
        const { externalReference, customer, ...wanted } = c.req.valid('json');
        return echoing(externalReference, async () => {
          const { id: partnerId } = deps.actorOf(c);
          const principal = principalOf(deps.actorOf(c));
          const asked = { partnerId, externalReference, customer, wanted };
          const known = await knownBooking(db, principal, asked);
          const { flight, ...taken } = wanted;
          const made = known && (await desk.made(c, known, flight));
          if (made) return { status: 201, body: made };
          const request = await partnerRequest(c, deps, taken);
          const booking = await openBooking(db, principal, { ...asked, voucher: request.voucher });
          return { status: 201, body: await desk.reserved(c, booking, request, flight) };
        });
      }),
    )
    .openapi(read, async (c) => {
      const { booking } = await desk.own(c, c.req.valid('param').externalReference);
      return c.json(await desk.shown(booking), 200);
    })
    .openapi(amendOne, (c) =>
      idempotent(c, deps, (commandId) => {
        const { externalReference } = c.req.valid('param');
        return echoing(externalReference, async () => {
          const { booking, rental } = await desk.own(c, externalReference);
          const command = await partnerChange(c, deps, booking, rental, c.req.valid('json'));
          const message = { commandId, actor: deps.actorOf(c), command };
          await namingReferences(sendCommand(deps, rental.id, amend, message));
          return { status: 200, body: await desk.shown(booking) };
        });
      }),
    )
    .openapi(cancelOne, (c) =>
      idempotent(c, deps, (commandId) => {
        const { externalReference } = c.req.valid('param');
        return echoing(externalReference, async () => {
          const { booking, rental } = await desk.own(c, externalReference);
          if (rental.status !== 'cancelled') {
            const message = { commandId, actor: deps.actorOf(c), command: c.req.valid('json') };
            await sendCommand(deps, rental.id, cancel, message);
          }
          return { status: 200, body: await desk.shown(booking) };
        });
      }),
    );
}

// Flights that renters come by: announced late by the desk or the partner who booked, and looked up.
import { createRoute, z } from '@hono/zod-openapi';
import { flightOf } from '../../db/commands/flights.ts';
import { rentalById } from '../../db/queries/rentals.ts';
import { principalOf } from '../../domain/actor.ts';
import { secured } from '../auth/access.ts';
import { COUNTER } from '../auth/roles.ts';
import { rowAccessOf } from '../auth/scope.ts';
import type { BranchZones } from '../branch-zones.ts';
import type { ApiDeps } from '../deps.ts';
import { tellDelay } from '../flights.ts';
import { IdempotencyHeader, idempotent } from '../idempotency.ts';
import { jsonBody } from '../middleware/body.ts';
import { echoing, partnerDesk } from '../partner-desk.ts';
import { found } from '../problems.ts';
import { COMMAND_ACCESS, COMMAND_PATHS } from '../rental-actions.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { Id, jsonAnswer, jsonRequest, problems } from '../schemas/common.ts';
import { AnnounceDelay, FlightOfRental } from '../schemas/flights.ts';
import { ExternalReference, PartnerBooking } from '../schemas/partner-bookings.ts';
import { Rental, rentalView } from '../schemas/rentals.ts';

const params = z.object({ id: Id });
const description =
  'Before the keys go out. The no-show time moves by the delay; price and times stay. 422 ' +
  '`value-refused` for a delay while no flight number is known.';

const announce = createRoute({
  ...secured(COMMAND_ACCESS.announceDelay, jsonBody),
  method: 'post',
  path: `/rentals/{id}/${COMMAND_PATHS.announceDelay}`,
  tags: ['Rentals'],
  summary: 'Keep the vehicle longer, because the renter’s flight is late',
  description,
  request: { params, headers: IdempotencyHeader, body: jsonRequest(AnnounceDelay) },
  responses: { 200: jsonAnswer('As it is now', Rental), ...problems },
});

const read = createRoute({
  ...secured({ scope: 'customers:read', roles: [...COUNTER, 'auditor'] }),
  method: 'get',
  path: '/rentals/{id}/flight',
  tags: ['Rentals'],
  summary: 'The flight that the renter comes by, as it was told',
  request: { params },
  responses: { 200: jsonAnswer('The flight', FlightOfRental), ...problems },
});

const announceByPartner = createRoute({
  ...secured({ scope: 'rentals:write', roles: [], partners: true }, jsonBody),
  method: 'post',
  path: '/partner/bookings/{externalReference}/announce-delay',
  tags: ['Partner bookings'],
  summary: 'The renter of one of the partner’s own bookings comes by a late flight',
  description,
  request: {
    params: z.object({ externalReference: ExternalReference }),
    headers: IdempotencyHeader,
    body: jsonRequest(AnnounceDelay),
  },
  responses: { 200: jsonAnswer('As it is now', PartnerBooking), ...problems },
});

export function flightRoutes(deps: ApiDeps, zones: BranchZones): ApiRouter {
  const { db } = deps;
  const desk = partnerDesk(deps);
  return apiRouter()
    .openapi(announce, (c) => {
      const { id } = c.req.valid('param');
      return idempotent(c, deps, async (commandId) => {
        const [actor, acting] = [deps.actorOf(c), rowAccessOf(c)];
        found(await rentalById(db, acting, id), 'rental');
        const teller = { rentalId: id, commandId, actor, acting };
        const state = await tellDelay(deps, teller, c.req.valid('json'));
        return { status: 200, body: await rentalView(state, zones, c.get('caller')) };
      });
    })
    .openapi(read, async (c) => {
      const { id } = c.req.valid('param');
      const acting = rowAccessOf(c);
      const { delayMinutes = 0 } = found(await rentalById(db, acting, id), 'rental');
      return c.json({ flightNumber: await flightOf(db, acting, id), delayMinutes }, 200);
    })
    .openapi(announceByPartner, (c) =>
      idempotent(c, deps, (commandId) => {
        const { externalReference } = c.req.valid('param');
        return echoing(externalReference, async () => {
          const { booking, rental } = await desk.own(c, externalReference);
          const actor = deps.actorOf(c);
          // Partners see no rows of rentals; this one is their own by its reference.
          const teller = { rentalId: rental.id, commandId, actor, acting: principalOf(actor) };
          await tellDelay(deps, teller, c.req.valid('json'));
          return { status: 200, body: await desk.shown(booking) };
        });
      }),
    );
}

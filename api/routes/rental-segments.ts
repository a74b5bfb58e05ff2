// Another vehicle in the middle of a rental, and what each of its vehicles did and earned.
import { createRoute, z } from '@hono/zod-openapi';
import { type SegmentRow, segmentsOfRental } from '../../db/queries/rental-segments.ts';
import { rentalById } from '../../db/queries/rentals.ts';
import { revenueOf } from '../../domain/rental/segment.ts';
import type { RentalState } from '../../domain/rental.ts';
import { exchange } from '../../workflows/rental.messages.ts';
import { secured } from '../auth/access.ts';
import { BOOKS, COUNTER } from '../auth/roles.ts';
import { assertBranch, rowAccessOf } from '../auth/scope.ts';
import type { BranchZones } from '../branch-zones.ts';
import { sendCommand } from '../commands.ts';
import type { ApiDeps } from '../deps.ts';
import { namingReferences } from '../errors.ts';
import { IdempotencyHeader, idempotent } from '../idempotency.ts';
import { jsonBody } from '../middleware/body.ts';
import { found } from '../problems.ts';
import { COMMAND_ACCESS } from '../rental-actions.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { Id, jsonAnswer, jsonRequest, problems } from '../schemas/common.ts';
import { Exchange, Segments } from '../schemas/rental-segments.ts';
import { Rental, rentalView } from '../schemas/rentals.ts';

const params = z.object({ id: Id });

const exchanged = createRoute({
  ...secured(COMMAND_ACCESS.exchange, jsonBody),
  method: 'post',
  path: '/rentals/{id}/exchange',
  tags: ['Rentals'],
  summary: 'Give the renter another vehicle; refused, the one that is out stays out',
  description:
    'One rental goes on: its km are those of all its vehicles, its days count once. 409 no-vehicle or ' +
    'vehicle-unavailable when the other one cannot go out until the rental is due.',
  request: { params, headers: IdempotencyHeader, body: jsonRequest(Exchange) },
  responses: { 200: jsonAnswer('As it is now', Rental), ...problems },
});

const segments = createRoute({
  ...secured({
    scope: 'rentals:read',
    roles: [...COUNTER, 'fleet-planner', ...BOOKS, 'auditor'],
  }),
  method: 'get',
  path: '/rentals/{id}/segments',
  tags: ['Rentals'],
  summary: 'The vehicles that it had one after the other, with the revenue of each',
  request: { params },
  responses: { 200: jsonAnswer('In their order; none before check-out', Segments), ...problems },
});

export function rentalSegmentRoutes(deps: ApiDeps, zones: BranchZones): ApiRouter {
  const { db } = deps;
  return apiRouter()
    .openapi(exchanged, (c) => {
      const { id } = c.req.valid('param');
      const command = c.req.valid('json');
      return idempotent(c, deps, async (commandId) => {
        const actor = deps.actorOf(c);
        found(await rentalById(db, rowAccessOf(c), id), 'rental');
        assertBranch(c, command.branchId);
        const message = { commandId, actor, command };
        const state = await namingReferences(sendCommand(deps, id, exchange, message));
        return { status: 200, body: await rentalView(state, zones, c.get('caller')) };
      });
    })
    .openapi(segments, async (c) => {
      const { id } = c.req.valid('param');
      const rental = found(await rentalById(db, rowAccessOf(c), id), 'rental');
      const rows = await segmentsOfRental(db, rowAccessOf(c), id);
      return c.json(viewOf(rental, rows), 200);
    });
}

/** Of a rental that is out, the price is shared as if it came back when it is due. */
function viewOf({ price, dueAt, checkedInAt }: RentalState, rows: readonly SegmentRow[]) {
  const revenue = rows.length === 0 ? [] : revenueOf(price, rows, checkedInAt ?? dueAt);
  const items = rows.map((row, at) => ({
    ...row,
    km: row.back === null ? null : row.back.odometerKm - row.out.odometerKm,
    revenueMinor: revenue[at] ?? 0,
  }));
  const km = items.reduce((sum, item) => sum + (item.km ?? 0), 0);
  return { items, currency: price.currency, km };
}

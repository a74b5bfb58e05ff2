// Walk-ups over HTTP: somebody at the counter books and drives off in one command.
import { createRoute } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { rentalById } from '../../db/queries/rentals.ts';
import { plateHolders } from '../../db/queries/vehicle-records.ts';
import { decideRequest } from '../../domain/rental-term.ts';
import { secured } from '../auth/access.ts';
import { COUNTER } from '../auth/roles.ts';
import { assertBranch, rowAccessOf } from '../auth/scope.ts';
import { withBands } from '../booked-choices.ts';
import { overriding } from '../booking-override.ts';
import type { BranchZones } from '../branch-zones.ts';
import { channelOf } from '../channel.ts';
import { sendReserve } from '../commands.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { namingReferences } from '../errors.ts';
import { IdempotencyHeader, idempotent } from '../idempotency.ts';
import { jsonBody } from '../middleware/body.ts';
import { ProblemError } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { jsonAnswer, jsonRequest, problems } from '../schemas/common.ts';
import { WalkUp } from '../schemas/rental-commands.ts';
import { Rental, rentalView } from '../schemas/rentals.ts';

const create = createRoute({
  ...secured({ scope: 'rentals:write', roles: COUNTER }, jsonBody),
  method: 'post',
  path: '/rentals/walk-up',
  tags: ['Rentals'],
  summary: 'Reserve from now on and hand the keys out, or nothing',
  request: { headers: IdempotencyHeader, body: jsonRequest(WalkUp) },
  responses: { 201: jsonAnswer('Out', Rental), ...problems },
});

export function walkUpRoutes(deps: ApiDeps, zones: BranchZones): ApiRouter {
  return apiRouter().openapi(create, (c) =>
    idempotent(c, deps, async (id) => {
      const body = c.req.valid('json');
      const { override: asked, plate, odometerKm, fuelEighths, delayedCharges, ...said } = body;
      assertBranch(c, said.branchId);
      const { vehicleId = await named(c, deps, plate), ...wanted } = await withBands(
        c,
        deps,
        said,
        said,
      );
      const override = asked && (await overriding(c, deps, id, asked));
      const actor = deps.actorOf(c);
      // A retry whose answer was lost: its pick-up was then, not now.
      const made = await rentalById(deps.db, rowAccessOf(c), id);
      const request = {
        id,
        ...wanted,
        override,
        channel: channelOf(c),
        pickUpAt: made?.pickUpAt ?? deps.now(),
        keys: { odometerKm, fuelEighths, vehicleId, delayedCharges },
      };
      if (made === undefined) decideRequest(request, request.pickUpAt);
      const sent = sendReserve(deps, { commandId: id, actor, command: request });
      const state = await namingReferences(sent);
      const headers = { location: `/api/v1/rentals/${id}` };
      return { status: 201, body: await rentalView(state, zones, c.get('caller')), headers };
    }),
  );
}

/** A vehicle that the caller does not see has no plate for him: 422, as for a plate of two countries. */
async function named(
  c: Context<ApiEnv>,
  { db, now }: ApiDeps,
  plate: string | undefined,
): Promise<string | undefined> {
  if (plate === undefined) return undefined;
  const [holder, other] = await plateHolders(db, rowAccessOf(c), { plate, at: now() });
  if (holder !== undefined && other === undefined) return holder.vehicleId;
  throw new ProblemError('unknown-reference', 'This plate names no single vehicle.', {
    more: { of: 'vehicle' },
  });
}

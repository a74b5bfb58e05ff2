// What people answer to a rental that was asked for on request: confirmed, or declined.
import { createRoute, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { rentalById } from '../../db/queries/rentals.ts';
import type { RentalState } from '../../domain/rental.ts';
import { confirm, decline, type Envelope } from '../../workflows/rental.messages.ts';
import { secured } from '../auth/access.ts';
import { rowAccessOf } from '../auth/scope.ts';
import { overriding } from '../booking-override.ts';
import type { BranchZones } from '../branch-zones.ts';
import { sendCommand } from '../commands.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { IdempotencyHeader, idempotent } from '../idempotency.ts';
import { jsonBody } from '../middleware/body.ts';
import { found } from '../problems.ts';
import { COMMAND_ACCESS, COMMAND_PATHS } from '../rental-actions.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { Id, jsonAnswer, jsonRequest, problems } from '../schemas/common.ts';
import { Confirm, Decline, Rental, rentalView } from '../schemas/rentals.ts';

const params = z.object({ id: Id });

function answer<N extends 'confirm' | 'decline', B extends z.ZodType>(
  name: N,
  summary: string,
  body: B,
) {
  return createRoute({
    ...secured(COMMAND_ACCESS[name], jsonBody),
    method: 'post',
    path: `/rentals/{id}/${COMMAND_PATHS[name]}` as const,
    tags: ['Rentals'],
    summary,
    request: { params, headers: IdempotencyHeader, body: jsonRequest(body) },
    responses: { 200: jsonAnswer('As it is now', Rental), ...problems },
  });
}

const confirmed = answer(
  'confirm',
  'Book what was requested; 409 vehicle-unavailable while there is still none',
  Confirm,
);
const declined = answer('decline', 'Refuse what was requested', Decline);

export function rentalRequestRoutes(deps: ApiDeps, zones: BranchZones): ApiRouter {
  return apiRouter()
    .openapi(confirmed, (c) => {
      const { id } = c.req.valid('param');
      const { override: given } = c.req.valid('json');
      return answering(c, id, async (message) => {
        const override = given && (await overriding(c, deps, id, given, { anew: true }));
        return sendCommand(deps, id, confirm, message({ override }));
      });
    })
    .openapi(declined, (c) => {
      const { id } = c.req.valid('param');
      const body = c.req.valid('json');
      return answering(c, id, (message) => sendCommand(deps, id, decline, message(body)));
    });

  function answering(
    c: Context<ApiEnv>,
    id: string,
    send: (message: <C>(command: C) => Envelope<C>) => Promise<RentalState>,
  ) {
    return idempotent(c, deps, async (commandId) => {
      const actor = deps.actorOf(c);
      found(await rentalById(deps.db, rowAccessOf(c), id), 'rental');
      const state = await send((command) => ({ commandId, actor, command }));
      return { status: 200, body: await rentalView(state, zones, c.get('caller')) };
    });
  }
}

// The commands that people give to a rental: parse, send to its workflow, answer what it said.
import { createRoute, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { rentalById } from '../../db/queries/rentals.ts';
import type { RentalState } from '../../domain/rental.ts';
import { cancel, checkIn, checkOut, extend } from '../../workflows/rental.messages.ts';
import { type Access, secured } from '../auth/access.ts';
import { COUNTER } from '../auth/roles.ts';
import { assertBranch, isLimited, rowAccessOf } from '../auth/scope.ts';
import type { BranchZones } from '../branch-zones.ts';
import { sendCommand } from '../commands.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { IdempotencyHeader, idempotent } from '../idempotency.ts';
import { jsonBody } from '../middleware/body.ts';
import { found } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { Id, jsonAnswer, jsonRequest, problems } from '../schemas/common.ts';
import {
  Cancel,
  CheckIn,
  CheckOut,
  COMMAND_PATHS,
  Extend,
  Rental,
  rentalView,
} from '../schemas/rentals.ts';

const params = z.object({ id: Id });

const AT_COUNTER = { scope: 'rentals:write', roles: COUNTER } as const;

function command<P extends string, B extends z.ZodType>(
  path: P,
  summary: string,
  body: B,
  access: Access = AT_COUNTER,
) {
  return createRoute({
    ...secured(access, jsonBody),
    method: 'post',
    path: `/rentals/{id}/${path}` as const,
    tags: ['Rentals'],
    summary,
    request: { params, headers: IdempotencyHeader, body: jsonRequest(body) },
    responses: { 200: jsonAnswer('As it is now', Rental), ...problems },
  });
}

const routes = {
  checkOut: command(COMMAND_PATHS.checkOut, 'Hand the vehicle out', CheckOut),
  extend: command(COMMAND_PATHS.extend, 'Agree on a later return', Extend),
  checkIn: command(COMMAND_PATHS.checkIn, 'Take the vehicle back and invoice', CheckIn),
  cancel: command(COMMAND_PATHS.cancel, 'Give the reservation up', Cancel, {
    ...AT_COUNTER,
    customers: 'own',
  }),
} as const;

export function rentalCommandRoutes(deps: ApiDeps, zones: BranchZones): ApiRouter {
  return apiRouter()
    .openapi(routes.checkOut, (c) => {
      const { id } = c.req.valid('param');
      const body = c.req.valid('json');
      return carryOut(c, (message) => sendCommand(deps, id, checkOut, message(body)));
    })
    .openapi(routes.extend, (c) => {
      const { id } = c.req.valid('param');
      const body = c.req.valid('json');
      return carryOut(c, (message) => sendCommand(deps, id, extend, message(body)));
    })
    .openapi(routes.checkIn, (c) => {
      const { id } = c.req.valid('param');
      const body = c.req.valid('json');
      return carryOut(c, (message) => {
        assertBranch(c, body.branchId);
        return sendCommand(deps, id, checkIn, message(body));
      });
    })
    .openapi(routes.cancel, (c) => {
      const { id } = c.req.valid('param');
      const body = c.req.valid('json');
      return carryOut(c, (message) => sendCommand(deps, id, cancel, message(body)));
    });

  type Message = <C>(command: C) => {
    readonly commandId: string;
    readonly actor: ReturnType<ApiDeps['actorOf']>;
    readonly command: C;
  };

  function carryOut(c: Context<ApiEnv>, send: (message: Message) => Promise<RentalState>) {
    return idempotent(c, deps, async (commandId) => {
      const actor = deps.actorOf(c);
      // The workflow knows no branches, so it must not be asked about a rental that is not visible.
      if (isLimited(c)) {
        const id = c.req.param('id') ?? '';
        found(await rentalById(deps.db, rowAccessOf(c), id), 'rental');
      }
      const state = await send((command) => ({ commandId, actor, command }));
      return { status: 200, body: await rentalView(state, zones) };
    });
  }
}

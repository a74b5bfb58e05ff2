// The commands that people give to a rental: parse, send to its workflow, answer what it said.
import { createRoute, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { rentalById } from '../../db/queries/rentals.ts';
import { isMoved, placeAfter } from '../../domain/rental/amendment.ts';
import { isCharged, type PeoplesCommand, type RentalState } from '../../domain/rental.ts';
import {
  amend,
  announceReturn,
  cancel,
  checkIn,
  checkOut,
  extend,
  swap,
  undoCheckOut,
} from '../../workflows/rental.messages.ts';
import { secured } from '../auth/access.ts';
import { assertBranch, isLimited, rowAccessOf } from '../auth/scope.ts';
import { withBands } from '../booked-choices.ts';
import type { BranchZones } from '../branch-zones.ts';
import { sendCommand, sendReinstate } from '../commands.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { grantedDrop } from '../drop-override.ts';
import { namingReferences } from '../errors.ts';
import { tellFlight } from '../flights.ts';
import { IdempotencyHeader, idempotent } from '../idempotency.ts';
import { jsonBody } from '../middleware/body.ts';
import { found, ProblemError } from '../problems.ts';
import { COMMAND_ACCESS, COMMAND_PATHS } from '../rental-actions.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { Id, jsonAnswer, jsonRequest, problems } from '../schemas/common.ts';
import {
  Amend,
  AnnounceReturn,
  Cancel,
  CheckIn,
  CheckOut,
  Extend,
  Reinstate,
  Swap,
  UndoCheckOut,
} from '../schemas/rental-commands.ts';
import { Rental, rentalView } from '../schemas/rentals.ts';

const params = z.object({ id: Id });

function command<N extends PeoplesCommand, B extends z.ZodType>(name: N, summary: string, body: B) {
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

const routes = {
  checkOut: command('checkOut', 'Hand the vehicle out', CheckOut),
  extend: command('extend', 'Agree on a later return', Extend),
  amend: command('amend', 'Change the booking before its pick-up, or nothing', Amend),
  swap: command('swap', 'Keep another vehicle for the booking, up or down the classes', Swap),
  checkIn: command('checkIn', 'Take the vehicle back and invoice', CheckIn),
  undoCheckOut: command('undoCheckOut', 'Take keys back that went out just now', UndoCheckOut),
  announceReturn: command('announceReturn', 'Note when a late renter comes', AnnounceReturn),
  reinstate: command('reinstate', 'Keep a vehicle again for a no-show who came', Reinstate),
  cancel: command('cancel', 'Give the reservation up', Cancel),
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
    .openapi(routes.amend, (c) => {
      const { id } = c.req.valid('param');
      const { flight, ...body } = c.req.valid('json');
      return carryOut(c, async (message) => {
        const acting = rowAccessOf(c);
        const rental = found(await rentalById(deps.db, acting, id), 'rental');
        const { commandId, actor } = message({});
        const told = (state: RentalState) =>
          tellFlight(deps, { rentalId: id, commandId, actor, acting }, state, flight);
        if (Object.keys(body).length === 0) return told(rental);
        const { branchId, price } = rental;
        const next = placeAfter(rental, body);
        // As `amendRental` prices it: what does not move, by the plan that was booked.
        const priced = isMoved(rental, next) ? { branchId, classId: next.classId } : price;
        const change = await withBands(c, deps, body, priced);
        return told(await namingReferences(sendCommand(deps, id, amend, message(change))));
      });
    })
    .openapi(routes.swap, (c) => {
      const { id } = c.req.valid('param');
      const body = c.req.valid('json');
      return carryOut(c, (message) => namingReferences(sendCommand(deps, id, swap, message(body))));
    })
    .openapi(routes.checkIn, (c) => {
      const { id } = c.req.valid('param');
      const { dropReason, ...body } = c.req.valid('json');
      return carryOut(c, async (message) => {
        assertBranch(c, body.branchId);
        const granted = await grantedDrop(c, deps, id, dropReason);
        return namingReferences(sendCommand(deps, id, checkIn, message({ ...body, ...granted })));
      });
    })
    .openapi(routes.undoCheckOut, (c) => {
      const { id } = c.req.valid('param');
      const body = c.req.valid('json');
      return carryOut(c, (message) => sendCommand(deps, id, undoCheckOut, message(body)));
    })
    .openapi(routes.announceReturn, (c) => {
      const { id } = c.req.valid('param');
      const body = c.req.valid('json');
      return carryOut(c, (message) => sendCommand(deps, id, announceReturn, message(body)));
    })
    .openapi(routes.reinstate, (c) => {
      const { id } = c.req.valid('param');
      return carryOut(c, async (message) => {
        const rental = found(await rentalById(deps.db, rowAccessOf(c), id), 'rental');
        return sendReinstate(deps, rental, message({}));
      });
    })
    .openapi(routes.cancel, (c) => {
      const { id } = c.req.valid('param');
      const body = c.req.valid('json');
      if (c.get('caller').actor.kind !== 'staff' && !isCharged(body.reason)) {
        throw new ProblemError('forbidden', 'That reason, which costs nothing, is for staff.');
      }
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
      return { status: 200, body: await rentalView(state, zones, c.get('caller')) };
    });
  }
}

// The fleet board: what takes the vehicles of a branch, for planners' screens.
import { hash } from 'node:crypto';
import { createRoute, type z } from '@hono/zod-openapi';
import type { Context, TypedResponse } from 'hono';
import { fleetBoard } from '../../db/queries/fleet-board.ts';
import { isWithin } from '../../domain/people.ts';
import { secured } from '../auth/access.ts';
import { EVERYONE } from '../auth/roles.ts';
import { rowAccessOf } from '../auth/scope.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { found } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { jsonAnswer, problems } from '../schemas/common.ts';
import { BoardQuery, FleetBoard } from '../schemas/fleet.ts';

const read = createRoute({
  ...secured({ scope: 'fleet:read', roles: EVERYONE }),
  method: 'get',
  path: '/fleet/board',
  tags: ['Fleet'],
  summary: 'The vehicles of a branch with their spans in a window of up to 62 days',
  request: { query: BoardQuery },
  responses: {
    200: jsonAnswer('The board', FleetBoard),
    304: { description: 'As it was, by If-None-Match' },
    ...problems,
  },
});

export function fleetRoutes({ db }: Pick<ApiDeps, 'db'>): ApiRouter {
  return apiRouter().openapi(read, async (c) => {
    const query = c.req.valid('query');
    const { branches } = c.get('caller');
    const isHidden = !isWithin(branches, query.branchId);
    const board = isHidden ? null : await fleetBoard(db, rowAccessOf(c), query);
    return asItIs(c, found(board ?? undefined, 'branch'));
  });
}

/** Screens ask again and again: one that has the same board already is told so. */
function asItIs(
  c: Context<ApiEnv>,
  board: Uint8Array<ArrayBuffer>,
): TypedResponse<z.infer<typeof FleetBoard>, 200, 'json'> {
  // Weak, because the answer may travel compressed (RFC 9110 section 8.8.1).
  const etag = `W/"${hash('sha1', board, 'base64url')}"`;
  const isKnown =
    c.req
      .header('if-none-match')
      ?.split(/\s*,\s*/)
      .includes(etag) === true;
  const response = isKnown
    ? c.body(null, 304, { etag })
    : c.body(inOnePiece(board), 200, { etag, 'content-type': 'application/json' });
  return response as unknown as TypedResponse<z.infer<typeof FleetBoard>, 200, 'json'>;
}

/** Handed on as it is, where a Response would copy it first. */
function inOnePiece(bytes: Uint8Array<ArrayBuffer>): ReadableStream {
  return new ReadableStream({
    start: (controller) => {
      controller.enqueue(bytes);
      controller.close();
    },
  });
}

// Disputes over HTTP: payments that a renter's bank took back, and writing off those that were lost.
import { createRoute, z } from '@hono/zod-openapi';
import { writeOffDispute } from '../../db/commands/disputes.ts';
import { disputeById, listDisputes } from '../../db/queries/disputes.ts';
import { secured } from '../auth/access.ts';
import { BOOKS } from '../auth/roles.ts';
import { rowAccessOf } from '../auth/scope.ts';
import type { ApiDeps } from '../deps.ts';
import { IdempotencyHeader, idempotent } from '../idempotency.ts';
import { jsonBody } from '../middleware/body.ts';
import { found } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { Id, jsonAnswer, jsonRequest, page, pageOf, problems } from '../schemas/common.ts';
import { Dispute, DisputeList, DisputeWriteOff } from '../schemas/disputes.ts';

const tags = ['Deposits'];

const list = createRoute({
  ...secured({ scope: 'accounting:read', roles: ['branch-manager', ...BOOKS, 'auditor'] }),
  method: 'get',
  path: '/disputes',
  tags,
  summary: 'Payments that a renter’s bank took back, by state and rental',
  request: { query: DisputeList },
  responses: { 200: jsonAnswer('A page', pageOf(Dispute)), ...problems },
});

const writeOff = createRoute({
  ...secured({ scope: 'accounting:write', roles: BOOKS }, jsonBody),
  method: 'post',
  path: '/disputes/{id}/write-off',
  tags,
  summary: 'Write off a dispute that was lost; another person approved exactly its amount',
  request: {
    params: z.object({ id: Id }),
    headers: IdempotencyHeader,
    body: jsonRequest(DisputeWriteOff),
  },
  responses: { 200: jsonAnswer('As it ended', Dispute), ...problems },
});

export function disputeRoutes(deps: ApiDeps): ApiRouter {
  const { db } = deps;
  return apiRouter()
    .openapi(list, async (c) => {
      const { cursor: after, ...filter } = c.req.valid('query');
      const disputes = await listDisputes(db, rowAccessOf(c), { after, ...filter });
      return c.json(
        page(
          disputes,
          ({ id }) => id,
          (dispute) => dispute,
        ),
        200,
      );
    })
    .openapi(writeOff, (c) => {
      const { id: disputeId } = c.req.valid('param');
      const asked = c.req.valid('json');
      return idempotent(c, deps, async () => {
        await writeOffDispute(db, rowAccessOf(c), { disputeId, ...asked });
        const dispute = await disputeById(db, rowAccessOf(c), disputeId);
        return { status: 200, body: found(dispute, 'dispute') };
      });
    });
}

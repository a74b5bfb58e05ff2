// Cash between safe and bank over HTTP, and the terms that a legal entity sets for cash.
import { createRoute, z } from '@hono/zod-openapi';
import { matchCash, sendCash } from '../../db/commands/cash-in-transit.ts';
import { setCashTerms } from '../../db/commands/cash-terms.ts';
import { cashTermsOf, listCashInTransit } from '../../db/queries/drawer-shifts.ts';
import { branchById } from '../../db/queries/vehicles.ts';
import { secured } from '../auth/access.ts';
import { BOOKS, COUNTER } from '../auth/roles.ts';
import { assertBranch, rowAccessOf } from '../auth/scope.ts';
import type { ApiDeps } from '../deps.ts';
import { IdempotencyHeader, idempotent } from '../idempotency.ts';
import { jsonBody } from '../middleware/body.ts';
import { found, ProblemError } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import {
  EntityId,
  Id,
  jsonAnswer,
  jsonRequest,
  page,
  pageOf,
  problems,
} from '../schemas/common.ts';
import {
  CashInTransit,
  CashTerms,
  NewCashInTransit,
  NewCashTerms,
  TransitList,
  TransitMatch,
} from '../schemas/drawer-shifts.ts';
import { etag, IfMatchHeader, knownVersion } from '../versions.ts';

const tags = ['Cash drawers'];
const entity = z.object({ id: EntityId });

const send = createRoute({
  ...secured(
    { scope: 'rentals:write', roles: ['senior-agent', 'branch-manager', ...BOOKS] },
    jsonBody,
  ),
  method: 'post',
  path: '/cash-in-transit',
  tags,
  summary: 'Send a bag from the safe to the bank, or take change from the bank into the safe',
  request: { headers: IdempotencyHeader, body: jsonRequest(NewCashInTransit) },
  responses: { 201: jsonAnswer('On its way', CashInTransit), ...problems },
});

const list = createRoute({
  ...secured({ scope: 'accounting:read', roles: [...COUNTER, ...BOOKS, 'auditor'] }),
  method: 'get',
  path: '/cash-in-transit',
  tags,
  summary: 'Cash between safes and the bank, by branch and state',
  request: { query: TransitList },
  responses: { 200: jsonAnswer('A page', pageOf(CashInTransit)), ...problems },
});

const match = createRoute({
  ...secured({ scope: 'accounting:write', roles: BOOKS }, jsonBody),
  method: 'post',
  path: '/cash-in-transit/{id}/match',
  tags,
  summary: 'The bank’s statement shows it; by another person than who sent it',
  request: {
    params: z.object({ id: Id }),
    headers: IdempotencyHeader.extend(IfMatchHeader.shape),
    body: jsonRequest(TransitMatch),
  },
  responses: { 200: jsonAnswer('Matched', CashInTransit), ...problems },
});

const readTerms = createRoute({
  ...secured({
    scope: 'accounting:read',
    roles: ['branch-manager', ...BOOKS, 'auditor', 'administrator'],
  }),
  method: 'get',
  path: '/legal-entities/{id}/cash-terms',
  tags,
  summary: 'The legal cash limit, the smallest coin, and who answers for a drawer’s difference',
  request: { params: entity },
  responses: { 200: jsonAnswer('The terms', CashTerms), ...problems },
});

const putTerms = createRoute({
  ...secured(
    { scope: 'accounting:write', roles: ['finance-controller', 'administrator'] },
    jsonBody,
  ),
  method: 'put',
  path: '/legal-entities/{id}/cash-terms',
  tags,
  summary: 'Set them; 412 when they were changed meanwhile',
  request: { params: entity, headers: IfMatchHeader, body: jsonRequest(NewCashTerms) },
  responses: { 200: jsonAnswer('As they are now', CashTerms), ...problems },
});

export function cashRoutes(deps: ApiDeps): ApiRouter {
  const { db } = deps;
  return apiRouter()
    .openapi(send, (c) =>
      idempotent(c, deps, async (id) => {
        const asked = c.req.valid('json');
        const branch = await branchById(db, asked.branchId);
        if (branch === undefined) {
          throw new ProblemError('unknown-reference', 'There is no such branch.');
        }
        assertBranch(c, asked.branchId);
        const sending = { ...asked, id, entityId: branch.entity_id };
        const body = await sendCash(db, rowAccessOf(c), sending);
        return { status: 201, body, headers: etag(body.version) };
      }),
    )
    .openapi(list, async (c) => {
      const { cursor: after, ...filter } = c.req.valid('query');
      const cash = await listCashInTransit(db, rowAccessOf(c), { after, ...filter });
      return c.json(
        page(
          cash,
          ({ id }) => id,
          (one) => one,
        ),
        200,
      );
    })
    .openapi(match, (c) => {
      const { id } = c.req.valid('param');
      const matching = { ...c.req.valid('json'), id, version: knownVersion(c) };
      return idempotent(c, deps, async () => {
        const body = await matchCash(db, rowAccessOf(c), matching);
        return { status: 200, body, headers: etag(body.version) };
      });
    })
    .openapi(readTerms, async (c) => {
      const terms = found(await cashTermsOf(db, rowAccessOf(c), c.req.valid('param').id), 'terms');
      return c.json(terms, 200, etag(terms.version));
    })
    .openapi(putTerms, async (c) => {
      const { id } = c.req.valid('param');
      found(await cashTermsOf(db, rowAccessOf(c), id), 'terms');
      const row = await setCashTerms(db, rowAccessOf(c), id, knownVersion(c), c.req.valid('json'));
      return c.json(row, 200, etag(row.version));
    });
}

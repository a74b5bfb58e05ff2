// Payers over HTTP: who pays which lines of a rental, or what share of the rest.
import { createRoute, z } from '@hono/zod-openapi';
import { type PayerSplit, payersOf, setPayers } from '../../db/commands/payer-shares.ts';
import { rentalById } from '../../db/queries/rentals.ts';
import { grantableDays } from '../../domain/customer.ts';
import { secured } from '../auth/access.ts';
import { BOOKS, COUNTER } from '../auth/roles.ts';
import { rowAccessOf } from '../auth/scope.ts';
import type { ApiDeps } from '../deps.ts';
import { namingReferences } from '../errors.ts';
import { jsonBody } from '../middleware/body.ts';
import { found } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { Id, jsonAnswer, jsonRequest, problems } from '../schemas/common.ts';
import { NewPayers, Payers } from '../schemas/payers.ts';
import { etag, IfMatchHeader, knownVersion } from '../versions.ts';

const tags = ['Payments'];
const params = z.object({ id: Id });

const read = createRoute({
  ...secured({ scope: 'rentals:read', roles: [...COUNTER, ...BOOKS, 'auditor'] }),
  method: 'get',
  path: '/rentals/{id}/payers',
  tags,
  summary: 'Who pays a rental, where more than its payer does; else 404',
  request: { params },
  responses: { 200: jsonAnswer('Its payers', Payers), ...problems },
});

const set = createRoute({
  ...secured({ scope: 'rentals:write', roles: COUNTER }, jsonBody),
  method: 'put',
  path: '/rentals/{id}/payers',
  tags,
  summary: 'Set all payers of what is not billed yet, until the return; If-Match for a change',
  request: { params, headers: IfMatchHeader, body: jsonRequest(NewPayers) },
  responses: { 200: jsonAnswer('In force', Payers), ...problems },
});

export function payerRoutes({ db }: Pick<ApiDeps, 'db'>): ApiRouter {
  return apiRouter()
    .openapi(read, async (c) => {
      const { id } = c.req.valid('param');
      const split = found(await payersOf(db, rowAccessOf(c), id), 'payer split');
      return c.json(shown(split), 200, etag(split.version));
    })
    .openapi(set, async (c) => {
      const { id: rentalId } = c.req.valid('param');
      const access = rowAccessOf(c);
      found(await rentalById(db, access, rentalId), 'rental');
      const known = await payersOf(db, access, rentalId);
      const version = known || c.req.header('if-match') ? knownVersion(c) : null;
      const { shares } = c.req.valid('json');
      const days = grantableDays(c.get('caller').roles);
      const asked = { rentalId, shares };
      const split = await namingReferences(setPayers(db, access, asked, version, days));
      return c.json(shown(split), 200, etag(split.version));
    });
}

/** As it is set: what a voucher covers follows from the price. */
function shown({ shares, ...split }: PayerSplit) {
  return { ...split, shares: shares.map(({ coveredMinor: _, ...share }) => share) };
}

// What entities charge for tolls and fines, and renters' consents to charges that come later.
import { createRoute, z } from '@hono/zod-openapi';
import { recordConsent, setViolationTerms } from '../../db/commands/violation-terms.ts';
import { violationTermsOf } from '../../db/queries/violations.ts';
import { secured } from '../auth/access.ts';
import { BOOKS, COUNTER } from '../auth/roles.ts';
import { rowAccessOf } from '../auth/scope.ts';
import type { ApiDeps } from '../deps.ts';
import { jsonBody } from '../middleware/body.ts';
import { found } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { EntityId, Id, jsonAnswer, jsonRequest, problems } from '../schemas/common.ts';
import {
  Consent,
  NewConsent,
  NewViolationTerms,
  termsView,
  ViolationTerms,
} from '../schemas/violations.ts';
import { etag, IfMatchHeader, knownVersion } from '../versions.ts';

const tags = ['Tolls and fines'];
const params = z.object({ id: EntityId });

const read = createRoute({
  ...secured({
    scope: 'accounting:read',
    roles: ['branch-manager', ...BOOKS, 'auditor', 'administrator'],
  }),
  method: 'get',
  path: '/legal-entities/{id}/violation-terms',
  tags,
  summary: 'Fees for tolls and fines, VAT, how tolls are treated, how long a card may be charged',
  request: { params },
  responses: { 200: jsonAnswer('The terms', ViolationTerms), ...problems },
});

const put = createRoute({
  ...secured(
    { scope: 'accounting:write', roles: ['finance-controller', 'administrator'] },
    jsonBody,
  ),
  method: 'put',
  path: '/legal-entities/{id}/violation-terms',
  tags,
  summary: 'Set them; If-Match once there are some. What is settled already stays as it is',
  request: { params, headers: IfMatchHeader, body: jsonRequest(NewViolationTerms) },
  responses: { 200: jsonAnswer('As they are now', ViolationTerms), ...problems },
});

const consent = createRoute({
  ...secured({ scope: 'rentals:write', roles: COUNTER }, jsonBody),
  method: 'put',
  path: '/rentals/{id}/delayed-charge-consent',
  tags,
  summary: 'The renter agreed in writing to charges that come after the return; once a rental',
  request: { params: z.object({ id: Id }), body: jsonRequest(NewConsent) },
  responses: { 200: jsonAnswer('On file', Consent), ...problems },
});

export function violationTermsRoutes({ db }: ApiDeps): ApiRouter {
  return apiRouter()
    .openapi(read, async (c) => {
      const row = await violationTermsOf(db, rowAccessOf(c), c.req.valid('param').id);
      const terms = found(row, 'terms');
      return c.json(termsView(terms), 200, etag(terms.version));
    })
    .openapi(put, async (c) => {
      const { id: entityId } = c.req.valid('param');
      const terms = { entityId, ...c.req.valid('json') };
      const access = rowAccessOf(c);
      const known = await violationTermsOf(db, access, entityId);
      const version = known === undefined ? 0 : knownVersion(c);
      const row = await setViolationTerms(db, access, version, terms);
      return c.json(termsView(row), 200, etag(row.version));
    })
    .openapi(consent, async (c) => {
      const { id } = c.req.valid('param');
      const { consentedAt } = c.req.valid('json');
      const row = await recordConsent(db, rowAccessOf(c), id, consentedAt);
      const { consented_at, recorded_at } = row;
      const body = { rentalId: id, consentedAt: consented_at, recordedAt: recorded_at };
      return c.json(body, 200);
    });
}

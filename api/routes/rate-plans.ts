// Rate plans over HTTP: finance publishes versions, which never change; staff read them.
import { createRoute, z } from '@hono/zod-openapi';
import { addRatePlan } from '../../db/commands/rate-plans.ts';
import { listRatePlans, ratePlanVersion } from '../../db/queries/rate-plans.ts';
import { secured } from '../auth/access.ts';
import { BOOKS, COUNTER } from '../auth/roles.ts';
import { rowAccessOf } from '../auth/scope.ts';
import type { ApiDeps } from '../deps.ts';
import { IdempotencyHeader, idempotent } from '../idempotency.ts';
import { jsonBody } from '../middleware/body.ts';
import { found } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { jsonAnswer, jsonRequest, page, pageOf, problems } from '../schemas/common.ts';
import {
  NewRatePlan,
  PlanId,
  RatePlan,
  RatePlanList,
  ratePlanView,
} from '../schemas/rate-plans.ts';

const tags = ['Quotes'];
const params = z.object({
  id: PlanId,
  version: z
    .string()
    .regex(/^[1-9][0-9]{0,6}$/)
    .transform(Number)
    .openapi({ type: 'integer', example: 1 }),
});

/** Negotiated rates are in them: neither customers nor partners see plans. */
const READ = {
  scope: 'rentals:read',
  roles: [...COUNTER, 'fleet-planner', ...BOOKS, 'auditor'],
} as const;

const create = createRoute({
  ...secured({ scope: 'rentals:write', roles: ['finance-controller'] }, jsonBody),
  method: 'post',
  path: '/rate-plans',
  tags,
  summary: 'Publish a version of a rate plan; 422 rate-plan-invalid lists problems by field',
  request: { headers: IdempotencyHeader, body: jsonRequest(NewRatePlan) },
  responses: { 201: jsonAnswer('Published', RatePlan), ...problems },
});

const list = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/rate-plans',
  tags,
  summary: 'Versions of rate plans by id and version',
  request: { query: RatePlanList },
  responses: { 200: jsonAnswer('A page', pageOf(RatePlan)), ...problems },
});

const read = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/rate-plans/{id}/versions/{version}',
  tags,
  summary: 'One version of a rate plan',
  request: { params },
  responses: { 200: jsonAnswer('The version', RatePlan), ...problems },
});

export function ratePlanRoutes(deps: ApiDeps): ApiRouter {
  const { db } = deps;
  return apiRouter()
    .openapi(create, (c) =>
      idempotent(c, deps, async () => {
        const { terms, validFrom } = c.req.valid('json');
        const row = await addRatePlan(db, rowAccessOf(c), terms, validFrom);
        const location = `/api/v1/rate-plans/${row.id}/versions/${row.version}`;
        return { status: 201, body: ratePlanView(row), headers: { location } };
      }),
    )
    .openapi(list, async (c) => {
      const { cursor: after, ...filter } = c.req.valid('query');
      const plans = await listRatePlans(db, { after, ...filter });
      return c.json(
        page(plans, (row) => `${row.id}/${row.version}`, ratePlanView),
        200,
      );
    })
    .openapi(read, async (c) => {
      const { id, version } = c.req.valid('param');
      return c.json(ratePlanView(found(await ratePlanVersion(db, id, version), 'version')), 200);
    });
}

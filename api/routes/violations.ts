// Tolls and fines over HTTP: taken in, matched or queued, assigned, dismissed, charged on.
import { createRoute, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { readLetter } from '../../db/commands/violation-letters.ts';
import { settleViolation } from '../../db/commands/violation-settlement.ts';
import {
  assignViolation,
  dismissViolation,
  registerViolation,
  type ViolationRow,
} from '../../db/commands/violations.ts';
import { rentalById } from '../../db/queries/rentals.ts';
import { listViolations, violationById } from '../../db/queries/violations.ts';
import { isWithin } from '../../domain/people.ts';
import { secured } from '../auth/access.ts';
import { BOOKS, COUNTER } from '../auth/roles.ts';
import { assertBranch, rowAccessOf } from '../auth/scope.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { namingReferences } from '../errors.ts';
import { IdempotencyHeader, idempotent } from '../idempotency.ts';
import { jsonBody } from '../middleware/body.ts';
import { found } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { Id, jsonAnswer, jsonRequest, page, pageOf, problems } from '../schemas/common.ts';
import {
  Assignment,
  Dismissal,
  NewSettlement,
  NewViolation,
  Violation,
  ViolationList,
  violationView,
} from '../schemas/violations.ts';
import { etag } from '../versions.ts';

const tags = ['Tolls and fines'];
const params = z.object({ id: Id });
const READ = { scope: 'rentals:read', roles: [...COUNTER, ...BOOKS, 'auditor'] } as const;
/** They cost renters money and name them to authorities. */
const DECIDE = { scope: 'rentals:write', roles: ['branch-manager', ...BOOKS] } as const;

const receive = createRoute({
  ...secured(DECIDE, jsonBody),
  method: 'post',
  path: '/violations',
  tags,
  summary: 'Take a toll or fine in: matched to its one rental, or queued for a person',
  description:
    'Matched in the whole company by the plate at that time and the time that the keys were out. ' +
    'The answer names a rental only to who may see it. 409 `duplicate` for a known notice number.',
  request: { headers: IdempotencyHeader, body: jsonRequest(NewViolation) },
  responses: { 201: jsonAnswer('Taken in', Violation), ...problems },
});

const list = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/violations',
  tags,
  summary: 'Tolls and fines in the order of arrival; status=queued is the queue',
  request: { query: ViolationList },
  responses: { 200: jsonAnswer('A page', pageOf(Violation)), ...problems },
});

const read = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/violations/{id}',
  tags,
  summary: 'One toll or fine',
  request: { params },
  responses: { 200: jsonAnswer('As it is', Violation), ...problems },
});

const assign = createRoute({
  ...secured(DECIDE, jsonBody),
  method: 'post',
  path: '/violations/{id}/assign',
  tags,
  summary: 'Say whose a queued one was; the rental must have had a vehicle at that time',
  request: { params, headers: IdempotencyHeader, body: jsonRequest(Assignment) },
  responses: { 200: jsonAnswer('Matched', Violation), ...problems },
});

const dismiss = createRoute({
  ...secured(DECIDE, jsonBody),
  method: 'post',
  path: '/violations/{id}/dismiss',
  tags,
  summary: 'Charge nobody for it; not once it is settled',
  request: { params, headers: IdempotencyHeader, body: jsonRequest(Dismissal) },
  responses: { 200: jsonAnswer('Dismissed', Violation), ...problems },
});

const settle = createRoute({
  ...secured(DECIDE, jsonBody),
  method: 'post',
  path: '/violations/{id}/settle',
  tags,
  summary: 'Nominate the driver, or charge on what we paid; with the fee on one late invoice',
  request: { params, headers: IdempotencyHeader, body: jsonRequest(NewSettlement) },
  responses: { 200: jsonAnswer('Settled', Violation), ...problems },
});

const letter = createRoute({
  ...secured({ scope: 'customers:read', roles: [...DECIDE.roles, 'auditor'] }),
  method: 'get',
  path: '/violations/{id}/letter',
  tags,
  summary: 'The letter that names the driver to the authority; each reading is audited',
  request: { params },
  responses: {
    200: { description: 'The letter', content: { 'text/plain': { schema: z.string() } } },
    ...problems,
  },
});

export function violationRoutes(deps: ApiDeps): ApiRouter {
  const { db, envelope } = deps;
  return apiRouter()
    .openapi(receive, (c) =>
      idempotent(c, deps, async (id) => {
        const row = await registerViolation(db, rowAccessOf(c), { id, ...c.req.valid('json') });
        const headers = { ...etag(row.version), location: `/api/v1/violations/${id}` };
        return { status: 201, body: violationView(shownTo(c, row)), headers };
      }),
    )
    .openapi(list, async (c) => {
      const { cursor: after, ...filter } = c.req.valid('query');
      const violations = await listViolations(db, rowAccessOf(c), { after, ...filter });
      return c.json(
        page(violations, (row) => row.id, violationView),
        200,
      );
    })
    .openapi(read, async (c) => {
      const row = await violationById(db, rowAccessOf(c), c.req.valid('param').id);
      const violation = found(row, 'violation');
      return c.json(violationView(violation), 200, etag(violation.version));
    })
    .openapi(assign, (c) =>
      idempotent(c, deps, async () => {
        const { rentalId } = c.req.valid('json');
        const access = rowAccessOf(c);
        // Seen from the branch of its return, it is still the other branch's to decide about.
        assertBranch(c, (await rentalById(db, access, rentalId))?.branchId);
        const { id } = c.req.valid('param');
        const row = await namingReferences(assignViolation(db, access, id, rentalId));
        return answer(row);
      }),
    )
    .openapi(dismiss, (c) =>
      idempotent(c, deps, async () => {
        const { reason } = c.req.valid('json');
        const { id } = c.req.valid('param');
        return answer(await dismissViolation(db, rowAccessOf(c), id, reason));
      }),
    )
    .openapi(settle, (c) =>
      idempotent(c, deps, async () => {
        const by = { ...c.req.valid('param'), ...c.req.valid('json') };
        return answer(await settleViolation(db, envelope, rowAccessOf(c), by));
      }),
    )
    .openapi(letter, async (c) => {
      const text = await readLetter(db, envelope, rowAccessOf(c), c.req.valid('param').id);
      return c.text(found(text ?? undefined, 'letter'), 200, { 'cache-control': 'no-store' });
    });
}

function answer(row: ViolationRow | undefined) {
  const violation = found(row, 'violation');
  return {
    status: 200,
    body: violationView(violation),
    headers: etag(violation.version),
  } as const;
}

/** What was matched elsewhere is there for its own branch: here only that it was matched. */
function shownTo(c: Context<ApiEnv>, row: ViolationRow): ViolationRow {
  if (row.branch_id === null || isWithin(c.get('caller').branches, row.branch_id)) return row;
  return {
    ...row,
    rental_id: null,
    customer_id: null,
    vehicle_id: null,
    branch_id: null,
    entity_id: null,
  };
}

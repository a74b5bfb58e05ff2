// Approvals: what one person may not decide alone is asked for here and decided by another.
import { createRoute, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { decideApproval, requestApproval } from '../../db/commands/approvals.ts';
import { approvalById, listApprovals } from '../../db/queries/people.ts';
import { branchById } from '../../db/queries/vehicles.ts';
import { principalOf } from '../../domain/actor.ts';
import { isWithinScope } from '../../domain/approval.ts';
import { ROLES } from '../../domain/people.ts';
import { secured } from '../auth/access.ts';
import { EVERYONE } from '../auth/roles.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { IdempotencyHeader, idempotent } from '../idempotency.ts';
import { jsonBody } from '../middleware/body.ts';
import { found, ProblemError } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { Approval, ApprovalList, approvalView, NewApproval } from '../schemas/approvals.ts';
import { Id, jsonAnswer, jsonRequest, page, pageOf, problems } from '../schemas/common.ts';

const tags = ['Approvals'];
const params = z.object({ id: Id });
const READ = { scope: 'people:read', roles: EVERYONE } as const;
/** All but the auditor, who writes nothing. Who may decide what is the domain's to say. */
const WRITE = {
  scope: 'people:write',
  roles: ROLES.filter((role) => role !== 'auditor'),
} as const;

const request = createRoute({
  ...secured(WRITE, jsonBody),
  method: 'post',
  path: '/approvals',
  tags,
  summary: 'Ask for an approval; it is open for 24 hours and its amount is frozen',
  request: { headers: IdempotencyHeader, body: jsonRequest(NewApproval) },
  responses: { 201: jsonAnswer('Asked for', Approval), ...problems },
});

const list = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/approvals',
  tags,
  summary: 'Approvals of the caller’s branches, in the order in which they were asked for',
  request: { query: ApprovalList },
  responses: { 200: jsonAnswer('A page', pageOf(Approval)), ...problems },
});

const read = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/approvals/{id}',
  tags,
  summary: 'One approval',
  request: { params },
  responses: { 200: jsonAnswer('The approval', Approval), ...problems },
});

const approve = decision('approve', 'Approve; by another person, within that person’s limits');
const refuse = decision('refuse', 'Refuse; by another person');

function decision<V extends string>(verb: V, summary: string) {
  return createRoute({
    ...secured(WRITE),
    method: 'post',
    path: `/approvals/{id}/${verb}` as const,
    tags,
    summary,
    description: 'A decision is final; a second one is 409 `invalid-state`.',
    request: { params, headers: IdempotencyHeader },
    responses: { 200: jsonAnswer('Decided', Approval), ...problems },
  });
}

export function approvalRoutes(deps: ApiDeps): ApiRouter {
  const { db } = deps;
  return apiRouter()
    .openapi(request, (c) =>
      idempotent(c, deps, async (id) => {
        const asked = { ...c.req.valid('json'), id };
        await checkBranch(c, deps, asked.branchId);
        const row = await requestApproval(db, principalOf(deps.actorOf(c)), asked, deps.now());
        const headers = { location: `/api/v1/approvals/${id}` };
        return { status: 201, body: approvalView(row), headers };
      }),
    )
    .openapi(list, async (c) => {
      const { cursor: after, limit, status } = c.req.valid('query');
      const scope = c.get('caller').branches;
      const branches = scope === 'all' ? null : scope;
      const approvals = await listApprovals(db, { after, limit, status, branches });
      return c.json(
        page(approvals, (row) => row.id, approvalView),
        200,
      );
    })
    .openapi(read, async (c) => {
      const row = found(await approvalById(db, c.req.valid('param').id), 'approval');
      found(isWithinScope(row.branch_id, c.get('caller').branches) || undefined, 'approval');
      return c.json(approvalView(row), 200);
    })
    .openapi(approve, (c) => decide(c, deps, c.req.valid('param').id, 'approved'))
    .openapi(refuse, (c) => decide(c, deps, c.req.valid('param').id, 'refused'));
}

function decide(c: Context<ApiEnv>, deps: ApiDeps, id: string, to: 'approved' | 'refused') {
  return idempotent(c, deps, async () => {
    const { branches, limits, roles } = c.get('caller');
    const approver = { principal: principalOf(deps.actorOf(c)), branches, limits, roles };
    const row = await decideApproval(deps.db, approver, id, to, deps.now());
    return { status: 200 as const, body: approvalView(row) };
  });
}

/** A branch that the caller does not work for is as unknown to them as one that does not exist. */
async function checkBranch(c: Context<ApiEnv>, deps: ApiDeps, id: string | null): Promise<void> {
  const within = isWithinScope(id, c.get('caller').branches);
  if (within && (id === null || (await branchById(deps.db, id)) !== undefined)) return;
  throw new ProblemError('unknown-reference', 'There is no such branch.', {
    more: { of: 'branch' },
  });
}

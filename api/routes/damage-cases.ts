// Damage cases over HTTP: reported from an inspection, estimated, answered, charged or let go.
import { createRoute, z } from '@hono/zod-openapi';
import type { UpdateDefinition } from '@temporalio/common';
import type { Context } from 'hono';
import { setDamageRule } from '../../db/commands/damage-rules.ts';
import { caseById, damageRuleOf, listCases } from '../../db/queries/damage-cases.ts';
import { rentalById } from '../../db/queries/rentals.ts';
import { branchById } from '../../db/queries/vehicles.ts';
import type { CaseState } from '../../domain/damage-case.ts';
import * as messages from '../../workflows/damage-case.messages.ts';
import type { Envelope } from '../../workflows/rental.messages.ts';
import { type Access, secured } from '../auth/access.ts';
import { BOOKS, COUNTER, EVERYONE } from '../auth/roles.ts';
import { assertBranch, rowAccessOf } from '../auth/scope.ts';
import { sendDamage, sendReport } from '../damage-commands.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { namingReferences } from '../errors.ts';
import { IdempotencyHeader, idempotent } from '../idempotency.ts';
import { jsonBody } from '../middleware/body.ts';
import { found } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import {
  BranchId,
  Id,
  jsonAnswer,
  jsonRequest,
  page,
  pageOf,
  problems,
} from '../schemas/common.ts';
import {
  caseView,
  DamageCase,
  DamageCaseList,
  DamageDispute,
  DamageEstimate,
  DamageRule,
  DamageWaiver,
  InsurerClaim,
  NewDamageCase,
  NewDamageRule,
  ruleView,
  WholeDamageCase,
  wholeCaseView,
} from '../schemas/damage-cases.ts';
import { etag, IfMatchHeader, knownVersion } from '../versions.ts';

const tags = ['Damages'];
const params = z.object({ id: Id });
const branchParams = z.object({ id: BranchId });
const REPORT = { scope: 'rentals:write', roles: COUNTER } as const;
const REPAIR = { scope: 'rentals:write', roles: [...COUNTER, 'technician'] } as const;
const MONEY = { scope: 'rentals:write', roles: [...COUNTER, ...BOOKS] } as const;
const READ = {
  scope: 'rentals:read',
  roles: [...COUNTER, ...BOOKS, 'technician', 'auditor'],
} as const;

const create = createRoute({
  ...secured(REPORT, jsonBody),
  method: 'post',
  path: '/rentals/{id}/damage-cases',
  tags,
  summary: 'Report damages that a completed inspection at the return shows',
  request: { params, headers: IdempotencyHeader, body: jsonRequest(NewDamageCase) },
  responses: { 201: jsonAnswer('Reported', DamageCase), ...problems },
});

const list = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/damage-cases',
  tags,
  summary: 'Damage cases in the order of their reports',
  request: { query: DamageCaseList },
  responses: { 200: jsonAnswer('A page', pageOf(DamageCase)), ...problems },
});

const read = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/damage-cases/{id}',
  tags,
  summary: 'One case with its damages and the commands that are allowed now',
  request: { params },
  responses: { 200: jsonAnswer('The case', WholeDamageCase), ...problems },
});

function command<P extends string, B extends z.ZodType>(
  path: P,
  summary: string,
  access: Access,
  body: B,
) {
  return createRoute({
    ...secured(access, jsonBody),
    method: 'post',
    path: `/damage-cases/{id}/${path}` as const,
    tags,
    summary,
    request: { params, headers: IdempotencyHeader, body: jsonRequest(body) },
    responses: { 200: jsonAnswer('As it is now', DamageCase), ...problems },
  });
}

function plain<P extends string>(path: P, summary: string, access: Access) {
  return createRoute({
    ...secured(access),
    method: 'post',
    path: `/damage-cases/{id}/${path}` as const,
    tags,
    summary,
    request: { params, headers: IdempotencyHeader },
    responses: { 200: jsonAnswer('As it is now', DamageCase), ...problems },
  });
}

const estimate = command(
  'estimate',
  'What the loss is; again after a dispute',
  REPAIR,
  DamageEstimate,
);
const agree = plain('agree', 'The renter accepts the amount', REPORT);
const dispute = command(
  'dispute',
  'The renter does not: nothing is charged',
  REPORT,
  DamageDispute,
);
const charge = plain('charge', 'Issue the damage document to the renter', MONEY);
const waive = command('waive', 'Charge nothing, within one’s limit', MONEY, DamageWaiver);
const claim = command('claim', 'An insurer bears a share', MONEY, InsurerClaim);
const repaired = plain('repaired', 'The vehicle is whole again: its hold ends', REPAIR);
const settle = plain('settle', 'Nothing is open any more', MONEY);

const readRule = createRoute({
  ...secured({ scope: 'fleet:read', roles: EVERYONE }),
  method: 'get',
  path: '/branches/{id}/damage-rule',
  tags,
  summary: 'What the branch asks of inspections and damages; version 0 where nothing was set',
  request: { params: branchParams },
  responses: { 200: jsonAnswer('In force', DamageRule), ...problems },
});

const setRule = createRoute({
  ...secured({ scope: 'fleet:write', roles: ['branch-manager', 'administrator'] }, jsonBody),
  method: 'put',
  path: '/branches/{id}/damage-rule',
  tags,
  summary: 'Set what the branch asks; If-Match where a rule was set already',
  request: { params: branchParams, headers: IfMatchHeader, body: jsonRequest(NewDamageRule) },
  responses: { 200: jsonAnswer('In force', DamageRule), ...problems },
});

export function damageCaseRoutes(deps: ApiDeps): ApiRouter {
  const { db } = deps;

  /** 404 for a case that is none of the caller's branches'. */
  const commanded = <C>(
    c: Context<ApiEnv>,
    id: string,
    definition: UpdateDefinition<CaseState, [Envelope<C>]>,
    command: C,
  ) =>
    idempotent(c, deps, async (commandId) => {
      found(await caseById(db, rowAccessOf(c), id), 'damage case');
      const envelope = { commandId, actor: deps.actorOf(c), command };
      const state = await sendDamage(deps, id, definition, envelope);
      return { status: 200, body: caseView(state), headers: etag(state.version) };
    });

  return apiRouter()
    .openapi(create, (c) =>
      idempotent(c, deps, async (id) => {
        const rentalId = c.req.valid('param').id;
        found(await rentalById(db, rowAccessOf(c), rentalId), 'rental');
        const command = { ...c.req.valid('json'), id, rentalId };
        const envelope = { commandId: id, actor: deps.actorOf(c), command };
        const state = await namingReferences(sendReport(deps, envelope));
        const headers = { ...etag(state.version), location: `/api/v1/damage-cases/${id}` };
        return { status: 201, body: caseView(state), headers };
      }),
    )
    .openapi(list, async (c) => {
      const { cursor: after, ...filter } = c.req.valid('query');
      const cases = await listCases(db, rowAccessOf(c), { after, ...filter });
      return c.json(
        page(cases, ({ id }) => id, caseView),
        200,
      );
    })
    .openapi(read, async (c) => {
      const { id } = c.req.valid('param');
      const state = found(await caseById(db, rowAccessOf(c), id), 'damage case');
      return c.json(wholeCaseView(state), 200, etag(state.version));
    })
    .openapi(estimate, (c) =>
      commanded(c, c.req.valid('param').id, messages.estimate, c.req.valid('json')),
    )
    .openapi(agree, (c) => commanded(c, c.req.valid('param').id, messages.agree, {}))
    .openapi(dispute, (c) =>
      commanded(c, c.req.valid('param').id, messages.dispute, c.req.valid('json')),
    )
    .openapi(charge, (c) => commanded(c, c.req.valid('param').id, messages.charge, {}))
    .openapi(waive, (c) => {
      const limitMinor = c.get('caller').limits['fee-waiver'];
      const command = { ...c.req.valid('json'), limitMinor };
      return commanded(c, c.req.valid('param').id, messages.waive, command);
    })
    .openapi(claim, (c) =>
      commanded(c, c.req.valid('param').id, messages.claim, c.req.valid('json')),
    )
    .openapi(repaired, (c) => commanded(c, c.req.valid('param').id, messages.markRepaired, {}))
    .openapi(settle, (c) => commanded(c, c.req.valid('param').id, messages.settle, {}))
    .openapi(readRule, async (c) => {
      const { id } = c.req.valid('param');
      found(await branchById(db, id), 'branch');
      const row = await damageRuleOf(db, rowAccessOf(c), id);
      return c.json(ruleView(id, row), 200, row && etag(row.version));
    })
    .openapi(setRule, async (c) => {
      const { id } = c.req.valid('param');
      assertBranch(c, id);
      found(await branchById(db, id), 'branch');
      const known = await damageRuleOf(db, rowAccessOf(c), id);
      const version = known || c.req.header('if-match') ? knownVersion(c) : null;
      const rule = { branchId: id, ...c.req.valid('json') };
      const row = await setDamageRule(db, rowAccessOf(c), rule, version);
      return c.json(ruleView(id, row), 200, etag(row.version));
    });
}

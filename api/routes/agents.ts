// Commissionable agents over HTTP: their terms, monthly statements, and what they are paid.
import { createRoute, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { payAgent } from '../../db/commands/agent-payouts.ts';
import { agreeTerms, changeAgent, registerAgent } from '../../db/commands/agents.ts';
import { agentById, listAgents, statementOf } from '../../db/queries/agents.ts';
import { partnerById } from '../../db/queries/people.ts';
import { customerById } from '../../db/queries/rentals.ts';
import { secured } from '../auth/access.ts';
import { BOOKS, COUNTER } from '../auth/roles.ts';
import { isLimited, rowAccessOf } from '../auth/scope.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { namingReferences } from '../errors.ts';
import { IdempotencyHeader, idempotent } from '../idempotency.ts';
import { jsonBody } from '../middleware/body.ts';
import { found, ProblemError } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import {
  Agent,
  AgentChange,
  AgentHeader,
  AgentList,
  AgentPayout,
  AgentStatement,
  agentView,
  headerView,
  Month,
  NewAgent,
  NewAgentPayout,
  NewAgentTerms,
  StatementPage,
} from '../schemas/agents.ts';
import { Id, jsonAnswer, jsonRequest, page, pageOf, problems } from '../schemas/common.ts';
import { etag, IfMatchHeader, knownVersion } from '../versions.ts';

const tags = ['Agents'];
const params = z.object({ id: Id });
const READ = { scope: 'accounting:read', roles: ['branch-manager', ...BOOKS, 'auditor'] } as const;
const STATEMENT = { scope: 'accounting:read', roles: [...BOOKS, 'auditor'] } as const;
const WRITE = { scope: 'accounting:write', roles: BOOKS } as const;

const create = createRoute({
  ...secured(WRITE, jsonBody),
  method: 'post',
  path: '/agents',
  tags,
  summary: 'Register an agent with the commission that it is promised',
  request: { headers: IdempotencyHeader, body: jsonRequest(NewAgent) },
  responses: { 201: jsonAnswer('Registered', Agent), ...problems },
});

const list = createRoute({
  ...secured({ scope: 'rentals:read', roles: [...COUNTER, ...BOOKS, 'auditor'] }),
  method: 'get',
  path: '/agents',
  tags,
  summary: 'Agents in order of registration, without their terms',
  request: { query: AgentList },
  responses: { 200: jsonAnswer('A page', pageOf(AgentHeader)), ...problems },
});

const read = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/agents/{id}',
  tags,
  summary: 'One agent with all terms that were agreed',
  request: { params },
  responses: { 200: jsonAnswer('The agent', Agent), ...problems },
});

const update = createRoute({
  ...secured(WRITE, jsonBody),
  method: 'patch',
  path: '/agents/{id}',
  tags,
  summary: 'Change an agent, or end it: what it earned stays owed',
  request: { params, headers: IfMatchHeader, body: jsonRequest(AgentChange) },
  responses: { 200: jsonAnswer('As it is now', Agent), ...problems },
});

const agree = createRoute({
  ...secured(WRITE, jsonBody),
  method: 'post',
  path: '/agents/{id}/terms',
  tags,
  summary: 'Agree another commission, for rentals booked from a day on',
  request: { params, headers: IdempotencyHeader, body: jsonRequest(NewAgentTerms) },
  responses: { 200: jsonAnswer('With them', Agent), ...problems },
});

const statement = createRoute({
  ...secured(STATEMENT),
  method: 'get',
  path: '/agents/{id}/statements/{month}',
  tags,
  summary: 'What an agent earned, lost and was paid in a month, and what is owed to it then',
  description: 'Of all branches: 403 for who works at some. The totals are of the whole month.',
  request: { params: params.extend({ month: Month }), query: StatementPage },
  responses: { 200: jsonAnswer('The statement', AgentStatement), ...problems },
});

const pay = createRoute({
  ...secured(WRITE, jsonBody),
  method: 'post',
  path: '/agents/{id}/payouts',
  tags,
  summary: 'Pay an agent by bank transfer, or set its own invoice off where that was agreed',
  description:
    'Never more than the statement of the month says less what was paid since, nor than is owed ' +
    'now. Above your own limit for refunds, a second person approves exactly this amount.',
  request: { params, headers: IdempotencyHeader, body: jsonRequest(NewAgentPayout) },
  responses: { 201: jsonAnswer('Paid', AgentPayout), ...problems },
});

export function agentRoutes(deps: ApiDeps): ApiRouter {
  const { db } = deps;
  return apiRouter()
    .openapi(create, (c) =>
      idempotent(c, deps, async (id) => {
        const agent = c.req.valid('json');
        assertEverywhere(c);
        await assertKnown(c, deps, agent);
        const row = await namingReferences(registerAgent(db, rowAccessOf(c), { ...agent, id }));
        return { status: 201, body: await shown(deps, id), headers: etag(row.version) };
      }),
    )
    .openapi(list, async (c) => {
      const { cursor: after, ...filter } = c.req.valid('query');
      const agents = await listAgents(db, { after, ...filter });
      return c.json(
        page(agents, ({ id }) => id, headerView),
        200,
      );
    })
    .openapi(read, async (c) => {
      const { row, terms } = found(await agentById(db, c.req.valid('param').id), 'agent');
      return c.json(agentView({ row, terms }), 200, etag(row.version));
    })
    .openapi(update, async (c) => {
      const { id } = c.req.valid('param');
      const change = c.req.valid('json');
      assertEverywhere(c);
      await assertKnown(c, deps, change);
      const { version } = await changeAgent(db, rowAccessOf(c), id, knownVersion(c), change);
      return c.json(await shown(deps, id), 200, etag(version));
    })
    .openapi(agree, (c) =>
      idempotent(c, deps, async () => {
        const { id } = c.req.valid('param');
        assertEverywhere(c);
        const terms = c.req.valid('json');
        const { version } = await agreeTerms(db, rowAccessOf(c), id, terms);
        return { status: 200, body: await shown(deps, id), headers: etag(version) };
      }),
    )
    .openapi(statement, async (c) => {
      const { id, month } = c.req.valid('param');
      assertEverywhere(c);
      const { cursor: after, limit } = c.req.valid('query');
      const told = await statementOf(db, id, month, { after, limit });
      const { items: rows, ...totals } = found(told, 'agent');
      const items = page(
        rows,
        ({ key }) => key,
        ({ key: _, ...item }) => item,
      );
      return c.json({ ...totals, ...items }, 200);
    })
    .openapi(pay, (c) =>
      idempotent(c, deps, async (id) => {
        const { id: agentId } = c.req.valid('param');
        assertEverywhere(c);
        const limitMinor = c.get('caller').limits.refund;
        const asked = { reference: null, invoiceId: null, ...c.req.valid('json') };
        const body = await payAgent(db, rowAccessOf(c), { ...asked, id, agentId, limitMinor });
        return { status: 201, body };
      }),
    );
}

async function shown({ db }: ApiDeps, id: string) {
  return agentView(found(await agentById(db, id), 'agent'));
}

type Named = {
  readonly partnerId?: string | null | undefined;
  readonly customerId?: string | null | undefined;
};

/** Other domains' records: no foreign key holds them. */
async function assertKnown(
  c: Context<ApiEnv>,
  { db }: ApiDeps,
  { partnerId, customerId }: Named,
): Promise<void> {
  if (partnerId && (await partnerById(db, partnerId)) === undefined) throw unknown('partner');
  if (!customerId) return;
  const customer = await customerById(db, rowAccessOf(c), customerId);
  if (customer === undefined) throw unknown('customer');
}

/** An agent's account is of all branches of its legal entity. */
function assertEverywhere(c: Context<ApiEnv>): void {
  if (!isLimited(c)) return;
  throw new ProblemError('forbidden', 'Agents earn at every branch: you work at some only.');
}

function unknown(of: string): ProblemError {
  return new ProblemError('unknown-reference', `There is no such ${of}.`, { more: { of } });
}

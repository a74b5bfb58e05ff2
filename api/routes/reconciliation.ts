// The nightly proof: its newest report, the differences that it found, and starting one now.
import { createRoute } from '@hono/zod-openapi';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { latestProof, listDifferences } from '../../db/queries/reconciliation.ts';
import { fleetProofStartOptions, type ProofStart } from '../../temporal-config/starts.ts';
import type { fleetProof } from '../../workflows/fleet-proof.ts';
import { secured } from '../auth/access.ts';
import { rowAccessOf } from '../auth/scope.ts';
import { waiting } from '../commands.ts';
import type { ApiDeps } from '../deps.ts';
import { IdempotencyHeader, idempotent } from '../idempotency.ts';
import { jsonBody } from '../middleware/body.ts';
import { found } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { given, jsonAnswer, jsonRequest, page, pageOf, problems } from '../schemas/common.ts';
import {
  DifferenceList,
  differenceView,
  FleetDifference,
  FleetProof,
  proofView,
  StartedProof,
  StartProof,
} from '../schemas/reconciliation.ts';

const tags = ['Fleet'];
const READ = {
  scope: 'fleet:read',
  roles: ['branch-manager', 'fleet-planner', 'auditor', 'administrator'],
} as const;

const latest = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/fleet/proofs/latest',
  tags,
  summary: 'The newest proof that calendar, rentals, workflows and vehicles agree',
  responses: { 200: jsonAnswer('The proof', FleetProof), ...problems },
});

const differences = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/fleet/differences',
  tags,
  summary: 'What does not agree, with both sides and who mends it',
  request: { query: DifferenceList },
  responses: { 200: jsonAnswer('A page', pageOf(FleetDifference)), ...problems },
});

const start = createRoute({
  ...secured({ scope: 'fleet:write', roles: ['fleet-planner', 'administrator'] }, jsonBody),
  method: 'post',
  path: '/fleet/proofs',
  tags,
  summary: 'Prove the fleet now; the report is the newest one when it has finished',
  request: { headers: IdempotencyHeader, body: jsonRequest(StartProof) },
  responses: { 202: jsonAnswer('Started', StartedProof), ...problems },
});

export function reconciliationRoutes(deps: ApiDeps): ApiRouter {
  const { db } = deps;
  return apiRouter()
    .openapi(latest, async (c) =>
      c.json(proofView(found(await latestProof(db, rowAccessOf(c)), 'proof')), 200),
    )
    .openapi(differences, async (c) => {
      const { cursor: after, ...filter } = c.req.valid('query');
      const rows = await listDifferences(db, rowAccessOf(c), { after, ...filter });
      return c.json(
        page(rows, (row) => row.id, differenceView),
        200,
      );
    })
    .openapi(start, (c) =>
      idempotent(c, deps, async (id) => {
        await startProof(deps, { proofId: id, ...given(c.req.valid('json')) });
        return { status: 202, body: { id } };
      }),
    );
}

/** A repeat finds the proof that the first request started, even when it has finished. */
async function startProof(deps: ApiDeps, input: ProofStart): Promise<void> {
  try {
    await waiting(deps, () =>
      deps.temporal.workflow.start<typeof fleetProof>('fleetProof', fleetProofStartOptions(input)),
    );
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}

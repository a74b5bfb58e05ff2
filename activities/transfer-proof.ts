// The nightly proof's pages about transfers: tickets with calendar and workflows, both ways round.
import { notePage } from '../db/commands/reconciliation.ts';
import { openTransfersAmong, readTransfers } from '../db/queries/transfer-sides.ts';
import type { Difference, Subject } from '../domain/reconciliation.ts';
import { compareTransfer } from '../domain/transfer-reconciliation.ts';
import type { ProofPage } from '../workflows/fleet-proof.messages.ts';
import type { ProofDeps } from './deps.ts';

const PAGE = 200;

type Next = { readonly next: string | null };

/** Open transfers are few: the workflow of each is asked. */
export async function proveTransfers(deps: ProofDeps, page: ProofPage): Promise<Next> {
  const ids = (await readTransfers(deps.db, { after: page.after, limit: PAGE })).map(idOf);
  const doubts = (await transfersStillWrong(deps, ids)).map(({ subject }) => subject);
  await notePage(deps.db, page.proofId, { seen: 'transfers', count: ids.length, doubts });
  return { next: ids.length < PAGE ? null : (ids.at(-1) ?? null) };
}

/** The other way round: every workflow that runs has an open transfer. */
export async function proveTransferWorkflows(deps: ProofDeps, page: ProofPage): Promise<Next> {
  const { ids, next } = await deps.transfers.listRunning(page.after);
  const open = await openTransfersAmong(deps.db, ids);
  const doubts = ids.filter((id) => !open.has(id)).map((id): Subject => ({ type: 'transfer', id }));
  await notePage(deps.db, page.proofId, { seen: null, count: ids.length, doubts });
  return { next };
}

/** What differs now. */
export async function transfersStillWrong(
  { db, transfers }: ProofDeps,
  ids: readonly string[],
): Promise<readonly Difference[]> {
  const found: Difference[] = [];
  for (const { id, transfer, span } of await readTransfers(db, { ids })) {
    const workflow = await transfers.sideOf(id);
    found.push(...compareTransfer({ id, transfer, span, workflow }));
  }
  return found;
}

function idOf({ id }: { readonly id: string }): string {
  return id;
}

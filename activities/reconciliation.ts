// The effects of the nightly proof: reads both sides of each page, and notes what differs.
import * as commands from '../db/commands/reconciliation.ts';
import {
  lastProofStart,
  openAmong,
  type RentalAndSpan,
  readDoubts,
  readQuotes,
  readRentals,
  readVehicles,
} from '../db/queries/reconciliation.ts';
import {
  compareQuote,
  compareRental,
  compareVehicle,
  type Difference,
  isOpen,
  SUBJECTS,
  type Subject,
  type SubjectType,
  type WorkflowSide,
} from '../domain/reconciliation.ts';
import type { FleetProofReport, ProofPage } from '../workflows/fleet-proof.messages.ts';
import type { ProofDeps, RentalWorkflows, Shown, WatchedWorkflows } from './deps.ts';
import { failing } from './failures.ts';
import { proveTransfers, proveTransferWorkflows, transfersStillWrong } from './transfer-proof.ts';

/** As many ids as a query of the visibility store takes comfortably. */
const PAGE = 200;
/** What changed less than this before the last proof may have escaped it. */
const OVERLAP_MS = 3_600_000;

type Next = { readonly next: string | null };

export function createReconciliationActivities(deps: ProofDeps) {
  const { db, rentals, transfers } = deps;
  return {
    beginProof: ({ proofId }: { readonly proofId: string }): Promise<void> =>
      failing(() => commands.beginProof(db, proofId)),

    provePage: (page: ProofPage): Promise<Next> => failing(() => provePage(deps, page)),

    finishProof: ({ proofId }: { readonly proofId: string }): Promise<FleetProofReport> =>
      failing(async () => {
        const { proof, clean } = await commands.finishProof(db, proofId);
        await Promise.all(
          clean.map(async ({ type, id }) => {
            if (type === 'rental') await rentals.attend(id, null);
            if (type === 'transfer') await transfers.attend(id, null);
          }),
        );
        const { workflows, vehicles, differences } = proof;
        const seen = { rentals: proof.rentals, workflows, vehicles };
        return { proofId, ...seen, differences: differences ?? 0 };
      }),
  };
}

function provePage(deps: ProofDeps, page: ProofPage): Promise<Next> {
  switch (page.phase) {
    case 'rentals':
      return proveRentals(deps, page);
    case 'workflows':
      return proveWorkflows(deps, page);
    case 'vehicles':
      return proveVehicles(deps, page);
    case 'quotes':
      return proveQuotes(deps, page);
    case 'transfers':
      return proveTransfers(deps, page);
    case 'transfer-workflows':
      return proveTransferWorkflows(deps, page);
    case 'settle':
      return settle(deps, page);
    default:
      return page.phase satisfies never;
  }
}

/** Rentals that did not change since the last proof are compared with what the server lists. */
async function proveRentals({ db, rentals }: ProofDeps, page: ProofPage): Promise<Next> {
  const rows = await readRentals(db, { after: page.after, limit: PAGE });
  const last = await lastProofStart(db);
  const since = last === null ? 0 : Date.parse(last) - OVERLAP_MS;
  const listed = await rentals.runningAmong(rows.map(({ id }) => id));
  const doubts: Subject[] = [];
  for (const one of rows) {
    if (await isDoubtful(rentals, one, listed.get(one.id), since)) {
      doubts.push({ type: 'rental', id: one.id });
    }
  }
  const count = rows.filter(({ rental }) => isOpen(rental)).length;
  await commands.notePage(db, page.proofId, { seen: 'rentals', count, doubts });
  return nextAfter(rows);
}

async function isDoubtful(
  rentals: RentalWorkflows,
  { id, rental, span }: RentalAndSpan,
  listed: Shown | undefined,
  since: number,
): Promise<boolean> {
  const now = new Date().toISOString();
  const isExact = rental !== null && Date.parse(rental.changedAt) >= since;
  const workflow = isExact ? await rentals.sideOf(id) : seenAs(listed, rental?.version ?? 0);
  return compareRental({ id, rental, span, workflow }, now).length > 0;
}

/** What is listed has no version: it is taken to be that of the row. */
function seenAs(listed: Shown | undefined, version: number): WorkflowSide | null {
  if (listed === undefined) return null;
  return { status: listed.status ?? 'unknown', version, vehicleId: listed.vehicleId };
}

/** The other way round: every workflow that runs has an open rental. */
async function proveWorkflows({ db, rentals }: ProofDeps, page: ProofPage): Promise<Next> {
  const { ids, next } = await rentals.listRunning(page.after);
  const open = await openAmong(db, ids);
  const doubts = ids.filter((id) => !open.has(id)).map((id) => ({ type: 'rental', id }) as const);
  await commands.notePage(db, page.proofId, { seen: 'workflows', count: ids.length, doubts });
  return { next };
}

async function proveVehicles({ db }: ProofDeps, page: ProofPage): Promise<Next> {
  const rows = await readVehicles(db, { after: page.after, limit: PAGE });
  const doubts = rows.flatMap((row) => compareVehicle(row)).map(({ subject }) => subject);
  await commands.notePage(db, page.proofId, { seen: 'vehicles', count: rows.length, doubts });
  return nextAfter(rows);
}

async function proveQuotes({ db }: ProofDeps, page: ProofPage): Promise<Next> {
  const rows = await readQuotes(db, { after: page.after, limit: PAGE });
  const doubts = rows.map(({ id }) => ({ type: 'quote', id }) as const);
  await commands.notePage(db, page.proofId, { seen: null, count: rows.length, doubts });
  return nextAfter(rows);
}

/** `after` is `<type>/<id>`: what is still wrong after the grace is a difference. */
async function settle(deps: ProofDeps, { proofId, after }: ProofPage): Promise<Next> {
  const [type = 'rental', id = null] = (after?.split('/') ?? []) as [SubjectType?, string?];
  const ids = await readDoubts(deps.db, proofId, type, id || null, PAGE);
  const found = await stillWrong(deps, type, ids);
  await commands.recordDifferences(deps.db, found);
  await tell('rental', deps.rentals, found);
  await tell('transfer', deps.transfers, found);
  const last = ids.at(-1);
  if (ids.length === PAGE && last !== undefined) return { next: `${type}/${last}` };
  const following = SUBJECTS[SUBJECTS.indexOf(type) + 1];
  return { next: following === undefined ? null : `${following}/` };
}

async function stillWrong(
  deps: ProofDeps,
  type: SubjectType,
  ids: readonly string[],
): Promise<readonly Difference[]> {
  const now = new Date().toISOString();
  if (ids.length === 0) return [];
  switch (type) {
    case 'vehicle':
      return (await readVehicles(deps.db, { ids })).flatMap(compareVehicle);
    case 'quote':
      return (await readQuotes(deps.db, { ids })).flatMap((quote) => compareQuote(quote, now));
    case 'transfer':
      return transfersStillWrong(deps, ids);
    case 'rental':
      return rentalsStillWrong(deps, ids, now);
    default:
      return type satisfies never;
  }
}

async function rentalsStillWrong(
  { db, rentals }: ProofDeps,
  ids: readonly string[],
  now: string,
): Promise<readonly Difference[]> {
  const found: Difference[] = [];
  for (const { id, rental, span } of await readRentals(db, { ids })) {
    const workflow = await rentals.sideOf(id);
    found.push(...compareRental({ id, rental, span, workflow }, now));
  }
  return found;
}

/** Those of `type` show that a person has to look. */
async function tell(
  type: SubjectType,
  workflows: WatchedWorkflows,
  found: readonly Difference[],
): Promise<void> {
  const kinds = new Map<string, string[]>();
  for (const { kind, subject } of found) {
    if (subject.type !== type) continue;
    kinds.set(subject.id, [...(kinds.get(subject.id) ?? []), kind]);
  }
  for (const [id, all] of kinds) await workflows.attend(id, all.join(', '));
}

function nextAfter(rows: readonly { readonly id: string }[]): Next {
  return { next: rows.length < PAGE ? null : (rows.at(-1)?.id ?? null) };
}

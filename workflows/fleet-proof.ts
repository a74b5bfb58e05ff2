// The nightly proof: compares rentals, calendar, workflows and vehicles page by page, then reports.
import {
  type ActivityOptions,
  continueAsNew,
  patched,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  sleep,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import {
  type FleetProofInput,
  type FleetProofReport,
  PHASES,
  type ProofPage,
  progress,
} from './fleet-proof.messages.ts';

/** Hundreds of rows and, where it doubts, as many questions to workflows. Harmless to repeat. */
const onePage = {
  startToCloseTimeout: '2 min',
  retry: { initialInterval: '1 s', backoffCoefficient: 2, maximumInterval: '1 min' },
} as const satisfies ActivityOptions;

const { beginProof, provePage, finishProof } = proxyActivities<Activities>(onePage);

/** Visibility is some seconds behind; a command takes less than a minute to be in all places. */
const GRACE_SECONDS = 120;
/** Three events a page: far below where a history gets long. */
const PAGES_PER_RUN = 500;

export async function fleetProof(input: FleetProofInput = {}): Promise<FleetProofReport> {
  const { graceSeconds = GRACE_SECONDS, pagesPerRun = PAGES_PER_RUN } = input;
  let page: ProofPage = input.carried ?? first(input.proofId ?? uuid4());
  setHandler(progress, () => page, { description: 'The page that it reads now.' });
  if (input.carried === undefined) await beginProof({ proofId: page.proofId });
  for (let read = 0; ; read += 1) {
    if (read >= pagesPerRun || workflowInfo().continueAsNewSuggested) {
      await continueAsNew<typeof fleetProof>({ ...input, carried: page });
    }
    const { next } = await provePage.executeWithOptions({ summary: page.phase }, [page]);
    const following = next === null ? phaseAfter(page) : { ...page, after: next };
    if (following === null) break;
    if (following.phase === 'settle' && page.phase !== 'settle') {
      await sleep(graceSeconds * 1_000, { summary: 'what looks wrong may come right' });
    }
    page = following;
  }
  const report = await finishProof({ proofId: page.proofId });
  setCurrentDetails(detailsOf(report));
  return report;
}

function first(proofId: string): ProofPage {
  return { proofId, phase: 'rentals', after: null };
}

/** For runs that began before transfers were looked at. */
const BEFORE_TRANSFERS = PHASES.filter((phase) => !phase.startsWith('transfer'));

function phaseAfter({ proofId, phase }: ProofPage): ProofPage | null {
  const phases = patched('transfers') ? PHASES : BEFORE_TRANSFERS;
  const next = phases[phases.indexOf(phase) + 1];
  return next === undefined ? null : { proofId, phase: next, after: null };
}

/** Markdown for the Web UI's workflow page. */
function detailsOf(report: FleetProofReport): string {
  const rows = Object.entries(report).map(([name, value]) => `| ${name} | ${value} |`);
  return ['| Proof | |', '|---|---|', ...rows].join('\n');
}

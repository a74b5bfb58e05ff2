// One story for each path through a proof of the fleet: what replay's histories are recorded from.
import type { Activities } from '../../activities/index.ts';
import type { FleetProofInput, ProofPage } from '../../workflows/fleet-proof.messages.ts';
import type { fleetProof } from '../../workflows/fleet-proof.ts';
import type { Desk } from '../support/workflow-desk.ts';

export type ProofStory = {
  readonly name: string;
  readonly input: Omit<FleetProofInput, 'proofId'>;
};

export const FLEET_PROOFS: readonly ProofStory[] = [
  { name: 'proved', input: {} },
  { name: 'continued', input: { pagesPerRun: 4, graceSeconds: 60 } },
  // Recorded when transfers were looked at; those above are older.
  { name: 'proved-with-transfers', input: {} },
];

type Effects = Pick<Activities, 'beginProof' | 'provePage' | 'finishProof'>;

/** Two pages a phase; `read` gets each page as it is asked for. */
export function fakeProof(read: (page: ProofPage) => void = () => undefined): Effects {
  return {
    beginProof: async () => undefined,
    provePage: async (page) => {
      read(page);
      return { next: page.after === null ? 'second' : null };
    },
    finishProof: async ({ proofId }) => {
      return { proofId, rentals: 2, workflows: 2, vehicles: 2, differences: 0 };
    },
  };
}

export async function tellProof(desk: Desk, { input }: ProofStory, proofId: string) {
  const handle = await desk.client.workflow.start<typeof fleetProof>('fleetProof', {
    workflowId: `fleet-proof/${proofId}`,
    taskQueue: desk.taskQueue,
    args: [{ ...input, proofId }],
  });
  return { handle, firstRun: handle.firstExecutionRunId, report: await handle.result() };
}

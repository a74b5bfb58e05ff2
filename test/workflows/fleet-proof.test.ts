// The proof's workflow: every page of every phase once, a grace before it settles, and many runs.
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, expect, test } from 'vitest';
import { PHASES, type ProofPage } from '../../workflows/fleet-proof.messages.ts';
import { fakeProof, tellProof } from '../replay/fleet-proofs.ts';
import { realServer, withWorker } from '../support/temporal.ts';
import type { Place } from '../support/workflow-desk.ts';

const GRACE_MS = 1_000;
let place: Place;
beforeAll(async () => {
  place = await realServer('proof');
});

test.each([
  { name: 'in one run', runs: 1, pagesPerRun: 500 },
  { name: 'in several runs', runs: 2, pagesPerRun: 4 },
])('$name: each page once and in order, settled after the grace', async (story) => {
  const pages: ProofPage[] = [];
  const times: number[] = [];
  const effects = fakeProof((page) => {
    pages.push(page);
    times.push(Date.now());
  });
  const proofId = uuidv7();
  const input = { graceSeconds: GRACE_MS / 1_000, pagesPerRun: story.pagesPerRun };
  await withWorker(place, effects, async (desk) => {
    const told = await tellProof(desk, { name: story.name, input }, proofId);
    expect(told.report).toMatchObject({ proofId, differences: 0 });
    const { runId } = await told.handle.describe();
    expect(runId === told.firstRun).toBe(story.runs === 1);
  });
  expect(pages).toEqual(
    PHASES.flatMap((phase) => [null, 'second'].map((after) => ({ proofId, phase, after }))),
  );
  const settling = pages.findIndex(({ phase }) => phase === 'settle');
  const waited = (times[settling] ?? 0) - (times[settling - 1] ?? 0);
  expect(waited).toBeGreaterThanOrEqual(GRACE_MS);
});

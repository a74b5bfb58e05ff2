// A recall's life: held and told at once, grounded at the deadline, whatever the mail server does.
import { randomUUID } from 'node:crypto';
import type { WorkflowUpdateFailedError } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { beforeAll, expect, test, vi } from 'vitest';
import { recallState } from '../../workflows/recall.messages.ts';
import type { recall } from '../../workflows/recall.ts';
import { enterNotice, RECALLS, type RecallEffects, tellChange } from '../replay/recalls.ts';
import { type Desk, timeSkippingServer, withWorker } from '../support/temporal.ts';

const HOUR_MS = 3_600_000;
let env: TestWorkflowEnvironment;
beforeAll(async () => {
  env = await timeSkippingServer();
});

/** Runs a story with its effects, some of them replaced; `done` are the effects in their order. */
async function tell(
  name: string,
  over: Partial<RecallEffects>,
  story: (desk: Desk, recallId: string, done: readonly string[]) => Promise<void>,
): Promise<void> {
  const recallId = randomUUID();
  const told = { recallId, now: Number(await env.currentTimeMs()) };
  const effects = RECALLS.find((one) => one.name === name)?.effects(told);
  const done: string[] = [];
  const noting = Object.fromEntries(
    Object.entries({ ...effects, ...over }).map(([effect, work]) => [
      effect,
      async (...given: readonly unknown[]) => {
        const result = await (work as (...args: readonly unknown[]) => Promise<unknown>)(...given);
        done.push(effect);
        return result;
      },
    ]),
  );
  const { connection, nativeConnection } = env;
  const place = { connection, nativeConnection, namespace: 'default' };
  await withWorker(place, noting, (desk) => story(desk, recallId, done));
}

function handleOf({ client }: Desk, recallId: string) {
  return client.workflow.getHandle<typeof recall>(`recall/${recallId}`);
}

test('vehicles are held and renters told at once, and again at the deadline', async () => {
  await tell('grounded', {}, async (desk, recallId, done) => {
    expect(await enterNotice(desk, recallId)).toMatchObject({ status: 'noticed', vehicles: 3 });
    await env.sleep(23 * HOUR_MS);
    expect(done).toEqual(['openRecall', 'clearRecalled', 'notifyRenters']);
    expect(await handleOf(desk, recallId).query(recallState)).toMatchObject({ status: 'noticed' });
    await env.sleep(2 * HOUR_MS);
    expect(await handleOf(desk, recallId).result()).toMatchObject({ status: 'grounded' });
    expect(done.slice(3)).toEqual(['groundRecall', 'clearRecalled', 'notifyRenters']);
  });
});

test('a mail server that is down does not keep the deadline waiting', async () => {
  let isDown = true;
  const notifyRenters = async () => {
    if (isDown) throw new Error('down');
    return { notified: 1 };
  };
  await tell('grounded', { notifyRenters }, async (desk, recallId, done) => {
    await enterNotice(desk, recallId);
    await env.sleep(25 * HOUR_MS);
    await vi.waitFor(() => expect(done).toContain('groundRecall'), 10_000);
    isDown = false;
    await env.sleep(HOUR_MS);
    await handleOf(desk, recallId).result();
    expect(done.filter((effect) => effect === 'notifyRenters')).toHaveLength(2);
  });
});

test('a deadline that is moved is another timer: earlier at once, later not before', async () => {
  await tell('grounded', {}, async (desk, recallId, done) => {
    const { deadlineAt } = await enterNotice(desk, recallId);
    const later = new Date(Date.parse(deadlineAt) + 10 * HOUR_MS).toISOString();
    expect(await tellChange(desk, recallId, { hardFrom: later })).toMatchObject({ hardAt: later });
    await env.sleep(25 * HOUR_MS);
    expect(done).not.toContain('groundRecall');
    await env.sleep(10 * HOUR_MS);
    await handleOf(desk, recallId).result();
    expect(done).toContain('groundRecall');
  });
  await tell('grounded', {}, async (desk, recallId, done) => {
    const { deadlineAt } = await enterNotice(desk, recallId);
    const sooner = new Date(Date.parse(deadlineAt) - 20 * HOUR_MS).toISOString();
    await tellChange(desk, recallId, { hardFrom: sooner });
    await env.sleep(5 * HOUR_MS);
    await handleOf(desk, recallId).result();
    expect(done).toContain('groundRecall');
  });
});

test('with an interim remedy there is no deadline to wait for', async () => {
  await tell('interim-remedy', {}, async (desk, recallId, done) => {
    await enterNotice(desk, recallId);
    expect(await handleOf(desk, recallId).result()).toMatchObject({ hardAt: null });
    expect(done).toEqual(['openRecall', 'clearRecalled', 'notifyRenters']);
  });
});

test('a refusal is told, and nothing is done', async () => {
  await tell('refused', {}, async (desk, recallId, done) => {
    const refused = await enterNotice(desk, recallId).catch((error: unknown) => error);
    expect((refused as WorkflowUpdateFailedError).cause).toMatchObject({ type: 'duplicate' });
    expect(await handleOf(desk, recallId).result()).toBeNull();
    expect(done).toEqual([]);
  });
});

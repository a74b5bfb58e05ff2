// An erasure's life: contacts at once, the name when the invoices' time is over, whatever comes between.
import { randomUUID } from 'node:crypto';
import { WithStartWorkflowOperation, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { beforeAll, expect, test, vi } from 'vitest';
import type { Activities } from '../../activities/index.ts';
import type { ErasureState } from '../../domain/erasure.ts';
import { erasureStartOptions } from '../../temporal-config/starts.ts';
import { begin, erasureState } from '../../workflows/erasure.messages.ts';
import type { erasure } from '../../workflows/erasure.ts';
import { type Desk, envelope, timeSkippingServer, withWorker } from '../support/temporal.ts';

// The server that skips time ends workflows after ten years; the real one never does.
const YEAR_MS = 366 * 24 * 3_600_000;
let env: TestWorkflowEnvironment;

beforeAll(async () => {
  env = await timeSkippingServer();
});

type Story = (
  ask: () => Promise<ErasureState>,
  handle: () => ReturnType<typeof handleOf>,
) => Promise<void>;

/** Runs `story` with these effects instead of the database's. */
function tell(effects: Partial<Activities>, customerId: string, story: Story): Promise<void> {
  const { connection, nativeConnection } = env;
  const place = { connection, nativeConnection, namespace: 'default' };
  return withWorker(place, effects, (desk) =>
    story(
      () => ask(desk, customerId),
      () => handleOf(desk, customerId),
    ),
  );
}

function ask(desk: Desk, customerId: string): Promise<ErasureState> {
  const start = new WithStartWorkflowOperation<typeof erasure>(
    'erasure',
    erasureStartOptions(customerId, desk.taskQueue),
  );
  const commandId = randomUUID();
  return desk.client.workflow.executeUpdateWithStart(begin, {
    args: [envelope(commandId, { customerId, approvalId: randomUUID() })],
    updateId: commandId,
    startWorkflowOperation: start,
  });
}

function handleOf(desk: Desk, customerId: string) {
  return desk.client.workflow.getHandle<typeof erasure>(`erasure/${customerId}`);
}

test('without invoices the name goes too, right away', async () => {
  const customerId = randomUUID();
  const erased: ErasureState = { customerId, status: 'erased', keptUntil: null };
  await tell(
    {
      eraseContacts: async () => ({ ...erased, status: 'contacts-erased' }),
      eraseName: async () => erased,
    },
    customerId,
    async (askFor, handle) => {
      expect(await askFor()).toMatchObject({ status: 'contacts-erased' });
      expect(await handle().result()).toEqual(erased);
    },
  );
});

test('an invoice keeps the name for years, and a newer one for longer', async () => {
  const customerId = randomUUID();
  const start = Number(await env.currentTimeMs());
  const until = (years: number) => new Date(start + years * YEAR_MS).toISOString();
  const keeping = [until(6), until(7), null];
  const looks: number[] = [];
  await tell(
    {
      eraseContacts: async () => ({
        customerId,
        status: 'contacts-erased',
        keptUntil: keeping.shift() ?? null,
      }),
      eraseName: async () => {
        looks.push((Number(await env.currentTimeMs()) - start) / YEAR_MS);
        const keptUntil = keeping.shift() ?? null;
        return { customerId, status: keptUntil === null ? 'erased' : 'contacts-erased', keptUntil };
      },
    },
    customerId,
    async (askFor, handle) => {
      await askFor();
      expect(await handle().query(erasureState)).toMatchObject({ keptUntil: until(6) });
      await env.sleep(6 * YEAR_MS + 60_000);
      await vi.waitFor(() => expect(looks).toHaveLength(1), 10_000);
      await env.sleep(YEAR_MS);
      expect((await handle().result())?.status).toBe('erased');
    },
  );
  expect(looks.map(Math.floor)).toEqual([6, 7]);
});

test('a refusal is told and ends it; asked again later, it begins anew', async () => {
  const customerId = randomUUID();
  let isRenting = true;
  await tell(
    {
      eraseContacts: async () => {
        if (isRenting) throw ApplicationFailure.nonRetryable('open rental', 'resource-in-use');
        return { customerId, status: 'contacts-erased', keptUntil: null };
      },
      eraseName: async () => ({ customerId, status: 'erased', keptUntil: null }),
    },
    customerId,
    async (askFor, handle) => {
      const refused = await askFor().catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(WorkflowUpdateFailedError);
      expect((refused as WorkflowUpdateFailedError).cause).toMatchObject({
        type: 'resource-in-use',
      });
      expect(await handle().result()).toBeNull();
      isRenting = false;
      await askFor();
      expect((await handle().result())?.status).toBe('erased');
    },
  );
});

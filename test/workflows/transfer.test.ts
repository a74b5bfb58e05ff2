// A transfer's life: who is late is marked each hour, and a drive that nobody began ends by itself.
import { randomUUID } from 'node:crypto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { beforeAll, expect, test } from 'vitest';
import type { RecordTransfer } from '../../activities/transfers.ts';
import type { TransferState } from '../../domain/transfer.ts';
import {
  TRANSFERS,
  type TransferStory,
  tellTransfer,
  transferEffects,
  VOID_AT_DEPARTURE,
} from '../replay/transfers.ts';
import { timeSkippingServer, withWorker } from '../support/temporal.ts';

const HOUR_MS = 3_600_000;
let env: TestWorkflowEnvironment;
beforeAll(async () => {
  env = await timeSkippingServer();
}, 60_000);

type Asked = { readonly hours: number; readonly asked: RecordTransfer };

/** Plays the story; answers how it ended, and what was asked of the database, hours after the plan. */
async function play(
  name: string,
): Promise<{ readonly ended: TransferState | null; readonly asked: readonly Asked[] }> {
  const story = [...TRANSFERS, VOID_AT_DEPARTURE].find((one) => one.name === name) as TransferStory;
  const told = { id: randomUUID(), now: Number(await env.currentTimeMs()) };
  const clock = async () => Number(await env.currentTimeMs());
  const effects = transferEffects(story, told, clock);
  const seen: Asked[] = [];
  const recordTransfer = async (asked: RecordTransfer) => {
    seen.push({ hours: Math.round(((await clock()) - told.now) / HOUR_MS), asked });
    return effects.recordTransfer(asked);
  };
  const { connection, nativeConnection } = env;
  const place = { connection, nativeConnection, namespace: 'default' };
  let ended: TransferState | null = null;
  const activities = { ...effects, recordTransfer };
  await withWorker(place, activities, async (desk) => {
    ({ ended } = await tellTransfer(desk, story, told, (duration) => env.sleep(duration)));
  });
  return { ended, asked: seen };
}

const said = (asked: readonly Asked[]) => asked.map((a) => [a.hours, a.asked.command.type]);

test('planned, driven and arrived in time, the clock does nothing', {
  timeout: 60_000,
}, async () => {
  const { ended, asked } = await play('arrived');
  expect(ended?.status).toBe('arrived');
  expect(said(asked)).toEqual([
    [1, 'depart'],
    [3, 'arrive'],
  ]);
});

test('not back an hour after its time, it is marked overdue, and again each hour', {
  timeout: 60_000,
}, async () => {
  const { ended, asked } = await play('overdue');
  expect(said(asked)).toEqual([
    [1, 'depart'],
    [4, 'markOverdue'],
    [5, 'markOverdue'],
    [6, 'markOverdue'],
    [7, 'markOverdue'],
    [7, 'arrive'],
  ]);
  expect(ended).toMatchObject({ status: 'arrived', overdue: false });
  const ids = asked.map((a) => a.asked.commandId);
  expect(new Set(ids).size).toBe(ids.length);
  expect(asked[1]?.asked.actor).toEqual({ kind: 'system', id: 'transfer' });
});

test('nobody drives it: marked an hour after its departure, and over at its arrival', {
  timeout: 60_000,
}, async () => {
  const { ended, asked } = await play('not-departed');
  expect(said(asked)).toEqual([
    [2, 'markOverdue'],
    [3, 'cancel'],
  ]);
  expect(ended).toMatchObject({ status: 'cancelled', cancelReason: 'not-departed' });
});

test('given up by the calendar, it ends, and the driver hears why', {
  timeout: 60_000,
}, async () => {
  expect((await play('void-at-departure')).ended).toMatchObject({
    status: 'cancelled',
    cancelReason: 'void',
  });
});

test('refused, it ends without a ticket', { timeout: 60_000 }, async () => {
  expect(await play('refused')).toEqual({ ended: null, asked: [] });
});

test('late for long, it goes on in a new run and misses nothing', { timeout: 60_000 }, async () => {
  const { ended, asked } = await play('continued');
  expect(ended?.status).toBe('arrived');
  expect(said(asked).filter(([, type]) => type === 'markOverdue')).toHaveLength(7);
});

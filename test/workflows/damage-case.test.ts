// A damage case's life: what nobody estimates or answers in time is marked, a dispute stops it, its end closes the rental.
import { randomUUID } from 'node:crypto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { beforeAll, expect, test } from 'vitest';
import type { RecordDamage } from '../../activities/damage-cases.ts';
import type { CaseState } from '../../domain/damage-case.ts';
import { searchAttributes } from '../../temporal-config/names.ts';
import { charge } from '../../workflows/damage-case.messages.ts';
import { checkIn, checkOut, damageEnded, state } from '../../workflows/rental.messages.ts';
import { CASES, type CaseStory, caseEffects, tellCase } from '../replay/damage-cases.ts';
import { fakeRentals, refusal } from '../support/rental-fakes.ts';
import { envelope, timeSkippingServer, withWorker } from '../support/temporal.ts';

const HOUR_MS = 3_600_000;
let env: TestWorkflowEnvironment;
beforeAll(async () => {
  env = await timeSkippingServer();
}, 60_000);

type Asked = { readonly hours: number; readonly asked: RecordDamage };

/** Plays the story; answers how it ended, and what was asked, in hours after the report. */
async function play(name: string, change: (story: CaseStory) => CaseStory = (story) => story) {
  const story = change(CASES.find((one) => one.name === name) as CaseStory);
  const clock = async () => Number(await env.currentTimeMs());
  const told = { id: randomUUID(), now: await clock() };
  const effects = caseEffects(story, told, clock);
  const seen: Asked[] = [];
  const recordDamage = async (asked: RecordDamage) => {
    seen.push({ hours: Math.floor(((await clock()) - told.now) / HOUR_MS), asked });
    return effects.recordDamage(asked);
  };
  const { connection, nativeConnection } = env;
  const place = { connection, nativeConnection, namespace: 'default' };
  let ended: CaseState | null = null;
  const activities = { ...effects, recordDamage };
  await withWorker(place, activities, async (desk) => {
    ({ ended } = await tellCase(desk, story, told, (duration) => env.sleep(duration)));
  });
  return {
    ended: ended as CaseState | null,
    said: seen.map((a) => [a.hours, a.asked.command.type]),
    seen,
  };
}

test('answered in time it is charged, and the clock does nothing', {
  timeout: 60_000,
}, async () => {
  const { ended, said } = await play('charged');
  expect(ended).toMatchObject({ status: 'settled', attention: null });
  expect(said).toEqual([
    [0, 'estimate'],
    [0, 'agree'],
    [0, 'charge'],
    [0, 'settle'],
  ]);
});

test('is marked once when the estimate, then the answer is due; a dispute stops the charge', {
  timeout: 60_000,
}, async () => {
  let refusal = '';
  const tries: CaseStory['steps'][number] = async ({ handle }) => {
    const asked = handle.executeUpdate(charge, { args: [envelope('c-charge', {})] });
    refusal = await asked.then(() => 'charged').catch((error) => error.cause?.type);
  };
  const { ended, said, seen } = await play('nobody-answers', (story) => {
    const steps = [...story.steps];
    steps.splice(4, 0, tries);
    return { ...story, steps };
  });
  expect(said).toEqual([
    [72, 'markDue'],
    [72, 'estimate'],
    [408, 'markDue'],
    [408, 'dispute'],
    [408, 'waive'],
    [408, 'settle'],
  ]);
  expect(refusal).toBe('invalid-state');
  expect(seen[0]?.asked.actor).toEqual({ kind: 'system', id: 'damage-case' });
  expect(ended).toMatchObject({ status: 'settled', waiveReason: 'goodwill' });
});

test('goes on in a new run and answers repeats, or ends when it was refused', {
  timeout: 60_000,
}, async () => {
  const { ended, said } = await play('continued');
  expect(ended?.status).toBe('settled');
  expect(said).toHaveLength(4);
  expect(await play('refused')).toMatchObject({ ended: null, said: [] });
});

test('a rental closes when its last damage ends, or a day later when nobody said so', {
  timeout: 60_000,
}, async () => {
  let isOpen = true;
  let first: 'payment-unsettled' | null = 'payment-unsettled';
  const clock = async () => Number(await env.currentTimeMs());
  const waits = () => {
    const code = first ?? 'damage-open';
    first = null;
    return isOpen ? refusal(code) : undefined;
  };
  const refuse = (type: string) => (type === 'close' ? waits() : undefined);
  const fakes = fakeRentals({ now: clock, refuse });
  const { connection, nativeConnection } = env;
  await withWorker(
    { connection, nativeConnection, namespace: 'default' },
    fakes.activities,
    async (desk) => {
      const returned = async () => {
        const [id, start] = [randomUUID(), await clock()];
        const [pickUpAt = '', dueAt = ''] = [1, 25].map((h) =>
          new Date(start + h * HOUR_MS).toISOString(),
        );
        const customerId = randomUUID();
        await desk.reserve({ id, branchId: 'VIE', classId: 'CDMR', customerId, pickUpAt, dueAt });
        const handle = desk.rental(id);
        const reading = { odometerKm: 10_000, fuelEighths: 8 };
        await handle.executeUpdate(checkOut, { args: [envelope(`out-${id}`, reading)] });
        const back = { ...reading, branchId: 'VIE' };
        await handle.executeUpdate(checkIn, { args: [envelope(`in-${id}`, back)] });
        await env.sleep(2 * HOUR_MS);
        return handle;
      };
      const told = await returned();
      expect(fakes.calls()).toBe(5);
      // What troubled it before is not what it waits for now.
      const { typedSearchAttributes: shown } = await told.describe();
      expect(shown.get(searchAttributes.needsAttention)).toBe(false);
      await told.signal(damageEnded);
      await env.sleep(2 * HOUR_MS);
      expect(fakes.calls()).toBe(6);
      expect((await told.query(state))?.status).toBe('returned');
      isOpen = false;
      await told.signal(damageEnded);
      expect(await told.result()).toMatchObject({ status: 'closed' });
      isOpen = true;
      const untold = await returned();
      isOpen = false;
      await env.sleep(23 * HOUR_MS);
      expect(await untold.result()).toMatchObject({ status: 'closed' });
    },
  );
  expect(fakes.recorded.filter(({ type }) => type === 'close')).toHaveLength(2);
});

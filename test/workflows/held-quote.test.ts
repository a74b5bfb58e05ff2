// A held quote's life: it ends at its time to the minute, when it is released, or as accepted.
import { randomUUID } from 'node:crypto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { beforeAll, expect, test } from 'vitest';
import type { EndQuote } from '../../activities/quotes.ts';
import type { QuoteStatus } from '../../domain/held-quote.ts';
import { HELD_QUOTES, type QuoteStory, tellQuote } from '../replay/held-quotes.ts';
import { timeSkippingServer, withWorker } from '../support/temporal.ts';

let env: TestWorkflowEnvironment;
beforeAll(async () => {
  env = await timeSkippingServer();
}, 60_000);

type Ending = { readonly at: number; readonly asked: EndQuote };

/** Plays the story; answers how it ended, and what was asked of the database. */
async function play(
  name: string,
): Promise<{ status: QuoteStatus | null; endings: readonly Ending[] }> {
  const story = HELD_QUOTES.find((one) => one.name === name) as QuoteStory;
  const endings: Ending[] = [];
  const told = { id: randomUUID(), now: Number(await env.currentTimeMs()) };
  const effects = story.effects(told);
  const endQuote = async (asked: EndQuote) => {
    endings.push({ at: Number(await env.currentTimeMs()) - told.now, asked });
    return effects.endQuote(asked);
  };
  const { connection, nativeConnection } = env;
  const place = { connection, nativeConnection, namespace: 'default' };
  let status: QuoteStatus | null = null;
  const activities = { ...effects, endQuote };
  await withWorker(place, activities, async (desk) => {
    const handle = await tellQuote(desk, story, told, (duration) => env.sleep(duration));
    status = (await handle.result())?.status ?? null;
  });
  return { status, endings };
}

test('at the end of its time its vehicle is given back', { timeout: 60_000 }, async () => {
  const { status, endings } = await play('expired');
  expect([status, endings.length]).toEqual(['expired', 1]);
  expect(endings[0]?.asked).toMatchObject({ status: 'expired', actor: { kind: 'system' } });
  expect(endings[0]?.at).toBeGreaterThanOrEqual(15 * 60_000);
  expect(endings[0]?.at).toBeLessThan(16 * 60_000);
});

test('released, it ends at once, by the person who did it', { timeout: 60_000 }, async () => {
  const { status, endings } = await play('released');
  expect(status).toBe('released');
  expect(endings.map(({ asked }) => [asked.status, asked.actor.kind])).toEqual([
    ['released', 'staff'],
  ]);
});

test('accepted meanwhile, it ends as accepted', { timeout: 60_000 }, async () => {
  expect((await play('accepted')).status).toBe('accepted');
});

test('refused, it ends without having held anything', { timeout: 60_000 }, async () => {
  expect(await play('refused')).toEqual({ status: null, endings: [] });
});

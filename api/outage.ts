// Tells callers who wait that the workflow service is gone: one probe for all of them, not one each.
import type { Client } from '@temporalio/client';
import { temporalAnswers } from '../temporal-config/connection.ts';
import { ProblemError } from './problems.ts';

/** While anybody waits we look up this often, and ask the server when somebody waits for long. */
const LOOK_UP_MS = 1_500;
/** Under load many commands take longer, so what it costs to ask does not grow with their number. */
const SUSPICIOUS_MS = 750;
/** One lost probe may be a busy moment; two in a row are an outage. */
const MISSED_PROBES = 2;

type Waiter = { readonly since: number; readonly refuse: (problem: ProblemError) => void };
type Watch = { readonly waiters: Set<Waiter>; missed: number; probing: boolean };

const watches = new WeakMap<Client, Watch>();

/**
 * What `answer` resolves to. Rejects with `service-unavailable` when the server does not answer
 * meanwhile: the outcome is unknown then, and `answer` goes on without anybody to wait for it.
 */
export function unlessDown<T>(client: Client, answer: Promise<T>): Promise<T> {
  const watch = watchOf(client);
  return new Promise((resolve, reject) => {
    const waiter = { since: performance.now(), refuse: reject };
    watch.waiters.add(waiter);
    if (!watch.probing) void keepProbing(client, watch);
    void answer.then(resolve, reject).finally(() => watch.waiters.delete(waiter));
  });
}

function watchOf(client: Client): Watch {
  const known = watches.get(client);
  if (known !== undefined) return known;
  const watch = { waiters: new Set<Waiter>(), missed: 0, probing: false };
  watches.set(client, watch);
  return watch;
}

/** Runs while somebody waits; asks the server only when somebody has waited for long. */
async function keepProbing(client: Client, watch: Watch): Promise<void> {
  watch.probing = true;
  watch.missed = 0;
  while (watch.waiters.size > 0) {
    // Unreferenced: a process that stops does not wait for it.
    await new Promise<void>((resolve) => void setTimeout(resolve, LOOK_UP_MS).unref());
    if (!hasWaitedLong(watch)) continue;
    watch.missed = (await temporalAnswers(client)) ? 0 : watch.missed + 1;
    if (watch.missed >= MISSED_PROBES) refuseAll(watch);
  }
  watch.probing = false;
}

/** Those who wait longest come first. */
function hasWaitedLong({ waiters }: Watch): boolean {
  const [first] = waiters;
  return first !== undefined && performance.now() - first.since >= SUSPICIOUS_MS;
}

function refuseAll({ waiters }: Watch): void {
  for (const waiter of waiters) {
    waiter.refuse(
      new ProblemError(
        'service-unavailable',
        'The workflow service cannot be reached. Repeat with the same Idempotency-Key.',
        { headers: { 'retry-after': '1' } },
      ),
    );
  }
  waiters.clear();
}

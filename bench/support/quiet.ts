// Latencies of this machine, not of its neighbours: what other guests of the host take is told apart.
import { readFile } from 'node:fs/promises';
import { percentile, progress, rounded } from './measure.ts';

const LEGS = 3;
const MAX_LEGS = 9;
/** Of the time of all cores. A machine of one's own has none. */
const QUIET_SHARE = 0.02;

type Leg = { readonly latenciesMs: readonly number[]; readonly stolen: number };

/**
 * Runs `leg` until three legs were quiet, at most nine times, and answers the latencies of the three
 * that lost least to other guests, whatever they measured.
 */
export async function quietLatencies(
  name: string,
  leg: () => Promise<readonly number[]>,
): Promise<readonly number[]> {
  const legs: Leg[] = [];
  const quiet = () => legs.filter(({ stolen }) => stolen <= QUIET_SHARE).length;
  while (quiet() < LEGS && legs.length < MAX_LEGS) {
    const { result: latenciesMs, stolen } = await withStolenShare(leg);
    legs.push({ latenciesMs, stolen });
    progress(
      `${name}: p50 ${rounded(percentile(latenciesMs, 50))} ms, ` +
        `p99 ${rounded(percentile(latenciesMs, 99))} ms, ${rounded(stolen * 100)} % stolen`,
    );
  }
  const kept = legs.toSorted((a, b) => a.stolen - b.stolen).slice(0, LEGS);
  return kept.flatMap(({ latenciesMs }) => latenciesMs);
}

/** What `work` answers, and which share of the time of all cores other guests took meanwhile. */
export async function withStolenShare<T>(
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly stolen: number }> {
  const before = await cpuTimes();
  const result = await work();
  const after = await cpuTimes();
  return { result, stolen: (after.stolen - before.stolen) / (after.all - before.all || 1) };
}

/** Linux tells it in the first line of /proc/stat; elsewhere nothing counts as stolen. */
async function cpuTimes(): Promise<{ readonly all: number; readonly stolen: number }> {
  const text = await readFile('/proc/stat', 'utf8').catch(() => '');
  const times = text.split('\n', 1)[0]?.trim().split(/\s+/).slice(1, 9).map(Number) ?? [];
  return { all: times.reduce((sum, time) => sum + time, 0), stolen: times[7] ?? 0 };
}

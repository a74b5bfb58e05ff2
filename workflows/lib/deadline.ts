// Waiting for something to happen, or for a named timer, whichever is first.
import { CancellationScope, condition, sleep } from '@temporalio/workflow';

/**
 * False when `summary`'s timer rang after `waitMs` before `woken` became true. What `condition` with
 * a timeout does with half of its promises: the worker keeps a stack trace of each.
 */
export async function wokenWithin(
  waitMs: number,
  summary: string,
  woken: () => boolean,
): Promise<boolean> {
  const timer = new CancellationScope();
  let hasRung = false;
  const ring = () => {
    hasRung = true;
  };
  timer.run(() => sleep(waitMs, { summary }).then(ring)).catch(() => undefined);
  await condition(() => hasRung || woken());
  if (!hasRung) timer.cancel();
  return !hasRung;
}

// One command at a time per workflow: handlers interleave at every await, this keeps them apart.
import { CancellationScope } from '@temporalio/workflow';

/**
 * What runs in it is carried on when an operator cancels the workflow: a command is done whole, and
 * `cancel` of a rental is the command for people. One a run, because each scope costs promises.
 */
export function shielded(): CancellationScope {
  return new CancellationScope({ cancellable: false });
}

/** Answers a function that runs each work, shielded, after all earlier ones have ended, failed or not. */
export function serializer(shield = shielded()): <T>(work: () => Promise<T>) => Promise<T> {
  let tail: Promise<unknown> = Promise.resolve();
  return (work) => {
    const inShield = () => shield.run(work);
    const turn = tail.then(inShield, inShield);
    tail = turn.catch(() => undefined);
    return turn;
  };
}

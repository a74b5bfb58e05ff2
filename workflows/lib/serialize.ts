// One command at a time per workflow: handlers interleave at every await, this keeps them apart.

/** Answers a function that runs each work after all earlier ones have ended, failed or not. */
export function serializer(): <T>(work: () => Promise<T>) => Promise<T> {
  let tail: Promise<unknown> = Promise.resolve();
  return (work) => {
    const turn = tail.then(work, work);
    tail = turn.catch(() => undefined);
    return turn;
  };
}

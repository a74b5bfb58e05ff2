// The workflow's clock: the sandbox makes `Date` the time of the task, the same at every replay.

/** ISO 8601 in UTC. */
export function nowIso(): string {
  return new Date().toISOString();
}

// How long a repack may take: so many nodes and so much time, counted over all its attempts.

/** Milliseconds of any monotonic clock, handed in because rules read none. */
export type Clock = () => number;

export type Budget = {
  /** Nodes looked at so far. */
  nodes: number;
  readonly limitNodes: number;
  readonly endsAt: number;
  readonly now: Clock;
  ended: boolean;
};

/** Decisions 2: 20,000 nodes or 100 ms, whichever ends first. */
export const REPACK_BUDGET = { nodes: 20_000, ms: 100 } as const;

export function openBudget(
  now: Clock,
  limits: { readonly nodes: number; readonly ms: number } = REPACK_BUDGET,
): Budget {
  return { nodes: 0, limitNodes: limits.nodes, endsAt: now() + limits.ms, now, ended: false };
}

/** Counts a node; true when the search must end. The clock is looked at every 16 nodes. */
export function isSpent(budget: Budget): boolean {
  budget.nodes += 1;
  if (budget.nodes > budget.limitNodes) budget.ended = true;
  if (budget.nodes % 16 === 0 && budget.now() > budget.endsAt) budget.ended = true;
  return budget.ended;
}

/** True when the time is up, whatever was counted. */
export function isLate(budget: Budget): boolean {
  if (budget.now() > budget.endsAt) budget.ended = true;
  return budget.ended;
}

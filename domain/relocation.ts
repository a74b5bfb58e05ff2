// Relocation: which vehicles to drive where, so that fewer bookings lack one, with the least driving.

/** One class at one branch, by day of the horizon; every list has one number a day. */
export type PoolOutlook = {
  readonly branchId: string;
  readonly classId: string;
  /** Vehicles that are there all day, with nobody's booking and no hard hold. */
  readonly free: readonly number[];
  /** Of these, those that nobody has booked from that day on: they may leave for good. */
  readonly movable: readonly number[];
  /** The most bookings that have no vehicle at one instant of the day. */
  readonly waiting: readonly number[];
};

export type RelocationMove = {
  readonly fromBranchId: string;
  readonly toBranchId: string;
  readonly classId: string;
  readonly count: number;
  /** The day, counted from 0, on which it leaves, and on which it is needed. */
  readonly leavesOn: number;
  readonly neededOn: number;
};

const DAY_MINUTES = 24 * 60;

/** Positive is surplus, negative shortage, by day. */
export function balanceOf({ free, waiting }: PoolOutlook): readonly number[] {
  return free.map((vehicles, day) => vehicles - (waiting[day] ?? 0));
}

/** Missing vehicle days. */
export function shortageOf(balances: readonly (readonly number[])[]): number {
  return balances.flat().reduce((sum, balance) => sum + Math.max(0, -balance), 0);
}

type Place = {
  readonly pool: PoolOutlook;
  readonly balance: number[];
  /** Vehicles that it was asked for already. */
  given: number;
  received: boolean;
};

type Unit = { readonly from: Place; readonly to: Place; readonly leavesOn: number };

/**
 * One vehicle at a time to the earliest shortage that can be met, from where the drive is shortest;
 * who gives keeps a balance of at least 0 on every day from then on, and what was received is not
 * given on. A shortage of the first day comes too late for a drive. `travelMinutes` by branch pair.
 */
export function proposeMoves(
  outlooks: readonly PoolOutlook[],
  travelMinutes: (from: string, to: string) => number,
): readonly RelocationMove[] {
  const moves = new Map<string, RelocationMove>();
  const byClass = Map.groupBy(outlooks, ({ classId }) => classId);
  for (const pools of byClass.values()) {
    const places = pools.map(
      (pool): Place => ({ pool, balance: [...balanceOf(pool)], given: 0, received: false }),
    );
    for (;;) {
      const next = nextMove(places, travelMinutes);
      if (next === null) break;
      count(moves, carry(next.unit, next.neededOn));
    }
  }
  return [...moves.values()];
}

function nextMove(
  places: readonly Place[],
  travelMinutes: (from: string, to: string) => number,
): { readonly unit: Unit; readonly neededOn: number } | null {
  const days = Math.max(0, ...places.map(({ balance }) => balance.length));
  for (let neededOn = 1; neededOn < days; neededOn += 1) {
    const units = places
      .filter(({ balance }) => (balance[neededOn] ?? 0) < 0)
      .flatMap((to) => places.flatMap((from) => unitBetween(from, to, neededOn, travelMinutes)))
      .toSorted((one, other) => one.minutes - other.minutes);
    if (units[0] !== undefined) return { unit: units[0], neededOn };
  }
  return null;
}

function unitBetween(
  from: Place,
  to: Place,
  neededOn: number,
  travelMinutes: (from: string, to: string) => number,
): readonly (Unit & { readonly minutes: number })[] {
  if (from === to || from.received) return [];
  const minutes = travelMinutes(from.pool.branchId, to.pool.branchId);
  // It leaves on an earlier day, so that it is there when the day begins.
  const leavesOn = neededOn - Math.max(1, Math.ceil(minutes / DAY_MINUTES));
  return leavesOn >= 0 && spare(from, leavesOn) > 0 ? [{ from, to, leavesOn, minutes }] : [];
}

/** How many more may leave for good on that day; they are missing on each later one as well. */
function spare({ pool, balance, given }: Place, leavesOn: number): number {
  const movable = pool.movable.slice(leavesOn).map((vehicles) => vehicles - given);
  return Math.min(...movable, ...balance.slice(leavesOn));
}

function carry({ from, to, leavesOn }: Unit, neededOn: number): RelocationMove {
  from.given += 1;
  to.received = true;
  for (let day = leavesOn; day < from.balance.length; day += 1) {
    from.balance[day] = (from.balance[day] ?? 0) - 1;
  }
  for (let day = neededOn; day < to.balance.length; day += 1) {
    to.balance[day] = (to.balance[day] ?? 0) + 1;
  }
  const { branchId: fromBranchId, classId } = from.pool;
  return { fromBranchId, toBranchId: to.pool.branchId, classId, count: 1, leavesOn, neededOn };
}

function count(moves: Map<string, RelocationMove>, move: RelocationMove): void {
  const { fromBranchId, toBranchId, classId, leavesOn, neededOn } = move;
  const key = [classId, fromBranchId, toBranchId, leavesOn, neededOn].join('/');
  moves.set(key, { ...move, count: (moves.get(key)?.count ?? 0) + 1 });
}

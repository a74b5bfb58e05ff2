// Which timers of a rental wait, because the database refused what they wanted.
import type { RentalOutcome } from '../../domain/rental.ts';

/** After a refusal that nobody expected, people get this long before the timer tries again. */
const RETRY_AFTER_MS = 60 * 60_000;
/** What says until when is not tried again at once, however far two clocks are apart. */
const MINUTE_MS = 60_000;

/** Carried through continue-as-new. Instants are ISO 8601 in UTC. */
export type Pauses = {
  /** In older runs, where one timer's refusal held all of them up: nothing before this. */
  readonly pausedUntil: string | null;
  /** Commands of timers that were refused, by id: not again before this; absent without any. */
  readonly paused?: Readonly<Record<string, string>>;
};

type Due = { readonly at: number; readonly commandId: string };

/** What was refused waits; the other deadlines go on. */
export function held<D extends Due>(deadline: D, { pausedUntil, paused: own }: Pauses): D {
  const until = [pausedUntil, own?.[deadline.commandId]].filter((at) => typeof at === 'string');
  return { ...deadline, at: Math.max(deadline.at, ...until.map((at) => Date.parse(at))) };
}

/**
 * A refusal that no person sees: wait, so that neither database nor history is filled with it; until
 * the time that it names, if any. `commandId` null is for runs in which all timers wait together.
 */
export function paused<T extends Pauses>(
  timers: T,
  commandId: string | null,
  now: number,
  named: string | null = null,
): T {
  const at = named === null ? now + RETRY_AFTER_MS : Math.max(Date.parse(named), now + MINUTE_MS);
  const until = new Date(at).toISOString();
  if (commandId === null) return { ...timers, pausedUntil: until };
  const { paused: others } = stillPaused(timers, now);
  return { ...timers, paused: { ...others, [commandId]: until } };
}

/** What people do may clear any timer's way; what another timer does, clears none. */
export function unpaused<T extends Pauses>(timers: T, outcome: RentalOutcome['type'], now: number) {
  const { paused: _paused, ...free } = { ...timers, pausedUntil: null };
  return isTimed(outcome) ? { ...free, ...stillPaused(timers, now) } : free;
}

function stillPaused({ paused: before = {} }: Pauses, now: number): Pick<Pauses, 'paused'> {
  const ahead = Object.entries(before).filter(([, until]) => Date.parse(until) > now);
  return ahead.length === 0 ? {} : { paused: Object.fromEntries(ahead) };
}

const TIMED: readonly RentalOutcome['type'][] = [
  'expired',
  'noShow',
  'shortageRaised',
  'reminded',
  'overdueMarked',
  'cycleBilled',
  'arrearsChecked',
  'closed',
];

/** Caused by a timer: nobody asks for its answer again. */
export function isTimed(outcome: RentalOutcome['type']): boolean {
  return TIMED.includes(outcome);
}

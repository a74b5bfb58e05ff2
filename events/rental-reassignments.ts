// Tells each rental's workflow which vehicle the calendar keeps for it: the guarantee that it hears.
import { type ForecourtEvent, topicOf } from '../domain/events.ts';
import type { ConsumerPlan } from './consumer.ts';

/** `sequence` is the fact's: it rises with each reassignment of the rental's span. */
type RentalNews = {
  readonly rentalId: string;
  readonly vehicleId: string | null;
  readonly sequence: number;
};

/**
 * Signals the workflow; one that has ended needs it not. Throws `ServerAway` while the workflow
 * server does not answer, anything else for what is wrong with this rental alone.
 */
export type TellRental = (news: RentalNews) => Promise<void>;

/** At once: a chunk must be told long before the transaction that notes it runs out of time. */
const AT_ONCE = 25;

/**
 * Whatever moved a booking in the calendar (a hold over HTTP, a limit, a transfer) published a fact
 * with it, so none is missed. A signal may come twice, when we die before the commit, and later
 * than what the mover itself signalled: the workflow goes by the sequence.
 */
export function rentalReassignments(tell: TellRental): ConsumerPlan {
  return {
    name: 'rental-reassignments',
    topics: [topicOf('vehicles')],
    handle: async (_tx, events) => {
      const news = newest(events);
      for (let start = 0; start < news.length; start += AT_ONCE) {
        // All have ended when this does: no straggler signals for a chunk that was given up.
        const told = await Promise.allSettled(news.slice(start, start + AT_ONCE).map(tell));
        for (const each of told) if (each.status === 'rejected') throw each.reason;
      }
    },
  };
}

/** Of each rental the last alone: what lies before it is history. */
function newest(events: readonly ForecourtEvent[]): readonly RentalNews[] {
  const byRental = new Map<string, RentalNews>();
  for (const event of events) {
    if (event.type !== 'forecourt.vehicle.span-reassigned.v1') continue;
    const { rentalId, vehicleId } = event.data;
    const sequence = Number(event.sequence);
    if (sequence < (byRental.get(rentalId)?.sequence ?? 0)) continue;
    byRental.set(rentalId, { rentalId, vehicleId, sequence });
  }
  return [...byRental.values()];
}

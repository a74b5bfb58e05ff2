// What comes after the return reaches its workflows: late documents for a card, and damages that ended.
import { topicOf } from '../domain/events.ts';
import type { ConsumerPlan } from './consumer.ts';

/** Both throw `ServerAway` while the workflow server does not answer. */
export type TellAfterHire = {
  /** The deposit's workflow charges the document, started where none runs. */
  readonly lateCharge: (asked: {
    readonly rentalId: string;
    readonly invoiceId: string;
  }) => Promise<void>;
  /** The rental's workflow may close it; one that has ended needs it not. */
  readonly damageEnded: (ended: { readonly rentalId: string }) => Promise<void>;
};

const ENDED: readonly string[] = ['charged', 'waived', 'insurer', 'settled'];

/**
 * The guarantee that both are told: the fact was written with what it is about. A signal may come
 * twice; the rows know what was charged, and a rental that is closed is closed.
 */
export function afterHire(tell: TellAfterHire): ConsumerPlan {
  return {
    name: 'after-hire',
    topics: [topicOf('rentals')],
    handle: async (_tx, events) => {
      for (const event of events) {
        if (event.type === 'forecourt.late-charge.asked.v1') {
          const { rentalId, invoiceId } = event.data;
          await tell.lateCharge({ rentalId, invoiceId });
        }
        if (event.type === 'forecourt.damage-case.changed.v1' && ENDED.includes(event.data.status))
          await tell.damageEnded({ rentalId: event.data.rentalId });
      }
    },
  };
}

// The effects of a recall: holds, bookings moved to other vehicles, renters to be told.
import { reassignmentOf } from '../db/commands/calendar.ts';
import { moveOffHeld } from '../db/commands/hold-decisions.ts';
import { amendRecall } from '../db/commands/recall-changes.ts';
import { groundRecall, noteRenterNotified, openRecall } from '../db/commands/recalls.ts';
import { bookedRecalled, rentersToNotify } from '../db/queries/recalls.ts';
import { principalOf } from '../domain/actor.ts';
import type { RecallState } from '../domain/recall.ts';
import type { Reassignment } from '../domain/rental.ts';
import type { AmendRecall, OpenRecall } from '../workflows/recall.messages.ts';
import type { Envelope } from '../workflows/rental.messages.ts';
import type { ActivityDeps } from './deps.ts';
import { failing } from './failures.ts';

type Recalled = { readonly recallId: string };

const SYSTEM = principalOf({ kind: 'system', id: 'recall' });

export function createRecallActivities({ db }: ActivityDeps) {
  return {
    openRecall: ({ actor, command }: Envelope<OpenRecall>): Promise<RecallState> =>
      failing(() => {
        const now = new Date().toISOString();
        return openRecall(db, principalOf(actor), command.recallId, command.notice, now);
      }),

    amendRecall: ({ actor, command }: Envelope<AmendRecall>): Promise<RecallState> =>
      failing(() => {
        const { recallId, version, change } = command;
        return amendRecall(db, principalOf(actor), recallId, version, change);
      }),

    /** One vehicle a transaction: whoever books meanwhile waits for one pool at most. */
    clearRecalled: ({ recallId }: Recalled): Promise<readonly Reassignment[]> =>
      failing(async () => {
        const reassigned: Reassignment[] = [];
        for (const held of await bookedRecalled(db, SYSTEM, recallId)) {
          reassigned.push(...(await moveOffHeld(db, SYSTEM, held)).map(reassignmentOf));
        }
        return reassigned;
      }),

    /** Each once. What is noted here is written to them as a notification, by the fact of it. */
    notifyRenters: ({ recallId }: Recalled): Promise<{ readonly notified: number }> =>
      failing(async () => {
        const renters = await rentersToNotify(db, SYSTEM, recallId);
        for (const { hasAddress, ...renter } of renters) {
          const channel = hasAddress ? 'mail' : 'none';
          await noteRenterNotified(db, SYSTEM, { recallId, ...renter, channel });
        }
        return { notified: renters.length };
      }),

    groundRecall: ({ recallId }: Recalled): Promise<RecallState> =>
      failing(() => groundRecall(db, SYSTEM, recallId)),
  };
}

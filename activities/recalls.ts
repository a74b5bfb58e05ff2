// The effects of a recall: holds, bookings moved to other vehicles, letters to renters.
import { reassignmentOf } from '../db/commands/calendar.ts';
import { moveOffHeld } from '../db/commands/hold-decisions.ts';
import { groundRecall, noteRenterNotified, openRecall } from '../db/commands/recalls.ts';
import { bookedRecalled, type Renter, rentersToNotify } from '../db/queries/recalls.ts';
import { principalOf } from '../domain/actor.ts';
import type { RecallState } from '../domain/recall.ts';
import type { Reassignment } from '../domain/rental.ts';
import type { OpenRecall } from '../workflows/recall.messages.ts';
import type { Envelope } from '../workflows/rental.messages.ts';
import type { Mail, MailDeps } from './deps.ts';
import { failing } from './failures.ts';

type Recalled = { readonly recallId: string };

const SYSTEM = principalOf({ kind: 'system', id: 'recall' });

export function createRecallActivities({ db, mail }: MailDeps) {
  return {
    openRecall: ({ actor, command }: Envelope<OpenRecall>): Promise<RecallState> =>
      failing(() => {
        const now = new Date().toISOString();
        return openRecall(db, principalOf(actor), command.recallId, command.notice, now);
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

    /** Each once: a letter whose note was lost in a crash is the only one that goes out again. */
    notifyRenters: ({ recallId }: Recalled): Promise<{ readonly notified: number }> =>
      failing(async () => {
        const renters = await rentersToNotify(db, SYSTEM, recallId);
        let failed = 0;
        for (const renter of renters) {
          const { rentalId, vehicleId } = renter;
          const channel = await told(mail, renter);
          if (channel === null) failed += 1;
          else await noteRenterNotified(db, SYSTEM, { recallId, rentalId, vehicleId, channel });
        }
        // Tried again for those alone, when the mail server is back.
        if (failed > 0) throw new Error(`${failed} of ${renters.length} letters did not go out.`);
        return { notified: renters.length };
      }),

    groundRecall: ({ recallId }: Recalled): Promise<RecallState> =>
      failing(() => groundRecall(db, SYSTEM, recallId)),
  };
}

/** How a renter was told: `none` where there is no address, null where it may work later. */
async function told(mail: Mail, renter: Renter): Promise<'mail' | 'none' | null> {
  if (renter.email === null) return 'none';
  try {
    await mail.send(letter(renter, renter.email));
    return 'mail';
  } catch (error) {
    // An address that the server refuses for good stays so (RFC 5321 section 4.2.1): somebody calls.
    const { code, responseCode = 0 } = error as { readonly code?: string; responseCode?: number };
    return code === 'EENVELOPE' && responseCode >= 500 ? 'none' : null;
  }
}

function letter({ name, number, vehicle, plate, title, dueAt }: Renter, to: string) {
  return {
    to,
    subject: `A recall of your rental vehicle ${plate}`,
    text: [
      `Dear ${name},`,
      '',
      `the maker has recalled the ${vehicle} with the plate ${plate} that you have under rental`,
      `${number}: ${title}.`,
      '',
      `Please call us or any of our branches: you may exchange it at once, free of charge. You have`,
      `it until ${dueAt.slice(0, 16).replace('T', ' ')} UTC, and it cannot be extended.`,
    ].join('\n'),
  };
}

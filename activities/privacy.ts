// The effects of an erasure: each is one transaction a domain, safe to repeat.
import { eraseContacts, eraseName } from '../db/commands/erasure.ts';
import { removeNotedFiles } from '../db/commands/file-removals.ts';
import { lastInvoiceDate } from '../db/queries/personal-data.ts';
import { principalOf } from '../domain/actor.ts';
import { type ErasureState, keptUntil } from '../domain/erasure.ts';
import type { BeginErasure } from '../workflows/erasure.messages.ts';
import type { Envelope } from '../workflows/rental.messages.ts';
import type { PrivacyDeps } from './deps.ts';
import { failing } from './failures.ts';

const SYSTEM = principalOf({ kind: 'system', id: 'erasure' });

export function createPrivacyActivities({ db, removeFile }: PrivacyDeps) {
  return {
    eraseContacts: ({ actor, command }: Envelope<BeginErasure>): Promise<ErasureState> =>
      failing(async () => {
        const { customerId } = command;
        await eraseContacts(db, principalOf(actor), command);
        const kept = keptUntil(await lastInvoiceDate(db, customerId));
        return { customerId, status: 'contacts-erased', keptUntil: kept };
      }),

    /** Looks again first: a newer invoice keeps the name for longer. */
    eraseName: ({ customerId }: { readonly customerId: string }): Promise<ErasureState> =>
      failing(async () => {
        const kept = keptUntil(await lastInvoiceDate(db, customerId));
        if (kept !== null && Date.parse(kept) > Date.now()) {
          return { customerId, status: 'contacts-erased', keptUntil: kept };
        }
        await eraseName(db, SYSTEM, customerId);
        // After the rows, so that nobody is handed what is going; a repeat takes up what is left.
        await removeNotedFiles(db, removeFile);
        return { customerId, status: 'erased', keptUntil: null };
      }),
  };
}

// The effects of a transfer: each is one transaction, safe to repeat.
import { planTransfer, recordTransfer } from '../db/commands/transfers.ts';
import { principalOf } from '../domain/actor.ts';
import type { TransferCommand, TransferOutcome, TransferPlan } from '../domain/transfer.ts';
import type { Envelope } from '../workflows/rental.messages.ts';
import type { ActivityDeps } from './deps.ts';
import { failing } from './failures.ts';

export type RecordTransfer = Envelope<TransferCommand> & {
  readonly transferId: string;
  readonly version: number;
};

export function createTransferActivities({ db }: ActivityDeps) {
  return {
    planTransfer: ({ actor, ...given }: Envelope<TransferPlan>): Promise<TransferOutcome> =>
      failing(() => planTransfer(db, principalOf(actor), given)),

    recordTransfer: ({ actor, ...given }: RecordTransfer): Promise<TransferOutcome> =>
      failing(() => recordTransfer(db, principalOf(actor), given)),
  };
}

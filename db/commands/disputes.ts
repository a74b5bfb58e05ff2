// Disputes over payments: opened and decided by the gateway's word, written off by two people.
import { type RawBuilder, sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { DomainError } from '../../domain/errors.ts';
import { checkWriteOff, type Dispute } from '../../domain/payments/dispute.ts';
import type { NoticedDispute } from '../../domain/payments/gateway.ts';
import {
  chargebackLostPostings,
  chargebackPostings,
  chargebackWonPostings,
} from '../../domain/payments/postings.ts';
import type { HoldRow } from '../authorisation-row.ts';
import { type Acting, type Db, type Tx, transact } from '../client.ts';
import { DISPUTE_ROW_COLUMNS, type DisputeRow } from '../dispute-row.ts';
import { publish } from '../outbox.ts';
import { recordAudit } from './audit.ts';
import { checkBooks, postPayment } from './payment-entries.ts';

/**
 * What the gateway says of a dispute, in any order and however often: it is opened with the first
 * word about it and closed with the first that decides it. Call it with the hold locked.
 */
export async function takeDispute(tx: Tx, hold: HoldRow, told: NoticedDispute): Promise<void> {
  const dispute = (await disputeAt(tx, hold, told)) ?? (await open(tx, hold, told));
  if (dispute.state !== 'open' || told.outcome === 'open') return;
  if (told.outcome === 'lost') {
    await change(tx, dispute, sql`state = 'lost', closed_at = now()`, 'lost');
    return;
  }
  const { rentalId, currency, amountMinor, feeMinor, openedEntryId } = dispute;
  if (openedEntryId === null) {
    await change(tx, dispute, sql`state = 'won', closed_at = now()`, 'won');
    return;
  }
  const { feeReturnedMinor } = told;
  const won = { currency, amountMinor, feeReturnedMinor };
  const entryId = await postPayment(tx, {
    ...{ key: `${keyOf(hold, told)}/won`, rentalId, currency, source: 'payment.chargeback-won' },
    ...(feeReturnedMinor === feeMinor
      ? { reverses: openedEntryId }
      : { postings: chargebackWonPostings(won) }),
  });
  const ended = sql`state = 'won', closed_at = now(), ended_entry_id = ${entryId}`;
  await change(tx, dispute, ended, 'won');
}

function keyOf({ gateway }: HoldRow, { ref }: NoticedDispute): string {
  return `dispute/${gateway}/${ref}`;
}

async function disputeAt(
  tx: Tx,
  { gateway }: HoldRow,
  { ref }: NoticedDispute,
): Promise<DisputeRow | undefined> {
  const { rows } = await sql<DisputeRow>`select ${DISPUTE_ROW_COLUMNS} from rentals.dispute
    where gateway = ${gateway} and gateway_ref = ${ref} for update`.execute(tx);
  return rows[0];
}

async function open(tx: Tx, hold: HoldRow, told: NoticedDispute): Promise<DisputeRow> {
  const { rentalId, gateway } = hold;
  const { currency, amountMinor, feeMinor, ref } = told;
  const entryId = (await isBookable(tx, rentalId, currency))
    ? await postPayment(tx, {
        ...{ key: `${keyOf(hold, told)}/opened`, rentalId, currency, source: 'payment.chargeback' },
        postings: chargebackPostings({ currency, amountMinor, feeMinor }),
      })
    : null;
  const { rows } = await sql<DisputeRow>`insert into rentals.dispute (id, rental_id,
      authorisation_id, gateway, gateway_ref, amount_minor, fee_minor, currency, opened_at,
      opened_entry_id)
    values (${uuidv7()}, ${rentalId}, ${hold.id}, ${gateway}, ${ref}, ${amountMinor}, ${feeMinor},
      ${currency}, now(), ${entryId})
    returning ${DISPUTE_ROW_COLUMNS}`.execute(tx);
  const dispute = rows[0] as DisputeRow;
  await record(tx, dispute, 'opened');
  return dispute;
}

/**
 * One in another currency than the books' is taken in all the same: the gateway would repeat it for
 * ever, and charges have to stop. A person sees it in the deposit's attention and books it by hand.
 */
async function isBookable(tx: Tx, rentalId: string, currency: string): Promise<boolean> {
  try {
    await checkBooks(tx, rentalId, currency);
    return true;
  } catch (error) {
    if (error instanceof DomainError) return false;
    throw error;
  }
}

export type WriteOff = {
  readonly disputeId: string;
  /** Of kind write-off, for this dispute and exactly its amount. */
  readonly approvalId: string;
  readonly reason: string;
};

/** A repeat changes nothing. Throws `not-found`, `invalid-state` and `four-eyes`. */
export function writeOffDispute(
  db: Db,
  acting: Acting,
  { disputeId, approvalId, reason }: WriteOff,
): Promise<Dispute> {
  return transact(db, 'rentals_rw', acting, async (tx) => {
    const { rows } = await sql<DisputeRow & { readonly branchId: string }>`
      select ${DISPUTE_ROW_COLUMNS},
        (select branch_id from rentals.rental r where r.id = d.rental_id) as "branchId"
      from rentals.dispute d where id = ${disputeId} for update`.execute(tx);
    const dispute = rows[0];
    if (dispute === undefined) throw new DomainError('not-found', 'There is no such dispute.');
    if (dispute.approvalId === approvalId) return dispute;
    checkWriteOff(dispute);
    const { rentalId, currency, amountMinor, branchId } = dispute;
    const { rows: used } = await sql<{ used: boolean }>`select people.use_amount_approval(
      ${approvalId}, 'write-off', ${disputeId}, ${branchId}, ${amountMinor}) as used`.execute(tx);
    if (used[0]?.used !== true) {
      throw new DomainError('four-eyes', 'There is no unused approval for writing this off.');
    }
    const entryId =
      dispute.openedEntryId === null
        ? null
        : await postPayment(tx, {
            ...{ key: `dispute/${disputeId}/written-off`, rentalId, currency },
            ...{ source: 'payment.chargeback-lost' },
            postings: chargebackLostPostings({ currency, amountMinor }),
          });
    const given = sql`state = 'written_off', approval_id = ${approvalId},
      ended_entry_id = ${entryId}`;
    return change(tx, dispute, given, 'written-off', reason);
  });
}

type Fact = 'opened' | 'won' | 'lost' | 'written-off';

async function change(
  tx: Tx,
  before: DisputeRow,
  to: RawBuilder<unknown>,
  fact: Fact,
  reason?: string,
): Promise<Dispute> {
  const { rows } = await sql<DisputeRow>`update rentals.dispute set ${to}, version = version + 1
    where id = ${before.id} and version = ${before.version}
    returning ${DISPUTE_ROW_COLUMNS}`.execute(tx);
  const dispute = rows[0] as DisputeRow;
  await record(tx, dispute, fact, reason);
  return dispute;
}

async function record(tx: Tx, dispute: DisputeRow, fact: Fact, reason?: string): Promise<void> {
  const { id: disputeId, authorisationId, rentalId, state, version } = dispute;
  const { amountMinor, feeMinor, currency } = dispute;
  await publish(tx, {
    type: `forecourt.dispute.${fact}.v1`,
    aggregateId: disputeId,
    sequence: version,
    data: { disputeId, authorisationId, rentalId, state, amountMinor, feeMinor, currency },
  });
  await recordAudit(tx, {
    ...{ action: `dispute.${fact}`, subjectType: 'dispute', subjectId: disputeId },
    ...(reason !== undefined && { reason }),
    after: { state, amountMinor, version },
  });
}

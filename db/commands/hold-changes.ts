// A hold's or a charge's row changes: with the fact that is told of it and its audit entry, at once.
import { type RawBuilder, sql } from 'kysely';
import type { EventType } from '../../domain/events.ts';
import type { Hold } from '../../domain/payments/deposit.ts';
import { HOLD_ROW_COLUMNS, type HoldRow, lockHold } from '../authorisation-row.ts';
import type { Tx } from '../client.ts';
import { publish } from '../outbox.ts';
import { recordAudit } from './audit.ts';

/** A person has to look at it; one reason at a time. */
export async function flagHold(
  tx: Tx,
  hold: HoldRow,
  reason: string,
  key: string,
  fact: 'renewal-due' | 'attention-needed' = 'renewal-due',
): Promise<void> {
  if (hold.attention !== null) return;
  await changeHold(tx, hold, sql`attention = ${reason}`, fact, key);
}

/** A person has found another way. */
export async function settleAttention(tx: Tx, holdId: string, key: string): Promise<void> {
  const hold = await lockHold(tx, holdId);
  if (hold === undefined || hold.attention === null) return;
  await changeHold(tx, hold, sql`attention = null`, 'refunded', key);
}

type Fact =
  Extract<EventType, `forecourt.deposit.${string}`> extends `forecourt.deposit.${infer T}.v1`
    ? T
    : never;

/** The row, its event and its audit entry. What a prepayment's charge does is told by its prepayment. */
export async function changeHold(
  tx: Tx,
  before: HoldRow,
  to: RawBuilder<unknown>,
  fact: Fact,
  commandId: string,
): Promise<void> {
  const { rows } = await sql<HoldRow>`update rentals.authorisation set ${to}, version = version + 1
    where id = ${before.id} and version = ${before.version}
    returning ${HOLD_ROW_COLUMNS}`.execute(tx);
  const hold = rows[0] as HoldRow;
  const isCharge = hold.purpose === 'prepayment';
  if (!isCharge) {
    await publish(tx, {
      type: `forecourt.deposit.${fact}.v1`,
      aggregateId: hold.id,
      sequence: hold.version,
      data: factOf(hold),
    });
  }
  const subject = { subjectType: 'authorisation', subjectId: hold.id } as const;
  const after = { state: hold.state, version: hold.version };
  const action = `${isCharge ? 'prepayment' : 'deposit'}.${fact}`;
  await recordAudit(tx, { action, ...subject, commandId, after });
}

function factOf(hold: Hold & { readonly rentalId: string }) {
  const { id: authorisationId, rentalId, state, amountMinor, capturedMinor } = hold;
  const { refundedMinor, currency, validUntil } = hold;
  const amounts = { amountMinor, capturedMinor, refundedMinor, currency };
  return { authorisationId, rentalId, state, ...amounts, validUntil };
}

// Commissions in the books: posted with the documents of a rental, in their transaction.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import {
  type Commission,
  type CommissionTerms,
  commissionPostings,
  creditedCommission,
  type Earned,
  type NoteCommission,
  ratedCommission,
} from '../../domain/commission.ts';
import { beyondVouchers, ownerOf } from '../../domain/payer-share.ts';
import type { PriceLine } from '../../domain/pricing/line.ts';
import type { Tx } from '../client.ts';
import { publish } from '../outbox.ts';
import type { RentalRow } from '../rental-row.ts';
import { asked } from './calendar.ts';
import { named } from './ledger-refusals.ts';
import { payerSharesOf } from './payer-documents.ts';

/** Whom a commission is owed to, in whose books, and how many rows its rental has by now. */
type Owed = CommissionTerms & {
  readonly agentId: string;
  readonly rentalId: string;
  readonly entityId: string;
  readonly currency: string;
  readonly count: number;
  readonly reason: 'rated' | 'credited';
};

/**
 * Call it after the documents of a cycle or of the return were issued, in their transaction: what the
 * whole price earns, less what was posted before. Nothing for a rental without an agent.
 */
export async function accrueCommission(
  tx: Tx,
  row: RentalRow,
  at: string,
  price: { readonly lines: readonly PriceLine[] },
): Promise<void> {
  const { id: rentalId, entity_id: entityId, currency } = row;
  const terms = await tx
    .selectFrom('rentals.rental_agent')
    .select(['agent_id as agentId', 'rate_bp as rateBp', 'kinds'])
    .where('rental_id', '=', rentalId)
    .executeTakeFirst();
  if (terms === undefined) return;
  const { agentId, rateBp, kinds } = terms;
  if (agentId === null || rateBp === null || kinds === null) return;
  const state = sql`accounting.commission_state(${rentalId})`;
  const { count, ...earned } = await asked<Earned & { readonly count: number }>(tx, state);
  const lines = await soldByUs(tx, rentalId, price.lines);
  const commissions = ratedCommission({ rateBp, kinds }, earned, lines);
  const owed = { agentId, rentalId, entityId, currency, rateBp, kinds, count } as const;
  await post(tx, { ...owed, reason: 'rated' }, at, commissions);
}

/**
 * What a credit note takes back of a commission; nothing for the note of another document than of a
 * hire with an agent. `isRated` is one that a new price made: that price tells the whole difference.
 */
export async function reverseCommission(
  tx: Tx,
  noteId: string,
  at: string,
  isRated: boolean,
): Promise<void> {
  const note = await asked<(NoteCommission & Omit<Owed, 'reason'>) | null>(
    tx,
    sql`accounting.commission_of_note(${noteId})`,
  );
  if (note === null) return;
  const commission = creditedCommission(noteId, note);
  const reason = isRated ? 'rated' : 'credited';
  await post(tx, { ...note, reason }, at, commission === null ? [] : [commission]);
}

/** What a voucher covers was sold by its broker, at his rate: it earns no agent anything. */
async function soldByUs(
  tx: Tx,
  rentalId: string,
  lines: readonly PriceLine[],
): Promise<readonly PriceLine[]> {
  const shares = await payerSharesOf(tx, rentalId);
  return beyondVouchers(lines, shares).filter((line) => ownerOf(line, shares)?.kind !== 'voucher');
}

async function post(
  tx: Tx,
  { agentId, rentalId, entityId, currency, rateBp, kinds, count, reason }: Owed,
  effectiveAt: string,
  commissions: readonly Commission[],
): Promise<void> {
  for (const [index, commission] of commissions.entries()) {
    const { amountMinor } = commission;
    const request = {
      ...{ id: uuidv7(), rentalId, seq: count + index + 1, agentId, entityId, reason },
      ...{ ...commission, rateBp, kinds, effectiveAt },
      postings: amountMinor === 0 ? [] : commissionPostings({ currency, amountMinor }),
    };
    const { entryId, postingDate } = await named(() =>
      asked<Posted>(tx, sql`accounting.post_commission(${JSON.stringify(request)}::jsonb)`),
    );
    if (entryId === null) continue;
    await publish(tx, {
      type: 'forecourt.entry.posted.v1',
      aggregateId: entryId,
      sequence: 1,
      data: { entryId, entityId, postingDate, source: `commission.${reason}` },
    });
  }
}

type Posted = { readonly entryId: string | null; readonly postingDate: string };

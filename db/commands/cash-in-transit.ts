// Cash between a branch's safe and the bank: sent in a bag, matched when the statement shows it.
import { sql } from 'kysely';
import { matchedPostings, sentPostings } from '../../domain/cash.ts';
import { DomainError } from '../../domain/errors.ts';
import { type CashInTransit, TRANSIT_COLUMNS } from '../cash-row.ts';
import { type Acting, type Db, rowAccess, type Tx, transact } from '../client.ts';
import { publish } from '../outbox.ts';
import { recordAudit } from './audit.ts';
import { inDrawer, postCashEntry } from './cash-entries.ts';

export type Sending = Pick<
  CashInTransit,
  'id' | 'entityId' | 'branchId' | 'direction' | 'amountMinor' | 'bag'
>;

/**
 * A repeat answers the same. Throws `amount-too-high` for more than the safe holds, `duplicate` for a
 * bag that was sent before, `not-found` for no books.
 */
export function sendCash(db: Db, acting: Acting, sending: Sending): Promise<CashInTransit> {
  const { id, entityId, branchId, direction, amountMinor, bag } = sending;
  const work = transact(db, 'accounting_rw', acting, async (tx) => {
    const known = await byId(tx, id);
    if (known !== undefined) return known;
    const { rows: books } = await sql<{ currency: string }>`select functional_currency as currency
      from accounting.legal_entity where id = ${entityId}`.execute(tx);
    const currency = books[0]?.currency;
    if (currency === undefined) throw new DomainError('not-found', 'The branch has no books.');
    const entryId = await postCashEntry(tx, {
      ...{ key: `cash-in-transit/${id}/sent`, entityId, source: 'cash.sent' },
      postings: sentPostings({ direction, currency, amountMinor }),
    });
    const { rows } = await sql<CashInTransit>`insert into accounting.cash_in_transit
        (id, entity_id, branch_id, direction, amount_minor, currency, bag, entry_id)
      values (${id}, ${entityId}, ${branchId}, ${direction}, ${amountMinor}, ${currency}, ${bag},
        ${entryId})
      returning ${TRANSIT_COLUMNS}`.execute(tx);
    const sent = rows[0] as CashInTransit;
    await tell(tx, 'sent', sent);
    return sent;
  });
  return inDrawer(work);
}

export type Matching = {
  readonly id: string;
  readonly version: number;
  /** The bank statement's own reference. */
  readonly statement: string;
};

/** Throws `not-found`, `version-conflict`, `invalid-state`, and `four-eyes` for who sent it. */
export function matchCash(db: Db, acting: Acting, matching: Matching): Promise<CashInTransit> {
  const { id, version, statement } = matching;
  const work = transact(db, 'accounting_rw', acting, async (tx) => {
    const sent = await byId(tx, id);
    if (sent === undefined) throw new DomainError('not-found', 'No such cash is in transit.');
    if (sent.version !== version) {
      throw new DomainError('version-conflict', 'Somebody changed it meanwhile.');
    }
    if (sent.state === 'matched') throw new DomainError('invalid-state', 'It is matched already.');
    const entryId = await postCashEntry(tx, {
      ...{ key: `cash-in-transit/${id}/matched`, entityId: sent.entityId },
      ...{ source: 'cash.matched', postings: matchedPostings(sent) },
    });
    const { rows } = await sql<CashInTransit>`update accounting.cash_in_transit
      set state = 'matched', statement = ${statement}, matched_entry_id = ${entryId},
        matched_by = ${rowAccess(acting).principal}, matched_at = now(), version = version + 1
      where id = ${id} returning ${TRANSIT_COLUMNS}`.execute(tx);
    const matched = rows[0] as CashInTransit;
    await tell(tx, 'matched', { ...matched, entryId });
    return matched;
  });
  return inDrawer(work);
}

async function byId(tx: Tx, id: string): Promise<CashInTransit | undefined> {
  const { rows } = await sql<CashInTransit>`select ${TRANSIT_COLUMNS}
    from accounting.cash_in_transit where id = ${id} for no key update`.execute(tx);
  return rows[0];
}

async function tell(tx: Tx, fact: 'sent' | 'matched', cash: CashInTransit): Promise<void> {
  const { id, entityId, branchId, direction, amountMinor, currency, entryId, version } = cash;
  await publish(tx, {
    type: `forecourt.cash.${fact}.v1`,
    aggregateId: id,
    sequence: version,
    data: { cashInTransitId: id, entityId, branchId, direction, amountMinor, currency, entryId },
  });
  await recordAudit(tx, {
    ...{ action: `cash.${fact}`, subjectType: 'cash_in_transit', subjectId: id },
    after: { direction, amountMinor, state: cash.state, version },
  });
}

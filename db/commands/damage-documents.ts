// What a damage case does in the books, from its own transaction: once a case, by its key.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import type { DamageCharge } from '../../domain/damage-charge.ts';
import { damagePostings, insurerPostings } from '../../domain/damage-postings.ts';
import type { Minor } from '../../domain/money.ts';
import type { Tx } from '../client.ts';
import { publish } from '../outbox.ts';
import { named } from './ledger-refusals.ts';
import { forfeitDeposit } from './payment-entries.ts';

/** Numbers of damage documents, gapless for each legal entity and year. */
const SERIES = 'DMG';

export type DamageParty = {
  readonly caseId: string;
  readonly rentalId: string;
  readonly entityId: string;
  readonly branchId: string;
  readonly customerId: string;
  readonly currency: string;
  /** When the vehicle went out, and now: the time in which the damage came to be. */
  readonly from: string;
  readonly at: string;
};

type Document = { readonly invoiceId: string; readonly number: string };
type Issued = Document & {
  readonly entryId: string;
  readonly issueDate: string;
  readonly created: boolean;
};

/**
 * The renter's damage document, paid out of a deposit that is held (decisions.md 15). Call it last:
 * its number makes the entity's others wait. Throws
 * `period-closed`, `currency-mismatch`, `not-found` for books that were never opened.
 */
export async function issueDamageDocument(
  tx: Tx,
  party: DamageParty,
  charge: DamageCharge,
): Promise<Document> {
  const { rentalId, currency, at, customerId } = party;
  const deposit = { key: `${keyOf(party)}/deposit`, rentalId, currency, at, customerId };
  const { rows } = await forfeitDeposit(tx, deposit, () =>
    named(() =>
      sql<{ readonly answer: Issued }>`select
        accounting.issue_invoice(${JSON.stringify(requestOf(party, charge))}) as answer`.execute(
        tx,
      ),
    ),
  );
  const answer = rows[0]?.answer;
  if (answer === undefined) throw new Error('issue_invoice answered nothing.');
  const { invoiceId, number, entryId, issueDate } = answer;
  if (answer.created) {
    const { entityId, branchId } = party;
    const { netMinor, vatMinor, totalMinor } = charge;
    const amounts = { netMinor, vatMinor, totalMinor, currency };
    await posted(tx, { entryId, entityId, postingDate: issueDate, source: 'damage.charge' });
    await publish(tx, {
      type: 'forecourt.invoice.issued.v1',
      aggregateId: invoiceId,
      sequence: 1,
      data: { invoiceId, number, entityId, branchId, rentalId, entryId, issueDate, ...amounts },
    });
  }
  return { invoiceId, number };
}

function keyOf({ caseId }: DamageParty): string {
  return `damage-case/${caseId}/charge`;
}

function requestOf(party: DamageParty, charge: DamageCharge): object {
  const { entityId, branchId, rentalId, customerId, currency, from, at } = party;
  const { netMinor, vatMinor, totalMinor } = charge;
  return {
    ...{ entityId, branchId, rentalId, customerId, currency, netMinor, vatMinor, totalMinor },
    id: uuidv7(),
    idempotencyKey: keyOf(party),
    series: SERIES,
    serviceFrom: from,
    serviceTo: at,
    lines: charge.lines.map((line) => ({
      code: line.code,
      descriptionKey: `invoice.line.${line.code}`,
      quantity: 1,
      unitMinor: line.netMinor,
      netMinor: line.netMinor,
      vatRateBp: line.vatRateBp,
    })),
    taxes: charge.taxes,
    entry: {
      id: uuidv7(),
      effectiveAt: at,
      source: 'damage.charge',
      postings: damagePostings({ currency, netMinor, vatMinor, totalMinor }),
    },
  };
}

/** Answers the entry's id. Throws as above. */
export async function postInsurerShare(
  tx: Tx,
  party: DamageParty,
  amountMinor: Minor,
): Promise<string> {
  const { caseId, entityId, rentalId, currency, at: effectiveAt } = party;
  const postings = insurerPostings({ currency, amountMinor });
  const request = { id: uuidv7(), caseId, entityId, rentalId, effectiveAt, currency, postings };
  const { rows } = await named(() =>
    sql<{ readonly answer: Pick<Issued, 'entryId' | 'created'> & { postingDate: string } }>`select
      accounting.post_insurer_share(${JSON.stringify(request)}) as answer`.execute(tx),
  );
  const answer = rows[0]?.answer;
  if (answer === undefined) throw new Error('post_insurer_share answered nothing.');
  const { entryId, postingDate, created } = answer;
  if (created) await posted(tx, { entryId, entityId, postingDate, source: 'damage.insurer' });
  return entryId;
}

function posted(
  tx: Tx,
  data: {
    readonly entryId: string;
    readonly entityId: string;
    readonly postingDate: string;
    readonly source: string;
  },
): Promise<void> {
  const aggregateId = data.entryId;
  return publish(tx, { type: 'forecourt.entry.posted.v1', aggregateId, sequence: 1, data });
}

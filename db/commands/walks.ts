// What a walk costs, in the books of the branch's legal entity: once for each shortage.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { walkPostings } from '../../domain/ledger.ts';
import type { Minor } from '../../domain/money.ts';
import type { Tx } from '../client.ts';
import { publish } from '../outbox.ts';
import { named } from './ledger-refusals.ts';

export type Walk = {
  readonly caseId: string;
  readonly rentalId: string;
  readonly branchId: string;
  /** When it was decided. */
  readonly at: string;
  readonly costMinor: Minor;
  readonly currency: string;
};

type Answer = { readonly entryId: string; readonly postingDate: string; readonly created: boolean };

/**
 * In the role vehicles_rw. Answers the entry's id, null for a walk that costs nothing. Throws
 * `currency-mismatch` when it is not the entity's own, `not-found` for books that were never opened.
 */
export async function postWalk(tx: Tx, walk: Walk): Promise<string | null> {
  if (walk.costMinor === 0) return null;
  const { caseId, rentalId, branchId, at: effectiveAt, currency } = walk;
  const { entityId } = await entityOf(tx, branchId);
  const postings = walkPostings(walk);
  const request = { id: uuidv7(), caseId, entityId, rentalId, effectiveAt, currency, postings };
  const { rows } = await named(() =>
    sql<{ readonly answer: Answer }>`select
      accounting.post_walk(${JSON.stringify(request)}) as answer`.execute(tx),
  );
  const answer = rows[0]?.answer;
  if (answer === undefined) throw new Error('post_walk answered nothing.');
  const { entryId, postingDate, created } = answer;
  if (created) {
    await publish(tx, {
      type: 'forecourt.entry.posted.v1',
      aggregateId: entryId,
      sequence: 1,
      data: { entryId, entityId, postingDate, source: 'shortage.walk' },
    });
  }
  return entryId;
}

async function entityOf(tx: Tx, branchId: string): Promise<{ readonly entityId: string }> {
  return tx
    .selectFrom('vehicles.branch')
    .select('entity_id as entityId')
    .where('id', '=', branchId)
    .executeTakeFirstOrThrow();
}

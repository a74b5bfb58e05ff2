// Postings: entries of the ledger, each safe to repeat by its key.
import { v7 as uuidv7 } from 'uuid';
import { balanced, type NewEntry } from '../../domain/ledger.ts';
import type { Db } from '../client.ts';
import { gathering } from '../gathering.ts';
import type { Value } from '../literal.ts';
import { callInOneTrip, type PreparedCall } from '../one-trip.ts';
import { type OutboxRow, outboxRow } from '../outbox.ts';
import { wakeRelay } from '../wake.ts';
import { named } from './ledger-refusals.ts';

/** More in one transaction make others wait for its balances, more lanes only queue in the server. */
const COMPANY = { limit: 100, lanes: 2 };

/**
 * Posts an entry with its event, both durable when it answers its id. A repeat answers the first
 * one's id and publishes nothing. Entries that a principal posts at the same time share a
 * transaction. Throws `unbalanced`, `period-closed`, `idempotency-key-reused`,
 * `currency-mismatch`, or `not-found` for an unknown legal entity or account.
 */
export async function postEntry(db: Db, principal: string, entry: NewEntry): Promise<string> {
  balanced(entry.postings);
  return deskOf(db, principal)(withEvent(entry));
}

type Asked = { readonly entry: NewEntry; readonly id: string; readonly event: OutboxRow };
type Desk = (asked: Asked) => Promise<string>;

const desksByDb = new WeakMap<Db, Map<string, Desk>>();

/** Kept while it is in use. */
function deskOf(db: Db, principal: string): Desk {
  const desks = desksByDb.get(db) ?? new Map<string, Desk>();
  desksByDb.set(db, desks);
  const open = (): Desk =>
    gathering(
      {
        together: (asked: readonly Asked[]) => postTogether(db, principal, asked),
        alone: (asked: Asked) => named(() => postOne(db, principal, asked)),
      },
      { ...COMPANY, whenIdle: () => desks.delete(principal) },
    );
  const desk = desks.get(principal) ?? open();
  desks.set(principal, desk);
  return desk;
}

function withEvent(entry: NewEntry): Asked {
  const id = uuidv7();
  const event = outboxRow({
    type: 'forecourt.entry.posted.v1',
    aggregateId: id,
    sequence: 1,
    data: {
      entryId: id,
      entityId: entry.entityId,
      postingDate: entry.postingDate ?? '', // the database fills in the day that it chose
      source: entry.source,
    },
  });
  return { entry, id, event };
}

/** New entries into open months, all or none. */
async function postTogether(
  db: Db,
  principal: string,
  asked: readonly Asked[],
): Promise<readonly string[]> {
  const rows = asked.map(valuesOf);
  const arrays = TYPES.map((_, column) => rows.map((row) => row[column] ?? null));
  await callInOneTrip(db, principal, POST_TOGETHER, arrays);
  wakeRelay(db);
  return asked.map(({ id }) => id);
}

/** One entry, whether it is new or not, and whatever its month. */
async function postOne(db: Db, principal: string, asked: Asked): Promise<string> {
  const answer = await callInOneTrip(db, principal, POST_ENTRY, valuesOf(asked));
  wakeRelay(db);
  return answer ?? asked.id;
}

function valuesOf({ entry, id, event }: Asked): readonly Value[] {
  const { postings } = entry;
  return [
    id,
    entry.entityId,
    entry.postingDate ?? null,
    entry.effectiveAt,
    entry.idempotencyKey,
    entry.source,
    entry.rentalId ?? null,
    entry.reverses ?? null,
    entry.intercompanyId ?? null,
    postings.map((posting) => posting.account),
    postings.map((posting) => posting.currency),
    postings.map((posting) => posting.amountMinor),
    postings.map((posting) => posting.baseMinor),
    event.event_id,
    event.topic,
    event.type,
    event.event,
  ];
}

const TYPES = `uuid text date timestamptz text text uuid uuid uuid text[] text[] bigint[] bigint[]
  uuid text text text`.split(/\s+/);
const PARAMETERS = TYPES.map((_, index) => `$${index + 1}`).join(', ');

/** The ledger's function in migration 0009. */
const POST_ENTRY: PreparedCall = {
  role: 'accounting_rw',
  name: 'post_entry',
  types: TYPES,
  text: `select accounting.post_entry(${PARAMETERS}) as answer`,
};

/** The ledger's function in migration 0019; it takes each of the above side by side. */
const POST_TOGETHER: PreparedCall = {
  role: 'accounting_rw',
  name: 'post_together',
  types: TYPES.map((type) => (type.endsWith('[]') ? 'text[]' : `${type}[]`)),
  text: `select accounting.post_together(${PARAMETERS}) as answer`,
};

// Publishing: a fact becomes a CloudEvent in the outbox, in the transaction of its effect.
import { isSpanContextValid, trace } from '@opentelemetry/api';
import { type RawBuilder, sql } from 'kysely';
import { v5 as uuidv5, v7 as uuidv7 } from 'uuid';
import {
  DOMAIN_OF,
  type EventOf,
  type EventType,
  type Fact,
  type FactOf,
  topicOf,
} from '../domain/events.ts';
import type { Tx } from './client.ts';
import { notePublished } from './wake.ts';

/** A row of events.outbox; `event` is the CloudEvent's text, which travels byte for byte. */
export type OutboxRow = {
  readonly event_id: string;
  readonly topic: string;
  readonly aggregate_id: string;
  readonly seq: number;
  readonly type: EventType;
  readonly event: string;
};

/**
 * Writes the facts into the outbox with one statement. They leave when `tx` commits, in the order
 * given, and never when it rolls back. `tx` must run in the role of a domain.
 */
export async function publish(tx: Tx, ...facts: readonly Fact[]): Promise<void> {
  if (facts.length === 0) return;
  await insertionOf(facts).execute(tx);
  notePublished(tx);
}

/** Publishes a fact and calls a function of the database in one statement: one round trip less. */
export async function publishAlong(tx: Tx, fact: Fact, call: RawBuilder<unknown>): Promise<void> {
  await sql`with published as (${insertionOf([fact])}) select ${call}`.execute(tx);
  notePublished(tx);
}

function insertionOf(facts: readonly Fact[]): RawBuilder<unknown> {
  const rows = facts.map((fact) => outboxRow(fact));
  return sql`insert into events.outbox (event_id, topic, aggregate_id, seq, type, event)
    values ${sql.join(
      rows.map(
        (r) => sql`(${r.event_id}, ${r.topic}, ${r.aggregate_id}, ${r.seq}, ${r.type}, ${r.event})`,
      ),
    )}`;
}

/** The row for a fact, for those who hand it to a SQL function that inserts it. */
export function outboxRow<T extends EventType>(fact: FactOf<T>): OutboxRow {
  const event = cloudEvent(fact, uuidv7());
  return {
    event_id: event.id,
    topic: topicOf(DOMAIN_OF[fact.type]),
    aggregate_id: fact.aggregateId,
    seq: fact.sequence,
    type: fact.type,
    event: JSON.stringify(event),
  };
}

/** Of the ids that `codeAggregate` makes: a UUID of our own, as RFC 9562 section 5.5 asks for. */
const CODES = 'a1d4c0de-6f72-4563-8f75-727400000000';

/**
 * The aggregate id of what is known by a code, such as branch `VIE`: the same in every database,
 * so consumers can work it out too (UUID version 5 of `<kind>/<code>`).
 */
export function codeAggregate(kind: string, code: string): string {
  return uuidv5(`${kind}/${code}`, CODES);
}

function cloudEvent<T extends EventType>(fact: FactOf<T>, id: string): EventOf<T> {
  return {
    specversion: '1.0',
    id,
    source: `/forecourt/${DOMAIN_OF[fact.type]}`,
    type: fact.type,
    subject: fact.aggregateId,
    time: fact.time ?? new Date().toISOString(),
    datacontenttype: 'application/json',
    sequence: String(fact.sequence),
    ...traceparent(),
    data: fact.data,
  };
}

/** The W3C trace context of the active span, so that consumers continue the caller's trace. */
function traceparent(): { readonly traceparent?: string } {
  const context = trace.getActiveSpan()?.spanContext();
  if (context === undefined || !isSpanContextValid(context)) return {};
  const flags = (context.traceFlags & 0xff).toString(16).padStart(2, '0');
  return { traceparent: `00-${context.traceId}-${context.spanId}-${flags}` };
}

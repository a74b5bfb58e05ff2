// The trace of an event on its way out: read from the event, continued by a span, put in a header.
import { propagation, ROOT_CONTEXT, type Span, SpanKind, trace } from '@opentelemetry/api';
import type { QueuedEvent } from '../db/outbox-session.ts';

/** Looks at the text only: parsing every event would cost the relay a good part of its speed. */
const TRACEPARENT = /"traceparent"\s*:\s*"([0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2})"/;

/** The W3C trace context in which the event was published; null when there was none. */
export function traceparentOf(event: string): string | null {
  return TRACEPARENT.exec(event)?.[1] ?? null;
}

export type SendSpan = {
  /** The span's own context, for the message's header. */
  readonly traceparent: string;
  readonly span: Span;
};

/** A span for sending `row` that continues its event's trace; null for an event without one. */
export function startSendSpan(row: QueuedEvent): SendSpan | null {
  const traceparent = traceparentOf(row.event);
  if (traceparent === null) return null;
  const published = propagation.extract(ROOT_CONTEXT, { traceparent });
  const attributes = {
    'messaging.system': 'kafka',
    'messaging.destination.name': row.topic,
    'messaging.kafka.message.key': row.aggregateId,
  };
  const span = trace
    .getTracer('forecourt')
    .startSpan(`send ${row.topic}`, { kind: SpanKind.PRODUCER, attributes }, published);
  const carrier: Record<string, string> = {};
  propagation.inject(trace.setSpan(published, span), carrier);
  return { span, traceparent: carrier['traceparent'] ?? traceparent };
}

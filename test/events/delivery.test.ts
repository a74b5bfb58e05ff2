// What delivery does with refusals and with trouble, at the edge where Kafka answers.
import { v7 as uuidv7 } from 'uuid';
import { describe, expect, it } from 'vitest';
import type { QueuedEvent } from '../../db/outbox-session.ts';
import { type DeliveryPort, deliver } from '../../events/delivery.ts';

function queued(id: number, event: string, aggregateId: string = uuidv7()): QueuedEvent {
  return { id, topic: 'rentals.facts.v1', aggregateId, event, behindParked: false };
}

function portThat(send: DeliveryPort['send']): DeliveryPort {
  return { send, topicExists: async () => true };
}

function refusal(): Error {
  return Object.assign(new Error('refused'), { type: 'INVALID_RECORD' });
}

describe('delivery', () => {
  it('parks nothing when it is Kafka that is in trouble', async () => {
    const port = portThat(async () => {
      throw new Error('Connection error: ECONNREFUSED');
    });
    await expect(deliver(port, [queued(1, '{}'), queued(2, '{}')], new Set())).rejects.toThrow(
      'ECONNREFUSED',
    );
  });

  it('finds the one that is refused among many, and keeps back what follows it', async () => {
    const [a, b] = [uuidv7(), uuidv7()];
    const rows = [queued(1, 'x', a), queued(2, 'bad', b), queued(3, 'y', b), queued(4, 'z', a)];
    const sent: string[] = [];
    const port = portThat(async (_, messages) => {
      if (messages.some((message) => message.value === 'bad')) throw refusal();
      sent.push(...messages.map((message) => message.value ?? ''));
    });
    const delivered = await deliver(port, rows, new Set());
    expect(sent).toEqual(['x', 'z']);
    expect(delivered.published).toEqual([1, 4]);
    expect(delivered.parked.map((row) => row.id)).toEqual([2, 3]);
    expect([...delivered.parkedAggregates]).toEqual([b]);
  });

  it('hands the trace of an event on in a header, and none where there is none', async () => {
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const headers: unknown[] = [];
    const port = portThat(async (_, messages) => {
      headers.push(...messages.map((message) => message.headers));
    });
    const rows = [queued(1, JSON.stringify({ traceparent, data: {} })), queued(2, '{}')];
    await deliver(port, rows, new Set());
    const type = { 'content-type': 'application/cloudevents+json' };
    expect(headers).toEqual([{ ...type, traceparent }, type]);
  });

  it('keeps each request below what a broker takes', async () => {
    const sizes: number[] = [];
    const port = portThat(async (_, messages) => {
      sizes.push(messages.reduce((sum, message) => sum + (message.value?.length ?? 0), 0));
    });
    const rows = Array.from({ length: 10 }, (_, n) => queued(n + 1, 'x'.repeat(250_000)));
    await deliver(port, rows, new Set());
    expect(sizes).toEqual([750_000, 750_000, 750_000, 250_000]);
  });
});

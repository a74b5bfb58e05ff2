// Facts enter the outbox with their effect, as CloudEvents that consumers accept, or not at all.
import { context, trace } from '@opentelemetry/api';
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, it } from 'vitest';
import { transact } from '../../db/client.ts';
import { publish } from '../../db/outbox.ts';
import { DOMAINS } from '../../domain/events.ts';
import { ContractViolation, parseEvent } from '../../events/contracts.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { countOf, noShow, publishAs } from './setting.ts';

let at: TestDatabase;
beforeAll(async () => {
  at = await testDatabase();
});

async function eventsOf(aggregateId: string): Promise<string[]> {
  const { rows } = await sql<{ event: string }>`select event from events.outbox
    where aggregate_id = ${aggregateId} order by id`.execute(at.owner);
  return rows.map((row) => row.event);
}

describe('publishing', () => {
  it('writes CloudEvents that the contract accepts, several with one statement', async () => {
    const id = uuidv7();
    await publishAs(at.db, noShow(id, 1), noShow(id, 2));
    const events = (await eventsOf(id)).map(parseEvent);
    expect(events).toMatchObject([
      { specversion: '1.0', source: '/forecourt/rentals', subject: id, sequence: '1' },
      { type: 'forecourt.rental.no-show.v1', sequence: '2', data: { rentalId: id } },
    ]);
  });

  it('emits nothing when the business transaction rolls back', async () => {
    const before = await countOf(at.owner, 'events.outbox');
    const failing = transact(at.db, 'rentals_rw', 'system:test', async (tx) => {
      await publish(tx, noShow(uuidv7(), 1));
      throw new Error('business says no');
    });
    await expect(failing).rejects.toThrow('business says no');
    expect(await countOf(at.owner, 'events.outbox')).toBe(before);
  });

  it('carries the trace of the caller', async () => {
    const provider = new NodeTracerProvider();
    provider.register();
    const id = uuidv7();
    const span = trace.getTracer('test').startSpan('reserve');
    await context.with(trace.setSpan(context.active(), span), () =>
      publishAs(at.db, noShow(id, 1)),
    );
    const [event = ''] = await eventsOf(id);
    expect(JSON.parse(event).traceparent).toMatch(
      new RegExp(`^00-${span.spanContext().traceId}-[0-9a-f]{16}-01$`),
    );
    await provider.shutdown();
  });

  it.each(DOMAINS)('lets %s add to the outbox, and neither read nor remove', async (domain) => {
    const id = uuidv7();
    const as = (statement: string) =>
      transact(at.db, `${domain}_rw`, 'system:test', (tx) => sql.raw(statement).execute(tx));
    await transact(at.db, `${domain}_rw`, 'system:test', (tx) => publish(tx, noShow(id, 1)));
    await expect(as('select * from events.outbox')).rejects.toMatchObject({ code: '42501' });
    await expect(as('delete from events.outbox')).rejects.toMatchObject({ code: '42501' });
    await expect(as('select * from events.inbox')).rejects.toMatchObject({ code: '42501' });
  });
});

describe('the contract', () => {
  const refused = (text: string) => () => parseEvent(text);
  const good = async () => {
    const id = uuidv7();
    await publishAs(at.db, noShow(id, 1));
    return JSON.parse((await eventsOf(id))[0] ?? '{}');
  };

  it('refuses what is not JSON, not ours, of an unknown type, or incomplete', async () => {
    const event = await good();
    expect(refused('{')).toThrow(ContractViolation);
    expect(refused('{}')).toThrow(ContractViolation);
    const unknown = { ...event, type: 'forecourt.rental.no-show.v2' };
    expect(refused(JSON.stringify(unknown))).toThrow('unknown type');
    const { pickUpAt: _, ...rest } = event.data;
    expect(refused(JSON.stringify({ ...event, data: rest }))).toThrow('pickUpAt');
  });

  it('does not quote the message in its refusal', () => {
    expect(refused('{"name":"Erika Mustermann"')).toThrow(/^not JSON$/);
  });

  it('accepts data that a newer producer added', async () => {
    const event = await good();
    const newer = { ...event, data: { ...event.data, colour: 'red' } };
    expect(parseEvent(JSON.stringify(newer)).data).toEqual(event.data);
  });
});

describe('the log', () => {
  it('has partitions for the coming days, files late rows and drops what is old', async () => {
    await sql`do $$ begin execute 'drop table events.log_' ||
      to_char((now() at time zone 'UTC')::date + 7, 'YYYYMMDD'); end $$`.execute(at.owner);
    await sql`insert into events.log (id, event_id, topic, aggregate_id, seq, type, event,
        created_at, published_at)
      select 1, gen_random_uuid(), 't', gen_random_uuid(), 1, 't', '{}', now(), at
      from unnest(array[now() - interval '40 days', now() + interval '7 days']) at`.execute(
      at.owner,
    );
    await sql`create table events.log_20200101 partition of events.log
      for values from ('2020-01-01Z') to ('2020-01-02Z')`.execute(at.owner);
    await sql`alter table events.log_20200101 owner to forecourt_owner`.execute(at.owner);
    expect(await countOf(at.owner, 'events.log_default')).toBe(2);
    await transact(at.db, 'events_rw', 'system:test', (tx) =>
      sql`select events.maintain_log(30)`.execute(tx),
    );
    const { rows } = await sql<{ name: string }>`select c.relname as name from pg_inherits
      join pg_class c on c.oid = inhrelid where inhparent = 'events.log'::regclass`.execute(
      at.owner,
    );
    expect(rows.map((row) => row.name)).not.toContain('log_20200101');
    expect(rows).toHaveLength(9);
    expect(await countOf(at.owner, 'events.log_default')).toBe(0);
    expect(await countOf(at.owner, 'events.log')).toBe(1);
  });
});

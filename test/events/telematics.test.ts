// The intake of telematics: each reading once in effect, and what is none set aside with its story.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, it } from 'vitest';
import { ContractViolation } from '../../events/contracts.ts';
import { listHeld, replayHeld } from '../../events/replay.ts';
import { runTelematics } from '../../events/telematics.ts';
import { parseReading } from '../../events/telematics-contract.ts';
import { deadTopicOf } from '../../events/topics.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { messagesOf, waitFor } from './setting.ts';
import { message, send, stored, type Telematics, telematics } from './telematics.ts';

let at: TestDatabase;
let own: Telematics;
beforeAll(async () => {
  at = await testDatabase();
  own = await telematics(at, { vehicles: 3 });
});

const vehicle = (n: number) => own.vehicleIds[n] ?? '';
const has = (n: number) => waitFor(`${n} stored`, async () => (await stored(at)).n === n);

function start(seen: { dead: number; handled: number } = { dead: 0, handled: 0 }) {
  const observer = {
    handled: (count: number) => {
      seen.handled += count;
    },
    dead: (count: number) => {
      seen.dead += count;
    },
    trouble: () => undefined,
  };
  const { topic, group: groupId } = own;
  return runTelematics({ db: at.db, kafka: own.kafka, observer }, { topic, groupId });
}

describe('the intake', () => {
  it('takes what comes late or twice once, and queues what nobody would believe', async () => {
    const drive = [5, 1, 3, 2, 4].map((n) => message(vehicle(0), n));
    await send(own, [...drive, ...drive, message(vehicle(0), 6, { value: 90_000 })]);
    const consumer = start();
    await has(6);
    await consumer.stop();
    expect(await stored(at)).toEqual({ n: 6, distinct: 6, queued: 1 });
    const again = start();
    await send(own, [...drive, message(vehicle(1), 1)]);
    await has(7);
    await again.stop();
  });

  it('sets aside what breaks the contract or names nobody, and the others flow', async () => {
    const seen = { dead: 0, handled: 0 };
    const before = (await stored(at)).n;
    const unknown = uuidv7();
    await send(own, [
      { key: 'k1', value: '{"broken' },
      message(unknown, 1),
      message(vehicle(2), 1, { kind: 'dtc', code: 'X0420', active: true, value: undefined }),
      message(vehicle(2), 2, { source: 'dash' }),
      message(vehicle(2), 3, { takenAt: new Date(Date.now() + 3_600_000).toISOString() }),
      message(vehicle(2), 4),
      message(vehicle(2), 5, { kind: 'dtc', code: 'P0420', active: true, value: undefined }),
    ]);
    const consumer = start(seen);
    await has(before + 2);
    await waitFor('five dead', () => seen.dead === 5);
    await consumer.stop();
    const letters = await messagesOf(own.kafka, deadTopicOf(own.topic));
    expect(letters.map((letter) => letter.headers['dead-error']).toSorted()).toEqual([
      'code must be a code of SAE J2012',
      'not JSON',
      'source invalid_value',
      'takenAt lies in the future',
      'unknown vehicle',
    ]);
    for (const { headers } of letters) {
      expect(headers['dead-consumer']).toBe('telematics');
      expect(headers['dead-origin']).toMatch(new RegExp(`^${own.topic}/[0-3]/[0-9]+$`));
    }
    const { rows } = await sql<{ n: number }>`select count(*) as n from events.outbox
      where type = 'forecourt.vehicle.dtc-raised.v1'`.execute(at.owner);
    expect(rows[0]?.n).toBe(1);
  });

  it('finds the one reading that the database refuses, and stores the rest', async () => {
    const seen = { dead: 0, handled: 0 };
    const before = (await stored(at)).n;
    await sql`create function public.refuse_it() returns trigger language plpgsql as $$ begin
      if new.external_id = 'm666' then raise exception 'no' using errcode = '22000'; end if;
      return new; end $$`.execute(at.owner);
    await sql`create trigger refuse_it before insert on vehicles.reading
      for each row execute function public.refuse_it()`.execute(at.owner);
    await send(own, [message(vehicle(1), 10), message(vehicle(1), 666), message(vehicle(1), 11)]);
    const consumer = start(seen);
    await has(before + 2);
    await waitFor('one dead', () => seen.dead === 1);
    await consumer.stop();
    await sql`drop trigger refuse_it on vehicles.reading`.execute(at.owner);
  });

  it('lists what it set aside for operators until a replay of it was taken', async () => {
    const seen = { dead: 0, handled: 0 };
    const id = uuidv7();
    const selection = { topic: own.topic };
    const ours = async () =>
      (await listHeld(at.db, selection)).filter(({ error }) => error === 'unknown vehicle');
    const known = (await ours()).length;
    await send(own, [message(id, 1), message(id, 2)]);
    const consumer = start(seen);
    await waitFor('two dead', () => seen.dead === 2);
    const [one, two] = (await ours()).slice(known);
    expect(one).toMatchObject({ consumer: 'telematics', attempts: 1, key: one?.origin });
    expect(await replayHeld(at.db, own.kafka, { id: two?.origin ?? '' })).toBe(1);
    await waitFor('dead again', () => seen.dead === 3);
    expect(await ours()).toHaveLength(known + 2);
    await sql`insert into vehicles.vehicle select (jsonb_populate_record(v, jsonb_build_object(
      'id', ${id}::uuid, 'plate', 'LATE-1', 'vin', null))).* from vehicles.vehicle v limit 1`.execute(
      at.owner,
    );
    const before = (await stored(at)).n;
    await replayHeld(at.db, own.kafka, { id: one?.origin ?? '' });
    await replayHeld(at.db, own.kafka, { id: two?.origin ?? '' });
    await has(before + 2);
    await waitFor('none left', async () => (await ours()).length === known);
    await consumer.stop();
  });

  it('waits for PostgreSQL as long as it takes', async () => {
    const before = (await stored(at)).n;
    await sql`create function public.stumble() returns trigger language plpgsql as $$ begin
      if nextval('public.stumbles') < 4 then
        raise exception 'shutting down' using errcode = '57P01';
      end if;
      return null; end $$`.execute(at.owner);
    await sql`create sequence public.stumbles`.execute(at.owner);
    await sql`grant usage on sequence public.stumbles to public`.execute(at.owner);
    await sql`create trigger stumble after insert on vehicles.reading
      for each statement execute function public.stumble()`.execute(at.owner);
    const seen = { dead: 0, handled: 0 };
    await send(own, [message(vehicle(1), 20)]);
    const consumer = start(seen);
    await has(before + 1);
    await consumer.stop();
    expect(seen.dead).toBe(0);
    await sql`drop trigger stumble on vehicles.reading`.execute(at.owner);
  });
});

describe('the contract', () => {
  const now = Date.now();
  const valid = JSON.parse(message(uuidv7(), 1).value);
  const parse = (over: object) => parseReading(JSON.stringify({ ...valid, ...over }), now);

  it('takes what it names and drops what it does not', () => {
    const { vehicleId, deviceId, takenAt, value } = valid;
    const common = { vehicleId, deviceId, takenAt, source: 'can', externalId: 'm1' };
    const taken = { ...common, kind: 'odometer', value, code: '', origin: 'device' };
    expect(parse({ speed: 90 })).toEqual(taken);
  });

  it.each([
    ['id', { id: undefined }],
    ['vehicleId', { vehicleId: 'W-123' }],
    ['deviceId', { deviceId: '' }],
    ['kind', { kind: 'speed' }],
    ['takenAt', { takenAt: '2026-11-21 10:00' }],
    ['value', { value: '5' }],
    ['value', { value: 6_000_000 }],
    ['value', { value: undefined }],
  ])('refuses a wrong %s by its name alone', (field, over) => {
    const refused = expect(() => parse(over));
    refused.toThrow(ContractViolation);
    refused.toThrow(new RegExp(`^${field} `));
  });
});

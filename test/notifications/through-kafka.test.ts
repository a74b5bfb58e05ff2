// The whole way of a letter: a fact in the outbox, Kafka, the consumer, the sender, a mail server.
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, expect, test } from 'vitest';
import type { RentalState } from '../../domain/rental.ts';
import { runConsumer } from '../../events/consumer.ts';
import { openProducer } from '../../events/kafka.ts';
import { notifications } from '../../events/notifications.ts';
import { eventSetting, messagesOf, relayFor, type Setting, waitFor } from '../events/setting.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { type LetterDesk, letterDesk } from '../support/letter-desk.ts';
import { type RentalDesk, rentalDesk } from '../support/rental-desk.ts';

let t: TestDatabase;
let desk: RentalDesk;
let post: LetterDesk;
let setting: Setting;
beforeAll(async () => {
  t = await testDatabase();
  setting = await eventSetting(t.owner);
  desk = await rentalDesk(t);
  post = await letterDesk(t, desk);
});

test('a fact is one letter, with repeats, a restart and a sender that is killed between', async () => {
  const { kafka, topic } = setting;
  const { relay } = relayFor(t.url, kafka);
  const plan = { ...notifications, name: `letters-${uuidv7()}`, topics: [topic] };
  const observer = { handled: () => undefined, dead: () => undefined, trouble: () => undefined };
  const consumer = () => runConsumer({ db: t.db, kafka, observer }, plan);
  const known = (rental: RentalState) =>
    waitFor('the letter', async () => (await post.rowOf(rental)) !== undefined);
  await post.send();
  const rental = await desk.reserved();
  const first = consumer();
  await known(rental);
  const { child, died } = post.startSender();
  post.mood.onLetter = () => !child.kill('SIGKILL');
  expect(await died).toBe('SIGKILL');
  await first.stop();

  const told = (await messagesOf(kafka, topic)).filter(({ key }) => key === rental.id);
  const again = told.map(({ key, value }) => ({
    key: key ?? '',
    value: value ?? '',
    headers: {},
  }));
  const producer = await openProducer(kafka);
  await producer.send(topic, [...again, ...again]);
  await producer.close();
  const second = consumer();
  const later = await desk.reserved();
  await known(later);
  await second.stop();
  await relay.stop();
  await post.send(undefined, 0);
  await post.send();
  expect(told).toHaveLength(1);
  expect(post.lettersOn(rental)).toHaveLength(1);
  expect(await post.stateOf(rental)).toEqual(['unknown', 'sender-lost']);
  expect(await post.stateOf(later)).toEqual(['sent', null]);
});

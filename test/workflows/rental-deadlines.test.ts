// What a rental does by itself: no-show, reminder, overdue, close, on a server that skips time.
import { randomUUID } from 'node:crypto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { beforeAll, expect, test } from 'vitest';
import type { RentalRequest } from '../../domain/rental.ts';
import { searchAttributes } from '../../temporal-config/names.ts';
import {
  amend,
  cancel,
  checkIn,
  checkOut,
  confirm,
  extend,
  state,
} from '../../workflows/rental.messages.ts';
import { fakeRentals, refusal } from '../support/rental-fakes.ts';
import { envelope, timeSkippingServer, withWorker } from '../support/temporal.ts';

const HOUR = 3_600_000;
let env: TestWorkflowEnvironment;
let now: () => Promise<number>;

beforeAll(async () => {
  env = await timeSkippingServer();
  now = async () => Number(await env.currentTimeMs());
});

const place = () => ({
  connection: env.connection,
  nativeConnection: env.nativeConnection,
  namespace: 'default',
});
const OUT = { odometerKm: 10_000, fuelEighths: 8 };
const BACK = { odometerKm: 10_250, fuelEighths: 6, branchId: 'VIE' };

async function request(pickUpHours = 1, dueHours = 25): Promise<RentalRequest> {
  const start = await now();
  return {
    id: randomUUID(),
    branchId: 'VIE',
    classId: 'CDMR',
    customerId: randomUUID(),
    pickUpAt: new Date(start + pickUpHours * HOUR).toISOString(),
    dueAt: new Date(start + dueHours * HOUR).toISOString(),
  };
}

test('a rental that nobody picks up is a no-show after the grace of its branch', async () => {
  const fakes = fakeRentals({ now });
  await withWorker(place(), fakes.activities, async (desk) => {
    const wanted = await request(1);
    await desk.reserve(wanted);
    const handle = desk.rental(wanted.id);
    await env.sleep(2.9 * HOUR);
    expect((await handle.query(state))?.status).toBe('reserved');
    await env.sleep(0.2 * HOUR);
    expect(await handle.result()).toMatchObject({ status: 'no_show', version: 2 });
  });
  expect(fakes.recorded.map((fact) => [fact.type, fact.actor])).toEqual([
    ['noShow', 'system:rental'],
  ]);
});

test('a booking that is moved while its no-show time comes is not given up', async () => {
  let recording = () => {};
  const begun = new Promise<void>((resolve) => {
    recording = resolve;
  });
  const fakes = fakeRentals({
    now,
    during: async (type) => {
      if (type !== 'amend') return;
      recording();
      // Well within the time that a recording may take.
      await env.sleep(8_000);
    },
  });
  await withWorker(place(), fakes.activities, async (desk) => {
    const wanted = await request(1);
    await desk.reserve(wanted);
    const handle = desk.rental(wanted.id);
    await env.sleep(Date.parse(wanted.pickUpAt) + 2 * HOUR - 6_000 - (await now()));
    const moved = envelope('c-1', { dueAt: new Date((await now()) + 99 * HOUR).toISOString() });
    const amended = handle.executeUpdate(amend, { args: [moved] });
    await begun;
    expect(await amended).toMatchObject({ status: 'reserved', version: 2 });
    await env.sleep(HOUR);
    expect(await handle.query(state)).toMatchObject({ status: 'reserved', version: 2 });
  });
  expect(fakes.recorded.map((fact) => fact.type)).toEqual(['amend']);
});

test('a cancelled rental ends at once and is no no-show later', async () => {
  const fakes = fakeRentals({ now });
  await withWorker(place(), fakes.activities, async (desk) => {
    const wanted = await request();
    await desk.reserve(wanted);
    const handle = desk.rental(wanted.id);
    const command = envelope('c-1', { reason: 'customer' } as const);
    await handle.executeUpdate(cancel, { args: [command] });
    expect((await handle.result())?.status).toBe('cancelled');
  });
  expect(fakes.recorded.map((fact) => fact.type)).toEqual(['cancel']);
});

test('a late vehicle is reminded of, overdue after its grace and again each hour, until it is back', async () => {
  const fakes = fakeRentals({ now });
  await withWorker(place(), fakes.activities, async (desk) => {
    const wanted = await request(0, 24);
    await desk.reserve(wanted);
    const handle = desk.rental(wanted.id);
    await handle.executeUpdate(checkOut, { args: [envelope('c-1', OUT)] });
    await env.sleep(22.5 * HOUR);
    expect(fakes.recorded.map((fact) => fact.type)).toEqual(['checkOut', 'remind']);
    await env.sleep(2 * HOUR);
    expect((await handle.query(state))?.overdue).toBe(false);
    await env.sleep(3 * HOUR);
    expect(await handle.query(state)).toMatchObject({ status: 'active', overdue: true });
    const back = await handle.executeUpdate(checkIn, { args: [envelope('c-2', BACK)] });
    expect(back).toMatchObject({ status: 'returned', overdue: false, invoiceNumber: 'A-1' });
    expect((await handle.result())?.status).toBe('closed');
    const due = Date.parse(wanted.dueAt);
    const at = (hours: number) => new Date(due + hours * HOUR).toISOString();
    expect(fakes.recorded.map((fact) => fact.commandId)).toEqual([
      'c-1',
      `${wanted.id}/remind/${wanted.dueAt}`,
      ...[1, 2, 3].map((hours) => `${wanted.id}/overdue/${at(hours)}`),
      'c-2',
      `${wanted.id}/close`,
    ]);
  });
});

test('an extension moves reminder and overdue to the new due time', async () => {
  const fakes = fakeRentals({ now });
  await withWorker(place(), fakes.activities, async (desk) => {
    const wanted = await request(0, 24);
    await desk.reserve(wanted);
    const handle = desk.rental(wanted.id);
    await handle.executeUpdate(checkOut, { args: [envelope('c-1', OUT)] });
    await env.sleep(25.5 * HOUR);
    expect((await handle.query(state))?.overdue).toBe(true);
    const dueAt = new Date(Date.parse(wanted.dueAt) + 48 * HOUR).toISOString();
    const extended = await handle.executeUpdate(extend, { args: [envelope('c-2', { dueAt })] });
    expect(extended).toMatchObject({ dueAt, overdue: false });
    await env.sleep(43.5 * HOUR);
    expect(fakes.recorded.map((fact) => fact.type).slice(-1)).toEqual(['extend']);
    await env.sleep(4.5 * HOUR);
    const types = fakes.recorded.map((fact) => fact.type);
    expect(types).toEqual(['checkOut', 'remind', 'markOverdue', 'extend', 'remind', 'markOverdue']);
  });
});

test('there is no reminder of a due time that was agreed later than it would have come', async () => {
  const fakes = fakeRentals({ now });
  await withWorker(place(), fakes.activities, async (desk) => {
    const wanted = await request(0, 1.5);
    await desk.reserve(wanted);
    const handle = desk.rental(wanted.id);
    await handle.executeUpdate(checkOut, { args: [envelope('c-1', OUT)] });
    await env.sleep(3 * HOUR);
    expect(fakes.recorded.map((fact) => fact.type)).toEqual(['checkOut', 'markOverdue']);
  });
});

test('a deadline that the database refuses asks for a person and is tried again in an hour', async () => {
  const refusals = ['vehicle-unavailable', 'vehicle-unavailable'] as const;
  let refused = 0;
  const fakes = fakeRentals({
    now,
    refuse: (type) => (type === 'noShow' ? refusals[refused++] : undefined),
  });
  await withWorker(place(), fakes.activities, async (desk) => {
    const wanted = await request(1);
    await desk.reserve(wanted);
    const handle = desk.rental(wanted.id);
    await env.sleep(3.5 * HOUR);
    const { typedSearchAttributes } = await handle.describe();
    const found = typedSearchAttributes.getAll().find(({ key }) => key.name === 'NeedsAttention');
    expect(found?.value).toBe(true);
    await env.sleep(1 * HOUR);
    expect((await handle.query(state))?.status).toBe('reserved');
    await env.sleep(1 * HOUR);
    expect((await handle.result())?.status).toBe('no_show');
  });
  expect(fakes.recorded.map((fact) => fact.type)).toEqual(['noShow']);
  expect(refused).toBe(3);
});

test('what is prepaid is kept: the timer asks again when the refusal says, and calls nobody', async () => {
  let noShowAt = '';
  const fakes = fakeRentals({
    now,
    refuse: (type, attempt) =>
      type === 'noShow' && attempt === 2 ? refusal('invalid-state', { noShowAt }) : undefined,
  });
  await withWorker(place(), fakes.activities, async (desk) => {
    const wanted = await request(1);
    noShowAt = new Date(Date.parse(wanted.pickUpAt) + 8 * HOUR).toISOString();
    await desk.reserve(wanted);
    const handle = desk.rental(wanted.id);
    await env.sleep(8.9 * HOUR);
    expect(fakes.calls()).toBe(2);
    const { searchAttributes: shown } = await handle.describe();
    expect(shown[searchAttributes.needsAttention.name]).toEqual([false]);
    await env.sleep(0.2 * HOUR);
    expect(await handle.result()).toMatchObject({ status: 'no_show', version: 2 });
  });
  expect(fakes.calls()).toBe(3);
});

test('a request calls for a person at once, and expires when nobody answers', async () => {
  const fakes = fakeRentals({ now, onRequestHours: 24 });
  await withWorker(place(), fakes.activities, async (desk) => {
    const wanted = await request(48, 72);
    expect((await desk.reserve(wanted)).status).toBe('requested');
    const handle = desk.rental(wanted.id);
    const seen = (await handle.describe()).typedSearchAttributes;
    expect(seen.get(searchAttributes.needsAttention)).toBe(true);
    expect(seen.get(searchAttributes.rentalStatus)).toBe('requested');
    await env.sleep(23.9 * HOUR);
    expect((await handle.query(state))?.status).toBe('requested');
    await env.sleep(0.2 * HOUR);
    // Without its timer it would wait for ever: asked, not awaited.
    await expect.poll(async () => (await handle.query(state))?.status).toBe('expired');
    expect(await handle.result()).toMatchObject({ status: 'expired', version: 2 });
  });
  expect(fakes.recorded.map((fact) => [fact.type, fact.actor])).toEqual([
    ['expire', 'system:rental'],
  ]);
});

test('a request that is confirmed is a rental like any other, and expires no more', async () => {
  const fakes = fakeRentals({ now, onRequestHours: 24 });
  await withWorker(place(), fakes.activities, async (desk) => {
    const wanted = await request(48, 72);
    await desk.reserve(wanted);
    const handle = desk.rental(wanted.id);
    await handle.executeUpdate(confirm, { args: [envelope('c-1', {})] });
    const seen = (await handle.describe()).typedSearchAttributes;
    expect(seen.get(searchAttributes.needsAttention)).toBe(false);
    await env.sleep(25 * HOUR);
    expect((await handle.query(state))?.status).toBe('reserved');
    await handle.executeUpdate(checkOut, { args: [envelope('c-2', OUT)] });
  });
  expect(fakes.recorded.map((fact) => fact.type)).toEqual(['confirm', 'checkOut']);
});

// What moves or troubles a booking: no vehicle a day before, a case, other hours, a late flight.
import { randomUUID } from 'node:crypto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { beforeAll, expect, test } from 'vitest';
import type { RentalRequest } from '../../domain/rental.ts';
import { searchAttributes } from '../../temporal-config/names.ts';
import {
  amend,
  announceDelay,
  cancel,
  hoursChanged,
  state,
  vehicleReassigned,
} from '../../workflows/rental.messages.ts';
import { fakeRentals, VEHICLE } from '../support/rental-fakes.ts';
import { type Desk, envelope, timeSkippingServer, withWorker } from '../support/temporal.ts';

const HOUR = 3_600_000;
let env: TestWorkflowEnvironment;
let now: () => Promise<number>;
beforeAll(async () => {
  env = await timeSkippingServer();
  now = async () => Number(await env.currentTimeMs());
}, 60_000);

async function request(pickUpHours: number): Promise<RentalRequest> {
  const start = await now();
  return {
    id: randomUUID(),
    branchId: 'VIE',
    classId: 'CDMR',
    customerId: randomUUID(),
    pickUpAt: new Date(start + pickUpHours * HOUR).toISOString(),
    dueAt: new Date(start + (pickUpHours + 24) * HOUR).toISOString(),
  };
}

type Handle = ReturnType<Desk['rental']>;

async function attention(handle: Handle): Promise<boolean | undefined> {
  const { typedSearchAttributes } = await handle.describe();
  return typedSearchAttributes.get(searchAttributes.needsAttention);
}

/** Plays `story` with a rental that lost its vehicle as soon as it was booked. */
async function short(
  pickUpHours: number,
  story: (handle: Handle, types: () => readonly string[]) => Promise<void>,
): Promise<void> {
  const { connection, nativeConnection } = env;
  const fakes = fakeRentals({ now, amendedTo: VEHICLE });
  const place = { connection, nativeConnection, namespace: 'default' };
  await withWorker(place, fakes.activities, async (desk) => {
    const wanted = await request(pickUpHours);
    await desk.reserve(wanted);
    const handle = desk.rental(wanted.id);
    await handle.signal(vehicleReassigned, { vehicleId: null });
    await story(handle, () => fakes.recorded.map(({ type }) => type));
    await handle.executeUpdate(cancel, { args: [envelope('c-end', { reason: 'other' })] });
  });
}

test('needs attention from a day before pick-up, and is a case two hours before', {
  timeout: 120_000,
}, async () => {
  await short(48, async (handle, types) => {
    await env.sleep(23.9 * HOUR);
    expect(await attention(handle)).toBe(false);
    await env.sleep(0.2 * HOUR);
    expect([await attention(handle), types()]).toEqual([true, []]);
    await env.sleep(21.8 * HOUR);
    expect(types()).toEqual([]);
    await env.sleep(0.2 * HOUR);
    expect(types()).toEqual(['raiseShortage']);
    await env.sleep(2 * HOUR);
    expect(types()).toEqual(['raiseShortage']);
  });
});

test('that is helped is none any more, until it loses its vehicle again', {
  timeout: 120_000,
}, async () => {
  await short(1, async (handle, types) => {
    await env.sleep(0.1 * HOUR);
    expect([await attention(handle), types()]).toEqual([true, ['raiseShortage']]);
    await handle.signal(vehicleReassigned, { vehicleId: VEHICLE });
    await env.sleep(0.1 * HOUR);
    expect(await attention(handle)).toBe(false);
    await handle.signal(vehicleReassigned, { vehicleId: null });
    await env.sleep(0.1 * HOUR);
    expect(types()).toEqual(['raiseShortage', 'raiseShortage']);
  });
});

test('that is moved is looked at again a day before its new pick-up', {
  timeout: 120_000,
}, async () => {
  await short(12, async (handle) => {
    await env.sleep(0.1 * HOUR);
    expect(await attention(handle)).toBe(true);
    const start = await now();
    const term = {
      pickUpAt: new Date(start + 48 * HOUR).toISOString(),
      dueAt: new Date(start + 72 * HOUR).toISOString(),
    };
    await handle.executeUpdate(amend, { args: [envelope('c-1', term)] });
    await handle.signal(vehicleReassigned, { vehicleId: null });
    await env.sleep(23.9 * HOUR);
    expect(await attention(handle)).toBe(false);
    await env.sleep(0.2 * HOUR);
    expect(await attention(handle)).toBe(true);
  });
});

test('hours that do not suit a handover are of no concern once it is agreed on anew', {
  timeout: 120_000,
}, async () => {
  await short(90, async (handle) => {
    const { pickUpAt = '', dueAt = '' } = (await handle.query(state)) ?? {};
    await handle.signal(hoursChanged, { handover: 'pick-up', at: pickUpAt, problem: 'fee' });
    await env.sleep(0.1 * HOUR);
    expect(await attention(handle)).toBe(true);
    const longer = new Date(Date.parse(dueAt) + HOUR).toISOString();
    await handle.executeUpdate(amend, { args: [envelope('c-1', { pickUpAt, dueAt: longer })] });
    expect(await attention(handle)).toBe(false);
  });
});

test('who comes by a late flight is waited for as much longer, and not after that', async () => {
  let wanted = await request(1);
  const fakes = fakeRentals({
    now,
    billing: (command) => {
      if (command.type !== 'announceDelay') return undefined;
      const { delayMinutes } = command;
      const at = Date.parse(wanted.pickUpAt) + 2 * HOUR + delayMinutes * 60_000;
      return { type: 'delayAnnounced', delayMinutes, noShowAt: new Date(at).toISOString() };
    },
  });
  const { connection, nativeConnection } = env;
  const place = { connection, nativeConnection, namespace: 'default' };
  await withWorker(place, fakes.activities, async (desk) => {
    wanted = await request(1);
    await desk.reserve(wanted);
    const handle = desk.rental(wanted.id);
    const say = (id: string, delayMinutes: number) =>
      handle.executeUpdate(announceDelay, { args: [envelope(id, { delayMinutes })] });
    expect(await say('c-1', 600)).toMatchObject({ status: 'reserved', delayMinutes: 600 });
    await env.sleep(12 * HOUR);
    expect(await say('c-2', 720)).toMatchObject({ status: 'reserved', delayMinutes: 720 });
    expect(await say('c-2', 720), 'a repeat').toMatchObject({ version: 3 });
    await env.sleep(2.9 * HOUR);
    expect((await handle.query(state))?.status).toBe('reserved');
    await env.sleep(0.2 * HOUR);
    expect(await handle.result()).toMatchObject({ status: 'no_show', delayMinutes: 720 });
  });
  expect(fakes.recorded.map(({ type }) => type)).toEqual([
    ...['announceDelay', 'announceDelay', 'noShow'],
  ]);
});

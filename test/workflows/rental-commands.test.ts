// What people ask of a rental: refusals, repeats, turns, other rentals' news and long histories.
import { randomUUID } from 'node:crypto';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { beforeAll, expect, test } from 'vitest';
import type { Reassignment, RentalRequest } from '../../domain/rental.ts';
import { searchAttributes } from '../../temporal-config/names.ts';
import {
  cancel,
  checkIn,
  checkOut,
  exchange,
  extend,
  state,
  swap,
  vehicleReassigned,
} from '../../workflows/rental.messages.ts';
import { type FakeOptions, fakeRentals, VEHICLE } from '../support/rental-fakes.ts';
import { type Desk, envelope, timeSkippingServer, withWorker } from '../support/temporal.ts';

const HOUR = 3_600_000;
let env: TestWorkflowEnvironment;

beforeAll(async () => {
  env = await timeSkippingServer();
});

const OUT = { odometerKm: 10_000, fuelEighths: 8 };
const BACK = { odometerKm: 10_250, fuelEighths: 6, branchId: 'VIE' };
const OTHER_VEHICLE = '01990000-0000-7000-8000-00000000000b';

async function request(): Promise<RentalRequest> {
  const start = Number(await env.currentTimeMs());
  return {
    id: randomUUID(),
    branchId: 'VIE',
    classId: 'CDMR',
    customerId: randomUUID(),
    pickUpAt: new Date(start + HOUR).toISOString(),
    dueAt: new Date(start + 25 * HOUR).toISOString(),
  };
}

/** Tells `story` with a worker of its own; answers what reached the activities. */
async function tell(
  story: (desk: Desk) => Promise<void>,
  options: Omit<FakeOptions, 'now'> = {},
): Promise<ReturnType<typeof fakeRentals>> {
  const fakes = fakeRentals({ now: async () => Number(await env.currentTimeMs()), ...options });
  const { connection, nativeConnection } = env;
  const place = { connection, nativeConnection, namespace: 'default' };
  await withWorker(place, fakes.activities, story);
  return fakes;
}

async function failureOf(call: Promise<unknown>): Promise<ApplicationFailure> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(WorkflowUpdateFailedError);
  const { cause } = error as WorkflowUpdateFailedError;
  expect(cause).toBeInstanceOf(ApplicationFailure);
  return cause as ApplicationFailure;
}

test('a repeated command gets its first answer, even when it would now be illegal', async () => {
  const fakes = await tell(async (desk) => {
    const wanted = await request();
    await desk.reserve(wanted);
    const handle = desk.rental(wanted.id);
    const out = envelope('c-1', OUT);
    const first = await handle.executeUpdate(checkOut, { args: [out], updateId: 'c-1' });
    // Another update id: the server does not know it, the workflow does.
    const again = await handle.executeUpdate(checkOut, { args: [out], updateId: 'c-1-again' });
    expect(again).toEqual(first);
  });
  expect(fakes.recorded.map((fact) => fact.type)).toEqual(['checkOut']);
});

test('two commands at the same moment take turns: the second meets the state of the first', async () => {
  const fakes = await tell(
    async (desk) => {
      const wanted = await request();
      await desk.reserve(wanted);
      const handle = desk.rental(wanted.id);
      const [out, gone] = await Promise.allSettled([
        handle.executeUpdate(checkOut, { args: [envelope('c-1', OUT)] }),
        handle.executeUpdate(cancel, { args: [envelope('c-2', { reason: 'customer' })] }),
      ]);
      const [done, refused] = out.status === 'fulfilled' ? [out, gone] : [gone, out];
      expect(done.status).toBe('fulfilled');
      const reason = refused.status === 'rejected' ? refused.reason : undefined;
      expect((await failureOf(Promise.reject(reason))).type).toBe('invalid-state');
    },
    // Long enough for both to pass their validators before either is done.
    { during: () => new Promise((resolve) => setTimeout(resolve, 300)) },
  );
  expect(fakes.recorded).toHaveLength(1);
});

test('extensions at the same moment are recorded one after the other, on rising versions', async () => {
  const fakes = await tell(async (desk) => {
    const wanted = await request();
    await desk.reserve(wanted);
    const due = Date.parse(wanted.dueAt);
    const later = [1, 2, 3, 4].map((days) => new Date(due + days * 24 * HOUR).toISOString());
    await Promise.allSettled(
      later.map((dueAt, n) =>
        desk.rental(wanted.id).executeUpdate(extend, { args: [envelope(`c-${n}`, { dueAt })] }),
      ),
    );
    expect((await desk.rental(wanted.id).query(state))?.dueAt).toBe(later.at(-1));
  });
  const versions = fakes.recorded.map((fact) => fact.version);
  expect(versions).toEqual(versions.map((_, index) => index + 1));
});

test('what the database refuses fails the command only: the rental goes on', async () => {
  await tell(
    async (desk) => {
      const wanted = await request();
      await desk.reserve(wanted);
      const handle = desk.rental(wanted.id);
      const out = (id: string) => handle.executeUpdate(checkOut, { args: [envelope(id, OUT)] });
      const failure = await failureOf(out('c-1'));
      expect([failure.type, failure.details]).toEqual(['no-vehicle', [{ of: 'fake' }]]);
      expect((await out('c-2')).status).toBe('active');
    },
    { refuse: (_type, attempt) => (attempt === 2 ? 'no-vehicle' : undefined) },
  );
});

test('a rental whose vehicle another one keeps is told, and one that has ended does no harm', async () => {
  const waiting = await request();
  await tell(
    async (desk) => {
      await desk.reserve(waiting);
      const late = await request();
      await desk.reserve(late);
      const handle = desk.rental(late.id);
      await handle.executeUpdate(checkOut, { args: [envelope('c-1', OUT)] });
      await expect
        .poll(async () => (await desk.rental(waiting.id).query(state))?.vehicleId)
        .toBe(OTHER_VEHICLE);
      await handle.executeUpdate(checkIn, { args: [envelope('c-2', BACK)] });
      expect((await handle.result())?.status).toBe('closed');
    },
    {
      reassigned: (type) =>
        type === 'checkOut'
          ? [
              { rentalId: waiting.id, vehicleId: OTHER_VEHICLE },
              { rentalId: randomUUID(), vehicleId: null },
            ]
          : [],
    },
  );
});

test('news of its vehicle counts by its sequence, also while an extension is carried out', async () => {
  let own: readonly Reassignment[] = [];
  let meanwhile = async () => {};
  await tell(
    async (desk) => {
      const wanted = await request();
      await desk.reserve(wanted);
      const handle = desk.rental(wanted.id);
      const vehicle = async () => (await handle.query(state))?.vehicleId;
      const hears = (vehicleId: string | null, sequence: number) =>
        handle.signal(vehicleReassigned, { vehicleId, sequence });
      const extended = (days: number) => {
        const dueAt = new Date(Date.parse(wanted.dueAt) + days * 24 * HOUR).toISOString();
        return handle.executeUpdate(extend, { args: [envelope(`c-${days}`, { dueAt })] });
      };
      await hears(OTHER_VEHICLE, 3);
      await hears(VEHICLE, 2);
      await hears(VEHICLE, 3);
      expect(await vehicle()).toBe(OTHER_VEHICLE);
      // The extension was recorded with the vehicle of before, and its answer comes after the news.
      meanwhile = () => hears(null, 4);
      expect((await extended(1)).vehicleId).toBeNull();
      // It moved its own booking, later than what is heard while it lasts.
      own = [{ rentalId: wanted.id, vehicleId: VEHICLE, version: 6 }];
      meanwhile = () => hears(OTHER_VEHICLE, 5);
      expect((await extended(2)).vehicleId).toBe(VEHICLE);
      meanwhile = async () => {};
      await hears(OTHER_VEHICLE, 5);
      expect(await vehicle()).toBe(VEHICLE);
      own = [];
      expect((await extended(3)).vehicleId).toBe(VEHICLE);
    },
    { during: () => meanwhile(), reassigned: () => own },
  );
});

test('a reserved rental that loses its vehicle asks for a person; one that is out keeps its own until an exchange', async () => {
  await tell(async (desk) => {
    const wanted = await request();
    await desk.reserve(wanted);
    const handle = desk.rental(wanted.id);
    const found = async () => (await handle.describe()).typedSearchAttributes;
    const attention = async () => (await found()).get(searchAttributes.needsAttention);
    await handle.signal(vehicleReassigned, { vehicleId: null });
    await expect.poll(attention).toBe(true);
    const given = { ...BACK, reason: 'fleet', taken: { vehicleId: OTHER_VEHICLE } } as const;
    const swapped = await handle.executeUpdate(swap, { args: [envelope('c-0', given.taken)] });
    expect([swapped.vehicleId, await attention()]).toEqual([OTHER_VEHICLE, false]);
    await handle.executeUpdate(checkOut, { args: [envelope('c-1', OUT)] });
    await handle.signal(vehicleReassigned, { vehicleId: OTHER_VEHICLE });
    expect(await handle.query(state)).toMatchObject({ status: 'active', vehicleId: VEHICLE });
    await handle.executeUpdate(exchange, { args: [envelope('c-2', given)] });
    expect((await handle.query(state))?.exchanged).toMatchObject([{ vehicleId: VEHICLE }]);
    expect((await found()).get(searchAttributes.vehicleId)).toBe(OTHER_VEHICLE);
  });
});

test('a long history continues as new; a command acknowledged before gets its old answer', async () => {
  const fakes = await tell(async (desk) => {
    const wanted = await request();
    await desk.reserve(wanted, 30);
    const handle = desk.rental(wanted.id);
    const firstRun = (await handle.describe()).runId;
    const out = envelope('c-out', OUT);
    const first = await handle.executeUpdate(checkOut, { args: [out], updateId: 'c-out' });
    const due = Date.parse(wanted.dueAt);
    for (let days = 1; days <= 4; days += 1) {
      const dueAt = new Date(due + days * 24 * HOUR).toISOString();
      await handle.executeUpdate(extend, { args: [envelope(`c-${days}`, { dueAt })] });
    }
    await expect.poll(async () => (await handle.describe()).runId).not.toBe(firstRun);
    const again = await handle.executeUpdate(checkOut, { args: [out], updateId: 'c-out' });
    expect(again).toEqual(first);
    expect(await handle.query(state)).toMatchObject({ status: 'active', version: 6 });
  });
  expect(fakes.recorded.filter((fact) => fact.type === 'checkOut')).toHaveLength(1);
});

test('a request to cancel the workflow does not abandon the rental', async () => {
  const fakes = await tell(async (desk) => {
    const wanted = await request();
    await desk.reserve(wanted);
    const handle = desk.rental(wanted.id);
    await handle.cancel();
    const out = await handle.executeUpdate(checkOut, { args: [envelope('c-1', OUT)] });
    expect(out.status).toBe('active');
  });
  expect(fakes.recorded.map((fact) => fact.type)).toEqual(['checkOut']);
});

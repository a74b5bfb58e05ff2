// What only a real server can show: stored refusals, no trace of them, the Web UI's view, encryption.
import { randomUUID } from 'node:crypto';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure, defaultPayloadConverter } from '@temporalio/common';
import { beforeAll, expect, test, vi } from 'vitest';
import type { RentalRequest } from '../../domain/rental.ts';
import { checkIn, checkOut, extend } from '../../workflows/rental.messages.ts';
import { historyText, type WorkflowHistory } from '../support/histories.ts';
import { type FakeOptions, fakeRentals, VEHICLE } from '../support/rental-fakes.ts';
import { type Desk, envelope, realServer, withWorker } from '../support/temporal.ts';
import type { Place } from '../support/workflow-desk.ts';

const HOUR = 3_600_000;
let place: Place;
beforeAll(async () => {
  place = await realServer('rental');
});

const OUT = { odometerKm: 10_000, fuelEighths: 8 };
const BACK = { odometerKm: 10_250, fuelEighths: 6, branchId: 'VIE' };

function request(changes: Partial<RentalRequest> = {}): RentalRequest {
  return {
    id: randomUUID(),
    branchId: 'VIE',
    classId: 'CDMR',
    customerId: randomUUID(),
    pickUpAt: new Date(Date.now() + HOUR).toISOString(),
    dueAt: new Date(Date.now() + 25 * HOUR).toISOString(),
    ...changes,
  };
}

async function tell(
  story: (desk: Desk) => Promise<void>,
  options: Omit<FakeOptions, 'now'> = {},
): Promise<ReturnType<typeof fakeRentals>> {
  const fakes = fakeRentals({ now: () => Date.now(), ...options });
  await withWorker(place, fakes.activities, story);
  return fakes;
}

async function failureOf(call: Promise<unknown>): Promise<ApplicationFailure> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(WorkflowUpdateFailedError);
  expect((error as WorkflowUpdateFailedError).cause).toBeInstanceOf(ApplicationFailure);
  return (error as WorkflowUpdateFailedError).cause as ApplicationFailure;
}

/** A server that has just learned the names shows its own for them until its cache is renewed. */
async function attributes(desk: Desk, id: string): Promise<Record<string, unknown>> {
  return vi.waitFor(
    async () => {
      const { typedSearchAttributes } = await desk.rental(id).describe();
      const named = typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]);
      const shown = Object.fromEntries(named) as Record<string, unknown>;
      expect(shown).toHaveProperty('RentalStatus');
      return shown;
    },
    { timeout: 20_000, interval: 200 },
  );
}

test('a refused request ends normally, and its repeat gets the same refusal from the closed run', async () => {
  const fakes = await tell(
    async (desk) => {
      const wanted = request();
      for (let attempt = 0; attempt < 2; attempt += 1) {
        const failure = await failureOf(desk.reserve(wanted));
        expect([failure.type, failure.details]).toEqual(['vehicle-unavailable', [{ of: 'fake' }]]);
        expect(await desk.rental(wanted.id).result()).toBeNull();
      }
      expect((await desk.rental(wanted.id).describe()).status.name).toBe('COMPLETED');
      expect(await attributes(desk, wanted.id)).toMatchObject({
        RentalStatus: 'refused',
        BranchId: 'VIE',
        CustomerId: wanted.customerId,
      });
    },
    { refuseReserve: 'vehicle-unavailable' },
  );
  expect(fakes.calls()).toBe(1);
});

test('a repeated request gets its rental again and takes no second vehicle', async () => {
  const fakes = await tell(async (desk) => {
    const wanted = request();
    const answers = await Promise.all([1, 2, 3].map(() => desk.reserve(wanted)));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  });
  expect(fakes.calls()).toBe(1);
});

test('a command out of turn is refused, says why and leaves no trace in the history', async () => {
  await tell(async (desk) => {
    const wanted = request();
    await desk.reserve(wanted);
    const handle = desk.rental(wanted.id);
    const length = async () => (await handle.fetchHistory()).events?.length;
    const before = await length();
    const back = envelope('c-1', BACK);
    const failure = await failureOf(handle.executeUpdate(checkIn, { args: [back] }));
    expect(failure.type).toBe('invalid-state');
    expect(failure.details).toEqual([{ rentalStatus: 'reserved', command: 'checkIn' }]);
    expect(await length()).toBe(before);
  });
});

test('operators see status, branch, vehicle, customer, due time, and what is to be done', async () => {
  await tell(async (desk) => {
    const wanted = request();
    await desk.reserve(wanted);
    const handle = desk.rental(wanted.id);
    const shown = {
      RentalStatus: 'reserved',
      BranchId: 'VIE',
      VehicleId: VEHICLE,
      CustomerId: wanted.customerId,
      DueAt: new Date(wanted.dueAt),
      NeedsAttention: false,
    };
    expect(await attributes(desk, wanted.id)).toMatchObject(shown);
    await handle.executeUpdate(checkOut, { args: [envelope('c-1', OUT)] });
    expect(await attributes(desk, wanted.id)).toMatchObject({ ...shown, RentalStatus: 'active' });
    const running = `RentalStatus = 'active' AND CustomerId = '${wanted.customerId}'`;
    await expect
      .poll(async () => (await desk.client.workflow.count(running)).count, { timeout: 10_000 })
      .toBe(1);
    const metadata = await handle.query('__temporal_workflow_metadata');
    const { currentDetails } = metadata as { readonly currentDetails: string };
    expect(currentDetails).toContain('**active**');
    expect(currentDetails).toContain('extend, exchange, checkIn');
    expect(currentDetails).toContain(VEHICLE);
  });
});

test('after continue-as-new the Web UI still shows the state', async () => {
  await tell(async (desk) => {
    const wanted = request();
    await desk.reserve(wanted, 20);
    const handle = desk.rental(wanted.id);
    const { runId } = await handle.describe();
    await handle.executeUpdate(checkOut, { args: [envelope('c-1', OUT)] });
    for (let days = 1; days <= 3; days += 1) {
      const dueAt = new Date(Date.parse(wanted.dueAt) + days * 24 * HOUR).toISOString();
      await handle.executeUpdate(extend, { args: [envelope(`c-${days + 1}`, { dueAt })] });
    }
    await expect.poll(async () => (await handle.describe()).runId).not.toBe(runId);
    const metadata = await handle.query('__temporal_workflow_metadata');
    expect((metadata as { currentDetails: string }).currentDetails).toContain('**active**');
    expect(await attributes(desk, wanted.id)).toMatchObject({ RentalStatus: 'active' });
  });
});

test('nothing that a workflow says is readable in its history, timers and activities are named', async () => {
  const planted = `planted-${randomUUID()}`;
  await tell(
    async (desk) => {
      const wanted = request({ classId: planted });
      await desk.reserve(wanted);
      const handle = desk.rental(wanted.id);
      await handle.executeUpdate(checkOut, { args: [envelope('c-1', OUT)] });
      await failureOf(
        handle.executeUpdate(extend, {
          args: [envelope('c-2', { dueAt: new Date(Date.now() + 99 * HOUR).toISOString() })],
        }),
      );
      const history = await handle.fetchHistory();
      const raw = opened(historyText(history));
      // The look itself works: what is not secret is found.
      expect(raw).toContain('encryption-key-id');
      expect(raw).toContain('AES-256-GCM');
      for (const readable of [planted, wanted.pickUpAt, 'odometerKm', 'R-000001', 'Refused: no']) {
        expect(raw).not.toContain(readable);
      }
      expect(await summaries(desk, history)).toEqual([
        'no-show',
        'check out',
        'return reminder',
        'extend',
      ]);
    },
    { refuse: (type) => (type === 'extend' ? 'no-vehicle' : undefined) },
  );
});

/** The names that the Web UI shows beside timers and activities, in the order of the history. */
async function summaries(desk: Desk, history: WorkflowHistory): Promise<string[]> {
  const codec = desk.client.options.loadedDataConverter.payloadCodecs[0];
  const payloads = (history.events ?? [])
    .filter(
      (event) => event.timerStartedEventAttributes ?? event.activityTaskScheduledEventAttributes,
    )
    .map((event) => event.userMetadata?.summary)
    .filter((payload) => payload !== null && payload !== undefined);
  const decoded = (await codec?.decode(payloads)) ?? [];
  return decoded.map((payload) => defaultPayloadConverter.fromPayload<string>(payload));
}

/** The text, and behind every base64 value in it the bytes that it stands for. */
function opened(text: string): string {
  const values = text.match(/"[A-Za-z0-9+/]{8,}=*"/g) ?? [];
  return [text, ...values.map((value) => Buffer.from(value, 'base64').toString('latin1'))].join();
}

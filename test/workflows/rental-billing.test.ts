// Rentals that do not go straight on, on a clock that skips: billed in cycles, reinstated, undone.
import { randomUUID } from 'node:crypto';
import { WithStartWorkflowOperation } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { beforeAll, expect, test } from 'vitest';
import type { RentalRequest, RentalState } from '../../domain/rental.ts';
import { searchAttributes } from '../../temporal-config/names.ts';
import { rentalResumeOptions } from '../../temporal-config/starts.ts';
import {
  announceReturn,
  checkIn,
  checkOut,
  depositAnswered,
  reinstate,
  state,
  undoCheckOut,
} from '../../workflows/rental.messages.ts';
import type { rental } from '../../workflows/rental.ts';
import { type FakeOptions, fakeRentals, refusal, VEHICLE } from '../support/rental-fakes.ts';
import { type Desk, envelope, timeSkippingServer, withWorker } from '../support/temporal.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Instead of 5,000. */
const MAX_EVENTS = 60;
let env: TestWorkflowEnvironment;

beforeAll(async () => {
  env = await timeSkippingServer();
});

const now = async () => Number(await env.currentTimeMs());
const OUT = { odometerKm: 10_000, fuelEighths: 8 };
const BACK = { odometerKm: 10_250, fuelEighths: 6, branchId: 'VIE' };

async function request(days: number): Promise<RentalRequest> {
  const start = await now();
  const at = (ms: number) => new Date(start + ms).toISOString();
  const ids = { id: randomUUID(), branchId: 'VIE', classId: 'CDMR', customerId: randomUUID() };
  return { ...ids, pickUpAt: at(0), dueAt: at(days * DAY) };
}

/**
 * Cycles of 30 days. One payer of the first has a long term; another, of the second, a week, and pays
 * a day after that.
 */
function inCycles({ pickUpAt }: RentalRequest): NonNullable<FakeOptions['billing']> {
  const end = (n: number) => new Date(Date.parse(pickUpAt) + n * 30 * DAY).toISOString();
  const plus = (at: string, days: number) => new Date(Date.parse(at) + days * DAY).toISOString();
  let [billed, looks] = [0, 0];
  return ({ type }) => {
    if (type === 'checkOut')
      return { ...OUT, type: 'checkedOut', vehicleId: VEHICLE, cycleEndsAt: end(1) };
    if (type === 'billCycle') {
      billed += 1;
      const payableBy = [plus(end(2), 40), plus(end(2), 7)][billed - 1] ?? null;
      return { type: 'cycleBilled', cycleEndsAt: end(billed + 1), payableBy };
    }
    if (type !== 'checkArrears') return undefined;
    looks += 1;
    const arrears = looks === 1;
    return { type: 'arrearsChecked', arrears, nextCheckAt: arrears ? plus(end(2), 8) : null };
  };
}

async function tell(
  days: number,
  story: (rental: ReturnType<Desk['rental']>, desk: Desk) => Promise<void>,
  { maxHistoryLength, ...options }: Partial<FakeOptions> & { readonly maxHistoryLength: number },
) {
  const wanted = await request(days);
  const fakes = fakeRentals({ now, billing: inCycles(wanted), ...options });
  const place = { ...env, connection: env.connection, nativeConnection: env.nativeConnection };
  await withWorker({ ...place, namespace: 'default' }, fakes.activities, async (desk) => {
    await desk.reserve(wanted, maxHistoryLength);
    const rental = desk.rental(wanted.id);
    await rental.executeUpdate(checkOut, { args: [envelope('c-1', OUT)] });
    await story(rental, desk);
  });
  return { wanted, types: fakes.recorded.map(({ type }) => type), recorded: fakes.recorded };
}

/** How many events each run of the rental has, the first run first. */
async function lengthsOf(rental: ReturnType<Desk['rental']>, { client }: Desk, firstRun: string) {
  const lengths: number[] = [];
  let runId: string | undefined = firstRun;
  while (runId) {
    const { events } = await historyOf(client, rental.workflowId, runId);
    lengths.push(events?.length ?? 0);
    const last = events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes;
    runId = last?.newExecutionRunId ?? undefined;
  }
  return lengths;
}

function historyOf(client: Desk['client'], id: string, runId: string) {
  return client.workflow.getHandle(id, runId).fetchHistory();
}

test('400 days are billed in 14 documents: 13 cycles of 30 days and the rest, over several runs', async () => {
  let refused = 0;
  const { wanted, types, recorded } = await tell(
    400,
    async (rental, desk) => {
      const attention = async () =>
        (await rental.describe()).typedSearchAttributes.get(searchAttributes.needsAttention);
      const firstRun = (await rental.describe()).runId;
      await env.sleep(30 * DAY + HOUR / 2);
      expect(await attention()).toBe(true); // the first attempt was refused
      await env.sleep(HOUR);
      expect(await attention()).toBe(false);
      await env.sleep(37 * DAY - HOUR);
      expect([(await rental.query(state))?.arrears, await attention()]).toEqual([true, true]);
      await env.sleep(DAY);
      expect([(await rental.query(state))?.arrears, await attention()]).toEqual([false, false]);
      // A day late: the next cycle ends more than ten days after the due time, and is not billed.
      await env.sleep(333 * DAY);
      await rental.executeUpdate(checkIn, { args: [envelope('c-2', BACK)] });
      expect((await rental.result())?.status).toBe('closed');
      const lengths = await lengthsOf(rental, desk, firstRun);
      // About 12 events an hour overdue, and as many a cycle: no run comes near 10,000.
      expect(lengths.length).toBeGreaterThan(5);
      expect(Math.max(...lengths)).toBeLessThan(MAX_EVENTS + 30);
    },
    {
      maxHistoryLength: MAX_EVENTS,
      refuse: (type) => (type === 'billCycle' && refused++ === 0 ? 'period-closed' : undefined),
    },
  );
  expect(types.filter((type) => type === 'billCycle')).toHaveLength(13);
  expect(types.filter((type) => type === 'checkIn')).toHaveLength(1);
  const end = new Date(Date.parse(wanted.pickUpAt) + 30 * DAY).toISOString();
  expect(recorded[1]?.commandId).toBe(`${wanted.id}/cycle/${end}`);
});

test('who is reinstated and stays away again is a no-show once more; no old answer turns that back', async () => {
  const wanted = { ...(await request(2)), pickUpAt: new Date((await now()) + HOUR).toISOString() };
  const noShowAt = new Date(Date.parse(wanted.pickUpAt) + 5 * HOUR).toISOString();
  const fakes = fakeRentals({
    now,
    billing: ({ type }) =>
      type === 'reinstate' ? { type: 'reinstated', vehicleId: VEHICLE, noShowAt } : undefined,
  });
  const place = { ...env, connection: env.connection, nativeConnection: env.nativeConnection };
  await withWorker({ ...place, namespace: 'default' }, fakes.activities, async (desk) => {
    const again = (gone: RentalState) => {
      const options = rentalResumeOptions(gone, desk.taskQueue);
      return desk.client.workflow.executeUpdateWithStart(reinstate, {
        args: [envelope('c-1', {})],
        startWorkflowOperation: new WithStartWorkflowOperation<typeof rental>('rental', options),
      });
    };
    const ended = async () => {
      const last = await desk.rental(wanted.id).result();
      if (last === null) throw new Error('It was refused.');
      return last;
    };
    await desk.reserve(wanted);
    await env.sleep(3.5 * HOUR);
    expect(await again(await ended())).toMatchObject({ status: 'reserved', version: 3 });
    await env.sleep(3 * HOUR);
    const gone = await ended();
    expect(gone).toMatchObject({ status: 'no_show', version: 4 });
    expect(await again(gone)).toMatchObject({ status: 'no_show', version: 4 });
    expect(await ended()).toMatchObject({ status: 'no_show', version: 4 });
  });
  const { id } = wanted;
  const ids = fakes.recorded.map(({ commandId }) => commandId);
  expect(ids).toEqual([`${id}/no-show`, 'c-1', `${id}/no-show/reinstated-3`]);
});

test('keys that come back at once end the hire’s timers; a return that is announced ends none', async () => {
  const { types } = await tell(
    1,
    async (rental) => {
      const back = envelope('c-2', { ...OUT, reason: 'renter' as const });
      const undone = await rental.executeUpdate(undoCheckOut, { args: [back] });
      expect(undone).toMatchObject({ status: 'reserved', checkedOutAt: null, version: 3 });
      await env.sleep(23 * HOUR);
      await rental.executeUpdate(checkOut, { args: [envelope('c-3', OUT)] });
      await env.sleep(2.2 * HOUR);
      const at = new Date((await now()) + 5 * HOUR).toISOString();
      const late = await rental.executeUpdate(announceReturn, { args: [envelope('c-4', { at })] });
      expect(late).toMatchObject({ status: 'active', overdue: true, announcedReturnAt: at });
      await env.sleep(HOUR);
    },
    { maxHistoryLength: 5_000 },
  );
  const out = ['checkOut', 'undoCheckOut', 'checkOut', 'markOverdue'];
  expect(types).toEqual([...out, 'announceReturn', 'markOverdue']);
});

test('a card’s answer that comes too late is not taken for the one to the next question', async () => {
  let asked = 0;
  const { types } = await tell(
    1,
    async (rental, { client, taskQueue }) => {
      const workflowId = rental.workflowId.replace('rental/', 'deposit/');
      // It hears what it is asked and does nothing: the answers are the test's.
      await client.workflow.start('rental', { workflowId, taskQueue, args: [{}] });
      await rental.executeUpdate(checkIn, { args: [envelope('c-2', BACK)] });
      await env.sleep(HOUR / 2);
      const askId = 'ended-at-3';
      const declined = { code: 'payment-declined', message: 'No.', details: {} } as const;
      await rental.signal(depositAnswered, { askId, refusal: declined });
      await env.sleep(HOUR / 2 + 1.5 * MINUTE);
      expect(asked).toBe(2);
      await rental.signal(depositAnswered, { askId, refusal: null });
      await env.sleep(MINUTE);
      expect((await rental.query(state))?.status).toBe('closed');
    },
    {
      maxHistoryLength: 5_000,
      refuse: (type) => (type === 'close' && ++asked < 3 ? refusal('deposit-open') : undefined),
    },
  );
  expect(types).toEqual(['checkOut', 'checkIn', 'close']);
});

// A deposit's life on the real database and the simulated gateway: never without a hold unnoticed.
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { CARDS } from '../../payments/simulated.ts';
import { searchAttributes } from '../../temporal-config/names.ts';
import * as messages from '../../workflows/deposit.messages.ts';
import { type DepositDesk, depositDesk } from '../support/deposit-desk.ts';
import { lateDocument } from '../support/rental-money.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const SLOW = { timeout: 60_000 };
let desk: DepositDesk;
beforeAll(async () => {
  desk = await depositDesk();
}, 120_000);
beforeEach(() => {
  desk.line.isDown = false;
});

const ALSO = { commandId: 'c-1', actor: { kind: 'staff', id: 'test' } } as const;
const ENDED = 'ended by the gateway';
const declined = { cause: { type: 'payment-declined' } };

test('for 21 days there is a valid hold at every instant', SLOW, async () => {
  const rentalId = await desk.atCounter(async ({ authorise, handle }) => {
    await authorise(CARDS.approve);
    await desk.env.sleep(21 * DAY);
    await handle.executeUpdate(messages.release, { args: [{ ...ALSO, command: {} }] });
    expect((await handle.result())?.current).toBeNull();
  });
  const all = await desk.holds(rentalId);
  expect(all.map(({ state }) => state)).toEqual(['released', 'released', 'released', 'released']);
  for (const [n, { openedAt }] of all.slice(1).entries()) {
    const left = Date.parse(all[n]?.validUntil ?? '') - Date.parse(openedAt);
    // The next one is there about a day before the end of the last.
    expect(left).toBeGreaterThan(23 * HOUR);
  }
  const first = Date.parse(all[0]?.openedAt ?? '');
  expect(Date.parse(all.at(-1)?.validUntil ?? '') - first).toBeGreaterThan(21 * DAY);
  const pair = ['authorise', 'release'];
  expect(await desk.orders(rentalId)).toEqual(['authorise', ...pair, ...pair, ...pair, 'release']);
});

test('declined at the renewal, a person hears of it 20 hours before the end', SLOW, async () => {
  const rentalId = await desk.atCounter(async ({ authorise, handle }) => {
    await authorise(CARDS.renewDeclined);
    await desk.env.sleep(7 * DAY - 20 * HOUR);
    const state = await handle.query(messages.depositState);
    expect(state?.current).toMatchObject({ attention: 'not renewed: insufficient-funds' });
    await desk.env.sleep(20 * HOUR + 60_000);
    expect((await handle.result())?.current).toBeNull();
  });
  expect((await desk.holds(rentalId)).map(({ state }) => state)).toEqual(['expired', 'declined']);
});

test('a gateway that is down at the renewal keeps nobody from hearing of it', SLOW, async () => {
  const rentalId = await desk.atCounter(async ({ authorise, handle }) => {
    await authorise(CARDS.approve);
    desk.line.isDown = true;
    await desk.env.sleep(7 * DAY - 20 * HOUR);
    const state = await handle.query(messages.depositState);
    expect(state?.current?.attention).toBe('not renewed in time');
    desk.line.isDown = false;
    await desk.env.sleep(HOUR);
    const later = await handle.query(messages.depositState);
    expect(later?.current?.attention).toBeNull();
    expect(later?.replaced).toBeNull();
    await handle.terminate();
  });
  expect((await desk.holds(rentalId)).map(({ state }) => state)).toEqual(['released', 'open']);
});

test.each([CARDS.timeout, CARDS.lost])(
  '%s: the answer is lost, and the card is charged once',
  SLOW,
  async (card) => {
    const rentalId = await desk.atCounter(async ({ authorise, handle }) => {
      await authorise(card);
      const command = { amountMinor: 36_000 };
      await handle.executeUpdate(messages.capture, { args: [{ ...ALSO, command }] });
      await handle.result();
    });
    expect(await desk.holds(rentalId)).toMatchObject([
      { state: 'captured', capturedMinor: 36_000 },
    ]);
    expect(await desk.atGateway(rentalId)).toEqual([{ status: 'captured', capturedMinor: 36_000 }]);
  },
);

test('declined, there is no deposit; another card is taken by a new run', SLOW, async () => {
  const rentalId = await desk.atCounter(async ({ authorise, handle }) => {
    await expect(authorise(CARDS.decline)).rejects.toMatchObject(declined);
    expect((await handle.result())?.current).toBeNull();
    await expect(authorise(CARDS.action)).rejects.toMatchObject(declined);
    expect(await authorise(CARDS.approve)).toMatchObject({ current: { state: 'open' } });
    await handle.terminate();
  });
  const states = (await desk.holds(rentalId)).map(({ state }) => state);
  expect(states.toSorted()).toEqual(['declined', 'declined', 'open']);
});

test(
  'increased, replaced by another card, captured in part, refunded: all by rows',
  SLOW,
  async () => {
    const rentalId = await desk.atCounter(async ({ authorise, handle, captureAgain }) => {
      await authorise(CARDS.approve, 30_000);
      const raised = await handle.executeUpdate(messages.increase, {
        args: [{ ...ALSO, command: { amountMinor: 50_000 } }],
      });
      expect(raised.current).toMatchObject({ amountMinor: 50_000 });
      expect(await authorise(CARDS.approve, 60_000)).toMatchObject({ replaced: null });
      const asked = { ...ALSO, command: { amountMinor: 36_000 } };
      await handle.executeUpdate(messages.capture, { args: [asked] });
      expect((await handle.result())?.current).toBeNull();
      // The same command in another run gets the same answer, and takes nothing.
      await captureAgain(asked);
    });
    expect(await desk.holds(rentalId)).toMatchObject([
      { state: 'released' },
      { state: 'captured', capturedMinor: 36_000 },
    ]);
    expect(await desk.atGateway(rentalId)).toMatchObject([
      { status: 'released' },
      { status: 'captured', capturedMinor: 36_000 },
    ]);
  },
);

test('short holds are renewed in their middle, through many runs', SLOW, async () => {
  const rentalId = await desk.atCounter(async ({ authorise, handle }) => {
    await authorise(CARDS.expire);
    const { runId } = await handle.describe();
    await desk.env.sleep(8 * HOUR);
    expect((await handle.describe()).runId).not.toBe(runId);
    const state = await handle.query(messages.depositState);
    expect(state?.current?.attention).toBeNull();
    await handle.executeUpdate(messages.release, { args: [{ ...ALSO, command: {} }] });
    await handle.result();
  }, 60);
  const all = await desk.holds(rentalId);
  expect(all.length).toBeGreaterThanOrEqual(8);
  expect(new Set(all.map(({ state }) => state))).toEqual(new Set(['released']));
});

test('a rental that is over gets no new hold: the last one is given back', SLOW, async () => {
  const rentalId = await desk.atCounter(async ({ authorise, handle, rentalId: id }) => {
    await authorise(CARDS.approve);
    const rental = await desk.rentals.read(id);
    await desk.rentals.record(rental, { type: 'cancel', reason: 'customer' });
    await desk.env.sleep(6 * DAY + HOUR);
    expect((await handle.result())?.current).toBeNull();
  });
  expect((await desk.holds(rentalId)).map(({ state }) => state)).toEqual(['released']);
});

test(
  'a hold that the gateway ended by itself is over here too, and a person is called',
  SLOW,
  async () => {
    const rentalId = await desk.atCounter(async ({ authorise, handle, rentalId: id }) => {
      await authorise(CARDS.approve);
      await desk.endAtGateway(id);
      await handle.signal(messages.gatewayTold);
      await handle.signal(messages.gatewayTold).catch(() => undefined);
      expect(await handle.result()).toMatchObject({ current: null, attention: ENDED });
      const { typedSearchAttributes: shown } = await handle.describe();
      expect(shown.get(searchAttributes.needsAttention)).toBe(true);
    });
    expect(await desk.holds(rentalId)).toMatchObject([{ state: 'expired', attention: ENDED }]);
  },
);

test('a request to cancel the workflow leaves no rental without its answer', SLOW, async () => {
  await desk.atCounter(async ({ authorise, handle }) => {
    await authorise(CARDS.approve);
    await handle.cancel();
    const { actor } = ALSO;
    await handle.signal(messages.increaseAsked, { askId: 'a-1', actor, amountMinor: 60_000 });
    await handle.executeUpdate(messages.release, { args: [{ ...ALSO, command: {} }] });
    expect((await handle.result())?.current).toBeNull();
    const { events } = await handle.fetchHistory();
    const answers = events?.filter(
      (event) => event.signalExternalWorkflowExecutionInitiatedEventAttributes,
    );
    expect(answers).toHaveLength(1);
  });
});

test(
  'a late document is charged beside the deposit, once, though asked thrice and never answered',
  SLOW,
  async () => {
    const rentalId = await desk.atCounter(
      async ({ rentalId: id, authorise, handle, askedAnew }) => {
        await authorise(CARDS.timeout);
        const invoiceId = await lateDocument(desk.t, await desk.rentals.read(id), 12_000);
        await handle.signal(messages.lateChargeAsked, { invoiceId });
        await handle.signal(messages.lateChargeAsked, { invoiceId });
        await handle.executeUpdate(messages.release, { args: [{ ...ALSO, command: {} }] });
        await handle.result();
        await askedAnew(invoiceId);
        await handle.result();
      },
    );
    expect(await desk.atGateway(rentalId)).toEqual([
      { status: 'released', capturedMinor: 0 },
      { status: 'captured', capturedMinor: 12_000 },
    ]);
    const late = ['authorise', 'capture'];
    expect(await desk.orders(rentalId)).toEqual(['authorise', ...late, 'release']);
  },
);

// What agents earn: golden entries, and sums that lose no cent on their way through documents.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  agentPayoutPostings,
  COMMISSIONABLE,
  type Commission,
  commissionable,
  commissionPostings,
  creditedCommission,
  type Earned,
  ratedCommission,
} from '../../domain/commission.ts';
import { addMinor, multiplyRatio } from '../../domain/money.ts';

const TERMS = { rateBp: 1_235, kinds: COMMISSIONABLE };
const NOTHING: Earned = {
  ...{ ratedBaseMinor: 0, baseMinor: 0, amountMinor: 0 },
  ...{ newest: null, documents: [] },
};
const line = (code: string, netMinor: number) => ({ code, netMinor });

const legs = (postings: ReturnType<typeof commissionPostings>) =>
  postings.map(({ account, amountMinor }) => `${account} ${amountMinor}`);

test('golden entries: earned, taken back, paid, and netted', () => {
  const of = (amountMinor: number) => ({ currency: 'EUR', amountMinor });
  expect(legs(commissionPostings(of(618)))).toEqual(['5500 618', '2140 -618']);
  expect(legs(commissionPostings(of(-618)))).toEqual(['5500 -618', '2140 618']);
  const paid = (method: 'bank-transfer' | 'netting') =>
    legs(agentPayoutPostings({ ...of(618), method }));
  expect(paid('bank-transfer')).toEqual(['2140 618', '1010 -618']);
  expect(paid('netting')).toEqual(['2140 618', '1200 -618']);
});

test('what is beyond a voucher earns as what it is', () => {
  const lines = [line('beyond.time', 5_000), line('beyond.coverage', 1_200)];
  expect(commissionable(lines, COMMISSIONABLE)).toBe(5_000);
});

describe('a price earns', () => {
  const price = [
    ...[line('time.day', 5_000), line('discount.agent', -500), line('coverage.cdw', 1_200)],
    ...[line('mileage.over', 300), line('fuel.used', 900)],
  ];

  test('on time less its discounts and on mileage, and on nothing else', () => {
    const earned = { ...NOTHING, documents: [{ documentId: 'a', netMinor: 6_900, lines: price }] };
    // 12.35 % of 48.00 is 5.928.
    expect(ratedCommission(TERMS, earned, price)).toEqual([
      { documentId: 'a', baseMinor: 4_800, amountMinor: 593 },
    ]);
  });

  test('with each document what is its own, and with cycles the difference', () => {
    const half = (lines: typeof price) =>
      lines.map(({ code, netMinor }) => line(code, netMinor / 2));
    const both = ['a', 'b'].map((documentId) => ({
      ...{ documentId, netMinor: 3_450, lines: half(price) },
    }));
    const shares = ratedCommission(TERMS, { ...NOTHING, documents: both }, price);
    // 296.4 and then 592.8 in all.
    expect(shares.map(({ amountMinor }) => amountMinor)).toEqual([296, 297]);
    const lines = [...price, line('billed', -3_000)];
    const before = { ratedBaseMinor: 2_500, baseMinor: 2_000, amountMinor: 247 };
    const cycle = {
      ...before,
      newest: 'a',
      documents: [{ documentId: 'b', netMinor: 3_900, lines }],
    };
    // Of 5.00 that a person gave back nothing comes again.
    expect(ratedCommission(TERMS, cycle, price)).toEqual([
      { documentId: 'b', baseMinor: 2_300, amountMinor: 531 - 247 },
    ]);
    const less = { ...before, newest: 'a', documents: [] };
    expect(ratedCommission(TERMS, less, [line('time.day', 2_000)])).toEqual([
      { documentId: 'a', baseMinor: -500, amountMinor: 185 - 247 },
    ]);
  });
});

/** Credits of one invoice, each of so much of its only line, and at last the rest. */
function credited(rateBp: number, base: number, parts: readonly number[], isBilledPart: boolean) {
  const lines = [line('time.day', base)];
  const documents = [{ documentId: 'i', netMinor: base, lines }];
  const rows: Commission[] = [
    ...ratedCommission({ ...TERMS, rateBp }, { ...NOTHING, documents }, lines),
  ];
  let left = base;
  for (const part of [...parts, base]) {
    const netMinor = Math.min(part, left);
    if (netMinor === 0) continue;
    const note = creditedCommission('n', {
      ...{ rateBp, kinds: COMMISSIONABLE, netMinor, isBilledPart, leftNetMinor: left },
      leftBaseMinor: addMinor(...rows.map(({ baseMinor }) => baseMinor)),
      baseMinor: addMinor(...rows.map(({ baseMinor }) => baseMinor)),
      amountMinor: addMinor(...rows.map(({ amountMinor }) => amountMinor)),
      lines: [line('time.day', netMinor)],
    });
    if (note !== null) rows.push(note);
    left -= netMinor;
  }
  return rows;
}

test('whatever is credited in whatever parts, the whole earns nothing and each step its rate', () => {
  const rate = fc.integer({ min: 0, max: 5_000 });
  const amount = fc.integer({ min: 1, max: 1_000_000 });
  fc.assert(
    fc.property(rate, amount, fc.array(amount, { maxLength: 6 }), fc.boolean(), (...given) => {
      const [rateBp] = given;
      let [base, owed] = [0, 0];
      for (const { baseMinor, amountMinor } of credited(...given)) {
        base += baseMinor;
        owed += amountMinor;
        expect(owed).toBe(multiplyRatio(base, rateBp, 10_000));
      }
      expect([base, owed]).toEqual([0, 0]);
    }),
  );
});

test('a note of one rate, where the other takes as much, is of its lines, never above what is left', () => {
  const note = { rateBp: 1_000, kinds: COMMISSIONABLE, isBilledPart: true, leftNetMinor: 0 };
  const left = { leftBaseMinor: 500, baseMinor: 500, amountMinor: 50 };
  const lines = [line('time.day', 800)];
  const taken = { documentId: 'n', baseMinor: -500, amountMinor: -50 };
  expect(creditedCommission('n', { ...note, ...left, netMinor: 800, lines })).toEqual(taken);
});

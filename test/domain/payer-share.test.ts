// Split payers: golden documents by hand, and by property that shares sum to the whole, VAT included.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { beyondVouchers, documentsByPayer, type PayerShare } from '../../domain/payer-share.ts';

const line = (code: string, netMinor: number, vatRateBp = 2_000) => ({
  ...{ code, quantity: 1, unitMinor: netMinor, netMinor, vatRateBp },
});
const share = (payerId: string, more: Partial<PayerShare> = {}): PayerShare => ({
  ...{ payerId, kind: 'renter', covers: [], percentBp: 0 },
  ...{ voucherNetMinor: null, isPrimary: false, ...more },
});
const RENTER = share('renter', { isPrimary: true });

function wholeOf(lines: readonly ReturnType<typeof line>[]) {
  const sum = (of: typeof lines) => of.reduce((all, one) => all + one.netMinor, 0);
  const vat = [...new Set(lines.map((one) => one.vatRateBp))].map((rateBp) => {
    const baseMinor = sum(lines.filter((one) => one.vatRateBp === rateBp));
    return { rateBp, baseMinor, vatMinor: Math.round((baseMinor * rateBp) / 10_000) };
  });
  const netMinor = sum(lines);
  const vatMinor = vat.reduce((all, one) => all + one.vatMinor, 0);
  return { lines, netMinor, vat, vatMinor, totalMinor: netMinor + vatMinor };
}

test('a voucher at 180.00 net and a local cover of 60.00: the renter pays 72.00', () => {
  const whole = wholeOf([line('time.day', 250_00), line('coverage.cdw', 60_00)]);
  const broker = share('broker', { kind: 'voucher', covers: ['time'], voucherNetMinor: 180_00 });
  const [renters, brokers, ...more] = documentsByPayer(whole, [RENTER, broker]);
  expect(renters).toMatchObject({ netMinor: 60_00, vatMinor: 12_00, totalMinor: 72_00 });
  expect(renters?.lines.map(({ code }) => code)).toEqual(['coverage.cdw']);
  expect(brokers).toMatchObject({ netMinor: 180_00, vatMinor: 36_00, totalMinor: 216_00 });
  expect(brokers?.lines).toEqual([line('voucher', 180_00)]);
  expect(more).toEqual([]);
});

describe('beyond what a voucher covers', () => {
  const voucher = { kind: 'voucher', voucherNetMinor: 180_00, coveredMinor: 210_00 } as const;
  const broker = share('broker', { ...voucher, covers: ['time'] });
  const told = (lines: readonly ReturnType<typeof line>[], shares = [RENTER, broker]) =>
    documentsByPayer(wholeOf(lines), shares).map(({ share: { payerId }, lines: own, netMinor }) => [
      ...[payerId, netMinor],
      own.map(({ code, netMinor: net }) => `${code} ${net}`).join(),
    ]);

  test('the renter pays: 5 days of 210.00 that became 12, and their cover', () => {
    expect(told([line('time.week', 420_00), line('coverage.cdw', 144_00)])).toEqual([
      ['renter', 354_00, 'beyond.time 21000,coverage.cdw 14400'],
      ['broker', 180_00, 'voucher 18000'],
    ]);
  });

  test('a late day, whole, from the last line on; discounts stay where they are', () => {
    const late = [line('time.week', 210_00), line('time.day', 50_00)];
    expect(told(late)[0]).toEqual(['renter', 50_00, 'beyond.time 5000']);
    const cheaper = [...late, line('discount.promotion', -26_00)];
    expect(told(cheaper)[0]).toEqual(['renter', 24_00, 'beyond.time 2400']);
    const corporate = share('firm', { kind: 'corporate', percentBp: 5_000 });
    expect(told(late, [RENTER, broker, corporate])).toContainEqual([
      ...['firm', 25_00, 'beyond.time 2500'],
    ]);
  });

  test('nothing, where it costs no more: the voucher stays as it is', () => {
    expect(told([line('time.day', 150_00)])).toEqual([['broker', 180_00, 'voucher 18000']]);
    const before = share('broker', { ...voucher, covers: ['time'], coveredMinor: null });
    expect(told([line('time.week', 420_00)], [RENTER, before])).toHaveLength(1);
  });

  test('gross amounts are cut in proportion; a unit of rounding is nothing', () => {
    const rounded = { ...line('time.week', 210_01), grossMinor: 252_01, unitMinor: 252_01 };
    expect(beyondVouchers([rounded], [RENTER, broker])).toEqual([rounded]);
    const gross = { ...line('time.week', 400_00), grossMinor: 480_00, unitMinor: 480_00 };
    const [kept, over] = beyondVouchers([gross], [RENTER, broker]);
    expect(kept).toMatchObject({ netMinor: 210_00, grossMinor: 252_00, unitMinor: 252_00 });
    expect(over).toMatchObject({ code: 'beyond.time', netMinor: 190_00, grossMinor: 228_00 });
  });
});

test('an insurer pays the days, a company a third of the rest, the renter what remains', () => {
  const whole = wholeOf([line('time.day', 100_00), line('extra.seat', 10_00)]);
  const insurer = share('insurer', { kind: 'insurer', covers: ['time'] });
  const company = share('company', { kind: 'corporate', percentBp: 3_333 });
  const documents = documentsByPayer(whole, [insurer, company, RENTER]);
  expect(documents.map(({ share: { payerId }, netMinor }) => [payerId, netMinor])).toEqual([
    ['renter', 6_67],
    ['insurer', 100_00],
    ['company', 3_33],
  ]);
});

test.each<[string, readonly PayerShare[], readonly (readonly [string, number])[]]>([
  [
    'of nothing goes to the primary',
    [RENTER, share('firm', { covers: ['time'] })],
    [['renter', 12_00]],
  ],
  [
    'below nothing too: a discount is nobody’s alone',
    [RENTER, share('firm', { covers: ['discount'] })],
    [['renter', 12_00]],
  ],
  [
    'of the primary’s nothing is none',
    [RENTER, share('firm', { covers: ['coverage'] })],
    [['firm', 12_00]],
  ],
  [
    'below nothing of the primary lowers another’s',
    [RENTER, share('firm', { covers: ['time.day', 'coverage'] })],
    [['firm', 12_00]],
  ],
])('a document %s', (_what, shares, expected) => {
  const free = [line('time.day', 50_00), line('discount.promotion', -50_00)];
  const documents = documentsByPayer(wholeOf([...free, line('coverage.cdw', 12_00)]), shares);
  expect(documents.map(({ share: { payerId }, netMinor }) => [payerId, netMinor])).toEqual(
    expected,
  );
  expect(documentsByPayer(wholeOf(free), shares)).toEqual([]);
});

test('shares sum exactly, each document within one unit of its own VAT', () => {
  const lines = fc.array(
    fc.tuple(
      fc.constantFrom('time.day', 'coverage.cdw', 'extra.seat', 'discount.agent'),
      fc.integer({ min: -5_000, max: 99_999 }).filter((net) => net !== 0),
      fc.constantFrom(0, 1_000, 2_000, 1_900),
    ),
    { minLength: 1, maxLength: 8 },
  );
  const percents = fc.array(fc.integer({ min: 1, max: 2_500 }), { maxLength: 4 });
  const covered = fc.subarray(['time', 'coverage.cdw', 'extra']);
  fc.assert(
    fc.property(lines, percents, covered, (priced, shares, covers) => {
      const whole = wholeOf(priced.map(([code, net, rate]) => line(code, net, rate)));
      fc.pre(whole.totalMinor > 0);
      const documents = documentsByPayer(whole, [
        RENTER,
        ...shares.map((percentBp, index) => share(`payer ${index}`, { percentBp })),
        ...(covers.length > 0 ? [share('insurer', { kind: 'insurer', covers })] : []),
      ]);
      const sum = (of: 'netMinor' | 'vatMinor' | 'totalMinor') =>
        documents.reduce((all, one) => all + one[of], 0);
      expect([sum('netMinor'), sum('vatMinor')]).toEqual([whole.netMinor, whole.vatMinor]);
      expect(sum('totalMinor')).toBe(whole.totalMinor);
      expect(documents.every(({ totalMinor }) => totalMinor > 0)).toBe(true);
      for (const { vat } of documents) {
        for (const { rateBp, baseMinor, vatMinor } of vat) {
          expect(Math.abs(vatMinor * 10_000 - baseMinor * rateBp)).toBeLessThanOrEqual(10_000);
        }
      }
    }),
  );
});

// Tolls and fines: which rental it was, what it costs, and what the books say.
import { describe, expect, test } from 'vitest';
import { instantsShown } from '../../domain/calendar.ts';
import { lateInvoicePostings } from '../../domain/late-invoice.ts';
import { hadItAt, matchOf } from '../../domain/violation.ts';
import {
  lateChargeOf,
  lateDocumentOf,
  type Settlement,
  type ViolationTerms,
} from '../../domain/violation-charge.ts';
import { nominationLetter } from '../../domain/violation-letter.ts';

const VIENNA = 'Europe/Vienna';
const TERMS: ViolationTerms = {
  currency: 'EUR',
  fineFeeMinor: 2_500,
  tollFeeMinor: 500,
  vatRateBp: 2_000,
  tollTreatment: 'taxable',
  cardWindowDays: 90,
};

describe('the instants of a local time', () => {
  test('are one, or two in the hour that autumn repeats', () => {
    expect(instantsShown('2027-05-03T10:00', VIENNA)).toEqual(['2027-05-03T08:00:00.000Z']);
    expect(instantsShown('2026-10-25T02:30', VIENNA)).toEqual([
      '2026-10-25T00:30:00.000Z',
      '2026-10-25T01:30:00.000Z',
    ]);
    expect(instantsShown('2026-11-01T01:30:59', 'America/New_York')).toHaveLength(2);
  });

  test.each(['2026-03-29T02:30', '2026-02-30T10:00', '2026-05-03T24:00', '2026-05-03T10:00Z', ''])(
    'are none at %s',
    (local) => {
      expect(() => instantsShown(local, VIENNA)).toThrow('No clock ever showed this time there.');
    },
  );
});

describe('a match', () => {
  const [early, late] = ['2026-10-25T00:30:00.000Z', '2026-10-25T01:30:00.000Z'];
  const by = (rentalId: string | null, at = early) => ({ at, vehicleId: 'v', rentalId });

  test('is the one rental at every instant that is meant', () => {
    expect(matchOf([by('a')], false)).toEqual({ rentalId: 'a', vehicleId: 'v' });
    expect(matchOf([by('a'), by('a', late)], false)).toEqual({ rentalId: 'a', vehicleId: 'v' });
  });

  test.each([
    ['unknown-plate', [{ at: early, vehicleId: null, rentalId: null }]],
    ['no-rental', [by(null)]],
    ['several-rentals', [by('a'), by('b')]],
    ['several-rentals', [by('a'), by('b'), by('a', late)]],
    ['doubled-hour', [by('a'), by('b', late)]],
    ['doubled-hour', [by(null), by('b', late)]],
  ])('is left to a person: %s', (reason, candidates) => {
    expect(matchOf(candidates, false)).toEqual({ reason });
    expect(matchOf(candidates, true)).toEqual({ reason });
  });

  test('is left to a person when the same sighting is known by another number', () => {
    expect(matchOf([by('a')], true)).toEqual({ reason: 'similar-notice' });
  });

  test('lasts from the keys going out up to, and without, their return', () => {
    const had = { outAt: '2026-05-01T10:00:00.000Z', inAt: '2026-05-03T10:00:00.000Z' };
    expect(hadItAt(had, '2026-05-01T09:59:59.999Z')).toBe(false);
    expect(hadItAt(had, '2026-05-01T10:00:00.000Z')).toBe(true);
    expect(hadItAt(had, '2026-05-03T09:59:59.999Z')).toBe(true);
    expect(hadItAt(had, '2026-05-03T10:00:00.000Z')).toBe(false);
    expect(hadItAt({ ...had, inAt: null }, '2027-01-01T00:00:00.000Z')).toBe(true);
    expect(hadItAt({ outAt: null, inAt: null }, '2026-05-02T10:00:00.000Z')).toBe(false);
  });
});

describe('a late invoice', () => {
  const FINE = { kind: 'fine', amountMinor: 6_000, currency: 'EUR' } as const;
  const TOLL = { kind: 'toll', amountMinor: 1_000, currency: 'EUR' } as const;
  const disbursed: ViolationTerms = { ...TERMS, tollTreatment: 'disbursement' };

  /** Account and amount of each leg, as an accountant writes them; then what the renter pays. */
  function booked(owed: typeof FINE | typeof TOLL, way: Settlement, terms = TERMS) {
    const charge = lateChargeOf(owed, way, terms);
    const legs = lateInvoicePostings(charge).map((leg) => `${leg.account} ${leg.amountMinor}`);
    return [...legs, `total ${lateDocumentOf(charge).totalMinor}`];
  }

  test('of a fine that we paid passes 60.00 on and earns 25.00 + 5.00 VAT (decisions.md 21)', () => {
    const fee = ['1200 3000', '4200 -2500', '2200 -500'];
    expect(booked(FINE, 'recharge')).toEqual(['1200 6000', '2130 -6000', ...fee, 'total 9000']);
    expect(lateDocumentOf(lateChargeOf(FINE, 'recharge', TERMS))).toMatchObject({
      lines: [
        { code: 'violation.fine', netMinor: 6_000, vatRateBp: 0 },
        { code: 'violation.admin-fee', netMinor: 2_500, vatRateBp: 2_000 },
      ],
      vat: [
        { rateBp: 0, baseMinor: 6_000, vatMinor: 0 },
        { rateBp: 2_000, baseMinor: 2_500, vatMinor: 500 },
      ],
      netMinor: 8_500,
      vatMinor: 500,
    });
  });

  test('of a fine whose driver is nominated is the fee alone', () => {
    expect(booked(FINE, 'nominate')).toEqual([
      '1200 3000',
      '4200 -2500',
      '2200 -500',
      'total 3000',
    ]);
  });

  test('of a toll sells it with the hire, or passes it on, as the entity says', () => {
    const sold = ['1200 1800', '4200 -500', '4210 -1000', '2200 -300', 'total 1800'];
    expect(booked(TOLL, 'recharge')).toEqual(sold);
    const passedOn = [
      '1200 1000',
      '2130 -1000',
      '1200 600',
      '4200 -500',
      '2200 -100',
      'total 1600',
    ];
    expect(booked(TOLL, 'recharge', disbursed)).toEqual(passedOn);
  });

  test('without VAT has one tax row, and nothing to pay has no entry', () => {
    const untaxed = { ...TERMS, vatRateBp: 0 };
    const { vat } = lateDocumentOf(lateChargeOf(FINE, 'recharge', untaxed));
    expect(vat).toEqual([{ rateBp: 0, baseMinor: 8_500, vatMinor: 0 }]);
    const free = lateChargeOf(FINE, 'nominate', { ...TERMS, fineFeeMinor: 0 });
    expect(lateDocumentOf(free).totalMinor).toBe(0);
    expect(() => lateInvoicePostings(free)).toThrow('two postings');
  });

  test('knows no nomination for a toll and no other currency than its entity’s', () => {
    const refused = (of: object, way: Settlement) => () =>
      lateChargeOf({ ...TOLL, ...of }, way, TERMS);
    expect(refused({}, 'nominate')).toThrow(expect.objectContaining({ code: 'value-refused' }));
    expect(refused({ currency: 'CHF' }, 'recharge')).toThrow(
      expect.objectContaining({ code: 'currency-mismatch' }),
    );
  });
});

test('the letter names the driver, and says what is not on file', () => {
  const letter = nominationLetter({
    sender: 'Forecourt Demo GmbH',
    authority: 'LPD Wien',
    noticeNumber: 'W-1',
    plate: 'W 1234 A',
    jurisdiction: 'AT',
    localTime: '2026-05-03T10:00',
    place: 'A23',
    amountMinor: 6_000,
    currency: 'EUR',
    rentalNumber: 'RA-1000',
    outAt: '2026-05-01T10:00:00+02:00',
    inAt: null,
    driver: { name: 'Ada Planted', birthDate: '1990-05-03', licenceNumber: null },
  });
  for (const said of ['LPD Wien', 'W-1', 'A23', '60.00 EUR', 'RA-1000', 'not yet', 'Ada Planted']) {
    expect(letter).toContain(said);
  }
  expect(letter).toMatch(/Date of birth +1990-05-03\n.*Driving licence +not on file/);
});

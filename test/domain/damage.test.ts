// Damages: what differs between two inspections, what the renter owes, what the books say of it.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { allowedCommands, type CaseState, decide } from '../../domain/damage-case.ts';
import {
  type DamageLoss,
  type DamageTerms,
  damageCharge,
  EXCLUSIONS,
  lossOf,
} from '../../domain/damage-charge.ts';
import { damagePostings, insurerPostings } from '../../domain/damage-postings.ts';
import type { DomainError } from '../../domain/errors.ts';
import { differences, isProposed, type Mark, worstOf } from '../../domain/inspection.ts';
import { DEMO_CHART } from '../../domain/ledger.ts';

const LOSS: DamageLoss = {
  repairMinor: 80_000,
  lossOfUseMinor: 12_000,
  adminMinor: 5_000,
  diminutionMinor: 0,
};
const TERMS: DamageTerms = {
  excessMinor: 50_000,
  exclusion: null,
  capMinor: null,
  vatClass: 'compensation',
  vatRateBp: 0,
};
const SOLD = { vatClass: 'sold-repair', vatRateBp: 2_000 } as const;

function owed(over: Partial<DamageTerms> = {}, loss: Partial<DamageLoss> = {}) {
  return damageCharge({ ...LOSS, ...loss }, { ...TERMS, ...over });
}

describe('the difference of two inspections', () => {
  const scratch: Mark = { panel: 'bonnet', kind: 'scratch', severity: 'minor', count: 1 };
  const changes = (out: readonly Mark[] | null, ...back: readonly Mark[]) =>
    differences(out, back).map(({ change }) => change);

  test('is by panel and kind: new, worse, or there before', () => {
    expect(changes([], scratch)).toEqual(['new']);
    expect(changes([scratch], scratch)).toEqual(['pre-existing']);
    expect(changes([scratch], { ...scratch, severity: 'severe' })).toEqual(['worse']);
    expect(changes([scratch], { ...scratch, count: 2 })).toEqual(['worse']);
    expect(changes([{ ...scratch, severity: 'severe' }], scratch)).toEqual(['pre-existing']);
    expect(changes([scratch], { ...scratch, panel: 'roof' })).toEqual(['new']);
    expect(changes([scratch], { ...scratch, kind: 'dent' })).toEqual(['new']);
  });

  test('proves nothing where nobody looked at the hand-over', () => {
    const [found] = differences(null, [scratch]);
    expect(found).toMatchObject({ change: 'unknown', before: null });
    expect(found && isProposed(found)).toBe(false);
  });

  test('is as severe as its worst damage', () => {
    expect(worstOf([scratch, { severity: 'severe' }, { severity: 'moderate' }])).toBe('severe');
    expect(worstOf([])).toBe('minor');
  });
});

describe('what a renter owes for 800.00 of repair, 120.00 of loss of use, 50.00 of admin', () => {
  test('is the excess of 500.00 with CDW, 970.00 without, 970.00 when CDW is excluded', () => {
    expect(owed()).toMatchObject({ totalMinor: 50_000, vatMinor: 0, limitedBy: 'excess' });
    expect(owed({ excessMinor: null })).toMatchObject({ totalMinor: 97_000, vatMinor: 0 });
    const driver = owed({ exclusion: 'unauthorised-driver' });
    expect(driver).toMatchObject({ totalMinor: 97_000, vatMinor: 0, limitedBy: 'nothing' });
  });

  test('is capped by the jurisdiction, with an exclusion too', () => {
    const none = { excessMinor: null, capMinor: 60_000 };
    expect(owed(none)).toMatchObject({ totalMinor: 60_000, limitedBy: 'cap' });
    const excluded = owed({ ...none, excessMinor: 50_000, exclusion: 'off-road' });
    expect(excluded).toMatchObject({ totalMinor: 60_000, limitedBy: 'cap' });
    expect(owed({ capMinor: 60_000 })).toMatchObject({ totalMinor: 50_000, limitedBy: 'excess' });
    expect(owed({ capMinor: 40_000 })).toMatchObject({ totalMinor: 40_000, limitedBy: 'cap' });
  });

  test('carries no VAT as compensation, and 20 % of the repair alone when that is sold', () => {
    const { lines, taxes } = owed({ excessMinor: null });
    expect(lines.map(({ netMinor }) => netMinor)).toEqual([80_000, 12_000, 5_000]);
    expect(taxes).toEqual([{ rateBp: 0, baseMinor: 97_000, vatMinor: 0 }]);
    const sold = owed({ excessMinor: null, ...SOLD });
    expect(sold).toMatchObject({ netMinor: 97_000, vatMinor: 16_000, totalMinor: 113_000 });
    expect(sold.taxes).toEqual([
      { rateBp: 2_000, baseMinor: 80_000, vatMinor: 16_000 },
      { rateBp: 0, baseMinor: 17_000, vatMinor: 0 },
    ]);
    // The excess is what the renter pays, with VAT: 416.67 + 83.33.
    expect(owed(SOLD)).toMatchObject({ netMinor: 41_667, vatMinor: 8_333, totalMinor: 50_000 });
  });

  test('is for any figures the least of loss, cap and excess, and its parts sum to it', () => {
    const minor = fc.integer({ min: 0, max: 10_000_000 });
    const limit = fc.option(minor, { nil: null });
    const loss = fc.record({
      repairMinor: minor,
      lossOfUseMinor: minor,
      adminMinor: minor,
      diminutionMinor: minor,
    });
    const exclusion = fc.option(fc.constantFrom(...EXCLUSIONS), { nil: null });
    const vatRateBp = fc.integer({ min: 0, max: 2_700 });
    fc.assert(
      fc.property(
        loss,
        limit,
        limit,
        exclusion,
        vatRateBp,
        (of, excessMinor, capMinor, x, rate) => {
          const charge = damageCharge(of, {
            ...{ excessMinor, capMinor, exclusion: x, vatClass: 'sold-repair', vatRateBp: rate },
          });
          const whole = lossOf(of) + Math.round((of.repairMinor * rate) / 10_000);
          const covered = x === null ? (excessMinor ?? whole) : whole;
          expect(charge.totalMinor).toBe(Math.min(whole, capMinor ?? whole, covered));
          const nets = charge.lines.reduce((sum, line) => sum + line.netMinor, 0);
          expect(nets + charge.vatMinor).toBe(charge.totalMinor);
          for (const tax of charge.taxes) {
            expect(Math.abs(tax.vatMinor - (tax.baseMinor * tax.rateBp) / 10_000)).toBeLessThan(1);
          }
        },
      ),
    );
  });
});

describe('the books', () => {
  const leg = (account: string, amountMinor: number) => {
    return { account, currency: 'EUR', amountMinor, baseMinor: amountMinor };
  };

  test('debit receivables and credit damage recoveries, and VAT where a repair was sold', () => {
    expect(damagePostings({ currency: 'EUR', ...owed() })).toEqual([
      leg('1200', 50_000),
      leg('4300', -50_000),
    ]);
    expect(damagePostings({ currency: 'EUR', ...owed(SOLD) })).toEqual([
      leg('1200', 50_000),
      leg('4300', -41_667),
      leg('2200', -8_333),
    ]);
  });

  test('have an insurer’s 470.00 as a claim, in accounts that every chart has', () => {
    const postings = insurerPostings({ currency: 'EUR', amountMinor: 47_000 });
    expect(postings).toEqual([leg('1230', 47_000), leg('4300', -47_000)]);
    const types = new Map(DEMO_CHART.map(({ code, type }) => [code, type]));
    expect(postings.map(({ account }) => types.get(account))).toEqual(['asset', 'income']);
  });
});

describe('a case', () => {
  const CASE: CaseState = {
    ...{ id: 'c', status: 'reported', rentalId: 'r', vehicleId: 'v', branchId: 'VIE' },
    ...{ inspectionId: 'i', severity: 'minor', currency: 'EUR', loss: LOSS, exclusion: null },
    ...{ charge: owed(), workOrderRef: null, disputeReason: null, waiveReason: null },
    ...{ insurerMinor: null, insurerPosted: false, invoiceId: null, invoiceNumber: null },
    ...{ estimateDueAt: '2027-01-01T00:00:00Z', answerDueAt: null, attention: null },
    ...{ repairedAt: null, held: false, version: 1 },
  };
  const at = (status: CaseState['status'], over: Partial<CaseState> = {}) => {
    return { ...CASE, status, ...over };
  };
  const refused = (work: () => unknown) => {
    try {
      work();
      return 'done';
    } catch (error) {
      return (error as DomainError).code;
    }
  };

  test('is charged after an agreement only: a dispute stops it', () => {
    const may = (status: CaseState['status']) =>
      refused(() => decide(at(status), { type: 'charge' }));
    expect(may('agreed')).toBe('done');
    for (const status of [
      'reported',
      'estimated',
      'disputed',
      'charged',
      'waived',
      'settled',
    ] as const) {
      expect(may(status), status).toBe('invalid-state');
    }
    const free = at('agreed', { charge: owed({ excessMinor: 0 }) });
    expect(refused(() => decide(free, { type: 'charge' }))).toBe('invalid-state');
  });

  test('lets an insurer bear what the renter does not, and no more', () => {
    const claim = (state: CaseState, amountMinor: number) =>
      refused(() => decide(state, { type: 'claim', amountMinor, isCertain: true }));
    const charged = at('charged', { invoiceId: 'inv' });
    expect([claim(charged, 47_000), claim(charged, 47_001)]).toEqual(['done', 'amount-too-high']);
    expect(claim(at('agreed'), 97_000)).toBe('done');
    expect(claim({ ...charged, insurerPosted: true }, 1)).toBe('invalid-state');
  });

  test('that is settled allows nothing, and one that is repaired is not repaired again', () => {
    expect(allowedCommands(at('settled'))).toEqual([]);
    expect(allowedCommands(at('charged', { repairedAt: '2027-01-02T00:00:00Z' }))).toEqual([
      'claim',
      'settle',
    ]);
  });
});

// Who may drive: dates by the calendar of the branches, and never a day too soon (decisions.md 31).
import { describe, expect, test } from 'vitest';
import { localDate } from '../../domain/calendar.ts';
import { checkCredit } from '../../domain/customer.ts';
import {
  ageOn,
  checkDrivers,
  completeMonths,
  type DriverFacts,
  judgeDriver,
} from '../../domain/driver.ts';

const RULE = {
  minAge: 19,
  maxAge: 75,
  youngBelowAge: 25,
  minHeldMonths: 12,
  licenceClass: 'B',
} as const;
const FACTS: DriverFacts = {
  hasLicence: true,
  licenceClasses: ['AM', 'B'],
  issuedOn: '2020-06-15',
  validUntil: '2035-06-14',
  ageAtPickUp: 30,
};
const TERM = { pickUpOn: '2027-05-03', dueOn: '2027-05-10' };
const reasons = (facts: Partial<DriverFacts>, term = TERM) =>
  judgeDriver({ ...FACTS, ...facts }, RULE, term).reasons;

describe('a driver', () => {
  test('with all that is asked for may drive', () => {
    expect(judgeDriver(FACTS, RULE, TERM)).toEqual({ eligible: true, reasons: [], young: false });
  });

  test.each([
    ['no licence at all', { hasLicence: false, licenceClasses: null }, ['no-licence']],
    ['a licence of which nobody knows the end', { validUntil: null }, ['no-licence']],
    ['a licence of which nobody knows the beginning', { issuedOn: null }, ['no-licence']],
    ['no birth date', { ageAtPickUp: null }, ['no-licence']],
    ['a licence for mopeds', { licenceClasses: ['AM'] }, ['licence-class']],
    [
      'a licence that ends the day before it is due',
      { validUntil: '2027-05-09' },
      ['licence-ends'],
    ],
    ['a licence that ends on the day it is due', { validUntil: '2027-05-10' }, []],
    ['a licence since a year less a day', { issuedOn: '2026-05-04' }, ['licence-too-new']],
    ['a licence since a year', { issuedOn: '2026-05-03' }, []],
    ['18 years', { ageAtPickUp: 18 }, ['too-young']],
    ['19 years', { ageAtPickUp: 19 }, []],
    ['75 years', { ageAtPickUp: 75 }, []],
    ['76 years', { ageAtPickUp: 76 }, ['too-old']],
    [
      '18 years and a moped licence',
      { ageAtPickUp: 18, licenceClasses: [] },
      ['licence-class', 'too-young'],
    ],
  ])('with %s: %j', (_, facts, expected) => {
    expect(reasons(facts)).toEqual(expected);
  });

  test('below 25 is marked as young, and drives; a birthday inside the rental changes nothing', () => {
    const born = '2002-05-05';
    const young = judgeDriver({ ...FACTS, ageAtPickUp: ageOn(born, TERM.pickUpOn) }, RULE, TERM);
    expect(young).toEqual({ eligible: true, reasons: [], young: true });
    expect(ageOn(born, TERM.dueOn)).toBe(25);
    const tooYoung = { ageAtPickUp: ageOn('2008-05-05', TERM.pickUpOn) };
    expect(reasons(tooYoung)).toEqual(['too-young']);
    expect(ageOn('2008-05-05', TERM.dueOn)).toBe(19);
  });

  test.each([
    ['2008-02-29', '2027-02-28', 18],
    ['2008-02-29', '2027-03-01', 19],
    ['2008-02-29', '2028-02-28', 19],
    ['2008-02-29', '2028-02-29', 20],
    ['2008-03-01', '2028-02-29', 19],
    ['2008-03-01', '2028-03-01', 20],
    ['2008-12-31', '2027-01-01', 18],
  ])('born on %s is on %s %i', (born, date, age) => {
    expect(ageOn(born, date)).toBe(age);
  });

  test.each([
    ['2024-02-29', '2025-02-28', 11],
    ['2024-02-29', '2025-03-01', 12],
    ['2026-08-31', '2027-02-28', 5],
    ['2026-08-31', '2027-03-01', 6],
    ['2026-01-31', '2026-01-31', 0],
    ['2026-12-15', '2027-01-15', 1],
  ])('whose licence is of %s has held it on %s for %i months', (from, to, months) => {
    expect(completeMonths(from, to)).toBe(months);
  });

  test('is as old as the calendar of the branch says: the same instant, two days', () => {
    const pickUpAt = '2027-02-28T23:30:00.000Z';
    const age = (zone: string) => ageOn('2008-02-29', localDate(pickUpAt, zone));
    expect([age('Europe/Vienna'), age('America/New_York')]).toEqual([19, 18]);
    const due = (zone: string) => ({ ...TERM, dueOn: localDate('2027-03-31T22:30:00Z', zone) });
    const ends = { validUntil: '2027-03-31' };
    expect(reasons(ends, due('Europe/Vienna'))).toEqual(['licence-ends']);
    expect(reasons(ends, due('Atlantic/Azores'))).toEqual([]);
  });
});

test('of several drivers each reason of each is named; one who is let pass is not', () => {
  const refused = judgeDriver({ ...FACTS, ageAtPickUp: 18, licenceClasses: [] }, RULE, TERM);
  const driver = { customerId: 'a', verdict: refused, overridden: false };
  expect(() => checkDrivers([{ ...driver, overridden: true }])).not.toThrow();
  expect(() => checkDrivers([driver, { ...driver, customerId: 'b' }])).toThrow(
    expect.objectContaining({
      code: 'driver-ineligible',
      details: {
        drivers: [
          { customerId: 'a', reason: 'licence-class' },
          { customerId: 'a', reason: 'too-young' },
          { customerId: 'b', reason: 'licence-class' },
          { customerId: 'b', reason: 'too-young' },
        ],
      },
    }),
  );
});

test.each([
  [['branch-manager'], 100_000, 14, true],
  [['branch-manager'], 100_001, 14, false],
  [['branch-manager'], 100_000, 15, false],
  [['accountant'], 500_000, 30, true],
  [['accountant'], 500_001, 30, false],
  [['counter-agent', 'administrator'], 0, 0, false],
  [['finance-controller'], 9_000_000_000, 180, true],
] as const)('%j may grant %i for %i days: %s', (roles, limitMinor, paymentTermsDays, allowed) => {
  const terms = { limitMinor, currency: 'EUR', paymentTermsDays };
  const refused = expect.objectContaining({ code: 'limit-exceeded' });
  if (allowed) expect(() => checkCredit(roles, terms)).not.toThrow();
  else expect(() => checkCredit(roles, terms)).toThrow(refused);
});

// Holds: what they say of a booked time and of its km, and who may end them.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DomainError } from '../../domain/errors.ts';
import {
  type Assessment,
  assess,
  checkChange,
  checkHold,
  daysBetween,
  decideLift,
  type Hold,
  projectedKm,
  strictest,
} from '../../domain/hold.ts';
import type { Role } from '../../domain/people.ts';

const NOW = '2026-12-01T10:00:00.000Z';
const WEEK = { from: NOW, to: '2026-12-08T10:00:00.000Z' };

function hold(over: Partial<Hold> = {}): Hold {
  const open = { until: null, fromKm: null, toleranceKm: 0, soonKm: 0 };
  return { type: 'other', severity: 'hard', from: NOW, hardFrom: NOW, ...open, ...over };
}

function refusal(work: () => unknown): string | null {
  try {
    work();
    return null;
  } catch (error) {
    if (error instanceof DomainError) return error.code;
    throw error;
  }
}

const at0 = '2026-11-01T00:00:00Z';
function at(from: string) {
  return { from, hardFrom: from };
}

describe('a hold by date', () => {
  test.each<[string, Partial<Hold>, Assessment]>([
    ['an insurance that expires on day 3 blocks today', at('2026-12-04T00:00:00Z'), 'blocks'],
    ['one that expires as the vehicle is back does not', at(WEEK.to), 'free'],
    [
      'one that ended as the vehicle goes does not',
      { from: at0, hardFrom: at0, until: NOW },
      'free',
    ],
    ['a soft one warns', { severity: 'soft', hardFrom: null }, 'warns'],
    ['a hard one warns until it blocks', { hardFrom: '2026-12-08T10:00:00Z' }, 'warns'],
    ['and blocks from its last moment on', { hardFrom: '2026-12-08T09:59:59.999Z' }, 'blocks'],
  ])('%s', (_, over, says) => {
    expect(assess(hold(over), WEEK, 0)).toBe(says);
  });

  test('of several the strictest counts', () => {
    expect(strictest(['free', 'warns', 'shown'])).toBe('warns');
    expect(strictest(['blocks', 'warns'])).toBe('blocks');
    expect(strictest([])).toBe('free');
  });
});

// decisions.md 37: interval 15,000, due at 45,000, 7 days of 140 km.
describe('a service that the booked km reach', () => {
  const service = hold({ type: 'maintenance', fromKm: 45_000, toleranceKm: 1_500, soonKm: 1_000 });
  const says = (readingKm: number) => assess(service, WEEK, projectedKm(readingKm, 7, 140));

  test('44,200 becomes 45,180: it warns', () => {
    expect(projectedKm(44_200, 7, 140)).toBe(45_180);
    expect(says(44_200)).toBe('warns');
  });

  test('45,600 becomes 46,580: it blocks', () => {
    expect(projectedKm(45_600, 7, 140)).toBe(46_580);
    expect(says(45_600)).toBe('blocks');
  });

  test.each<[number, Assessment]>([
    [44_000, 'free'],
    [44_001, 'shown'],
    [45_000, 'shown'],
    [45_001, 'warns'],
    [46_500, 'warns'],
    [46_501, 'blocks'],
  ])('a projection of %i km is %s', (km, expected) => {
    expect(assess(service, WEEK, km)).toBe(expected);
  });

  test('by statute the limit is what is due', () => {
    const statutory = hold({ fromKm: 45_000 });
    expect(assess(statutory, WEEK, 45_000)).toBe('free');
    expect(assess(statutory, WEEK, 45_001)).toBe('blocks');
  });

  test('a plan with more km a day counts with those', () => {
    expect(projectedKm(10_000, 2, 140, 300)).toBe(10_600);
    expect(projectedKm(10_000, 2, 140, 100)).toBe(10_280);
    expect(daysBetween(WEEK.from, WEEK.to)).toBe(7);
  });
});

test('more km never make a hold say less', () => {
  const rank: Record<Assessment, number> = { free: 0, shown: 1, warns: 2, blocks: 3 };
  const km = fc.integer({ min: 0, max: 100_000 });
  const sample = fc.tuple(km, km, km, fc.integer({ min: 0, max: 5_000 }), fc.boolean());
  fc.assert(
    fc.property(sample, ([due, a, b, toleranceKm, soft]) => {
      const severity = soft ? ({ severity: 'soft', hardFrom: null } as const) : {};
      const one = hold({ fromKm: due, toleranceKm, soonKm: 500, ...severity });
      const [less, more] = [Math.min(a, b), Math.max(a, b)];
      return rank[assess(one, WEEK, less)] <= rank[assess(one, WEEK, more)];
    }),
  );
});

describe('what no hold can be', () => {
  test.each<[string, Partial<Hold>]>([
    ['a hard one that never blocks', { hardFrom: null }],
    ['a soft one that blocks', { severity: 'soft' }],
    ['one that blocks before it begins', { hardFrom: '2026-11-30T00:00:00Z' }],
    ['one that ends as it begins', { until: NOW }],
    ['a recall with an end', { type: 'recall', until: WEEK.to }],
    ['a recall by km', { type: 'recall', fromKm: 50_000 }],
  ])('%s', (_, over) => {
    expect(refusal(() => checkHold(hold(over)))).toBe('value-refused');
  });
});

describe('a hard hold is never weakened', () => {
  test.each<[string, Partial<Hold>]>([
    ['to a soft one', { severity: 'soft', hardFrom: null }],
    ['by a later beginning', { hardFrom: '2026-12-02T00:00:00Z' }],
    ['by an end', { until: WEEK.to }],
    ['by a limit of km', { fromKm: 50_000 }],
  ])('%s', (_, over) => {
    expect(refusal(() => checkChange(hold(), hold(over)))).toBe('four-eyes');
  });

  test('a longer or stricter one may be made of it, and of a soft one anything', () => {
    const ends = hold({ until: WEEK.to, fromKm: 50_000 });
    expect(refusal(() => checkChange(ends, hold()))).toBeNull();
    expect(refusal(() => checkChange(ends, { ...ends, fromKm: 49_000 }))).toBeNull();
    const soft = hold({ severity: 'soft', hardFrom: null });
    expect(refusal(() => checkChange(soft, hold({ until: WEEK.to })))).toBeNull();
    expect(refusal(() => checkChange(soft, { ...soft, until: WEEK.to }))).toBeNull();
  });
});

describe('who ends a hold', () => {
  const ALL: readonly Role[] = ['administrator', 'branch-manager'];
  const lift = (one: Partial<Hold>, by: object, roles: readonly Role[] = ALL) => {
    try {
      return decideLift(hold(one), by, roles);
    } catch (error) {
      if (error instanceof DomainError) return error.code;
      throw error;
    }
  };
  const soft = { severity: 'soft', hardFrom: null } as const;

  test('a recall: its repair, whoever approved its release, even where it is soft', () => {
    expect(lift({ type: 'recall' }, {})).toBe('repair-code-required');
    expect(lift({ type: 'recall' }, { approvalId: 'a' })).toBe('repair-code-required');
    expect(lift({ type: 'recall', ...soft }, {})).toBe('repair-code-required');
    expect(lift({ type: 'recall' }, { repairCode: 'R1' })).toBe('repair');
  });

  test('a hard one: two people, and no repair code instead', () => {
    expect(lift({}, {})).toBe('four-eyes');
    expect(lift({ type: 'damage' }, { repairCode: 'R1' })).toBe('four-eyes');
    expect(lift({}, { approvalId: 'a' })).toBe('approval');
  });

  test('a soft one: a senior agent, a manager, a planner; not a technician', () => {
    expect(lift(soft, {}, ['senior-agent'])).toBe('person');
    expect(lift(soft, {}, ['branch-manager'])).toBe('person');
    expect(lift(soft, {}, ['technician'])).toBe('limit-exceeded');
    expect(lift(soft, {}, ['counter-agent'])).toBe('limit-exceeded');
  });
});

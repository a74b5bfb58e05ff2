// Recalls: the hours that the law leaves, and which vehicles a notice means.
import { describe, expect, test } from 'vitest';
import { DomainError } from '../../domain/errors.ts';
import {
  checkNotice,
  deadlineOf,
  holdOfRecall,
  isRecalled,
  type RecallNotice,
  type RecallScope,
} from '../../domain/recall.ts';

const RECEIVED = '2026-12-01T10:00:00.000Z';
const NOTICE: RecallNotice = {
  title: 'Airbag inflator',
  authorityNumber: '26V-311',
  jurisdiction: 'US',
  noticeReceivedAt: RECEIVED,
  isSafety: true,
  hasInterimRemedy: false,
  isRemedyAvailable: true,
  scopes: [{ make: 'Skoda' }],
};

describe('the deadline', () => {
  // decisions.md 33.
  test('5,000 vehicles of the company: 24:00:00', () => {
    expect(deadlineOf(NOTICE, 5_000)).toBe('2026-12-02T10:00:00.000Z');
    expect(deadlineOf(NOTICE, 0)).toBe('2026-12-02T10:00:00.000Z');
  });

  test('5,001: 48:00:00', () => {
    expect(deadlineOf(NOTICE, 5_001)).toBe('2026-12-03T10:00:00.000Z');
  });

  test('elsewhere as the jurisdiction has it, however many there are', () => {
    const austrian = { ...NOTICE, jurisdiction: 'AT' };
    expect(deadlineOf({ ...austrian, deadlineHours: 0 }, 9_000)).toBe(RECEIVED);
    expect(deadlineOf({ ...austrian, deadlineHours: 72 }, 1)).toBe('2026-12-04T10:00:00.000Z');
    expect(deadlineOf(austrian, 9_000)).toBe('2026-12-02T10:00:00.000Z');
  });
});

test('an interim remedy lets it be rented, not sold; a service campaign only warns', () => {
  expect(holdOfRecall(NOTICE)).toEqual({ severity: 'hard', barsSale: true });
  const interim = holdOfRecall({ isSafety: true, hasInterimRemedy: true });
  expect(interim).toEqual({ severity: 'soft', barsSale: true });
  const service = holdOfRecall({ isSafety: false, hasInterimRemedy: false });
  expect(service).toEqual({ severity: 'soft', barsSale: false });
});

describe('the vehicles', () => {
  // The ninth place is the check digit: 1M8GDM9A_KP042788 has X.
  const bus = { vin: '1M8GDM9AXKP042788', make: 'MCI', model: 'MC-9', modelYear: 1989 };

  test.each<[string, RecallScope, boolean]>([
    ['the beginning of the VIN', { vinPrefix: '1M8GDM9A' }, true],
    ['whatever the check digit in it', { vinPrefix: '1M8GDM9A0KP04' }, true],
    ['another beginning', { vinPrefix: '1M8GDM9B' }, false],
    ['a range of serial numbers', range('1M8GDM9A9KP042700', '1M8GDM9A1KP042800'), true],
    ['its first', range('1M8GDM9A0KP042788', '1M8GDM9A0KP042790'), true],
    ['its last', range('1M8GDM9A0KP042700', '1M8GDM9A0KP042788'), true],
    ['one after it', range('1M8GDM9A0KP042700', '1M8GDM9AXKP042787'), false],
    ['make and model in any case', { make: 'mci', model: ' mc-9' }, true],
    ['the make alone', { make: 'MCI' }, true],
    ['another model', { make: 'MCI', model: 'D' }, false],
    ['the years', { make: 'MCI', yearFrom: 1989, yearTo: 1989 }, true],
    ['later years', { make: 'MCI', yearFrom: 1990 }, false],
    ['earlier years', { make: 'MCI', yearTo: 1988 }, false],
    ['all that is named', { vinPrefix: '1M8', make: 'Skoda' }, false],
  ])('%s', (_, scope, expected) => {
    expect(isRecalled([scope], bus)).toBe(expected);
  });

  test('any of several scopes is enough; without a VIN none that names VINs is met', () => {
    expect(isRecalled([{ make: 'Skoda' }, { vinPrefix: '1M8' }], bus)).toBe(true);
    const unknown = { ...bus, vin: null };
    expect(isRecalled([{ vinPrefix: '1M8' }], unknown)).toBe(false);
    expect(isRecalled([range('1M8GDM9A0KP042700', '1M8GDM9A0KP042800')], unknown)).toBe(false);
  });
});

function range(vinFrom: string, vinTo: string): RecallScope {
  return { vinFrom, vinTo };
}

describe('a notice that cannot be', () => {
  test.each<[string, Partial<RecallNotice>]>([
    ['received tomorrow', { noticeReceivedAt: '2026-12-02T10:00:00Z' }],
    ['with hours of its own in the US', { deadlineHours: 72 }],
    ['that names nothing', { scopes: [] }],
    ['with years alone', { scopes: [{ yearFrom: 2020 }] }],
    ['with a model and no make', { scopes: [{ vinPrefix: '1M8', model: 'MC-9' }] }],
    ['with half a range', { scopes: [{ make: 'MCI', vinFrom: '1M8GDM9AXKP042788' }] }],
  ])('%s', (_, over) => {
    const check = () => checkNotice({ ...NOTICE, ...over }, RECEIVED);
    expect(check).toThrow(DomainError);
    expect(check).toThrow(expect.objectContaining({ code: 'value-refused' }));
  });

  test('this one can', () => {
    expect(() => checkNotice(NOTICE, RECEIVED)).not.toThrow();
  });
});

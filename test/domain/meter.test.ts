// What a counter can have done between two readings, and which trouble codes are codes at all.
import { describe, expect, test } from 'vitest';
import { readDtc } from '../../domain/dtc.ts';
import { faultOf, type MeterKind, misfit } from '../../domain/meter.ts';

const at = (minutes: number, total: number) => ({
  takenAt: new Date(Date.UTC(2027, 0, 1) + minutes * 60_000).toISOString(),
  total,
});

describe('an odometer', () => {
  test.each([
    ['stands still', 60, 0, null],
    ['runs 250 km in an hour', 60, 250, null],
    ['cannot run 251 km in an hour', 60, 251, 'too-fast'],
    ['is read to a whole km, so 2 km at once tell nothing', 0, 2, null],
    ['cannot run 3 km at once', 0, 3, 'too-fast'],
    ['may be read 2 km lower', 60, -2, null],
    ['never runs back by more', 60, -2.5, 'backwards'],
    ['may have run far in a long time', 60 * 24 * 30, 60_000, null],
  ] as const)('%s', (_, minutes, km, expected) => {
    expect(misfit('odometer', at(0, 50_000), at(minutes, 50_000 + km))).toBe(expected);
  });
});

describe('an engine', () => {
  test.each([
    ['runs an hour in an hour', 60, 1, null],
    ['never runs longer than time does', 60, 1.25, 'too-fast'],
    ['never runs back', 60, -0.5, 'backwards'],
  ] as const)('%s', (_, minutes, hours, expected) => {
    expect(misfit('engine_hours', at(0, 100), at(minutes, 100 + hours))).toBe(expected);
  });
});

test.each(['fuel', 'charge', 'dtc'] as const)('%s goes up and down as it likes', (kind) => {
  expect(misfit(kind, at(0, 8), at(1, 0))).toBeNull();
  expect(misfit(kind, at(0, 0), at(1, 8))).toBeNull();
});

describe('a trouble code (SAE J2012)', () => {
  test.each([
    ['P0420', 'powertrain', 'standard'],
    ['P2002', 'powertrain', 'standard'],
    ['C1234', 'chassis', 'manufacturer'],
    ['B1A2F', 'body', 'manufacturer'],
    ['U3FFF', 'network', null],
  ])('%s', (code, system, definedBy) => {
    expect(readDtc(code)).toEqual({ system, definedBy });
  });

  test.each(['', 'P042', 'P04200', 'X0420', 'P4420', 'p0420', 'P042G', ' P0420', 'P0420\n'])(
    '%j is none',
    (code) => expect(readDtc(code)).toBeNull(),
  );
});

describe('a reading that somebody sends', () => {
  const device = { source: 'can', deviceId: 'dev-1' } as const;
  const field = (said: object) => faultOf({ ...device, kind: 'odometer', ...said })?.field;

  test.each<readonly [string, { readonly kind: MeterKind; readonly value: number }]>([
    ['odometer', { kind: 'odometer', value: 0 }],
    ['full tank', { kind: 'fuel', value: 8 }],
    ['full battery', { kind: 'charge', value: 100 }],
  ])('%s', (_, said) => expect(faultOf({ ...device, ...said })).toBeNull());

  test('names its device, unless it is the dash', () => {
    expect(field({ value: 1, deviceId: undefined })).toBe('deviceId');
    expect(field({ value: 1, source: 'dash' })).toBe('deviceId');
    expect(field({ value: 1, source: 'dash', deviceId: undefined })).toBeUndefined();
  });

  test('has a value in its range', () => {
    expect(field({})).toBe('value');
    expect(field({ value: -1 })).toBe('value');
    expect(field({ value: Number.NaN })).toBe('value');
    expect(field({ kind: 'fuel', value: 8.1 })).toBe('value');
    expect(field({ kind: 'charge', value: 101 })).toBe('value');
  });

  test('of a code says which and whether it is on', () => {
    expect(field({ kind: 'dtc', code: 'P0420', active: true })).toBeUndefined();
    expect(field({ kind: 'dtc', code: 'P9420', active: true })).toBe('code');
    expect(field({ kind: 'dtc', code: 'P0420' })).toBe('active');
    expect(field({ kind: 'dtc', code: 'P0420', active: true, value: 1 })).toBe('value');
    expect(field({ value: 1, code: 'P0420' })).toBe('code');
    expect(field({ value: 1, active: true })).toBe('active');
  });
});

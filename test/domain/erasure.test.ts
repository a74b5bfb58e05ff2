// How long the name on invoices outlives the wish to be forgotten (domain.md rule 22).
import { expect, test } from 'vitest';
import { keptUntil } from '../../domain/erasure.ts';

test.each([
  ['2026-01-01', '2037-01-01T00:00:00.000Z'],
  ['2026-12-31', '2037-01-01T00:00:00.000Z'],
  ['2027-01-01', '2038-01-01T00:00:00.000Z'],
])('an invoice of %s keeps it until %s', (date, expected) => {
  expect(keptUntil(date)).toBe(expected);
});

test('where the law asks for six years, it is six', () => {
  expect(keptUntil('2026-03-01', 6)).toBe('2033-01-01T00:00:00.000Z');
});

test('without any invoice nothing keeps it', () => {
  expect(keptUntil(null)).toBeNull();
});

// VINs and ACRISS codes: the sources' own examples, and what holds for every one of them.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { acrissFault, acrissWords } from '../../domain/acriss.ts';
import { normalVin, vinCheckDigit, vinFault, vinWarning } from '../../domain/vin.ts';

const vinCharacter = fc.constantFrom(...'ABCDEFGHJKLMNPRSTUVWXYZ0123456789');
const anyVin = fc.string({ unit: vinCharacter, minLength: 17, maxLength: 17 });
const northAmerican = fc
  .tuple(fc.constantFrom(...'12345'), anyVin)
  .map(([first, vin]) => first + vin.slice(1));

function withDigit(vin: string, digit: string): string {
  return `${vin.slice(0, 8)}${digit}${vin.slice(9)}`;
}

describe('the check digit of a VIN', () => {
  test.each([
    ['1M8GDM9AXKP042788', 'X'],
    ['11111111111111111', '1'],
    ['LJCPCBLCX11000237', 'X'],
    ['5GZCZ43D13S812715', '1'],
    ['1HGBH41JXMN109186', 'X'],
  ])('of %s is %s', (vin, digit) => {
    expect(vinCheckDigit(vin)).toBe(digit);
    expect([vinFault(vin), vinWarning(vin)]).toEqual([null, null]);
  });

  test('of any VIN does not depend on what stands in its place, and makes it sound', () => {
    fc.assert(
      fc.property(anyVin, vinCharacter, (vin, other) => {
        const digit = vinCheckDigit(vin);
        expect(vinCheckDigit(withDigit(vin, other))).toBe(digit);
        expect(vinFault(withDigit(vin, digit))).toBe(null);
        expect(vinWarning(withDigit(vin, digit))).toBe(null);
      }),
    );
  });

  test('that is wrong is refused in North America and a warning elsewhere', () => {
    fc.assert(
      fc.property(northAmerican, vinCharacter, (vin, other) => {
        fc.pre(other !== vinCheckDigit(vin));
        expect(vinFault(withDigit(vin, other))).toBe('vin-check-digit');
      }),
    );
    const volkswagen = 'WVWZZZ1JZXW000001';
    expect([vinFault(volkswagen), vinWarning(volkswagen)]).toEqual([null, 'vin-check-digit']);
  });
});

describe('a VIN', () => {
  test.each(['1M8GDM9AXKP04278', '1M8GDM9AXKP0427888', 'IM8GDM9AXKP042788', '', 'ö'.repeat(17)])(
    'does not look like %o',
    (vin) => {
      expect(vinFault(vin)).toBe('vin-form');
    },
  );

  test.each(['I', 'O', 'Q'])('has no %s anywhere', (letter) => {
    for (let at = 0; at < 17; at += 1) {
      const vin = `${'1'.repeat(at)}${letter}${'1'.repeat(16 - at)}`;
      expect(vinFault(vin)).toBe('vin-form');
    }
  });

  test('may be typed in lower case and in groups', () => {
    expect(normalVin('1m8 gdm9axk-p042788')).toBe('1M8GDM9AXKP042788');
  });
});

describe('an ACRISS code', () => {
  /** Rule 2 of the trade as one pattern: another way to say what domain/acriss.ts says. */
  const RULE = /^[MNEHCDIJSRFGPULWOX][BCDWVLSTFJXPQZEMRHYNGK][MNCABD][RNDQHIECLSABMFVZUX]$/;

  test('is sound exactly where the rule’s pattern says so', () => {
    const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];
    for (const [at, base] of [0, 1, 2, 3].map((n) => [n, 'CDMR'] as const)) {
      for (const letter of letters) {
        const code = base.slice(0, at) + letter + base.slice(at + 1);
        expect([code, acrissFault(code) === null]).toEqual([code, RULE.test(code)]);
      }
    }
    for (const code of ['', 'CDM', 'CDMRR', 'cdmr', 'CD R', '€DMR']) {
      expect([code, acrissFault(code)]).toEqual([code, expect.any(String)]);
    }
  });

  test('names the place that means nothing', () => {
    expect(['ZDMR', 'CAMR', 'CDXR', 'CDMG'].map(acrissFault)).toEqual([
      'category',
      'type',
      'transmission',
      'fuel',
    ]);
  });

  test('says in words what it is', () => {
    expect(acrissWords('CCMN')).toEqual({
      category: 'Compact',
      type: '2/4 doors',
      transmission: 'Manual',
      fuel: 'Unspecified fuel, no air conditioning',
    });
    expect(acrissWords('IDAH')).toMatchObject({ transmission: 'Automatic', fuel: 'Hybrid' });
    expect(acrissWords('CDMX')).toMatchObject({ fuel: 'Ethanol, no air conditioning' });
    expect(acrissWords('ZZZZ')).toBe(null);
  });
});

// Vehicle identification numbers: what a VIN may look like, and its check digit.

/** Seventeen characters without I, O and Q, which look like digits. */
const VIN = /^[A-HJ-NPR-Z0-9]{17}$/;
/** The first character tells the continent of the maker: 1 to 5 are North America. */
const NORTH_AMERICA = /^[1-5]/;
const CHECK_DIGIT_AT = 8;

const VALUES: Readonly<Record<string, number>> = {
  ...Object.fromEntries([...'0123456789'].map((digit, value) => [digit, value])),
  ...{ A: 1, B: 2, C: 3, D: 4, E: 5, F: 6, G: 7, H: 8, J: 1, K: 2, L: 3, M: 4, N: 5 },
  ...{ P: 7, R: 9, S: 2, T: 3, U: 4, V: 5, W: 6, X: 7, Y: 8, Z: 9 },
};
const WEIGHTS = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];

/** As it is kept: upper case, without the spaces that people type. */
export function normalVin(typed: string): string {
  return typed.replaceAll(/[\s-]/g, '').toUpperCase();
}

/** The ninth character as the other sixteen want it (ISO 3779, 49 CFR 565): 0 to 9, or X for 10. */
export function vinCheckDigit(vin: string): string {
  const sum = [...vin].reduce((total, character, at) => {
    return total + (VALUES[character] ?? 0) * (WEIGHTS[at] ?? 0);
  }, 0);
  const remainder = sum % 11;
  return remainder === 10 ? 'X' : String(remainder);
}

/**
 * Why a normal VIN is refused; null when it is not. The check digit is law in North America and
 * only a custom elsewhere, where makers use the place for other things.
 */
export function vinFault(vin: string): 'vin-form' | 'vin-check-digit' | null {
  if (!VIN.test(vin)) return 'vin-form';
  return NORTH_AMERICA.test(vin) && !hasItsCheckDigit(vin) ? 'vin-check-digit' : null;
}

/** Worth a second look, but no reason to refuse. */
export function vinWarning(vin: string): 'vin-check-digit' | null {
  return NORTH_AMERICA.test(vin) || hasItsCheckDigit(vin) ? null : 'vin-check-digit';
}

function hasItsCheckDigit(vin: string): boolean {
  return vin[CHECK_DIGIT_AT] === vinCheckDigit(vin);
}

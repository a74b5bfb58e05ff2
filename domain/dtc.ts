// Diagnostic trouble codes (SAE J2012): five characters that say which system reports which fault.

/** `P0420`: system, who defines it, and three hexadecimal digits. */
export const DTC = /^[PCBU][0-3][0-9A-F]{3}$/;

const SYSTEMS = { P: 'powertrain', C: 'chassis', B: 'body', U: 'network' } as const;
type Letter = keyof typeof SYSTEMS;

export type Dtc = {
  readonly system: (typeof SYSTEMS)[Letter];
  /** Digit 2: 0 and 2 mean the same in every make, 1 is the maker's own; 3 is divided. */
  readonly definedBy: 'standard' | 'manufacturer' | null;
};

/** What a code says by itself; null when it is none. */
export function readDtc(code: string): Dtc | null {
  if (!DTC.test(code)) return null;
  const definedBy = { 0: 'standard', 1: 'manufacturer', 2: 'standard' } as const;
  return {
    system: SYSTEMS[code.charAt(0) as Letter],
    definedBy: definedBy[Number(code.charAt(1)) as keyof typeof definedBy] ?? null,
  };
}

// Meters: what counters and sensors of a vehicle read, and what nobody would believe of them.
import { DTC } from './dtc.ts';

/** Units: km, hours, eighths of the tank, percent of the battery; a DTC is on or off. */
export const METER_KINDS = ['odometer', 'engine_hours', 'fuel', 'charge', 'dtc'] as const;
export type MeterKind = (typeof METER_KINDS)[number];

/** By rank: what people read off the dash decides what is charged (decisions.md 35). */
export const METER_SOURCES = ['dash', 'can', 'gps'] as const;
export type MeterSource = (typeof METER_SOURCES)[number];

/** How far ahead of us a device's clock may be; later readings would be the newest for ever. */
export const CLOCK_TOLERANCE_MS = 10 * 60_000;

export type Counted = { readonly takenAt: string; readonly total: number };

export type Misfit = 'backwards' | 'too-fast';

type Limits = {
  /** What it may count in an hour. */
  readonly perHour: number;
  /** Less than this forwards tells no speed, and less than this back is rounding. */
  readonly tolerance: number;
};

/** Decisions.md 35: above 250 km/h or more than 2 km back; no engine runs longer than time does. */
const LIMITS: Partial<Record<MeterKind, Limits>> = {
  odometer: { perHour: 250, tolerance: 2 },
  engine_hours: { perHour: 1, tolerance: 0.2 },
};

/** Readings have three decimals: in thousandths the sums are exact. */
const THOUSANDTHS = 1_000;
const HOUR_S = 3_600;

/**
 * Why a counter cannot have gone from `earlier` to `later`; null when it can. Totals are km or
 * hours across segments. What is no counter (fuel, charge, codes) always can. SQL: vehicles.misfit.
 */
export function misfit(kind: MeterKind, earlier: Counted, later: Counted): Misfit | null {
  const limits = LIMITS[kind];
  if (limits === undefined) return null;
  const gone = Math.round((later.total - earlier.total) * THOUSANDTHS);
  const tolerance = limits.tolerance * THOUSANDTHS;
  if (gone < -tolerance) return 'backwards';
  const milliseconds = Date.parse(later.takenAt) - Date.parse(earlier.takenAt);
  return gone > tolerance && gone * HOUR_S > limits.perHour * milliseconds ? 'too-fast' : null;
}

/** A reading as somebody outside says it: a value, or of a DTC its code and whether it is on. */
export type Said = {
  readonly kind: MeterKind;
  readonly source: MeterSource;
  readonly deviceId?: string | undefined;
  readonly value?: number | undefined;
  readonly code?: string | undefined;
  readonly active?: boolean | undefined;
};

const MOST: Readonly<Record<Exclude<MeterKind, 'dtc'>, number>> = {
  odometer: 5_000_000,
  engine_hours: 5_000_000,
  fuel: 8,
  charge: 100,
};

export type SaidFault = { readonly field: keyof Said; readonly message: string };

/** What is wrong with a reading in itself; null when nothing is. */
export function faultOf(said: Said): SaidFault | null {
  const { kind, source, deviceId, value, code, active } = said;
  if ((source === 'dash') !== (deviceId === undefined)) {
    return { field: 'deviceId', message: 'can and gps name their device, the dash has none' };
  }
  if (kind === 'dtc') {
    if (value !== undefined) return { field: 'value', message: 'a dtc has none' };
    if (!DTC.test(code ?? '')) return { field: 'code', message: 'must be a code of SAE J2012' };
    return active === undefined ? { field: 'active', message: 'must say whether it is on' } : null;
  }
  if (code !== undefined) return { field: 'code', message: 'only a dtc has one' };
  if (active !== undefined) return { field: 'active', message: 'only a dtc is on or off' };
  if (value === undefined || !(value >= 0 && value <= MOST[kind])) {
    return { field: 'value', message: `must be from 0 to ${MOST[kind]}` };
  }
  return null;
}

/** What is stored of it; of a sound one only. A DTC counts as 1 (on) or 0 (off). */
export function storedValue(said: Said): { readonly value: number; readonly code: string } {
  if (said.kind === 'dtc') return { value: said.active ? 1 : 0, code: said.code ?? '' };
  return { value: said.value ?? 0, code: '' };
}

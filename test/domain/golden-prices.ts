// The twenty golden cases of the plan GOLD-1, worked out by hand: inputs, day counts and totals.

/** What a case asks for beside time. */
export type GoldenLine =
  | 'airport'
  | 'cdw'
  | 'extra-item'
  | 'fuel'
  | 'location-fee'
  | 'mileage'
  | 'one-way'
  | 'weekend'
  | 'young-driver';

export type GoldenCase = {
  readonly name: string;
  /** Wall-clock times at the branch, in Europe/Vienna. */
  readonly pickUp: string;
  readonly return: string;
  readonly wholeDays: number;
  readonly excessMinutes: number;
  readonly chargedDays: number;
  readonly extrasDays: number;
  /** The time price alone, by rule 4: the weekend line is not in it. */
  readonly timeMinor: number;
  readonly netMinor: number;
  readonly vatMinor: number;
  readonly totalMinor: number;
  readonly needs: readonly GoldenLine[];
  readonly km?: number;
  readonly items?: number;
  /** Eighths of the 48 l tank, out and in. */
  readonly fuelEighths?: readonly [out: number, back: number];
};

const MONDAY = '2027-03-01T10:00';

export const GOLDEN_CASES: readonly GoldenCase[] = [
  time('S1', '2027-03-02T10:00', [1, 0, 1, 1], [50_00, 10_00, 60_00]),
  time('S2', '2027-03-01T10:20', [0, 20, 1, 1], [50_00, 10_00, 60_00]),
  time('S3', '2027-03-02T10:29', [1, 29, 1, 2], [50_00, 10_00, 60_00]),
  time('S4', '2027-03-02T10:30', [1, 30, 2, 2], [60_00, 12_00, 72_00]),
  time('S5', '2027-03-02T11:01', [1, 61, 2, 2], [70_00, 14_00, 84_00]),
  time('S6', '2027-03-02T11:29', [1, 89, 2, 2], [70_00, 14_00, 84_00]),
  time('S7', '2027-03-02T11:30', [1, 90, 2, 2], [100_00, 20_00, 120_00]),
  time('S8', '2027-03-05T10:30', [4, 30, 5, 5], [210_00, 42_00, 252_00]),
  time('S9', '2027-03-06T10:00', [5, 0, 5, 5], [210_00, 42_00, 252_00]),
  time('S10', '2027-03-08T10:45', [7, 45, 8, 8], [220_00, 44_00, 264_00]),
  time('S11', '2027-03-13T10:00', [12, 0, 12, 12], [420_00, 84_00, 504_00]),
  time('S12', '2027-03-24T10:00', [23, 0, 23, 23], [700_00, 140_00, 840_00]),
  {
    ...time('S13', '2027-03-04T10:01', [3, 1, 3, 4], [182_00, 36_40, 218_40]),
    timeMinor: 150_00,
    needs: ['extra-item'],
    items: 1,
  },
  {
    ...time('S14', '2027-03-03T10:00', [2, 0, 2, 2], [140_00, 28_00, 168_00]),
    timeMinor: 100_00,
    needs: ['cdw', 'extra-item'],
    items: 1,
  },
  {
    ...time('S15', '2027-03-13T10:00', [12, 0, 12, 12], [670_00, 134_00, 804_00]),
    timeMinor: 420_00,
    needs: ['young-driver'],
  },
  {
    ...time('S16', '2027-06-03T10:00', [31, 0, 31, 31], [925_00, 185_00, 1110_00]),
    pickUp: '2027-05-03T10:00',
    timeMinor: 850_00,
    needs: ['airport'],
  },
  {
    ...time('S17', '2027-03-08T12:29', [3, 29, 3, 4], [152_00, 30_40, 182_40]),
    pickUp: '2027-03-05T12:00',
    timeMinor: 150_00,
    needs: ['weekend', 'extra-item'],
    items: 1,
  },
  {
    ...time('S18', '2027-03-04T10:00', [3, 0, 3, 3], [178_00, 35_60, 213_60]),
    timeMinor: 150_00,
    needs: ['mileage'],
    km: 712,
  },
  {
    ...time('S19', '2027-03-03T10:00', [2, 0, 2, 2], [212_80, 42_56, 255_36]),
    timeMinor: 100_00,
    needs: ['one-way', 'fuel'],
    fuelEighths: [8, 5],
  },
  {
    ...time('S20', '2027-03-02T10:00', [1, 0, 1, 1], [55_56, 11_11, 66_67]),
    timeMinor: 50_00,
    needs: ['location-fee'],
  },
];

function time(
  name: string,
  returned: string,
  [wholeDays, excessMinutes, chargedDays, extrasDays]: readonly [number, number, number, number],
  [netMinor, vatMinor, totalMinor]: readonly [number, number, number],
): GoldenCase {
  const counts = { wholeDays, excessMinutes, chargedDays, extrasDays };
  const amounts = { timeMinor: netMinor, netMinor, vatMinor, totalMinor };
  return { name, pickUp: MONDAY, return: returned, ...counts, ...amounts, needs: [] };
}

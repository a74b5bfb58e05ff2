// Random walks for the calendar's test at two branches: the kinds of steps, and where they should lead.
import fc from 'fast-check';

const KINDS = [
  ...(['reserve', 'reserve', 'reserve', 'reserve', 'reserve', 'oneWay', 'oneWay'] as const),
  ...(['extend', 'extend', 'swap', 'repack', 'transfer', 'hold', 'cancel'] as const),
  ...(['checkOut', 'checkOut', 'checkIn', 'checkIn'] as const),
];
export type Kind = (typeof KINDS)[number];

/** `pick` and `other` choose among what a step may be about; times are in half hours. */
export type Step = {
  readonly kind: Kind;
  readonly pick: number;
  readonly other: number;
  readonly ahead: number;
  readonly length: number;
};

export const anyStep: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(...KINDS),
  pick: fc.nat(1_000),
  other: fc.nat(1_000),
  ahead: fc.nat(40),
  length: fc.integer({ min: 1, max: 24 }),
});

/** Where the walks should have been, or they prove little. */
export const CORNERS = [
  'reserved at once',
  'reserved by a repack',
  'refused',
  'extended',
  'extended by a repack',
  'extension refused',
  'moved',
  'move refused',
  'transfer',
  'transfer refused',
  'checked in elsewhere',
] as const;
export type Corner = (typeof CORNERS)[number];

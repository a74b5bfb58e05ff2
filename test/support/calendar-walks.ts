// Random and rehearsed walks through a branch's days, for the calendar's test against its model.
import fc from 'fast-check';

export type Kind = 'reserve' | 'extend' | 'handOut' | 'giveBack' | 'release' | 'advance';
/** `pick` chooses among the rentals to which the step applies; times are in half hours. */
export type Step = {
  readonly kind: Kind;
  readonly pick: number;
  readonly ahead: number;
  readonly length: number;
};

export const anyStep: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom<Kind>(
    ...(['reserve', 'reserve', 'reserve', 'reserve', 'extend', 'extend'] as const),
    ...(['handOut', 'handOut', 'handOut', 'giveBack', 'release', 'advance'] as const),
  ),
  pick: fc.nat(1_000),
  ahead: fc.nat(16),
  length: fc.integer({ min: 1, max: 24 }),
});

function steps(...short: readonly (readonly [Kind, number, number])[]): Step[] {
  return short.map(([kind, ahead, length]) => ({ kind, pick: 0, ahead, length }));
}

const full = [
  ...steps(['reserve', 0, 4], ['reserve', 0, 4], ['reserve', 0, 4]),
  ...steps(['reserve', 6, 24], ['reserve', 6, 24], ['reserve', 6, 24]),
];
/** Walks into the rare corners, so that every run has been there. */
export const REHEARSED: readonly Step[][] = [
  [
    ...full,
    ...steps(['reserve', 1, 4], ['extend', 0, 8], ['handOut', 0, 1], ['handOut', 0, 1]),
    ...steps(['handOut', 0, 1], ['advance', 0, 4], ['giveBack', 0, 1], ['handOut', 0, 1]),
    ...steps(['handOut', 0, 1], ['release', 0, 1], ['giveBack', 0, 1]),
  ],
  steps(['reserve', 0, 4], ['reserve', 6, 24], ['extend', 0, 8]),
  steps(['reserve', 0, 4], ['handOut', 0, 1], ['reserve', 6, 24], ['extend', 0, 8]),
  steps(
    ['reserve', 0, 4],
    ['handOut', 0, 1],
    ['reserve', 6, 24],
    ['advance', 0, 1],
    ['handOut', 0, 1],
  ),
];

/** Where a walk should have been before it proves anything. */
export const CORNERS = [
  'reservation refused',
  'extension refused',
  'extension moved itself',
  'extension moved another',
  'hand-out refused',
  'hand-out of another vehicle',
  'demand waits',
  'waiting demand served',
] as const;
export type Corner = (typeof CORNERS)[number];

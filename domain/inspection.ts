// Inspections: what a vehicle looked like when it went out and when it came back, and what differs.

export const INSPECTION_KINDS = ['out', 'in'] as const;
export type InspectionKind = (typeof INSPECTION_KINDS)[number];

/** The body map: one name a part that is looked at and repaired by itself. */
export const PANELS = [
  'front-bumper',
  'bonnet',
  'windscreen',
  'roof',
  'boot',
  'rear-window',
  'rear-bumper',
  'left-front-wing',
  'left-front-door',
  'left-rear-door',
  'left-rear-wing',
  'left-sill',
  'left-mirror',
  'right-front-wing',
  'right-front-door',
  'right-rear-door',
  'right-rear-wing',
  'right-sill',
  'right-mirror',
  'wheel-front-left',
  'wheel-front-right',
  'wheel-rear-left',
  'wheel-rear-right',
  'lights',
  'underbody',
  'interior',
] as const;
export type Panel = (typeof PANELS)[number];

export const DAMAGE_KINDS = [
  'scratch',
  'dent',
  'crack',
  'chip',
  'broken',
  'missing',
  'stain',
  'other',
] as const;
export type DamageKind = (typeof DAMAGE_KINDS)[number];

/** From what only shows to what must not be driven. */
export const SEVERITIES = ['minor', 'moderate', 'severe'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** What is seen of one kind on one panel; `count` is how many of it. */
export type Mark = {
  readonly panel: Panel;
  readonly kind: DamageKind;
  readonly severity: Severity;
  readonly count: number;
};

/** `unknown`: nobody looked when it went out, so nothing shows who did it. */
export type Change = 'new' | 'worse' | 'pre-existing' | 'unknown';

export type Difference = Mark & {
  readonly change: Change;
  readonly before: Pick<Mark, 'severity' | 'count'> | null;
};

/**
 * What an inspection at the return says against the one at the hand-over, panel by panel; `out` is
 * null when there was none. A mark is worse when it is more severe or there are more of it.
 */
export function differences(
  out: readonly Mark[] | null,
  back: readonly Mark[],
): readonly Difference[] {
  return back.map(({ panel, kind, severity, count }) => {
    const mark = { panel, kind, severity, count };
    if (out === null) return { ...mark, change: 'unknown', before: null };
    const old = out.find((one) => one.panel === panel && one.kind === kind);
    if (old === undefined) return { ...mark, change: 'new', before: null };
    const before = { severity: old.severity, count: old.count };
    const isWorse = rank(severity) > rank(old.severity) || count > old.count;
    return { ...mark, change: isWorse ? 'worse' : 'pre-existing', before };
  });
}

/** Whether a damage case is proposed for it: only what this rental is shown to have done. */
export function isProposed({ change }: Pick<Difference, 'change'>): boolean {
  return change === 'new' || change === 'worse';
}

export function worstOf(marks: readonly Pick<Mark, 'severity'>[]): Severity {
  const ranks = marks.map(({ severity }) => rank(severity));
  return SEVERITIES[Math.max(0, ...ranks)] ?? 'minor';
}

function rank(severity: Severity): number {
  return SEVERITIES.indexOf(severity);
}

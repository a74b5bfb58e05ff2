// Four eyes: what a person may decide alone, what needs a second one, and who that may be.
import { DomainError } from './errors.ts';
import {
  type Branches,
  isWithin,
  LIMIT_KINDS,
  type LimitKind,
  type Limits,
  type Role,
} from './people.ts';

/** Decided by two people whatever the amount (decisions.md 40). */
export const ALWAYS_FOUR_EYES = [
  'manual-journal',
  'period-reopen',
  'bank-detail-change',
  'erasure',
  'hold-release',
  'day-reopen',
] as const;
export const APPROVAL_KINDS = [...LIMIT_KINDS, ...ALWAYS_FOUR_EYES] as const;
export type ApprovalKind = (typeof APPROVAL_KINDS)[number];

/** Where no amount tells who may decide, the role does: whoever answers for it anyway. */
const DECIDERS: Readonly<Record<(typeof ALWAYS_FOUR_EYES)[number], readonly Role[]>> = {
  'manual-journal': ['accountant', 'finance-controller'],
  'period-reopen': ['finance-controller'],
  'bank-detail-change': ['accountant', 'finance-controller'],
  erasure: ['branch-manager', 'administrator'],
  'hold-release': ['branch-manager', 'fleet-planner'],
  'day-reopen': ['branch-manager', 'finance-controller'],
};

/** A write-off above this takes two people even where the first one's limit is higher. */
export const WRITE_OFF_ALONE_MINOR = 10_000;
export const APPROVAL_HOURS = 24;

export type Approval = {
  readonly kind: ApprovalKind;
  /** Minor units, or basis points of a discount; 0 where there is none. */
  readonly amount: number;
  /** Null: it concerns the whole company. */
  readonly branchId: string | null;
  /** Principals. */
  readonly requestedBy: string;
  readonly payee: string | null;
  readonly expiresAt: string;
  readonly status: 'open' | 'approved' | 'refused';
};

export type Approver = {
  readonly principal: string;
  readonly branches: Branches;
  readonly limits: Limits;
  readonly roles: readonly Role[];
};

/** What a person used of a limit already: for the same subject, and today for all. */
export type LimitUsed = { readonly subject: number; readonly today: number };

/**
 * Whether a person may decide this alone. Amounts count per subject and per person and day, so that
 * splitting gains nothing; discounts are shares, which add up on one rental only.
 */
export function mayDecideAlone(
  kind: LimitKind,
  amount: number,
  limits: Limits,
  used: LimitUsed,
): boolean {
  const limit = limits[kind];
  if (amount + used.subject > limit) return false;
  if (kind === 'discount-bp') return true;
  if (kind === 'write-off' && amount + used.subject > WRITE_OFF_ALONE_MINOR) return false;
  return amount + used.today <= limit;
}

/** Throws `four-eyes` when the requester would be paid by it. */
export function checkRequest(request: Pick<Approval, 'requestedBy' | 'payee'>): void {
  if (request.payee === request.requestedBy) {
    throw new DomainError('four-eyes', 'Nobody asks for what is paid to themselves.');
  }
}

/**
 * Throws `not-found` when it is none of the approver's branches', `invalid-state` when it is
 * decided, `approval-expired` after its time, `four-eyes` when the approver asked for it or is paid
 * by it, `limit-exceeded` when the approver's own limit is lower, or their role decides no such thing.
 */
export function checkDecision(approval: Approval, approver: Approver, now: string): void {
  if (!isWithinScope(approval.branchId, approver.branches)) {
    throw new DomainError('not-found', 'There is no such approval.');
  }
  if (approval.status !== 'open') {
    throw new DomainError('invalid-state', 'It is decided already.', { state: approval.status });
  }
  if (Date.parse(now) >= Date.parse(approval.expiresAt)) {
    throw new DomainError('approval-expired', 'It was not decided in time: ask again.');
  }
  if ([approval.requestedBy, approval.payee].includes(approver.principal)) {
    throw new DomainError('four-eyes', 'Somebody else has to decide this.');
  }
  checkLimit(approval, approver);
}

function checkLimit({ kind, amount }: Approval, { limits, roles }: Approver): void {
  if (!isLimited(kind)) {
    if (roles.some((role) => DECIDERS[kind].includes(role))) return;
    throw new DomainError('limit-exceeded', 'Your role does not decide this.', {
      kind,
      roles: DECIDERS[kind].join(' '),
    });
  }
  if (amount > limits[kind]) {
    throw new DomainError('limit-exceeded', 'It is above what you may decide.', {
      kind,
      limit: limits[kind],
    });
  }
}

function isLimited(kind: ApprovalKind): kind is LimitKind {
  return (LIMIT_KINDS as readonly string[]).includes(kind);
}

export function isWithinScope(branchId: string | null, branches: Branches): boolean {
  return branchId === null ? branches === 'all' : isWithin(branches, branchId);
}

// Who may do what: roles, scopes, branches and the limits that a person may decide within.

export const ROLES = [
  'counter-agent',
  'senior-agent',
  'branch-manager',
  'fleet-planner',
  'technician',
  'accountant',
  'finance-controller',
  'auditor',
  'administrator',
] as const;
export type Role = (typeof ROLES)[number];

/** What a token or an API key may be used for, whoever holds it (RFC 6749 section 3.3). */
export const SCOPES = [
  'fleet:read',
  'fleet:write',
  'rentals:read',
  'rentals:write',
  'customers:read',
  'customers:write',
  'accounting:read',
  'accounting:write',
  'people:read',
  'people:write',
] as const;
export type Scope = (typeof SCOPES)[number];

/** Branch codes, or all that there are and will be. */
export type Branches = 'all' | readonly string[];

export function isWithin(branches: Branches, branchId: string): boolean {
  return branches === 'all' || branches.includes(branchId);
}

/** What a decision is about; amounts in minor units of the entity's currency, discounts in basis points. */
export const LIMIT_KINDS = ['discount-bp', 'refund', 'fee-waiver', 'write-off'] as const;
export type LimitKind = (typeof LIMIT_KINDS)[number];
export type Limits = Readonly<Record<LimitKind, number>>;

const NONE: Limits = { 'discount-bp': 0, refund: 0, 'fee-waiver': 0, 'write-off': 0 };
const ANY = Number.MAX_SAFE_INTEGER;

/** The demo company's table (decisions.md 40); settings of a company, not of the trade. */
export const DEMO_LIMITS: Readonly<Record<Role, Limits>> = {
  'counter-agent': { ...NONE, 'discount-bp': 500, refund: 5_000, 'fee-waiver': 2_500 },
  'senior-agent': { ...NONE, 'discount-bp': 1_000, refund: 20_000, 'fee-waiver': 10_000 },
  'branch-manager': { ...NONE, 'discount-bp': 2_500, refund: 100_000, 'fee-waiver': 50_000 },
  accountant: { ...NONE, refund: 200_000, 'write-off': 10_000 },
  'finance-controller': { 'discount-bp': ANY, refund: ANY, 'fee-waiver': ANY, 'write-off': ANY },
  'fleet-planner': NONE,
  technician: NONE,
  auditor: NONE,
  administrator: NONE,
};

/** Of several roles a person has the highest limit of each kind. */
export function limitsOf(roles: readonly Role[], table = DEMO_LIMITS): Limits {
  const highest = (kind: LimitKind) => Math.max(0, ...roles.map((role) => table[role][kind]));
  return Object.fromEntries(LIMIT_KINDS.map((kind) => [kind, highest(kind)])) as Limits;
}

/** Who decides over money or other people proves it by a second factor as well. */
export const SECOND_FACTOR_ROLES: readonly Role[] = [
  'branch-manager',
  'accountant',
  'finance-controller',
  'administrator',
];

export function needsSecondFactor(
  roles: readonly Role[],
  required: readonly Role[] = SECOND_FACTOR_ROLES,
): boolean {
  return roles.some((role) => required.includes(role));
}

export const STAFF_STATUSES = ['active', 'suspended', 'left'] as const;
export type StaffStatus = (typeof STAFF_STATUSES)[number];

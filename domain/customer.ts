// What a customer may be given on credit, by whom, and why somebody is rented to no more.
import { DomainError } from './errors.ts';
import type { Role } from './people.ts';

export const CUSTOMER_KINDS = ['person', 'company'] as const;
export type CustomerKind = (typeof CUSTOMER_KINDS)[number];

export const CONTACT_FUNCTIONS = ['booking', 'billing', 'fleet', 'other'] as const;
export type ContactFunction = (typeof CONTACT_FUNCTIONS)[number];

export const BLOCK_CAUSES = ['unpaid', 'damage', 'fraud', 'conduct', 'other'] as const;
export type BlockCause = (typeof BLOCK_CAUSES)[number];

/** Minor units of `currency`, and days after an invoice in which it is paid. */
export type CreditTerms = {
  readonly limitMinor: number;
  readonly currency: string;
  readonly paymentTermsDays: number;
};

type CreditLimit = { readonly limitMinor: number; readonly days: number };

/** The demo company's; settings of a company, not of the trade. Who is not named grants none. */
const CREDIT_LIMITS: Partial<Readonly<Record<Role, CreditLimit>>> = {
  'branch-manager': { limitMinor: 100_000, days: 14 },
  accountant: { limitMinor: 500_000, days: 30 },
  'finance-controller': { limitMinor: Number.MAX_SAFE_INTEGER, days: 180 },
};

/** Throws `limit-exceeded` for terms that none of the roles may grant. */
export function checkCredit(roles: readonly Role[], terms: CreditTerms): void {
  const limits = roles.flatMap((role) => CREDIT_LIMITS[role] ?? []);
  if (limits.some((l) => terms.limitMinor <= l.limitMinor && terms.paymentTermsDays <= l.days)) {
    return;
  }
  throw new DomainError('limit-exceeded', 'These terms of credit are above your limit.', {
    limitMinor: Math.max(0, ...limits.map((l) => l.limitMinor)),
    paymentTermsDays: grantableDays(roles),
  });
}

/** The longest terms of payment that any of the roles may grant. */
export function grantableDays(roles: readonly Role[]): number {
  return Math.max(0, ...roles.map((role) => CREDIT_LIMITS[role]?.days ?? 0));
}

// Groups of roles that several routes name; each route still says who may use it.
import { ROLES, type Role } from '../../domain/people.ts';

/** All staff: for what holds no personal data and no money. */
export const EVERYONE: readonly Role[] = ROLES;

/** Who stands at a counter and deals with customers. */
export const COUNTER = [
  'counter-agent',
  'senior-agent',
  'branch-manager',
] as const satisfies readonly Role[];

/** Who keeps the books. */
export const BOOKS = ['accountant', 'finance-controller'] as const satisfies readonly Role[];

/** Who may look customers up, and so may find other records by what is known of a customer. */
export const KNOWS_CUSTOMERS = [...COUNTER, ...BOOKS, 'auditor'] as const satisfies readonly Role[];

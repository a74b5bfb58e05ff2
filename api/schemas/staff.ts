// Staff, one's own identity and sessions as they are sent and shown.
import { z } from '@hono/zod-openapi';
import type { SessionView } from '../../db/commands/sessions.ts';
import type { StaffRow } from '../../db/queries/people.ts';
import { LIMIT_KINDS, ROLES, SCOPES, STAFF_STATUSES } from '../../domain/people.ts';
import type { Caller } from '../auth/caller.ts';
import { BranchId, Id, pageQuery, text, UtcInstant } from './common.ts';
import { changesSomething } from './vehicles.ts';

const Role = z.enum(ROLES).openapi('Role');
export const Scope = z.enum(SCOPES).openapi('Scope');
const Status = z.enum(STAFF_STATUSES);
const unlike = { message: 'must not repeat one' };

/** Null: every branch that there is and will be. */
export const Branches = z
  .array(BranchId)
  .min(1)
  .max(200)
  .refine(allDifferent, unlike)
  .nullable()
  .openapi({ description: 'null: every branch', example: ['VIE', 'GRZ'] });

const details = {
  name: text(200),
  email: z.email().max(254),
  roles: z.array(Role).min(1).max(ROLES.length).refine(allDifferent, unlike),
  branches: Branches,
};

export const NewStaff = z
  .strictObject({
    userName: z
      .string()
      .regex(/^[a-z0-9][a-z0-9._-]{1,62}$/, 'must be small letters, digits, dots and dashes'),
    ...details,
    outside: z
      .strictObject({ issuer: z.url().max(300), subject: text(200) })
      .optional()
      .openapi({ description: 'How an outside identity provider knows this person' }),
  })
  .openapi('NewStaff');

export const StaffChange = z
  .strictObject({ ...details, status: Status })
  .partial()
  .refine(changesSomething, { message: 'must change something' })
  .openapi('StaffChange');

export const OwnChange = z.strictObject({ name: details.name }).openapi('OwnChange');

export const StaffList = z.strictObject({
  ...pageQuery(Id),
  q: text(100).optional().openapi({ description: 'The beginning of the name, in any case' }),
  role: Role.optional(),
  status: Status.optional(),
});

export const Staff = z
  .object({
    id: Id,
    userName: z.string(),
    name: z.string(),
    email: z.string(),
    roles: z.array(Role).readonly(),
    branches: z.array(BranchId).readonly().nullable(),
    status: Status,
    employedFrom: z.string(),
    employedUntil: z.string().nullable(),
    version: z.int(),
  })
  .openapi('Staff');

export const Me = z
  .object({
    kind: z.enum(['staff', 'customer', 'partner', 'system']),
    id: Id,
    name: z.string().nullable(),
    roles: z.array(Role).readonly(),
    branches: z.array(BranchId).readonly().nullable(),
    rates: z.array(z.string()).readonly().optional().openapi({
      description: 'Of a partner: the negotiated rates that it may book by',
    }),
    scopes: z.array(Scope).readonly(),
    limits: z.record(z.enum(LIMIT_KINDS), z.int()),
    sessionId: Id.nullable(),
  })
  .openapi('Me');

export const Session = z
  .object({
    id: Id,
    device: z.string(),
    address: z.string().nullable(),
    signedInAt: UtcInstant,
    lastSeenAt: UtcInstant,
    expiresAt: UtcInstant,
    current: z.boolean(),
  })
  .openapi('Session');

/** The columns hold what their constraints allow: the roles and statuses of domain/people.ts. */
export function staffView(row: StaffRow) {
  return {
    id: row.id,
    userName: row.user_name,
    name: row.name,
    email: row.email,
    roles: row.roles as z.infer<typeof Role>[],
    branches: row.branches,
    status: row.status as z.infer<typeof Status>,
    employedFrom: row.employed_from,
    employedUntil: row.employed_until,
    version: row.version,
  };
}

export function meView(caller: Caller, name: string | null) {
  const { actor, roles, branches, rates, scopes, limits, sessionId } = caller;
  return {
    ...actor,
    name,
    roles: [...roles],
    branches: branches === 'all' ? null : [...branches],
    ...(actor.kind === 'partner' && { rates: [...rates] }),
    scopes: SCOPES.filter((scope) => scopes.has(scope)),
    limits,
    sessionId,
  };
}

export function sessionView(session: SessionView, currentId: string | null) {
  return { ...session, current: session.id === currentId };
}

export function allDifferent(values: readonly string[]): boolean {
  return new Set(values).size === values.length;
}

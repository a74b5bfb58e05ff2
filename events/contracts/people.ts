// What a consumer accepts of the people domain: the zod contract of each of its events.
import { z } from 'zod';
import type { PeopleEvents } from '../../domain/events/people.ts';
import { code, id, minor } from './parts.ts';

const staff = z.object({ staffId: id, status: code });
const apiClient = z.object({ clientId: z.string().min(1).max(80), partnerId: id });
const apiKey = z.object({ keyId: id, owner: z.string().min(1).max(80) });
const approval = z.object({
  approvalId: id,
  kind: code,
  subjectType: code,
  subjectId: z.string().min(1).max(80),
  amount: minor,
  status: code,
});

export const peopleContracts = {
  'forecourt.staff.hired.v1': staff,
  'forecourt.staff.changed.v1': staff,
  'forecourt.staff.password-changed.v1': z.object({ staffId: id }),
  'forecourt.partner.registered.v1': z.object({ partnerId: id }),
  'forecourt.partner.changed.v1': z.object({ partnerId: id, status: code }),
  'forecourt.api-client.created.v1': apiClient,
  'forecourt.api-client.revoked.v1': apiClient,
  'forecourt.api-key.created.v1': apiKey,
  'forecourt.api-key.revoked.v1': apiKey,
  'forecourt.approval.requested.v1': approval,
  'forecourt.approval.decided.v1': approval,
} as const satisfies { readonly [T in keyof PeopleEvents]: z.ZodType<PeopleEvents[T]> };

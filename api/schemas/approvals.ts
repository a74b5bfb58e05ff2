// Approvals as they are asked for and shown.
import { z } from '@hono/zod-openapi';
import type { ApprovalRow } from '../../db/queries/people.ts';
import { APPROVAL_KINDS } from '../../domain/approval.ts';
import { BranchId, Id, pageQuery, text, UtcInstant } from './common.ts';

const principal = z
  .string()
  .regex(/^(staff|customer|partner):[0-9a-f-]{36}$/, 'must be kind:id')
  .openapi({ example: 'customer:01980a5d-ac96-774b-bcce-b302099a8057' });
const code = z.string().regex(/^[a-z][a-z0-9-]{1,39}$/);
const Kind = z.enum(APPROVAL_KINDS);
const Status = z.enum(['open', 'approved', 'refused']);
const amount = z
  .int()
  .min(0)
  .openapi({ description: 'Minor units; basis points of a discount; 0 where there is none' });

export const NewApproval = z
  .strictObject({
    kind: Kind,
    subjectType: code.openapi({ example: 'rental' }),
    subjectId: z.string().regex(/^[A-Za-z0-9-]{1,64}$/),
    branchId: BranchId.nullable().openapi({ description: 'null: it concerns the company' }),
    amount,
    reason: text(500),
    payee: principal.nullable().default(null),
  })
  .openapi('NewApproval');

export const Approval = z
  .object({
    id: Id,
    kind: Kind,
    subjectType: z.string(),
    subjectId: z.string(),
    branchId: z.string().nullable(),
    amount,
    reason: z.string(),
    requestedBy: z.string(),
    payee: z.string().nullable(),
    requestedAt: UtcInstant,
    expiresAt: UtcInstant,
    status: Status,
    decidedBy: z.string().nullable(),
    decidedAt: UtcInstant.nullable(),
  })
  .openapi('Approval');

export const ApprovalList = z.strictObject({ ...pageQuery(Id), status: Status.optional() });

export function approvalView(row: ApprovalRow) {
  return {
    id: row.id,
    kind: row.kind as z.infer<typeof Kind>,
    subjectType: row.subject_type,
    subjectId: row.subject_id,
    branchId: row.branch_id,
    amount: row.amount,
    reason: row.reason,
    requestedBy: row.requested_by,
    payee: row.payee,
    requestedAt: row.requested_at,
    expiresAt: row.expires_at,
    status: row.status as z.infer<typeof Status>,
    decidedBy: row.decided_by,
    decidedAt: row.decided_at,
  };
}

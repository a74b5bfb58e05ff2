// Classes on request as they are sent and shown.
import { z } from '@hono/zod-openapi';
import type { OnRequestRow } from '../../db/commands/on-request.ts';
import { BranchId, ClassId } from './common.ts';

const answerMinutes = z.int().min(30).max(20_160).openapi({
  description: 'How long a request waits for an answer; never past two hours before pick-up',
});

export const NewOnRequest = z
  .strictObject({ answerMinutes: answerMinutes.default(1_440) })
  .openapi('NewOnRequest');

export const OnRequest = z
  .object({
    branchId: BranchId,
    classId: ClassId,
    answerMinutes,
    active: z.boolean(),
    version: z.int(),
  })
  .openapi('OnRequest');

export function onRequestView(row: OnRequestRow): z.infer<typeof OnRequest> {
  const { branch_id: branchId, class_id: classId, active, version } = row;
  return { branchId, classId, answerMinutes: row.answer_minutes, active, version };
}

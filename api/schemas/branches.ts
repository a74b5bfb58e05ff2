// Branches as they are sent and shown, with the terms that a rental keeps from its booking on.
import { z } from '@hono/zod-openapi';
import type { BranchRow } from '../../db/commands/branches.ts';
import { BranchId, EntityId, pageQuery, TimeZone, text } from './common.ts';
import { changesSomething } from './vehicles.ts';

const minutes = z.int().min(0).max(1_440);
const name = text(120);

/** What may be set, each with what it means. */
const terms = {
  turnaroundMinutes: minutes.openapi({ description: 'Between a return and the next pick-up' }),
  noShowGraceMinutes: minutes.openapi({ description: 'After pick-up, before it is given up' }),
  shortageLeadMinutes: minutes.openapi({
    description: 'Before pick-up, when a booking without a vehicle becomes a case',
  }),
  overdueGraceMinutes: minutes.openapi({ description: 'After the due time, before it is overdue' }),
  reminderMinutes: z
    .int()
    .min(0)
    .max(10_080)
    .openapi({ description: 'Before the due time, when the renter is reminded' }),
  earlyCheckOutMinutes: minutes.openapi({
    description: 'Before the booked pick-up, from when on the keys may go out',
  }),
  undoMinutes: minutes.openapi({ description: 'After a check-out, until when it may be undone' }),
  undoKm: z.int().min(0).max(1_000).openapi({ description: 'Driven at most, to be undone' }),
  notReturnedMailHours: z.int().min(0).max(240).openapi({
    description: 'After the due time, when a renter who is late gets a mail',
  }),
  notReturnedCallHours: z.int().min(0).max(240).openapi({
    description: 'When somebody calls; later than the mail',
  }),
  notReturnedManagerHours: z.int().min(0).max(240).openapi({
    description: 'When it is a manager’s case; later than the call',
  }),
  showsPlanned: z.boolean().openapi({ description: 'Availability tells of ordered vehicles, too' }),
};

export const Branch = z
  .object({
    id: BranchId,
    name: z.string(),
    timeZone: z.string(),
    entityId: EntityId,
    ...terms,
    sandbox: z.boolean().openapi({ description: 'For partners to try things at' }),
    version: z.int(),
  })
  .openapi('Branch');

export const NewBranch = z
  .strictObject({
    id: BranchId,
    name,
    timeZone: TimeZone,
    entityId: EntityId,
    ...z.object(terms).partial().shape,
    sandbox: z.boolean().optional().openapi({
      description: 'For partners to try things at, for ever; its company has no live branches',
    }),
  })
  .openapi('NewBranch');

export const BranchChange = z
  .strictObject({ name, timeZone: TimeZone, ...terms })
  .partial()
  .refine(changesSomething, { message: 'must change something' })
  .openapi('BranchChange');

export const BranchList = z.strictObject(pageQuery(BranchId));

export function branchView(row: BranchRow) {
  return {
    id: row.id,
    name: row.name,
    timeZone: row.time_zone,
    entityId: row.entity_id,
    turnaroundMinutes: row.turnaround_minutes,
    noShowGraceMinutes: row.no_show_grace_minutes,
    shortageLeadMinutes: row.shortage_lead_minutes,
    overdueGraceMinutes: row.overdue_grace_minutes,
    reminderMinutes: row.return_reminder_minutes,
    earlyCheckOutMinutes: row.early_check_out_minutes,
    undoMinutes: row.undo_minutes,
    undoKm: row.undo_km,
    notReturnedMailHours: row.not_returned_mail_hours,
    notReturnedCallHours: row.not_returned_call_hours,
    notReturnedManagerHours: row.not_returned_manager_hours,
    showsPlanned: row.shows_planned,
    sandbox: row.is_sandbox,
    version: row.version,
  };
}

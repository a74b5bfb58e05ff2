// A branch's closed day as it is asked for and shown. Amounts in minor units.
import { z } from '@hono/zod-openapi';
import { BranchId, Currency, EntityId, Id, Minor, pageQuery, text, UtcInstant } from './common.ts';

const Day = z.string().openapi({ format: 'date', example: '2027-05-03' });
const Count = z.int().min(0);

const Figures = z.object({
  currency: Currency,
  tenders: z
    .array(z.object({ tender: z.string(), inMinor: Minor, outMinor: Minor }))
    .readonly()
    .openapi({ description: 'Taken and given back, deposits and prepayments too' }),
  floatsMinor: Minor,
  dropsMinor: Minor,
  overShortMinor: Minor.openapi({ description: 'Above zero: more was counted than expected' }),
  handedInMinor: Minor,
  toBankMinor: Minor,
  fromBankMinor: Minor,
  safeMinor: Minor.openapi({ description: 'In the safe when the day was closed' }),
  batches: z
    .array(
      z.object({
        batch: z.string(),
        slips: Count,
        amountMinor: Minor,
        bookedSlips: Count,
        bookedMinor: Minor,
      }),
    )
    .readonly()
    .openapi({ description: 'Slips of the terminals as counted, beside what is booked' }),
  documents: z
    .array(z.object({ kind: z.int(), count: Count, totalMinor: Minor }))
    .readonly()
    .openapi({ description: 'Issued at the branch: 380 invoices, 381 credit notes, 386 prepaid' }),
  rentalsOut: Count,
  rentalsIn: Count,
});

export const BranchDay = z
  .object({
    id: Id,
    entityId: EntityId,
    branchId: BranchId,
    day: Day,
    state: z.enum(['closed', 'open']).openapi({ description: 'Open: it was opened again' }),
    figures: Figures.openapi({ description: 'As they were when the day was closed last' }),
    closedBy: z.string(),
    closedAt: UtcInstant,
    reopenedBy: z.string().nullable(),
    reopenedAt: UtcInstant.nullable(),
    reason: z.string().nullable().openapi({ description: 'Why it was opened again' }),
    version: z.int(),
  })
  .openapi('BranchDay');

export const NewBranchDay = z
  .strictObject({ branchId: BranchId, day: z.iso.date() })
  .openapi('NewBranchDay');

export const BranchDayReopening = z
  .strictObject({
    approvalId: Id.openapi({ description: 'Of kind day-reopen, for this very day' }),
    reason: text(200),
  })
  .openapi('BranchDayReopening');

export const BranchDayList = z.strictObject({
  ...pageQuery(Id),
  branchId: BranchId.optional(),
  from: z.iso.date().optional(),
  to: z.iso.date().optional(),
});

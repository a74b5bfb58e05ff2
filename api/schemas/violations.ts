// Tolls and fines as they are sent and shown: notices, decisions, terms of entities, files.
import { z } from '@hono/zod-openapi';
import type { ViolationRow } from '../../db/commands/violations.ts';
import type { ViolationImportRow, ViolationTermsRow } from '../../db/queries/violations.ts';
import { instantsShown } from '../../domain/calendar.ts';
import { DomainError } from '../../domain/errors.ts';
import type { ImportProblem } from '../../domain/vehicle-import.ts';
import { QUEUE_REASONS, VIOLATION_KINDS, VIOLATION_STATUSES } from '../../domain/violation.ts';
import { SETTLEMENTS, TOLL_TREATMENTS } from '../../domain/violation-charge.ts';
import {
  BranchId,
  EntityId,
  Id,
  Instant,
  Minor,
  pageQuery,
  TimeZone,
  text,
  UtcInstant,
} from './common.ts';
import { VehicleImport } from './imports.ts';
import { LocalDate, PlateJurisdiction } from './vehicle-data.ts';

const MAX_MINOR = 100_000_000;
const amount = z.int().min(1).max(MAX_MINOR);
const fee = z.int().min(0).max(MAX_MINOR);
const currency = z
  .string()
  .regex(/^[A-Z]{3}$/)
  .openapi({ description: 'ISO 4217', example: 'EUR' });
/** Something must be left of it without spaces, dots and hyphens. */
const plate = text(20).regex(/[\p{L}\p{N}]/u, 'must have a letter or a digit');

const notice = {
  kind: z.enum(VIOLATION_KINDS),
  authority: text(120).openapi({ example: 'Landespolizeidirektion Wien' }),
  noticeNumber: text(60).openapi({ description: 'Once for each authority' }),
  plate,
  plateJurisdiction: PlateJurisdiction,
  localTime: z
    .string()
    .max(19)
    .openapi({ description: 'What clocks showed at the place', example: '2027-05-03T10:00' }),
  timeZone: TimeZone,
  place: text(200),
  amountMinor: amount,
  currency,
  dueOn: LocalDate.optional(),
};

export const NewViolation = z
  .strictObject(notice)
  .superRefine(({ localTime, timeZone }, ctx) => {
    const fault = timeFault(localTime, timeZone);
    if (fault === null) return;
    ctx.addIssue({
      code: 'custom',
      path: ['localTime'],
      message: fault,
      params: { slug: 'invalid-time' },
    });
  })
  .openapi('NewViolation');

function timeFault(localTime: string, timeZone: string): string | null {
  try {
    const [first = ''] = instantsShown(localTime, timeZone);
    return Date.parse(first) > Date.now() ? 'has not come yet' : null;
  } catch (error) {
    if (error instanceof DomainError) return 'must be a time that clocks there have shown';
    throw error;
  }
}

export const Violation = z
  .object({
    id: Id,
    ...notice,
    kind: z.string().openapi({ enum: [...VIOLATION_KINDS] }),
    plate: z.string(),
    localTime: z.string(),
    timeZone: z.string(),
    amountMinor: Minor,
    dueOn: LocalDate.nullable(),
    at: UtcInstant,
    orAt: UtcInstant.nullable().openapi({
      description: 'The other instant that the notice can mean, in the hour that autumn repeats',
    }),
    status: z.string().openapi({ enum: [...VIOLATION_STATUSES] }),
    queueReason: z
      .string()
      .nullable()
      .openapi({ enum: [...QUEUE_REASONS, null], description: 'Why a person has to look' }),
    rentalId: Id.nullable(),
    customerId: Id.nullable().openapi({ description: 'The driver' }),
    vehicleId: Id.nullable(),
    branchId: BranchId.nullable(),
    entityId: EntityId.nullable(),
    dismissReason: z.string().nullable(),
    settlement: z
      .string()
      .nullable()
      .openapi({ enum: [...SETTLEMENTS, null] }),
    passedOnMinor: Minor.nullable().openapi({ description: 'For the authority: no VAT' }),
    tollMinor: Minor.nullable().openapi({ description: 'Sold with the hire, net' }),
    feeMinor: Minor.nullable().openapi({ description: 'Net' }),
    vatMinor: Minor.nullable(),
    collectBy: z
      .string()
      .nullable()
      .openapi({ enum: ['card', 'invoice', null], description: 'How its invoice is paid' }),
    invoiceId: Id.nullable(),
    invoiceNumber: z.string().nullable(),
    letterSha256: z.string().nullable(),
    receivedAt: UtcInstant,
    settledAt: UtcInstant.nullable(),
    version: z.int(),
  })
  .openapi('Violation');

export const ViolationList = z.strictObject({
  ...pageQuery(Id),
  status: z.enum(VIOLATION_STATUSES).optional(),
  rentalId: Id.optional(),
  branchId: BranchId.optional(),
});

export const Assignment = z.strictObject({ rentalId: Id }).openapi('ViolationAssignment');
export const Dismissal = z
  .strictObject({ reason: text(200).openapi({ description: 'Names no persons' }) })
  .openapi('ViolationDismissal');
export const NewSettlement = z
  .strictObject({
    settlement: z.enum(SETTLEMENTS).openapi({
      description: 'nominate: name the driver of a fine; recharge: we have paid, charge it on',
    }),
    driverId: Id.optional().openapi({
      description: 'Who drove: the renter or a named driver; needed where several may have',
    }),
  })
  .refine(({ settlement, driverId }) => settlement === 'nominate' || driverId === undefined, {
    path: ['driverId'],
    message: 'only of a nomination',
  })
  .openapi('NewViolationSettlement');

const terms = {
  currency,
  fineFeeMinor: fee.openapi({ description: 'Net' }),
  tollFeeMinor: fee.openapi({ description: 'Net' }),
  vatRateBp: z.int().min(0).max(10_000),
  tollTreatment: z
    .enum(TOLL_TREATMENTS)
    .openapi({ description: 'A taxable part of the hire, or passed on without VAT' }),
  cardWindowDays: z.int().min(0).max(365).openapi({
    description: 'How long after the return a card may be charged; then it is an invoice',
    example: 90,
  }),
  sender: text(200).openapi({ description: 'Name and address at the head of letters' }),
};
export const NewViolationTerms = z.strictObject(terms).openapi('NewViolationTerms');
export const ViolationTerms = z
  .object({
    entityId: EntityId,
    ...terms,
    tollTreatment: z.string().openapi({ enum: [...TOLL_TREATMENTS] }),
    version: z.int(),
  })
  .openapi('ViolationTerms');

export const NewConsent = z
  .strictObject({ consentedAt: Instant })
  .openapi('NewDelayedChargeConsent');
export const Consent = z
  .object({ rentalId: Id, consentedAt: UtcInstant, recordedAt: UtcInstant })
  .openapi('DelayedChargeConsent');

export const ViolationImport = VehicleImport.openapi('ViolationImport');

export function violationView(row: ViolationRow): z.infer<typeof Violation> {
  const { id, kind, authority, plate: shown, at, place, currency: code, status } = row;
  return {
    ...{ id, kind, authority, plate: shown, at, place, currency: code, status },
    noticeNumber: row.notice_number,
    plateJurisdiction: row.plate_jurisdiction,
    localTime: row.local_time,
    timeZone: row.time_zone,
    orAt: row.or_at,
    amountMinor: row.amount_minor,
    dueOn: row.due_on,
    queueReason: row.queue_reason,
    rentalId: row.rental_id,
    customerId: row.customer_id,
    vehicleId: row.vehicle_id,
    branchId: row.branch_id,
    entityId: row.entity_id,
    dismissReason: row.dismiss_reason,
    settlement: row.settlement,
    passedOnMinor: row.passed_on_minor,
    tollMinor: row.toll_minor,
    feeMinor: row.fee_minor,
    vatMinor: row.vat_minor,
    collectBy: row.collect_by,
    invoiceId: row.invoice_id,
    invoiceNumber: row.invoice_number,
    letterSha256: row.letter_sha256,
    receivedAt: row.received_at,
    settledAt: row.settled_at,
    version: row.version,
  };
}

export function termsView(row: ViolationTermsRow): z.infer<typeof ViolationTerms> {
  return {
    entityId: row.entity_id,
    currency: row.currency,
    fineFeeMinor: row.fine_fee_minor,
    tollFeeMinor: row.toll_fee_minor,
    vatRateBp: row.vat_rate_bp,
    tollTreatment: row.toll_treatment,
    cardWindowDays: row.card_window_days,
    sender: row.sender,
    version: row.version,
  };
}

export function violationImportView(row: ViolationImportRow) {
  const { id, format, status, version } = row;
  return {
    ...{ id, format, status, version },
    contentSha256: row.content_sha256,
    rows: row.row_count,
    errors: row.error_count,
    warnings: row.warning_count,
    problems: row.problems as unknown as readonly ImportProblem[],
    createdAt: row.created_at,
    appliedAt: row.applied_at,
  };
}

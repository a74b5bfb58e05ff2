// Damage cases and the rules of branches for them, as they are told and shown.
import { z } from '@hono/zod-openapi';
import type { DamageRuleRow } from '../../db/commands/damage-rules.ts';
import type { DamageItem } from '../../db/queries/damage-cases.ts';
import {
  allowedCommands,
  CASE_STATUSES,
  type CaseState,
  DISPUTE_REASONS,
  WAIVE_REASONS,
} from '../../domain/damage-case.ts';
import { EXCLUSIONS, VAT_CLASSES } from '../../domain/damage-charge.ts';
import { DAMAGE_KINDS, PANELS, SEVERITIES } from '../../domain/inspection.ts';
import { BranchId, Currency, Id, Minor, pageQuery, UtcInstant } from './common.ts';

const Amount = z.int().min(0).max(1_000_000_000).openapi({ description: 'Minor units' });

export const NewDamageCase = z
  .strictObject({
    inspectionId: Id.openapi({ description: 'Completed, at the return' }),
    items: z
      .array(z.strictObject({ panel: z.enum(PANELS), kind: z.enum(DAMAGE_KINDS) }))
      .min(1)
      .max(200)
      .nullable()
      .default(null)
      .openapi({ description: 'null: all that the inspection proposes' }),
  })
  .openapi('NewDamageCase');

export const DamageEstimate = z
  .strictObject({
    repairMinor: Amount,
    lossOfUseMinor: Amount.default(0),
    adminMinor: Amount.default(0),
    diminutionMinor: Amount.default(0),
    exclusion: z.enum(EXCLUSIONS).nullable().default(null).openapi({
      description: 'Why a cover that was bought does not hold',
    }),
    workOrderRef: z
      .string()
      .regex(/^[A-Za-z0-9._/-]{1,60}$/)
      .nullable()
      .default(null),
  })
  .openapi('DamageEstimate');
export const DamageDispute = z
  .strictObject({ reason: z.enum(DISPUTE_REASONS) })
  .openapi('DamageDispute');
export const DamageWaiver = z
  .strictObject({
    reason: z.enum(WAIVE_REASONS),
    approvalId: Id.nullable().default(null).openapi({
      description: 'Of a second person, for exactly this amount, above your own limit',
    }),
  })
  .openapi('DamageWaiver');
export const InsurerClaim = z
  .strictObject({
    amountMinor: z.int().min(1).max(1_000_000_000),
    isCertain: z.boolean().openapi({ description: 'Virtually certain: it is booked' }),
  })
  .openapi('InsurerClaim');

const COMMANDS = [
  'estimate',
  'agree',
  'dispute',
  'charge',
  'waive',
  'claim',
  'markRepaired',
  'settle',
] as const;

const charge = z.object({
  lines: z.array(z.object({ code: z.string(), netMinor: Minor, vatRateBp: z.int() })).readonly(),
  taxes: z.array(z.object({ rateBp: z.int(), baseMinor: Minor, vatMinor: Minor })).readonly(),
  netMinor: Minor,
  vatMinor: Minor,
  totalMinor: Minor,
  limitedBy: z.enum(['nothing', 'cap', 'excess']),
});

export const DamageCase = z
  .object({
    id: Id,
    status: z.enum(CASE_STATUSES),
    rentalId: Id,
    vehicleId: Id,
    branchId: BranchId,
    inspectionId: Id,
    severity: z.enum(SEVERITIES),
    currency: Currency,
    loss: z
      .object({
        repairMinor: Minor,
        lossOfUseMinor: Minor,
        adminMinor: Minor,
        diminutionMinor: Minor,
      })
      .nullable(),
    exclusion: z.enum(EXCLUSIONS).nullable(),
    charge: charge.nullable().openapi({ description: 'What the renter owes by the estimate' }),
    workOrderRef: z.string().nullable(),
    disputeReason: z.enum(DISPUTE_REASONS).nullable(),
    waiveReason: z.enum(WAIVE_REASONS).nullable(),
    insurerMinor: Minor.nullable(),
    insurerPosted: z.boolean(),
    invoiceId: Id.nullable(),
    invoiceNumber: z.string().nullable(),
    estimateDueAt: UtcInstant,
    answerDueAt: UtcInstant.nullable(),
    attention: z.enum(['estimate-due', 'answer-due']).nullable(),
    repairedAt: UtcInstant.nullable(),
    held: z.boolean().openapi({ description: 'The vehicle is held for it' }),
    commands: z.array(z.enum(COMMANDS)).readonly(),
    version: z.int(),
  })
  .openapi('DamageCase');

export const WholeDamageCase = DamageCase.extend({
  items: z
    .array(
      z.object({ panel: z.string(), kind: z.string(), severity: z.string(), change: z.string() }),
    )
    .readonly(),
}).openapi('WholeDamageCase');

export const DamageCaseList = z.strictObject({
  ...pageQuery(Id),
  branchId: BranchId.optional(),
  rentalId: Id.optional(),
  status: z.enum(CASE_STATUSES).optional(),
  attention: z
    .enum(['true', 'false'])
    .transform((value) => value === 'true')
    .optional()
    .openapi({ type: 'boolean' }),
});

export function caseView(state: CaseState): z.infer<typeof DamageCase> {
  return { ...state, commands: allowedCommands(state) as readonly (typeof COMMANDS)[number][] };
}

export function wholeCaseView({
  items,
  ...state
}: CaseState & { readonly items: readonly DamageItem[] }): z.infer<typeof WholeDamageCase> {
  return { ...caseView(state), items };
}

const hours = z.int().min(1).max(2_160);
const rule = {
  inspectionRequired: z.boolean().openapi({
    description: 'No check-out or check-in without a completed inspection',
  }),
  capMinor: Amount.nullable().openapi({ description: 'null where the law sets no limit' }),
  vatClass: z.enum(VAT_CLASSES),
  vatRateBp: z.int().min(0).max(10_000).openapi({ description: 'Of a repair that is sold' }),
  estimateHours: hours,
  answerHours: hours,
};

export const NewDamageRule = z.strictObject(rule).openapi('NewDamageRule');
export const DamageRule = z
  .object({ branchId: BranchId, ...rule, version: z.int() })
  .openapi('DamageRule');

/** A branch without a row asks for nothing; its version is 0. */
export function ruleView(branchId: string, row: DamageRuleRow | undefined) {
  return {
    branchId,
    inspectionRequired: row?.inspection_required ?? false,
    capMinor: row?.cap_minor ?? null,
    vatClass:
      row?.vat_class === 'sold-repair' ? ('sold-repair' as const) : ('compensation' as const),
    vatRateBp: row?.vat_rate_bp ?? 0,
    estimateHours: row?.estimate_hours ?? 72,
    answerHours: row?.answer_hours ?? 336,
    version: row?.version ?? 0,
  };
}

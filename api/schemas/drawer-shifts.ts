// Cash drawers' shifts, cash in transit and an entity's terms of cash. Amounts in minor units.
import { z } from '@hono/zod-openapi';
import { SHIFT_STATES } from '../../domain/cash.ts';
import { BranchId, Currency, EntityId, Id, Minor, pageQuery, text, UtcInstant } from './common.ts';

const Drawer = z
  .string()
  .regex(/^[A-Z0-9-]{1,16}$/)
  .openapi({ example: 'DESK-1' });
const Day = z.string().openapi({ format: 'date', example: '2027-05-03' });
const Amount = z.int().min(1).max(1_000_000_000);
const Person = z.string().nullable();

const Denominations = z
  .array(
    z.strictObject({ valueMinor: z.int().min(1).max(100_000), pieces: z.int().min(0).max(9_999) }),
  )
  .max(40);

export const DrawerShift = z
  .object({
    id: Id,
    entityId: EntityId,
    branchId: BranchId,
    drawer: Drawer,
    currency: Currency,
    day: Day,
    state: z.enum(SHIFT_STATES),
    floatMinor: Minor,
    openedBy: z.string(),
    openedAt: UtcInstant,
    denominations: Denominations.readonly().nullable(),
    countedMinor: Minor.nullable(),
    expectedMinor: Minor.nullable().openapi({ description: 'Null until it has been counted' }),
    differenceMinor: Minor.nullable().openapi({ description: 'Counted less expected' }),
    countedBy: Person,
    countedAt: UtcInstant.nullable(),
    reason: z.string().nullable(),
    manager: Person,
    closedBy: Person,
    closedAt: UtcInstant.nullable(),
    verifiedBy: Person,
    verifiedAt: UtcInstant.nullable(),
    version: z.int(),
  })
  .openapi('DrawerShift');

export const DrawerShiftInFull = DrawerShift.extend({
  moves: z
    .array(
      z.object({
        kind: z.string(),
        amountMinor: Minor.openapi({ description: 'Into the drawer above zero' }),
        entryId: Id,
        movedBy: z.string(),
        movedAt: UtcInstant,
      }),
    )
    .readonly()
    .openapi({ description: 'Empty until the shift has been counted' }),
  terminals: z
    .array(
      z.object({
        batch: z.string(),
        slips: z.int(),
        amountMinor: Minor,
        bookedSlips: z.int(),
        bookedMinor: Minor,
      }),
    )
    .readonly(),
}).openapi('DrawerShiftInFull');

export const NewDrawerShift = z
  .strictObject({
    branchId: BranchId,
    drawer: Drawer,
    floatMinor: z.int().min(0).max(1_000_000_000).openapi({ description: 'Out of the safe' }),
  })
  .openapi('NewDrawerShift');

export const ShiftCount = z
  .strictObject({
    denominations: Denominations,
    terminals: z
      .array(
        z.strictObject({
          batch: text(32),
          slips: z.int().min(0).max(9_999),
          amountMinor: z.int().min(0).max(1_000_000_000),
        }),
      )
      .max(50)
      .refine((all) => new Set(all.map(({ batch }) => batch)).size === all.length, {
        message: 'must name each batch once',
      })
      .default([]),
  })
  .openapi('ShiftCount');

export const ShiftClosing = z
  .strictObject({ reason: text(200).nullable().default(null) })
  .openapi('ShiftClosing');

export const CashDrop = z.strictObject({ amountMinor: Amount }).openapi('CashDrop');

export const ShiftList = z.strictObject({
  ...pageQuery(Id),
  branchId: BranchId.optional(),
  state: z.enum(SHIFT_STATES).optional(),
  day: z.iso.date().optional(),
});

const Direction = z.enum(['to-bank', 'from-bank']);
const TransitState = z.enum(['in_transit', 'matched']);

export const CashInTransit = z
  .object({
    id: Id,
    entityId: EntityId,
    branchId: BranchId,
    direction: Direction,
    amountMinor: Minor,
    currency: Currency,
    bag: z.string(),
    state: TransitState,
    entryId: Id,
    sentBy: z.string(),
    sentAt: UtcInstant,
    statement: z.string().nullable(),
    matchedBy: Person,
    matchedAt: UtcInstant.nullable(),
    version: z.int(),
  })
  .openapi('CashInTransit');

export const NewCashInTransit = z
  .strictObject({
    branchId: BranchId,
    direction: Direction.openapi({ description: 'from-bank: change that was ordered' }),
    amountMinor: Amount,
    bag: text(32).openapi({ description: 'The number of its seal' }),
  })
  .openapi('NewCashInTransit');

export const TransitMatch = z
  .strictObject({ statement: text(64).openapi({ description: 'Of the bank’s line' }) })
  .openapi('TransitMatch');

export const TransitList = z.strictObject({
  ...pageQuery(Id),
  branchId: BranchId.optional(),
  state: TransitState.optional(),
});

const terms = {
  cashLimitMinor: z.int().min(1).max(1_000_000_000).openapi({
    description: 'The most that one rental may be paid in cash, by law',
  }),
  roundingMinor: z.int().min(1).max(100).openapi({ description: 'The smallest coin' }),
  cashRefundMinor: z.int().min(0).max(1_000_000_000).openapi({
    description: 'Up to here a payment in cash goes back in cash',
  }),
  reasonAboveMinor: z.int().min(0).max(1_000_000_000),
  managerAboveMinor: z.int().min(0).max(1_000_000_000),
};

export const NewCashTerms = z
  .strictObject(terms)
  .refine((given) => given.managerAboveMinor >= given.reasonAboveMinor, {
    message: 'must not be below reasonAboveMinor',
    path: ['managerAboveMinor'],
  })
  .openapi('NewCashTerms');

export const CashTerms = z
  .object({ entityId: EntityId, ...terms, version: z.int() })
  .openapi('CashTerms');

// Overbooking limits as they are sent and shown, with what exceeds them.
import { z } from '@hono/zod-openapi';
import type { Excess, OverbookingLimitRow } from '../../db/commands/overbooking-limits.ts';
import { BranchId, ClassId, Id, pageQuery, UtcInstant } from './common.ts';

const LocalDate = z.iso.date().openapi({ example: '2027-07-01' });

const measure = {
  percent: z.int().min(0).max(100).nullable().default(null).openapi({
    description: 'Of the vehicles that can be rented on the date, rounded down',
  }),
  absolute: z.int().min(0).max(1_000).nullable().default(null),
};
const ONE = { message: 'must be either percent or absolute' };
const isOne = (given: { readonly percent: number | null; readonly absolute: number | null }) =>
  (given.percent === null) !== (given.absolute === null);

export const NewOverbookingLimit = z
  .strictObject({
    branchId: BranchId,
    classId: ClassId,
    fromDate: LocalDate.nullable().default(null).openapi({ description: 'null: since ever' }),
    toDate: LocalDate.nullable().default(null).openapi({ description: 'Included; null: for ever' }),
    ...measure,
  })
  .refine(isOne, ONE)
  .refine(({ fromDate, toDate }) => fromDate === null || toDate === null || fromDate <= toDate, {
    message: 'must not end before it begins',
    path: ['toDate'],
  })
  .openapi('NewOverbookingLimit');

export const OverbookingLimitChange = z
  .strictObject(measure)
  .refine(isOne, ONE)
  .openapi('OverbookingLimitChange');

const limit = {
  id: Id,
  branchId: BranchId,
  classId: ClassId,
  fromDate: LocalDate.nullable(),
  toDate: LocalDate.nullable(),
  percent: z.int().nullable(),
  absolute: z.int().nullable(),
  version: z.int(),
};

export const OverbookingLimit = z.object(limit).openapi('OverbookingLimit');

export const OverbookingLimitWithExcess = z
  .object({
    ...limit,
    excess: z
      .array(
        z.object({
          rentalId: Id,
          from: UtcInstant,
          to: UtcInstant,
          waiting: z.int(),
          most: z.int(),
        }),
      )
      .readonly()
      .openapi({ description: 'Bookings of the pool beyond its limits: they stay' }),
  })
  .openapi('OverbookingLimitWithExcess');

export const OverbookingLimitList = z.strictObject({
  ...pageQuery(Id),
  branchId: BranchId.optional(),
  classId: ClassId.optional(),
});

export function limitView(row: OverbookingLimitRow): z.infer<typeof OverbookingLimit> {
  const { id, percent, absolute, version } = row;
  return {
    id,
    branchId: row.branch_id,
    classId: row.class_id,
    fromDate: row.from_date,
    toDate: row.to_date,
    percent,
    absolute,
    version,
  };
}

export function excessView({
  row,
  excess,
}: {
  readonly row: OverbookingLimitRow;
  readonly excess: readonly Excess[];
}): z.infer<typeof OverbookingLimitWithExcess> {
  const shown = excess.map(({ rentalId, from, to, waiting, most }) => ({
    rentalId,
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
    waiting,
    most,
  }));
  return { ...limitView(row), excess: shown };
}

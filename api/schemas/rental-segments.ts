// The vehicles of a rental one after the other, and how one takes the place of another.
import { z } from '@hono/zod-openapi';
import { EXCHANGE_HOLDS, EXCHANGE_REASONS } from '../../domain/rental.ts';
import { BranchId, Id, Minor, UtcInstant } from './common.ts';
import { fuelEighths, odometerKm } from './rentals.ts';

export const Exchange = z
  .strictObject({
    reason: z.enum(EXCHANGE_REASONS),
    branchId: BranchId.openapi({
      description: 'Where the vehicle that comes back stays, and the other one goes out',
    }),
    odometerKm,
    fuelEighths,
    taken: z
      .strictObject({
        vehicleId: Id,
        odometerKm: odometerKm.optional(),
        fuelEighths: fuelEighths.optional(),
      })
      .optional()
      .openapi({
        description:
          'Whose keys go out, of the booked class or one above it, with its readings or those of the ' +
          'register; left out, the best fitting vehicle of the nearest class',
      }),
    paidUpgrade: z.boolean().optional().openapi({
      description: 'Charges what the class costs more for the rest; otherwise an upgrade is free',
    }),
    hold: z.enum(EXCHANGE_HOLDS).optional().openapi({
      description: 'Keeps the vehicle that came back from going out again',
    }),
  })
  .refine(({ paidUpgrade, reason }) => paidUpgrade !== true || reason === 'upgrade', {
    message: 'only an upgrade is paid for',
    path: ['paidUpgrade'],
  })
  .openapi('Exchange');

const SegmentReading = z.object({ odometerKm: z.int(), fuelEighths: z.int() });
export const Segments = z
  .object({
    items: z.array(
      z.object({
        id: Id,
        vehicleId: Id,
        reason: z.enum(EXCHANGE_REASONS).nullable().openapi({
          description: 'Why it took the place of the one before; null for the first',
        }),
        branchOut: BranchId,
        from: UtcInstant,
        out: SegmentReading,
        branchIn: BranchId.nullable(),
        to: UtcInstant.nullable().openapi({ description: 'Null while it is out' }),
        back: SegmentReading.nullable(),
        km: z.int().nullable(),
        revenueMinor: Minor.openapi({
          description: 'Net: its share of the price by its own time, and its own fuel',
        }),
      }),
    ),
    currency: z.string(),
    km: z.int().openapi({ description: 'Of all that came back: one allowance for them together' }),
  })
  .openapi('RentalSegments');

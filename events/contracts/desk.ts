// What a consumer accepts of what a desk does daily: late renters and flights, keys that came back.
import { z } from 'zod';
import { code, id, instant } from './parts.ts';

const rental = { rentalId: id, branchId: code, status: code };

export const deskContracts = {
  'forecourt.rental.not-returned.v1': z.object({
    ...rental,
    vehicleId: id,
    dueAt: instant,
    step: code,
  }),
  'forecourt.rental.return-announced.v1': z.object({
    ...rental,
    dueAt: instant,
    announcedReturnAt: instant,
  }),
  'forecourt.rental.delay-announced.v1': z.object({
    ...rental,
    pickUpAt: instant,
    delayMinutes: z.int(),
    noShowAt: instant,
  }),
  'forecourt.rental.check-out-undone.v1': z.object({
    ...rental,
    vehicleId: id,
    odometerKm: z.int(),
    fuelEighths: z.int(),
    reason: code,
  }),
  'forecourt.rental.reinstated.v1': z.object({ ...rental, vehicleId: id, dueAt: instant }),
} as const;

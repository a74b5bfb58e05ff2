// The commands of a rental as people give them: what each carries.
import { z } from '@hono/zod-openapi';
import { CANCEL_REASONS, SWAP_CONSENTS, SWAP_REASONS, UNDO_REASONS } from '../../domain/rental.ts';
import { BranchId, ClassId, Id, Instant, text } from './common.ts';
import { Flight } from './flights.ts';
import { choiceFields } from './quotes.ts';
import { AgentId, fuelEighths, Override, odometerKm } from './rentals.ts';

const delayedCharges = z.literal(true).optional().openapi({
  description: 'The renter agrees, with the agreement, to charges after the return by card',
});

export const WalkUp = z
  .strictObject({
    branchId: BranchId,
    classId: ClassId,
    customerId: Id,
    dueAt: Instant,
    returnBranchId: BranchId.optional(),
    ...choiceFields,
    payerId: Id.optional(),
    agentId: AgentId,
    override: Override.optional(),
    odometerKm,
    fuelEighths,
    vehicleId: Id.optional().openapi({ description: 'Whose keys go out; or by its plate' }),
    plate: text(20).optional(),
    delayedCharges,
  })
  .refine(({ vehicleId, plate }) => vehicleId === undefined || plate === undefined, {
    message: 'name the vehicle by one of both',
    path: ['plate'],
  })
  .openapi('WalkUp', { description: 'The pick-up is now' });

export const CheckOut = z
  .strictObject({
    odometerKm,
    fuelEighths,
    vehicleId: Id.optional().openapi({
      description: 'Whose keys go out; left out, those of the vehicle that is kept',
    }),
    delayedCharges,
  })
  .openapi('CheckOut');
export const Extend = z.strictObject({ dueAt: Instant }).openapi('Extend');
/** `rate` and `promotion` are taken back by null. */
const { rate, promotion, ...unpriced } = choiceFields;
export const otherChoices = {
  ...unpriced,
  rate: rate.unwrap().nullable().optional(),
  promotion: promotion.unwrap().nullable().optional(),
};
export const Amend = z
  .strictObject({
    classId: ClassId.optional(),
    returnBranchId: BranchId.optional(),
    pickUpAt: Instant.optional(),
    dueAt: Instant.optional(),
    ...otherChoices,
    payerId: Id.nullable().optional().openapi({ description: 'Null: the customer pays' }),
    flight: Flight.optional(),
  })
  .refine((change) => Object.keys(change).length > 0, { message: 'must change something' })
  .openapi('Amend', { description: 'What is left out stays as it is' });
export const Swap = z
  .strictObject({
    vehicleId: Id.optional(),
    classId: ClassId.optional().openapi({ description: 'The best fitting vehicle of it' }),
    reason: z.enum(SWAP_REASONS).optional().openapi({
      description: 'Needed where this very vehicle was promised',
    }),
    consent: z.enum(SWAP_CONSENTS).optional().openapi({
      description: 'How the renter agreed; needed for a class that is not up the ladder',
    }),
  })
  .refine(({ vehicleId, classId }) => (vehicleId === undefined) !== (classId === undefined), {
    message: 'name either the vehicle or its class',
    path: ['vehicleId'],
  })
  .openapi('Swap');
export const CheckIn = z
  .strictObject({
    odometerKm,
    fuelEighths,
    branchId: BranchId,
    droppedAt: Instant.optional().openapi({
      description: 'Since when it lay in the key drop of the closed branch: then it came back',
    }),
    dropReason: text(200).optional().openapi({
      description:
        'Of a branch manager: why it lay there though the branch was open since then; names no persons',
    }),
  })
  .refine(({ droppedAt, dropReason }) => droppedAt !== undefined || dropReason === undefined, {
    message: 'is given with the time of the drop',
    path: ['dropReason'],
  })
  .openapi('CheckIn');
export const Cancel = z.strictObject({ reason: z.enum(CANCEL_REASONS) }).openapi('Cancel');
export const UndoCheckOut = z
  .strictObject({ odometerKm, fuelEighths, reason: z.enum(UNDO_REASONS) })
  .openapi('UndoCheckOut');
export const AnnounceReturn = z.strictObject({ at: Instant }).openapi('AnnounceReturn');
export const Reinstate = z.strictObject({}).openapi('Reinstate');

// Another vehicle for a booking, before its pick-up: what may be asked, and what the renter must agree to.
import { DomainError } from '../errors.ts';
import type { RentalState, Swap, SwapConsent } from './state.ts';

/** Of the given class from the booked one on: up its ladder, none, or anywhere else. */
export type SwapDirection = 'up' | 'same' | 'down';

/** Throws `value-refused` unless one of both is named, and another than the vehicle that is kept. */
export function checkSwap({ vehicleId }: Pick<RentalState, 'vehicleId'>, command: Swap): void {
  if ((command.vehicleId === undefined) === (command.classId === undefined)) {
    throw new DomainError('value-refused', 'Name either the vehicle or its class.', {
      field: 'vehicleId',
    });
  }
  if (command.vehicleId === undefined || command.vehicleId !== vehicleId) return;
  throw new DomainError('value-refused', 'It is kept for the rental already; name another one.', {
    field: 'vehicleId',
  });
}

/** Throws `consent-required`: less than was booked is nothing that a counter decides (decisions.md 30). */
export function checkConsent(
  direction: SwapDirection,
  consent: SwapConsent | undefined,
  classId: string,
): void {
  if (direction !== 'down' || consent !== undefined) return;
  throw new DomainError(
    'consent-required',
    'The class is below the booked one: ask the renter, and say how the consent was given.',
    { classId },
  );
}

// Rentals hear from other workflows that they got, or lost, a vehicle: the quick way. What makes sure
// that each hears is the consumer of the facts, events/rental-reassignments.ts.
import { getExternalWorkflowHandle, log } from '@temporalio/workflow';
import type { Reassignment } from '../../domain/rental.ts';
import { rentalWorkflowId } from '../../temporal-config/names.ts';
import { vehicleReassigned } from '../rental.messages.ts';

/** One after the other; never rejects. */
export async function tellRentals(reassigned: readonly Reassignment[]): Promise<void> {
  for (const each of reassigned) await tellRental(each);
}

/**
 * For those whose answer is not about the other rentals: `tell` sends all at once and waits for
 * none, `quiet` is true when no signal is on its way any more, which the end of a run waits for.
 */
export function openTeller() {
  let telling = 0;
  return {
    tell(reassigned: readonly Reassignment[]): void {
      for (const each of reassigned) {
        telling += 1;
        void tellRental(each).finally(() => {
          telling -= 1;
        });
      }
    },
    quiet: () => telling === 0,
  };
}

async function tellRental({ rentalId, vehicleId, version }: Reassignment): Promise<void> {
  const sequence = version === undefined ? {} : { sequence: version };
  await getExternalWorkflowHandle(rentalWorkflowId(rentalId))
    .signal(vehicleReassigned, { vehicleId, ...sequence })
    // It ended meanwhile: it needs no vehicle.
    .catch(() => log.info('A reassigned rental has ended.', { rentalId }));
}

// Tells a rental's workflow how its shortage was resolved.
import type { MovedSpan } from '../db/commands/calendar.ts';
import type { ShortageRow } from '../db/commands/shortages.ts';
import { rentalById } from '../db/queries/rentals.ts';
import type { Actor } from '../domain/actor.ts';
import { rentalWorkflowId } from '../temporal-config/names.ts';
import { cancel, vehicleReassigned } from '../workflows/rental.messages.ts';
import { hasEnded, sendCommand, waiting } from './commands.ts';
import type { ApiDeps } from './deps.ts';

const READER = 'system:api';

/** It has a vehicle now. The quick way: events/rental-reassignments.ts makes sure that it hears. */
export function tellRental(
  deps: ApiDeps,
  { rentalId, vehicleId, version }: MovedSpan,
): Promise<void> {
  const handle = deps.temporal.workflow.getHandle(rentalWorkflowId(rentalId));
  return waiting(deps, () =>
    handle.signal(vehicleReassigned, { vehicleId, sequence: version }),
  ).catch((error: unknown) => {
    // It ended meanwhile: it needs no vehicle.
    if (!hasEnded(error)) throw error;
  });
}

/** The renter drives a competitor's vehicle: the booking ends. A repeat finds it cancelled. */
export async function walkRental(
  deps: ApiDeps,
  commandId: string,
  actor: Actor,
  { rental_id: id }: ShortageRow,
): Promise<void> {
  if ((await rentalById(deps.db, READER, id))?.status === 'cancelled') return;
  const command = { reason: 'fleet' } as const;
  await sendCommand(deps, id, cancel, { commandId, actor, command });
}

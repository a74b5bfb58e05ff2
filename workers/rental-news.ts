// How the consumers' process signals a rental's workflow: another vehicle, or other hours.
import { type Client, isGrpcServiceError, WorkflowNotFoundError } from '@temporalio/client';
import { ServerAway } from '../events/consumer.ts';
import type { TellHours } from '../events/rental-hours.ts';
import type { TellRental } from '../events/rental-reassignments.ts';
import { withDeadline } from '../temporal-config/connection.ts';
import { rentalWorkflowId } from '../temporal-config/names.ts';
import type { HoursChanged, Reassigned } from '../workflows/rental.messages.ts';

const DEADLINE_MS = 3_000;
/** What the server says of one workflow: too many signals, too large. Repeating changes nothing. */
const INVALID_ARGUMENT = 3;
const FAILED_PRECONDITION = 9;

export function openRentalNews(temporal: Client): TellRental {
  return ({ rentalId, vehicleId, sequence }) =>
    signal<Reassigned>(temporal, rentalId, 'vehicleReassigned', { vehicleId, sequence });
}

export function openHoursNews(temporal: Client): TellHours {
  return ({ rentalId, ...said }) => signal<HoursChanged>(temporal, rentalId, 'hoursChanged', said);
}

async function signal<S>(temporal: Client, rentalId: string, name: string, said: S): Promise<void> {
  const handle = temporal.workflow.getHandle(rentalWorkflowId(rentalId));
  try {
    await withDeadline(temporal, DEADLINE_MS, () => handle.signal<[S]>(name, said));
  } catch (error) {
    // It has ended: it needs nothing.
    if (error instanceof WorkflowNotFoundError) return;
    throw isAway(error) ? new ServerAway('Temporal', error) : error;
  }
}

function isAway(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  const grpc = [error, cause].find(isGrpcServiceError);
  return grpc !== undefined && ![INVALID_ARGUMENT, FAILED_PRECONDITION].includes(grpc.code);
}

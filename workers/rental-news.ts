// How the consumers' process signals a rental's workflow that its vehicle changed.
import { type Client, isGrpcServiceError, WorkflowNotFoundError } from '@temporalio/client';
import { ServerAway } from '../events/consumer.ts';
import type { TellRental } from '../events/rental-reassignments.ts';
import { withDeadline } from '../temporal-config/connection.ts';
import { rentalWorkflowId } from '../temporal-config/names.ts';
import type { Reassigned } from '../workflows/rental.messages.ts';

const DEADLINE_MS = 3_000;
/** What the server says of one workflow: too many signals, too large. Repeating changes nothing. */
const INVALID_ARGUMENT = 3;
const FAILED_PRECONDITION = 9;

export function openRentalNews(temporal: Client): TellRental {
  return async ({ rentalId, vehicleId, sequence }) => {
    const handle = temporal.workflow.getHandle(rentalWorkflowId(rentalId));
    try {
      await withDeadline(temporal, DEADLINE_MS, () =>
        handle.signal<[Reassigned]>('vehicleReassigned', { vehicleId, sequence }),
      );
    } catch (error) {
      // It has ended: it needs no vehicle.
      if (error instanceof WorkflowNotFoundError) return;
      throw isAway(error) ? new ServerAway('Temporal', error) : error;
    }
  };
}

function isAway(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  const grpc = [error, cause].find(isGrpcServiceError);
  return grpc !== undefined && ![INVALID_ARGUMENT, FAILED_PRECONDITION].includes(grpc.code);
}

// How the consumers' process signals a rental's workflows: another vehicle, other hours, late documents.
import { type Client, isGrpcServiceError, WorkflowNotFoundError } from '@temporalio/client';
import type { TellAfterHire } from '../events/after-hire.ts';
import { ServerAway } from '../events/consumer.ts';
import type { TellHours } from '../events/rental-hours.ts';
import type { TellRental } from '../events/rental-reassignments.ts';
import { withDeadline } from '../temporal-config/connection.ts';
import { rentalWorkflowId } from '../temporal-config/names.ts';
import { depositStartOptions } from '../temporal-config/starts.ts';
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

export function openAfterHire(temporal: Client): TellAfterHire {
  return {
    damageEnded: ({ rentalId }) => signal(temporal, rentalId, 'damageEnded'),
    lateCharge: ({ rentalId, invoiceId }) =>
      reaching(temporal, () =>
        temporal.workflow.signalWithStart('deposit', {
          ...depositStartOptions(rentalId),
          signal: 'lateChargeAsked',
          signalArgs: [{ invoiceId }],
        }),
      ),
  };
}

function signal<S>(temporal: Client, rentalId: string, name: string, ...said: S[]): Promise<void> {
  const handle = temporal.workflow.getHandle(rentalWorkflowId(rentalId));
  return reaching(temporal, () => handle.signal<S[]>(name, ...said));
}

async function reaching(temporal: Client, send: () => Promise<unknown>): Promise<void> {
  try {
    await withDeadline(temporal, DEADLINE_MS, send);
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

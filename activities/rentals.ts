// The effects of a rental's commands: each is one transaction, safe to repeat by its command id.

import { recordCommand } from '../db/commands/rentals.ts';
import { reserveRental } from '../db/commands/reservations.ts';
import { walkUp } from '../db/commands/walk-ups.ts';
import { principalOf } from '../domain/actor.ts';
import { DomainError } from '../domain/errors.ts';
import type {
  Reassignment,
  RentalCommand,
  RentalOutcome,
  RentalRequest,
  RentalState,
} from '../domain/rental.ts';
import type { Envelope } from '../workflows/rental.messages.ts';
import type { ActivityDeps } from './deps.ts';
import { failing } from './failures.ts';

export type RecordCommand = Envelope<RentalCommand> & {
  readonly rentalId: string;
  /** The row's version that the command was decided on. */
  readonly version: number;
};

/** Those whose vehicle a repack changed for it are told by the workflow. */
export type Reserved = RentalState & { readonly reassigned?: readonly Reassignment[] };

export function createRentalActivities(deps: ActivityDeps) {
  return {
    reserveRental: ({ actor, command }: Envelope<RentalRequest>): Promise<Reserved> =>
      failing(() => counting(deps, reserve(deps, principalOf(actor), command))),

    recordCommand: ({ actor, ...request }: RecordCommand): Promise<RentalOutcome> =>
      failing(() => counting(deps, recordCommand(deps.db, principalOf(actor), request))),
  };
}

/** Whoever stands at the counter gets the keys in the same transaction. */
function reserve(
  { db }: ActivityDeps,
  principal: string,
  request: RentalRequest,
): Promise<Reserved> {
  const { keys } = request;
  if (keys === undefined) return reserveRental(db, principal, request);
  return walkUp(db, principal, { ...request, keys });
}

/** A refusal that nobody proved is one too many: it is counted, so that somebody sees them grow. */
async function counting<T>(deps: ActivityDeps, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof DomainError && error.details['budgetExhausted'] === true) {
      deps.repackExhausted?.();
    }
    throw error;
  }
}

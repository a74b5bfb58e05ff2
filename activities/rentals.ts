// The effects of a rental's commands: each is one transaction, safe to repeat by its command id.

import { recordCommand } from '../db/commands/rentals.ts';
import { reserveRental } from '../db/commands/reservations.ts';
import { principalOf } from '../domain/actor.ts';
import type { RentalCommand, RentalOutcome, RentalRequest, RentalState } from '../domain/rental.ts';
import type { Envelope } from '../workflows/rental.messages.ts';
import type { ActivityDeps } from './deps.ts';
import { failing } from './failures.ts';

export type RecordCommand = Envelope<RentalCommand> & {
  readonly rentalId: string;
  /** The row's version that the command was decided on. */
  readonly version: number;
};

export function createRentalActivities(deps: ActivityDeps) {
  return {
    reserveRental: ({ actor, command }: Envelope<RentalRequest>): Promise<RentalState> =>
      failing(() => reserveRental(deps.db, principalOf(actor), command)),

    recordCommand: ({ actor, ...request }: RecordCommand): Promise<RentalOutcome> =>
      failing(() => recordCommand(deps.db, principalOf(actor), request)),
  };
}

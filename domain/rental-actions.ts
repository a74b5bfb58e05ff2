// What a person may do to a rental now, and what stands in the way of the rest.
import { DomainError } from './errors.ts';
import {
  allowedCommands,
  checkPossible,
  FOR_PEOPLE,
  type Judged,
  type PeoplesCommand,
} from './rental.ts';

export type RentalAction = {
  readonly command: PeoplesCommand;
  /** The refusal that the command itself would meet, whatever it carries; null when none. */
  readonly refusal: DomainError | null;
};

/**
 * Every command of people, each judged by the rule that decides it. What hangs on a command's
 * values (a date, a reading) or on other records (a free vehicle) is refused when it is given.
 * `now` is ISO 8601 in UTC.
 */
export function rentalActions(state: Judged, now: string): readonly RentalAction[] {
  return FOR_PEOPLE.map((command) => ({ command, refusal: refusalOf(state, command, now) }));
}

/** Those alone that the status does not rule out. */
export function offeredActions(state: Judged, now: string): readonly RentalAction[] {
  const offered = allowedCommands(state.status);
  return offered.map((command) => ({ command, refusal: refusalOf(state, command, now) }));
}

/** A list judges hundreds of commands, and nobody reads where their refusals were thrown. */
function refusalOf(state: Judged, command: PeoplesCommand, now: string): DomainError | null {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    checkPossible(state, command, now);
    return null;
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

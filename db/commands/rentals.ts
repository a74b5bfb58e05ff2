// Recording what a rental's commands did: one transaction each, decided on one version of the row.
import { DomainError } from '../../domain/errors.ts';
import type { Confirm, RentalCommand, RentalOutcome } from '../../domain/rental.ts';
import { type Db, transact } from '../client.ts';
import { budgetExhausted, byRepacking, isUnavailable, planExtension } from './allocation.ts';
import { amendRental } from './amendments.ts';
import { checkArrears } from './arrears.ts';
import { recordAudit } from './audit.ts';
import { billCycle } from './billing-cycles.ts';
import { takeSpan } from './calendar-booking.ts';
import type { Move } from './calendar-repack.ts';
import { announceDelay } from './flights.ts';
import { unknownSide } from './new-rental.ts';
import { bySteps, type Placing } from './placing.ts';
import { closeRental, extendRental, giveUp, recordShortage, remind } from './rental-changes.ts';
import { announceReturn, markOverdue, reinstate, undoCheckOut } from './rental-desk.ts';
import { exchangeVehicle } from './rental-exchange.ts';
import { handOut, takeBack } from './rental-hand-over.ts';
import { confirmRental, endRequest, requestOf } from './rental-requests.ts';
import { swapVehicle } from './rental-swap.ts';
import { lockRental, type Recording } from './rental-update.ts';

export type RecordedCommand = {
  readonly commandId: string;
  readonly rentalId: string;
  /** The row's version that the command was decided on. */
  readonly version: number;
  readonly command: RentalCommand;
};

/**
 * Carries a decided command out. A repeat of its id changes nothing and answers the first outcome.
 * Throws what the calendar refuses, `version-conflict` when the row moved on meanwhile, and
 * `not-found` for a branch on the other side of the sandbox.
 */
export async function recordCommand(
  db: Db,
  principal: string,
  request: RecordedCommand,
): Promise<RentalOutcome> {
  const { rentalId, command } = request;
  try {
    if (command.type === 'confirm') return await confirm(db, principal, request, command);
    return await record(db, principal, request, {});
  } catch (error) {
    if (command.type !== 'extend' || !isUnavailable(error)) throw unknownSide(error);
    const repacked = await byRepacking(
      () => planExtension(db, principal, rentalId, command.dueAt),
      ({ moves }) => record(db, principal, request, { moves }),
    );
    if (typeof repacked !== 'string') return repacked.done;
    throw repacked === 'exhausted' ? budgetExhausted(error) : error;
  }
}

/** As a reservation gets its place, each step anew on the row as it is then. */
async function confirm(
  db: Db,
  principal: string,
  request: RecordedCommand,
  command: Confirm,
): Promise<RentalOutcome> {
  const row = await transact(db, 'rentals_rw', principal, (tx) => lockRental(tx, request.rentalId));
  return bySteps(db, principal, requestOf(row, command), (placing) =>
    record(db, principal, request, { placing }),
  );
}

/** What clears the way of an extension, or gives a request its place. */
type Means = { readonly moves?: readonly Move[]; readonly placing?: Placing };

function record(
  db: Db,
  principal: string,
  request: RecordedCommand,
  means: Means,
): Promise<RentalOutcome> {
  return transact(db, 'rentals_rw', principal, async (tx) => {
    const row = await lockRental(tx, request.rentalId);
    const earlier = await tx
      .selectFrom('rentals.command')
      .select('outcome')
      .where('id', '=', request.commandId)
      .executeTakeFirst();
    if (earlier) return earlier.outcome as unknown as RentalOutcome;
    if (row.version !== request.version) {
      throw new DomainError('version-conflict', 'The rental changed meanwhile.', {
        version: row.version,
      });
    }
    const recording = { tx, row, at: row.at, commandId: request.commandId };
    const outcome = await carryOut(recording, request.command, means);
    await tx
      .insertInto('rentals.command')
      .values({
        id: request.commandId,
        rental_id: row.id,
        type: request.command.type,
        outcome: JSON.stringify(outcome),
      })
      .execute();
    await recordAudit(tx, {
      action: `rental.${request.command.type}`,
      subjectType: 'rental',
      subjectId: row.id,
      commandId: request.commandId,
      before: { status: row.status, dueAt: row.due_at, version: row.version },
      after: request.command,
    });
    return outcome;
  });
}

function carryOut(
  recording: Recording,
  command: RentalCommand,
  { moves = [], placing = takeSpan }: Means,
): Promise<RentalOutcome> {
  switch (command.type) {
    case 'checkOut':
      return handOut(recording, command);
    case 'extend':
      return extendRental(recording, command, moves);
    case 'amend':
      return amendRental(recording, command);
    case 'swap':
      return swapVehicle(recording, command);
    case 'exchange':
      return exchangeVehicle(recording, command);
    case 'checkIn':
      return takeBack(recording, command);
    case 'undoCheckOut':
      return undoCheckOut(recording, command);
    case 'announceReturn':
      return announceReturn(recording, command);
    case 'announceDelay':
      return announceDelay(recording, command);
    case 'reinstate':
      return reinstate(recording);
    case 'cancel':
    case 'noShow':
      return giveUp(recording, command);
    case 'confirm':
      return confirmRental(recording, command, placing);
    case 'decline':
    case 'expire':
      return endRequest(recording, command);
    case 'raiseShortage':
      return recordShortage(recording);
    case 'remind':
      return remind(recording);
    case 'markOverdue':
      return markOverdue(recording);
    case 'billCycle':
      return billCycle(recording);
    case 'checkArrears':
      return checkArrears(recording);
    case 'close':
      return closeRental(recording);
    default:
      throw unknown(command);
  }
}

/** No refusal: it is tried again until a worker has it that knows the command. */
function unknown(command: never): Error {
  return new Error(`This worker does not know ${(command as RentalCommand).type}.`);
}

// Carries a rental's commands out, one at a time: memory first, then the rules, then the database.
import {
  ActivityFailure,
  ApplicationFailure,
  log,
  patched,
  proxyActivities,
  proxyLocalActivities,
} from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import type { Actor } from '../../domain/actor.ts';
import {
  decide,
  type RentalCommand,
  type RentalCommandType,
  type RentalRequest,
  type RentalState,
} from '../../domain/rental.ts';
import type { DepositAnswer, Envelope } from '../rental.messages.ts';
import { dbWrite, dbWriteAtOnce } from './activity-options.ts';
import { nowIso } from './clock.ts';
import { openDepositAsks } from './deposit-asks.ts';
import { openTeller } from './reassignments.ts';
import { refusalOf, refusing, unwrapped } from './refusal.ts';
import type { RentalBook } from './rental-book.ts';
import { afterDamage, afterLook, type Deadline } from './rental-deadlines.ts';
import { isTimed } from './rental-pauses.ts';
import type { serializer } from './serialize.ts';

export type RentalDesk = {
  readonly reserve: (request: Envelope<RentalRequest>) => Promise<RentalState>;
  readonly carryOut: (request: Envelope<RentalCommand>) => Promise<RentalState>;
  readonly meet: (deadline: Deadline) => Promise<void>;
  readonly depositAnswered: (answer: DepositAnswer) => void;
  readonly damageEnded: () => void;
  /** True when no signal to another workflow is on its way. */
  readonly quiet: () => boolean;
};

const SYSTEM: Actor = { kind: 'system', id: 'rental' };
const LOOK_AGAIN_MS = 24 * 60 * 60_000;

// At once, in the worker that has the task: the counter's answer needs no second round trip.
const { reserveRental } = proxyLocalActivities<Activities>(dbWriteAtOnce);
const { recordCommand } = proxyActivities<Activities>(dbWrite);

const SUMMARIES: Readonly<Record<RentalCommandType, string>> = {
  checkOut: 'check out',
  extend: 'extend',
  amend: 'amend the booking',
  swap: 'keep another vehicle',
  exchange: 'exchange the vehicle',
  checkIn: 'check in and invoice',
  undoCheckOut: 'undo the check-out',
  announceReturn: 'a late return, announced',
  announceDelay: 'a late flight, announced',
  reinstate: 'reinstate a no-show',
  cancel: 'cancel',
  confirm: 'confirm the request',
  decline: 'decline the request',
  expire: 'request unanswered: expires',
  noShow: 'no-show',
  raiseShortage: 'no vehicle: raise a case',
  remind: 'return reminder',
  markOverdue: 'overdue: keep the vehicle in the calendar',
  billCycle: 'invoice a cycle',
  checkArrears: 'look for unpaid invoices',
  close: 'close',
};

export function openDesk(book: RentalBook, inTurn: ReturnType<typeof serializer>): RentalDesk {
  const teller = openTeller();
  const deposit = openDepositAsks();
  let ended = 0;

  async function reserve(request: Envelope<RentalRequest>): Promise<RentalState> {
    const refusal = book.refusal();
    if (refusal !== null) throw refusal;
    if (book.state() !== null) return book.answered(request.commandId) ?? book.existing();
    try {
      const { reassigned = [], ...state } = await unwrapped(reserveRental(request));
      teller.tell(reassigned);
      return book.reserved(request.commandId, state);
    } catch (error) {
      const reason = refusalOf(error);
      if (reason !== undefined) book.refused(request.command, reason);
      throw error;
    }
  }

  async function carryOut(request: Envelope<RentalCommand>): Promise<RentalState> {
    const repeat = book.answered(request.commandId);
    if (repeat !== undefined) return repeat;
    // Again after the validator: another command may have come first.
    const { id: rentalId, version } = refusing(book.existing);
    const command = refusing(() => decide(book.existing(), request.command, nowIso()));
    const summary = SUMMARIES[command.type];
    const before = book.known();
    const record = () =>
      unwrapped(
        recordCommand.executeWithOptions({ summary }, [{ ...request, command, rentalId, version }]),
      );
    const outcome = await record().catch(async (error: unknown) => {
      await deposit.clearWay(error, { id: rentalId, version }, request);
      return record();
    });
    const isRepeat = outcome.version < version;
    // The answer to what was asked long ago is the state of now; a timer has to wait.
    if (isRepeat && !isTimed(outcome.type)) return book.existing();
    if (!isRepeat) {
      deposit.settleAfter(outcome, { id: rentalId, version }, request.actor);
      teller.tell(outcome.reassigned.filter((moved) => moved.rentalId !== rentalId));
    }
    return refusing(() => book.recorded(request.commandId, outcome, Date.now(), before));
  }

  async function meet({ at, command, commandId }: Deadline): Promise<void> {
    // A command may have come first and moved the deadline, though it keeps its id.
    const next = book.nextDeadline();
    if (next?.commandId !== commandId || next.at > at) return;
    if (command === null) {
      book.timed(afterLook);
      return;
    }
    const endings = ended;
    try {
      await carryOut({ commandId, actor: SYSTEM, command });
    } catch (error) {
      if (!(error instanceof ApplicationFailure || error instanceof ActivityFailure)) throw error;
      const refusal = refusalOf(error);
      const reason = refusal?.type ?? 'activity-failed';
      // Ended while the database was asked: there is nothing to wait for.
      if (refusal?.type === 'damage-open' && ended !== endings) return;
      const until = keptUntil(refusal);
      if (until === null) log.warn('A deadline could not be met.', { commandId, reason });
      book.stuck(`${command.type}: ${reason}`, commandId, Date.now(), until);
    }
  }

  return {
    reserve: (request) => inTurn(() => reserve(request)),
    carryOut: (request) => inTurn(() => carryOut(request)),
    meet: (deadline) => inTurn(() => meet(deadline)),
    depositAnswered: deposit.answered,
    damageEnded: () => {
      // An older worker did nothing about it, and what it did is replayed.
      if (book.state()?.status !== 'returned' || !patched('hears-of-damage')) return;
      ended += 1;
      book.timed(afterDamage);
    },
    quiet: () => teller.quiet() && deposit.quiet(),
  };
}

/**
 * Who may yet come keeps the vehicle: the refusal of a no-show says how long. A damage case is waited
 * for until it is said to have ended; now and then it is looked at all the same.
 */
function keptUntil(refusal: ApplicationFailure | undefined): string | null {
  if (refusal?.type === 'damage-open') return new Date(Date.now() + LOOK_AGAIN_MS).toISOString();
  const { noShowAt } = (refusal?.details?.[0] ?? {}) as Readonly<Record<string, unknown>>;
  return typeof noShowAt === 'string' && patched('kept-until-the-refusal-says') ? noShowAt : null;
}

// A rental asks its deposit's workflow: for more on the card before it is extended, for all at its end.
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  ApplicationFailure,
  getExternalWorkflowHandle,
  log,
  patched,
  type SignalDefinition,
  startChild,
} from '@temporalio/workflow';
import type { Actor } from '../../domain/actor.ts';
import { DomainError } from '../../domain/errors.ts';
import type { RentalCommand, RentalOutcome } from '../../domain/rental.ts';
import { depositWorkflowId } from '../../temporal-config/names.ts';
import { type AskedByRental, increaseAsked, rentalEnded } from '../deposit.messages.ts';
import type { deposit } from '../deposit.ts';
import type { DepositAnswer, Envelope } from '../rental.messages.ts';
import { wokenWithin } from './deadline.ts';
import { refusalOf, refusing } from './refusal.ts';

/** Longer than a gateway takes; the rental takes no other command meanwhile. */
const ANSWER_WITHIN_MS = 60_000;

type Rental = { readonly id: string; readonly version: number };

export function openDepositAsks() {
  const answers = new Map<string, DepositAnswer>();
  let telling = 0;

  async function tell<A extends AskedByRental>(
    rentalId: string,
    signal: SignalDefinition<[A]>,
    asked: A,
  ): Promise<void> {
    telling += 1;
    try {
      await getExternalWorkflowHandle(depositWorkflowId(rentalId)).signal(signal, asked);
    } finally {
      telling -= 1;
    }
  }

  /** Throws the deposit's refusal, or `payment-unsettled` where the gateway takes its time. */
  async function answerTo(askId: string): Promise<void> {
    await wokenWithin(ANSWER_WITHIN_MS, `the card: ${askId}`, () => answers.has(askId));
    const answer = answers.get(askId);
    answers.delete(askId);
    if (answer === undefined) refusing(refuseUnsettled);
    else if (answer.refusal !== null) throw failureOf(answer.refusal);
  }

  /**
   * Asks the card for what the database refused a command for, so that it may be tried once more.
   * Throws the error itself where the card is not what stands in the way, or there is none.
   */
  async function clearWay(
    error: unknown,
    { id: rentalId, version }: Rental,
    { commandId, actor, command }: Envelope<RentalCommand>,
  ): Promise<void> {
    const refusal = refusalOf(error);
    const { holdMinor, heldMinor } = (refusal?.details?.[0] ?? {}) as Readonly<
      Record<string, number>
    >;
    const isRaised = refusal?.type === 'deposit-required' && command.type !== 'checkOut';
    const askId = isRaised ? commandId : endingId(version);
    // Too late for the question before, it is no answer to this one, which has the same id.
    if (answers.has(askId) && patched('forgets-late-answers')) answers.delete(askId);
    try {
      if (isRaised && holdMinor !== undefined && heldMinor) {
        await tell(rentalId, increaseAsked, { askId, actor, amountMinor: holdMinor });
      } else if (refusal?.type === 'deposit-open' && command.type === 'close') {
        await tell(rentalId, rentalEnded, { askId, actor });
      } else throw error;
    } catch (failed) {
      if (failed !== error) log.warn('No workflow keeps this deposit.', { rentalId });
      throw error;
    }
    await answerTo(askId);
  }

  /** Nobody waits for the card: what became of it is the deposit's own affair. */
  function settleAfter(outcome: RentalOutcome, { id }: Rental, actor: Actor): void {
    const { type } = outcome;
    if (type !== 'cancelled' && type !== 'noShow' && type !== 'closed') return;
    const { isHeld, isOwedBack } = outcome;
    if (!isHeld && !isOwedBack) return;
    const asked = { askId: endingId(outcome.version), actor };
    void settle(id, asked, isOwedBack === true).catch(() =>
      log.warn('No workflow keeps this deposit.', { rentalId: id }),
    );
  }

  async function settle(rentalId: string, ended: AskedByRental, isOwedBack: boolean) {
    telling += 1;
    try {
      await tell(rentalId, rentalEnded, ended);
    } catch (error) {
      if (!isOwedBack) throw error;
      // A prepayment leaves no workflow behind: one is started that gives back what is owed of it.
      if (!(await isStarted(rentalId, ended))) await tell(rentalId, rentalEnded, ended);
    } finally {
      telling -= 1;
    }
  }

  return {
    clearWay,
    settleAfter,
    answered: (answer: DepositAnswer): void => {
      answers.set(answer.askId, answer);
    },
    /** True when no signal is on its way. */
    quiet: () => telling === 0,
  };
}

/** False when one runs already, which may have been started just now. */
async function isStarted(rentalId: string, ended: AskedByRental): Promise<boolean> {
  try {
    await startChild<typeof deposit>('deposit', {
      workflowId: depositWorkflowId(rentalId),
      args: [{ rentalId, ended }],
      parentClosePolicy: 'ABANDON',
      staticSummary: 'Deposit',
    });
    return true;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
    throw error;
  }
}

/** A rental may end more than once: a no-show that was reinstated. */
function endingId(version: number): string {
  return `ended-at-${version}`;
}

function refuseUnsettled(): never {
  const message =
    'The gateway has not answered yet. What it did counts: try again in some minutes.';
  throw new DomainError('payment-unsettled', message);
}

function failureOf({ code, message, details }: NonNullable<DepositAnswer['refusal']>) {
  const isDeclined = code === 'payment-declined';
  return ApplicationFailure.create({
    message: isDeclined
      ? 'The card does not hold what is needed then: authorise another one, and try again.'
      : message,
    type: isDeclined ? 'card-declined' : code,
    nonRetryable: true,
    details: [details],
    category: 'BENIGN',
  });
}

// A rental's deposit: held, increased, renewed before it ends, and captured or given back.
import type { UpdateDefinition } from '@temporalio/common';
import {
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  patched,
  setHandler,
} from '@temporalio/workflow';
import type { DepositState, PaymentStep } from '../domain/payments/deposit.ts';
import * as messages from './deposit.messages.ts';
import { wokenWithin } from './lib/deadline.ts';
import { openDepositAnswers } from './lib/deposit-answers.ts';
import { type DepositBook, type DepositCarried, openDepositBook } from './lib/deposit-book.ts';
import { type DepositClock, openDepositClock } from './lib/deposit-clock.ts';
import { type DepositDesk, openDepositDesk } from './lib/deposit-desk.ts';
import { isLong } from './lib/history.ts';
import type { Envelope } from './rental.messages.ts';

/** `carried` is what the run before handed over; a first run has none. */
export type DepositInput = {
  readonly rentalId: string;
  readonly carried?: DepositCarried;
  /** The rental is over, and no run was there to be told so. */
  readonly ended?: messages.AskedByRental;
  readonly maxHistoryLength?: number;
};

/** Ends when nothing is held any more; a later command starts it again. */
export async function deposit(input: DepositInput): Promise<DepositState | null> {
  const book = openDepositBook(input.carried ?? null);
  const desk = openDepositDesk(input.rentalId, book);
  const clock = openDepositClock(input.rentalId, book, desk);
  const answer = openDepositAnswers(input.rentalId, book, desk);
  listen(book, desk, clock, answer);
  // Cancelled from outside it would leave a hold that nobody renews or gives back.
  return CancellationScope.nonCancellable(async () => {
    const { ended, ...later } = input;
    if (ended !== undefined) await answer(ended, { kind: 'settle' });
    return live(later, book, desk, clock);
  });
}

function listen(
  book: DepositBook,
  desk: DepositDesk,
  clock: DepositClock,
  answer: ReturnType<typeof openDepositAnswers>,
): void {
  setHandler(messages.depositState, book.state, { description: 'The deposit as it is now.' });
  setHandler(messages.gatewayTold, clock.told, {
    description: 'The gateway told something that changed the rows.',
  });
  setHandler(messages.increaseAsked, (asked) =>
    answer(asked, { kind: 'raise', amountMinor: asked.amountMinor }),
  );
  setHandler(messages.rentalEnded, (asked) => answer(asked, { kind: 'settle' }));
  setHandler(
    messages.lateChargeAsked,
    async ({ invoiceId }) => {
      // An older worker ignored it: a run that went on there is told again.
      if (patched('charges-late')) await clock.charge(invoiceId);
    },
    { description: 'A document is to be charged to the renter’s card.' },
  );
  accept(messages.authorise, (command) => ({ ...command, kind: 'authorise' }));
  accept(messages.increase, (command) => ({ ...command, kind: 'increase' }));
  accept(messages.capture, (command) => ({ ...command, kind: 'capture' }));
  accept(messages.release, () => ({ kind: 'release' }));
  accept(messages.refund, (command) => ({ ...command, kind: 'refund' }));
  accept(messages.prepay, (command) => ({ ...command, kind: 'prepay' }));
  accept(messages.returnPrepaid, (command) => ({ ...command, kind: 'return-prepaid' }));

  function accept<C extends object>(
    definition: UpdateDefinition<DepositState, [Envelope<C>]>,
    named: (command: C) => PaymentStep,
  ): void {
    // A repeat is answered by the rows: an order is known by its command's id, in every run.
    setHandler(definition, ({ commandId, actor, command }) =>
      desk.pay(actor, commandId, named(command)),
    );
  }
}

async function live(
  input: DepositInput,
  book: DepositBook,
  desk: DepositDesk,
  clock: DepositClock,
): Promise<DepositState | null> {
  await desk.load();
  const settled = () => allHandlersFinished() && clock.quiet();
  for (;;) {
    const seen = book.changes();
    if (settled() && book.isOver()) return book.state();
    const known = book.state();
    if (isLong(input) && settled() && known !== null) {
      await continueAsNew<typeof deposit>({ ...input, carried: book.carried(known) });
    }
    const isLongNow = isLong(input);
    const woken = () =>
      book.changes() !== seen ||
      (settled() && (book.isOver() || isLong(input))) ||
      (!isLongNow && isLong(input));
    const deadline = book.nextDeadline();
    if (deadline === null) await condition(woken);
    else if (!(await rings(deadline.at, `${deadline.type} ${deadline.holdId}`, woken))) continue;
    else {
      book.met(deadline);
      // Not awaited: the next deadline counts although a gateway does not answer.
      void clock.meet(deadline);
    }
  }
}

/** True when the time came before something else did. */
async function rings(at: number, summary: string, woken: () => boolean): Promise<boolean> {
  const wait = at - Date.now();
  return wait <= 0 || !(await wokenWithin(wait, summary, woken));
}

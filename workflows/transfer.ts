// A transfer's life: planned, driven and arrived; watched by the clock until then.
import type { UpdateDefinition } from '@temporalio/common';
import {
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  setHandler,
} from '@temporalio/workflow';
import { decide, isOver, type TransferCommand, type TransferState } from '../domain/transfer.ts';
import { nowIso } from './lib/clock.ts';
import { wokenWithin } from './lib/deadline.ts';
import { isLong } from './lib/history.ts';
import { refusing } from './lib/refusal.ts';
import { openTransferBook, type TransferBook, type TransferCarried } from './lib/transfer-book.ts';
import { openTransferDesk, type TransferDesk } from './lib/transfer-desk.ts';
import type { Envelope } from './rental.messages.ts';
import * as messages from './transfer.messages.ts';

/** `carried` is what the run before handed over; a first run has none. */
export type TransferInput = {
  readonly carried?: TransferCarried;
  readonly maxHistoryLength?: number;
};

/** Answers the transfer as it ended, or null when none could be planned. */
export async function transfer(input: TransferInput = {}): Promise<TransferState | null> {
  const book = openTransferBook(input.carried ?? null);
  const desk = openTransferDesk(book);
  listen(book, desk);
  // Cancelled from outside it would leave a vehicle on the road that nobody watches.
  return CancellationScope.nonCancellable(() => live(input, book, desk));
}

function listen(book: TransferBook, desk: TransferDesk): void {
  setHandler(messages.transferState, book.state, { description: 'The transfer as it is now.' });
  setHandler(messages.attentionNeeded, ({ reason }) => book.flagged(reason));
  setHandler(messages.plan, desk.plan, { description: 'Keeps a vehicle for the drive.' });
  accept(messages.depart, (command) => ({ ...command, type: 'depart' }));
  accept(messages.arrive, (command) => ({ ...command, type: 'arrive' }));
  accept(messages.cancelTransfer, (command) => ({ ...command, type: 'cancel' }));

  function accept<C extends object>(
    definition: UpdateDefinition<TransferState, [Envelope<C>]>,
    named: (command: C) => TransferCommand,
  ): void {
    setHandler(
      definition,
      (request) => desk.carryOut({ ...request, command: named(request.command) }),
      {
        // Refused here, a command leaves no history; a known one passes to get its answer again.
        validator: ({ commandId, command }) => {
          if (book.answered(commandId) !== undefined) return;
          refusing(() => decide(book.existing(), named(command), nowIso()));
        },
      },
    );
  }
}

async function live(
  input: TransferInput,
  book: TransferBook,
  desk: TransferDesk,
): Promise<TransferState | null> {
  const settled = () => allHandlersFinished() && desk.quiet();
  await condition(() => book.state() !== null || book.refusal() !== null);
  while (book.state() !== null) {
    if (isLong(input) && !isOver(book.existing())) {
      await condition(settled);
      // The last handlers may have ended it meanwhile.
      if (isOver(book.existing())) break;
      await continueAsNew<typeof transfer>({ ...input, carried: book.carried() });
    }
    const deadline = book.nextDeadline();
    if (deadline === null) break;
    const seen = book.changes();
    const woken = () => book.changes() !== seen || isLong(input);
    const wait = deadline.at - Date.now();
    const { type: summary } = deadline.command;
    if (wait <= 0 || !(await wokenWithin(wait, summary, woken))) await desk.meet(deadline);
  }
  await condition(settled);
  return book.state();
}

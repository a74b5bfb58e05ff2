// A rental's life: wires messages and deadlines to the rules in domain/rental.ts.
import type { UpdateDefinition } from '@temporalio/common';
import {
  allHandlersFinished,
  condition,
  continueAsNew,
  log,
  setHandler,
} from '@temporalio/workflow';
import { decide, isFinal, type RentalCommand, type RentalState } from '../domain/rental.ts';
import { nowIso } from './lib/clock.ts';
import { wokenWithin } from './lib/deadline.ts';
import { isLong } from './lib/history.ts';
import { refusing } from './lib/refusal.ts';
import { type Carried, openBook, type RentalBook } from './lib/rental-book.ts';
import { openDesk, type RentalDesk } from './lib/rental-desk.ts';
import { serializer, shielded } from './lib/serialize.ts';
import * as messages from './rental.messages.ts';

/** `carried` is what the run before handed over; a first run has none. */
export type RentalInput = { readonly carried?: Carried; readonly maxHistoryLength?: number };

/** Answers the final state, or null when the request was refused. */
export async function rental(input: RentalInput = {}): Promise<RentalState | null> {
  const book = openBook(input.carried ?? null);
  // A cancelled run would leave a rental that nobody watches.
  const shield = shielded();
  const desk = openDesk(book, serializer(shield));
  listen(book, desk);
  return shield.run(() => live(input, book, desk));
}

function listen(book: RentalBook, desk: RentalDesk): void {
  setHandler(messages.state, book.state, { description: 'The rental as it is now.' });
  setHandler(messages.vehicleReassigned, (vehicle) => {
    if (!book.reassigned(vehicle)) log.info('A reassignment came too late.', { ...vehicle });
  });
  setHandler(messages.attentionNeeded, ({ reason }) => {
    book.told((trouble) => trouble.flag(reason));
  });
  setHandler(messages.hoursChanged, (said) => book.told((trouble) => trouble.doubt(said)));
  setHandler(messages.damageEnded, desk.damageEnded);
  setHandler(messages.depositAnswered, desk.depositAnswered);
  setHandler(messages.reserve, desk.reserve, { description: 'Takes a vehicle, or says why not.' });
  accept(messages.checkOut, (command) => ({ ...command, type: 'checkOut' }));
  accept(messages.extend, (command) => ({ ...command, type: 'extend' }));
  accept(messages.amend, (command) => ({ ...command, type: 'amend' }));
  accept(messages.swap, (command) => ({ ...command, type: 'swap' }));
  accept(messages.exchange, (command) => ({ ...command, type: 'exchange' }));
  accept(messages.checkIn, (command) => ({ ...command, type: 'checkIn' }));
  accept(messages.undoCheckOut, (command) => ({ ...command, type: 'undoCheckOut' }));
  accept(messages.announceReturn, (command) => ({ ...command, type: 'announceReturn' }));
  accept(messages.announceDelay, (command) => ({ ...command, type: 'announceDelay' }));
  accept(messages.reinstate, () => ({ type: 'reinstate' }));
  accept(messages.cancel, (command) => ({ ...command, type: 'cancel' }));
  accept(messages.confirm, (command) => ({ ...command, type: 'confirm' }));
  accept(messages.decline, (command) => ({ ...command, type: 'decline' }));

  function accept<C extends object>(
    definition: UpdateDefinition<RentalState, [messages.Envelope<C>]>,
    named: (command: C) => RentalCommand,
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
  input: RentalInput,
  book: RentalBook,
  desk: RentalDesk,
): Promise<RentalState | null> {
  const settled = () => allHandlersFinished() && desk.quiet();
  await condition(() => book.state() !== null || book.refusal() !== null);
  for (;;) {
    while (book.state() !== null && !isFinal(book.existing().status)) {
      if (isLong(input)) {
        await condition(settled);
        // The last handlers may have ended the rental meanwhile.
        if (isFinal(book.existing().status)) break;
        await continueAsNew<typeof rental>({ ...input, carried: book.carried() });
      }
      const seen = book.changes();
      const woken = () => book.changes() !== seen || isLong(input);
      const deadline = book.nextDeadline();
      if (deadline === null) {
        await condition(woken);
        continue;
      }
      const wait = deadline.at - Date.now();
      const { summary } = deadline;
      if (wait <= 0 || !(await wokenWithin(wait, summary, woken))) await desk.meet(deadline);
    }
    await condition(settled);
    // A no-show that was reinstated meanwhile lives on.
    if (book.state() === null || isFinal(book.existing().status)) return book.state();
  }
}

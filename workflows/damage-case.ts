// A damage case's life: reported, estimated, answered, then charged, waived or borne by an insurer.
import type { UpdateDefinition } from '@temporalio/common';
import {
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  setHandler,
} from '@temporalio/workflow';
import { type CaseCommand, type CaseState, decide, isOver } from '../domain/damage-case.ts';
import * as messages from './damage-case.messages.ts';
import { type CaseCarried, type DamageDesk, openDamageDesk } from './lib/damage-desk.ts';
import { wokenWithin } from './lib/deadline.ts';
import { isLong } from './lib/history.ts';
import { refusing } from './lib/refusal.ts';
import type { Envelope } from './rental.messages.ts';

/** `carried` is what the run before handed over; a first run has none. */
export type DamageCaseInput = {
  readonly carried?: CaseCarried;
  readonly maxHistoryLength?: number;
};

/** Answers the case as it was settled, or null when none could be opened. */
export async function damageCase(input: DamageCaseInput = {}): Promise<CaseState | null> {
  const desk = openDamageDesk(input.carried ?? null);
  listen(desk);
  // Cancelled from outside it would leave a hold that nobody lifts and a charge that nobody makes.
  return CancellationScope.nonCancellable(() => live(input, desk));
}

function listen(desk: DamageDesk): void {
  setHandler(messages.damageCaseState, desk.current, { description: 'The case as it is now.' });
  setHandler(messages.report, desk.report, { description: 'Opens the case, or says why not.' });
  accept(messages.estimate, (command) => ({ ...command, type: 'estimate' }));
  accept(messages.agree, () => ({ type: 'agree' }));
  accept(messages.dispute, (command) => ({ ...command, type: 'dispute' }));
  accept(messages.charge, () => ({ type: 'charge' }));
  accept(messages.waive, (command) => ({ ...command, type: 'waive' }));
  accept(messages.claim, (command) => ({ ...command, type: 'claim' }));
  accept(messages.markRepaired, () => ({ type: 'markRepaired' }));
  accept(messages.settle, () => ({ type: 'settle' }));

  function accept<C extends object>(
    definition: UpdateDefinition<CaseState, [Envelope<C>]>,
    named: (command: C) => CaseCommand,
  ): void {
    setHandler(
      definition,
      (request) => desk.carryOut({ ...request, command: named(request.command) }),
      {
        // Refused here, a command leaves no history; a known one passes to get its answer again.
        validator: ({ commandId, command }) => {
          if (desk.answered(commandId) !== undefined) return;
          refusing(() => decide(desk.existing(), named(command)));
        },
      },
    );
  }
}

async function live(input: DamageCaseInput, desk: DamageDesk): Promise<CaseState | null> {
  await condition(() => desk.current() !== null || desk.refusal() !== null);
  while (desk.current() !== null && !isOver(desk.existing())) {
    if (isLong(input)) {
      await condition(allHandlersFinished);
      // The last handlers may have settled it meanwhile.
      if (isOver(desk.existing())) break;
      await continueAsNew<typeof damageCase>({ ...input, carried: desk.carried() });
    }
    const { version } = desk.existing();
    const woken = () => desk.existing().version !== version;
    const deadline = desk.nextDeadline();
    if (deadline === null) {
      await condition(woken);
      continue;
    }
    const wait = deadline.at - Date.now();
    if (wait <= 0 || !(await wokenWithin(wait, deadline.due, woken))) await desk.meet(deadline);
  }
  await condition(allHandlersFinished);
  return desk.current();
}

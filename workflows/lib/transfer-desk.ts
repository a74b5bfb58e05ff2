// Carries a transfer's commands out, one at a time: memory first, then the rules, then the database.
import {
  ActivityFailure,
  ApplicationFailure,
  log,
  proxyActivities,
  proxyLocalActivities,
} from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import type { Actor } from '../../domain/actor.ts';
import { DomainError } from '../../domain/errors.ts';
import {
  decide,
  type TransferCommand,
  type TransferDeadline,
  type TransferPlan,
  type TransferState,
} from '../../domain/transfer.ts';
import type { Envelope } from '../rental.messages.ts';
import { dbWrite, dbWriteAtOnce } from './activity-options.ts';
import { nowIso } from './clock.ts';
import { openTeller } from './reassignments.ts';
import { refusalOf, refusing, unwrapped } from './refusal.ts';
import { serializer } from './serialize.ts';
import type { TransferBook } from './transfer-book.ts';

const SYSTEM: Actor = { kind: 'system', id: 'transfer' };

// At once, in the worker that has the task: the planner's answer needs no second round trip.
const { planTransfer } = proxyLocalActivities<Activities>(dbWriteAtOnce);
const { recordTransfer } = proxyActivities<Activities>(dbWrite);

export type TransferDesk = ReturnType<typeof openTransferDesk>;

export function openTransferDesk(book: TransferBook) {
  const inTurn = serializer();
  const teller = openTeller();

  async function plan(request: Envelope<TransferPlan>): Promise<TransferState> {
    const refusal = book.refusal();
    if (refusal !== null) throw refusal;
    if (book.state() !== null) return book.answered(request.commandId) ?? book.existing();
    try {
      const { transfer, reassigned } = await unwrapped(planTransfer(request));
      teller.tell(reassigned);
      return book.recorded(request.commandId, transfer, true);
    } catch (error) {
      const reason = refusalOf(error);
      if (reason !== undefined) book.refused(reason);
      throw error;
    }
  }

  async function carryOut(request: Envelope<TransferCommand>): Promise<TransferState> {
    const { commandId, actor } = request;
    const repeat = book.answered(commandId);
    if (repeat !== undefined) return repeat;
    // Again after the validator: another command may have come first.
    const { id: transferId, version } = refusing(book.existing);
    const command = refusing(() => decide(book.existing(), request.command, nowIso()));
    const asked = { commandId, actor, command, transferId, version };
    const summary = command.type;
    const { transfer, reassigned } = await unwrapped(
      recordTransfer.executeWithOptions({ summary }, [asked]),
    );
    teller.tell(reassigned);
    const after = book.recorded(commandId, transfer, actor.id !== SYSTEM.id);
    if (command.type === 'depart' && after.status === 'cancelled') refusing(refuseVoid);
    return after;
  }

  async function meet({ id, command }: TransferDeadline): Promise<void> {
    // A command may have come first and moved the deadline.
    if (book.nextDeadline()?.id !== id) return;
    try {
      await carryOut({ commandId: id, actor: SYSTEM, command });
    } catch (error) {
      if (!(error instanceof ApplicationFailure || error instanceof ActivityFailure)) throw error;
      const reason = refusalOf(error)?.type ?? 'activity-failed';
      log.warn('A deadline could not be met.', { id, reason });
      book.stuck(`${command.type}: ${reason}`, Date.now());
    }
  }

  return {
    plan: (request: Envelope<TransferPlan>) => inTurn(() => plan(request)),
    carryOut: (request: Envelope<TransferCommand>) => inTurn(() => carryOut(request)),
    meet: (deadline: TransferDeadline) => inTurn(() => meet(deadline)),
    /** True when no signal to a rental is on its way. */
    quiet: teller.quiet,
  };
}

function refuseVoid(): never {
  throw new DomainError(
    'invalid-state',
    'The calendar gave this drive up, because its vehicle is not where it starts; plan a new one.',
    { transferStatus: 'cancelled', command: 'depart' },
  );
}

// What a rental asks of its deposit: carried out in turn, and answered, also with the refusal.
import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  getExternalWorkflowHandle,
  log,
  patched,
  proxyActivities,
} from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import type { Actor } from '../../domain/actor.ts';
import type { PaymentStep } from '../../domain/payments/deposit.ts';
import { rentalWorkflowId } from '../../temporal-config/names.ts';
import type { AskedByRental } from '../deposit.messages.ts';
import { type DepositRefusal, depositAnswered } from '../rental.messages.ts';
import { dbWrite } from './activity-options.ts';
import type { DepositBook } from './deposit-book.ts';
import { type DepositDesk, SYSTEM } from './deposit-desk.ts';
import { refusalOf } from './refusal.ts';
import { shielded } from './serialize.ts';

const { markHold } = proxyActivities<Activities>(dbWrite);

export function openDepositAnswers(rentalId: string, book: DepositBook, desk: DepositDesk) {
  return async ({ askId, actor }: AskedByRental, step: PaymentStep): Promise<void> => {
    const refusal = await refused(() => desk.pay(actor, askId, step));
    if (refusal !== null && step.kind === 'settle') await desk.inTurn(() => callPerson(askId));
    await thoughCancelled(() =>
      getExternalWorkflowHandle(rentalWorkflowId(rentalId)).signal(depositAnswered, {
        askId,
        refusal,
      }),
    )
      // It ended without waiting, as one that was cancelled does.
      .catch(() => log.info('The rental of a deposit has ended.', { rentalId }));
    if (step.kind === 'settle') await payBack(actor, askId);
  };

  /** Its documents say what is owed back, so that a refusal loses nothing: a person gives it back. */
  async function payBack(actor: Actor, askId: string): Promise<void> {
    if (!patched('pays-back-prepayments')) return;
    const refusal = await refused(() => desk.inTurn(() => desk.payBack(actor, askId)));
    if (refusal !== null) log.warn('Nothing was paid back.', { rentalId, reason: refusal.code });
  }

  /** Nobody waits for it any more, so the hold itself says that it was not settled. */
  async function callPerson(askId: string): Promise<void> {
    const hold = book.state()?.current;
    if (!hold) return;
    const key = `${rentalId}/unsettled/${askId}`;
    const marked = { actor: SYSTEM, key, authorisationId: hold.id, as: 'unsettled' } as const;
    book.became(await markHold(marked));
  }
}

/** An operator's request to cancel ends no deposit: who asked it still waits for its answer. */
function thoughCancelled(answer: () => Promise<void>): Promise<void> {
  const isAsked = CancellationScope.current().consideredCancelled;
  return isAsked && patched('answers-though-cancelled') ? shielded().run(answer) : answer();
}

/** Null when it was done, or when there was nothing to do. */
async function refused(work: () => Promise<unknown>): Promise<DepositRefusal | null> {
  try {
    await work();
    return null;
  } catch (error) {
    if (!(error instanceof ApplicationFailure || error instanceof ActivityFailure)) throw error;
    const { type, message, details } = refusalOf(error) ?? {};
    const told = (details?.[0] ?? {}) as DepositRefusal['details'];
    return { code: type ?? 'activity-failed', message: message ?? '', details: told };
  }
}

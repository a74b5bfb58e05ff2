// What the clock does to a deposit: renews it, calls a person, marks its end.
import { ActivityFailure, ApplicationFailure, log, proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import { type DepositDeadline, deadlineId } from '../../domain/payments/deposit.ts';
import { dbWrite } from './activity-options.ts';
import type { DepositBook } from './deposit-book.ts';
import { type DepositDesk, SYSTEM } from './deposit-desk.ts';
import { refusalOf } from './refusal.ts';

const { markHold } = proxyActivities<Activities>(dbWrite);

export type DepositClock = ReturnType<typeof openDepositClock>;

export function openDepositClock(rentalId: string, book: DepositBook, desk: DepositDesk) {
  let underWay = 0;

  async function mark(authorisationId: string, as: 'attention' | 'expired'): Promise<void> {
    const seen = book.changes();
    const key = `${rentalId}/${as}/${authorisationId}`;
    const marked = await markHold({ actor: SYSTEM, key, authorisationId, as });
    // An order that was settled meanwhile knows better; its hold is another one.
    if (book.changes() === seen) book.became(marked);
  }

  async function carryOut({ type, holdId }: DepositDeadline): Promise<void> {
    switch (type) {
      case 'release':
        return desk.inTurn(desk.releaseReplaced);
      case 'renew':
        return desk.inTurn(() => desk.renew(holdId));
      case 'expire':
        return desk.inTurn(() => mark(holdId, 'expired'));
      case 'attend':
        // At once: what waits for a gateway's answer must not keep a person from hearing of it.
        return mark(holdId, 'attention');
      default:
        return type satisfies never;
    }
  }

  async function attempt(what: string, work: () => Promise<void>): Promise<void> {
    underWay += 1;
    try {
      await work();
    } catch (error) {
      if (!(error instanceof ApplicationFailure || error instanceof ActivityFailure)) throw error;
      const reason = refusalOf(error)?.type ?? 'activity-failed';
      log.warn('A deadline could not be met.', { id: what, reason });
    } finally {
      underWay -= 1;
    }
  }

  return {
    meet: (deadline: DepositDeadline) => attempt(deadlineId(deadline), () => carryOut(deadline)),
    /** A document that came after the return, in turn like every other order. */
    charge: (invoiceId: string) =>
      attempt(`late/${invoiceId}`, () => desk.inTurn(() => desk.chargeLate(invoiceId))),
    /** The rows changed behind its back. */
    told: () => attempt('told', () => desk.inTurn(desk.reload)),
    /** True when nothing of it is under way. */
    quiet: () => underWay === 0,
  };
}

// What each step of a payment asks of which hold at the gateway, by the hold's row under its lock.
import { sql } from 'kysely';
import { v5 as uuidv5 } from 'uuid';
import type { Actor } from '../../domain/actor.ts';
import { DomainError } from '../../domain/errors.ts';
import {
  captureLimit,
  checkAuthorise,
  checkCapture,
  checkIncrease,
  checkOpen,
  checkRefund,
  isSecured,
  type PaymentStep,
} from '../../domain/payments/deposit.ts';
import type { GatewayName } from '../../domain/payments/gateway.ts';
import type { RentalStatus } from '../../domain/rental.ts';
import { depositOf, type HoldRow, lockHold } from '../authorisation-row.ts';
import type { Tx } from '../client.ts';
import {
  checkSandbox,
  type Placed,
  placeCharge,
  placePayBack,
  placeReturn,
} from './card-prepayments.ts';
import { cardRefusal } from './card-refusals.ts';
import { takeFromLimit } from './limits.ts';
import {
  assertNotKept,
  assertSpare,
  heldOf,
  holdRental,
  owedInHire,
  type Secured,
  securedBy,
} from './rental-money.ts';

export type PaymentOrder = {
  /** Names the order for ever: made of the command's or the deadline's id. */
  readonly key: string;
  readonly rentalId: string;
  readonly actor: Actor;
  readonly step: PaymentStep;
};

export type RentalFacts = {
  readonly status: RentalStatus;
  readonly branchId: string;
  readonly currency: string;
};

/** Of the ids that `holdIdOf` makes: a UUID of our own, as RFC 9562 section 5.5 asks for. */
const HOLDS = 'a1d4c0de-6f72-4563-8f75-727400000006';

/** The same hold for every repeat of the order that asked for it. */
function holdIdOf(key: string): string {
  return uuidv5(key, HOLDS);
}

/**
 * What the step asks of which hold, which is locked; null when there is nothing to ask. Throws
 * `not-found`, `invalid-state`, `amount-too-high`, `deposit-required`, `damage-open`,
 * `limit-exceeded` and `four-eyes`.
 */
export async function placed(
  tx: Tx,
  gateway: GatewayName,
  order: PaymentOrder,
  rental: RentalFacts,
): Promise<Placed | null> {
  const { key, rentalId, step } = order;
  switch (step.kind) {
    case 'authorise': {
      checkAuthorise(rental.status);
      await checkSandbox(tx, gateway, rental.branchId);
      const { current } = await depositOf(tx, rentalId);
      const asked = { ...step, rentalId, currency: rental.currency, gateway };
      return openHold(tx, holdIdOf(key), { ...asked, replaces: current?.id ?? null });
    }
    case 'renew': {
      const old = await held(tx, rentalId, step.authorisationId);
      if (old.state !== 'open' || old.replacedBy !== null || !isSecured(rental.status)) return null;
      return openHold(tx, holdIdOf(key), { ...old, replaces: old.id });
    }
    case 'increase': {
      const hold = checkOpen(await current(tx, rentalId));
      checkIncrease(hold, step.amountMinor);
      return { holdId: hold.id, amountMinor: step.amountMinor };
    }
    case 'raise': {
      const hold = checkOpen(await current(tx, rentalId));
      if (hold.amountMinor >= step.amountMinor) return null;
      return { holdId: hold.id, amountMinor: step.amountMinor };
    }
    case 'settle': {
      // A no-show who was reinstated before this came: the hold is needed again.
      if (rental.status === 'reserved' || rental.status === 'active') return null;
      const hold = await current(tx, rentalId);
      return hold?.state === 'open' ? settlement(tx, hold) : null;
    }
    case 'capture': {
      const hold = checkOpen(await current(tx, rentalId));
      checkCapture(hold, step.amountMinor);
      return { holdId: hold.id, amountMinor: step.amountMinor };
    }
    case 'release': {
      const { authorisationId } = step;
      const hold = authorisationId
        ? await held(tx, rentalId, authorisationId)
        : checkOpen(await current(tx, rentalId));
      return hold.state === 'open' ? { holdId: hold.id, amountMinor: null } : null;
    }
    case 'refund': {
      const underWay = await holdRental(tx, rentalId);
      const hold = await held(tx, rentalId, step.authorisationId);
      checkRefund(hold, step.amountMinor, await refundableOf(tx, hold));
      const { amountMinor, approvalId, limitMinor } = step;
      const heldMinor = await heldOf(tx, rentalId);
      assertSpare(underWay, { amountMinor, heldMinor });
      await assertNotKept(tx, rentalId, { amountMinor, heldMinor });
      const limits = { amountMinor, approvalId, limitMinor, branchId: rental.branchId };
      const decision = { kind: 'refund', subjectId: rentalId, staffId: order.actor.id } as const;
      await takeFromLimit(tx, { ...decision, ...limits });
      return { holdId: hold.id, amountMinor: step.amountMinor, approvalId };
    }
    case 'prepay':
      return placeCharge(tx, gateway, { ...order, step });
    case 'return-prepaid':
      return placeReturn(tx, { ...order, step });
    case 'pay-back':
      return placePayBack(tx, rental.status, order);
    default:
      // No refusal: it is tried again until a worker has it that knows the step.
      throw new Error(`This worker does not know ${(step satisfies never as PaymentStep).kind}.`);
  }
}

/** Of all that its payer paid for the rental: what became a prepayment is credited first. */
async function refundableOf(tx: Tx, hold: Secured): Promise<number> {
  const customerIds = await securedBy(tx, hold);
  const { rows } = await sql<{ left: number }>`select
    accounting.refundable(${hold.rentalId}, ${[...customerIds]}::uuid[]) as left`.execute(tx);
  return rows[0]?.left ?? 0;
}

/**
 * What the renter owes is taken from the renter's card, and nothing that another payer owes; a damage,
 * and what stays an invoice, was never agreed to be taken so (decisions.md 17). Whoever disputed a payment gets all back: what is owed is asked for by invoice.
 */
async function settlement(tx: Tx, hold: HoldRow): Promise<Placed> {
  const { rentalId, id: holdId } = hold;
  const isDisputed = (await disputeOf(tx, rentalId)) !== undefined;
  const owedMinor = isDisputed ? 0 : await owedInHire(tx, rentalId, await securedBy(tx, hold));
  const amountMinor = Math.min(owedMinor, captureLimit(hold));
  return amountMinor > 0
    ? { holdId, kind: 'capture', amountMinor }
    : { holdId, kind: 'release', amountMinor: null };
}

/** One that is open or was lost; of one hold alone, where it is named. */
export async function disputeOf(
  tx: Tx,
  rentalId: string,
  authorisationId: string | null = null,
): Promise<string | undefined> {
  const { rows } = await sql<{ id: string }>`select id from rentals.dispute
    where rental_id = ${rentalId} and state <> 'won'
      and (${authorisationId}::uuid is null or authorisation_id = ${authorisationId})
    limit 1`.execute(tx);
  return rows[0]?.id;
}

type NewHold = Pick<
  HoldRow,
  'rentalId' | 'payer' | 'gateway' | 'paymentMethod' | 'amountMinor' | 'currency' | 'replaces'
>;

async function openHold(tx: Tx, id: string, hold: NewHold): Promise<Placed> {
  await sql`insert into rentals.authorisation (id, rental_id, payer, gateway, payment_method,
      amount_minor, currency, replaces)
    values (${id}, ${hold.rentalId}, ${hold.payer}, ${hold.gateway}, ${hold.paymentMethod},
      ${hold.amountMinor}, ${hold.currency}, ${hold.replaces})`
    .execute(tx)
    .catch((error: unknown) => {
      throw cardRefusal(error);
    });
  return { holdId: id, amountMinor: hold.amountMinor };
}

async function current(tx: Tx, rentalId: string): Promise<HoldRow | null> {
  const { current: hold } = await depositOf(tx, rentalId);
  return hold && ((await lockHold(tx, hold.id)) ?? null);
}

async function held(tx: Tx, rentalId: string, id: string): Promise<HoldRow> {
  const hold = await lockHold(tx, id);
  // A charge is no hold: its prepayment is what goes back.
  if (hold?.rentalId === rentalId && hold.purpose !== 'prepayment') return hold;
  throw new DomainError('not-found', 'There is no such hold.', { of: 'authorisation' });
}

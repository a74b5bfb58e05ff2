// Orders to the simulated gateway on the real database, for tests of what they do to rows and books.
import type { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { createPaymentActivities } from '../../activities/payments.ts';
import { takeNotice } from '../../db/commands/gateway-notices.ts';
import type { Actor } from '../../domain/actor.ts';
import type { PaymentStep } from '../../domain/payments/deposit.ts';
import type { GatewayNotice, GatewayOrder, GatewayOutcome } from '../../domain/payments/gateway.ts';
import { CARDS, simulatedGateway } from '../../payments/simulated.ts';
import { deliverNotices } from '../../payments/simulated-notices.ts';
import { type TestDatabase, testDatabase } from './database.ts';
import { plantStaff } from './people.ts';
import { rentalDesk } from './rental-desk.ts';
import { attemptRaw } from './waiting.ts';

/** Refused by the constraint or trigger of that name, or `done`. */
type Raw = (statement: ReturnType<typeof sql>) => ReturnType<typeof attemptRaw>;

export type PaymentOrders = Awaited<ReturnType<typeof paymentOrders>>;

/** Call it in `beforeAll`. */
export async function paymentOrders() {
  const t = await testDatabase();
  const rentals = await rentalDesk(t);
  const now = () => new Date().toISOString();
  const gateway = simulatedGateway({ db: t.db, now, secret: SECRET });
  const pay = createPaymentActivities({ db: t.db, gateway });
  const { id } = await plantStaff(t.owner, { roles: ['counter-agent'] });
  const agent: Actor = { kind: 'staff', id };

  async function order(rentalId: string, step: PaymentStep, named: string = uuidv7(), by = pay) {
    const asked = { key: named, rentalId, actor: agent, step };
    const { isAsked, key } = await pay.beginPayment(asked);
    if (!isAsked) return { deposit: await pay.readDeposit({ rentalId }), declined: null };
    const outcome = await by.askGateway({ key }).catch(() => by.askGateway({ key }));
    return pay.settlePayment({ actor: agent, key, outcome });
  }

  /** The gateway's answer reaches nobody: the worker is killed, and the next one orders the same. */
  async function lost(rentalId: string, step: PaymentStep) {
    const key = uuidv7();
    await pay.beginPayment({ key, rentalId, actor: agent, step });
    await pay.askGateway({ key });
    return order(rentalId, step, key);
  }

  /** Where the gateway refuses such orders, and finds what is told. */
  function refusing(kind: GatewayOrder['kind'], found: GatewayOutcome | null = null) {
    const declined = { status: 'declined', code: 'not-now' } as const;
    return createPaymentActivities({
      db: t.db,
      gateway: {
        ...gateway,
        carryOut: (key, asked) =>
          asked.kind === kind ? Promise.resolve(declined) : gateway.carryOut(key, asked),
        find: () => Promise.resolve(found),
      },
    });
  }

  async function authorised(card: string = CARDS.approve, amountMinor = 50_000) {
    const { id: rentalId } = await rentals.reserved();
    const asked = { kind: 'authorise', payer: 'renter', amountMinor, paymentMethod: card } as const;
    const { deposit } = await order(rentalId, asked);
    return { rentalId, holdId: deposit.current?.id ?? '' };
  }

  async function captured(amountMinor = 36_000) {
    const hold = await authorised();
    await order(hold.rentalId, { kind: 'capture', amountMinor });
    return hold;
  }

  const raw: Raw = (statement) => attemptRaw(statement.execute(t.owner));
  const orders = { order, lost, refusing, authorised, captured };
  return { t, rentals, gateway, pay, agent, ...orders, raw, ...telling(t) };
}

const SECRET = 'a secret of the gateway';

function telling({ db }: TestDatabase) {
  const { readNotice } = simulatedGateway({ db, now: () => '', secret: SECRET });
  return {
    secret: SECRET,
    readNotice,
    /** As the gateway sends it, signed, as the test orders it; answers whose deposits have to hear. */
    told: async (arrange: Arrange = (notices) => notices) => {
      const notices: GatewayNotice[] = [];
      await deliverNotices(db, SECRET, async (body, signature) => {
        notices.push(readNotice(body, signature));
        return true;
      });
      const heard: (string | null)[] = [];
      for (const one of arrange(notices)) heard.push(await takeNotice(db, 'simulated', one));
      return heard;
    },
  };
}

export type Arrange = (notices: readonly GatewayNotice[]) => readonly GatewayNotice[];

export function refundOf(authorisationId: string, amountMinor: number, over: object = {}) {
  const limits = { approvalId: null, limitMinor: 5_000 };
  const why = { reason: 'too-much' } as const;
  return { kind: 'refund', authorisationId, amountMinor, ...why, ...limits, ...over } as const;
}

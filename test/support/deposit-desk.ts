// A counter that takes deposits in skipped time: the real database, and the simulated gateway.
import { WithStartWorkflowOperation } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { createPaymentActivities } from '../../activities/payments.ts';
import { takeNotice } from '../../db/commands/gateway-notices.ts';
import type { DepositState } from '../../domain/payments/deposit.ts';
import type { PaymentGateway } from '../../domain/payments/gateway.ts';
import { simulatedGateway } from '../../payments/simulated.ts';
import { depositStartOptions } from '../../temporal-config/starts.ts';
import * as messages from '../../workflows/deposit.messages.ts';
import type { deposit } from '../../workflows/deposit.ts';
import { type TestDatabase, testDatabase } from './database.ts';
import { type RentalDesk, rentalDesk } from './rental-desk.ts';
import { type Desk, envelope, timeSkippingServer, withWorker } from './temporal.ts';

export type DepositCounter = {
  readonly rentalId: string;
  readonly handle: ReturnType<typeof handleOf>;
  readonly authorise: (card: string, amountMinor?: number) => Promise<DepositState>;
  /** That a document came after the return, in another run of the workflow. */
  readonly askedAnew: (invoiceId: string) => Promise<void>;
  /** As another run of the workflow would get it. */
  readonly captureAgain: (command: ReturnType<typeof envelope>) => Promise<DepositState>;
};

export type HoldRow = {
  readonly state: string;
  readonly openedAt: string;
  readonly validUntil: string;
  readonly attention: string | null;
  readonly capturedMinor: number;
  readonly refundedMinor: number;
};

function handleOf({ client }: Desk, rentalId: string) {
  return client.workflow.getHandle<typeof deposit>(`deposit/${rentalId}`);
}

/** Call it in `beforeAll`. */
export async function depositDesk() {
  const t = await testDatabase();
  const env = await timeSkippingServer();
  const rentals = await rentalDesk(t);
  const line = { isDown: false };

  /** Tells the story of one rental's deposit; answers the rental. */
  async function atCounter(
    story: (counter: DepositCounter) => Promise<void>,
    maxHistoryLength = 5_000,
  ): Promise<string> {
    const { id: rentalId } = await rentals.reserved();
    const { connection, nativeConnection } = env;
    const place = { connection, nativeConnection, namespace: 'default' };
    const activities = createPaymentActivities({ db: t.db, gateway: gatewayOf(t, env, line) });
    await withWorker(place, activities, (desk) => {
      const { taskQueue, client } = desk;
      const startWorkflowOperation = () =>
        new WithStartWorkflowOperation<typeof deposit>(
          'deposit',
          depositStartOptions(rentalId, { taskQueue, maxHistoryLength }),
        );
      return story({
        rentalId,
        handle: handleOf(desk, rentalId),
        authorise: (paymentMethod, amountMinor = 50_000) => {
          const command = { payer: 'renter', amountMinor, paymentMethod } as const;
          return client.workflow.executeUpdateWithStart(messages.authorise, {
            args: [envelope(uuidv7(), command)],
            startWorkflowOperation: startWorkflowOperation(),
          });
        },
        askedAnew: async (invoiceId) => {
          const start = depositStartOptions(rentalId, { taskQueue, maxHistoryLength });
          const told = { signal: 'lateChargeAsked', signalArgs: [{ invoiceId }] };
          await client.workflow.signalWithStart('deposit', { ...start, ...told });
        },
        captureAgain: (asked) =>
          client.workflow.executeUpdateWithStart(messages.capture, {
            args: [asked as ReturnType<typeof envelope<messages.Amount>>],
            startWorkflowOperation: startWorkflowOperation(),
          }),
      });
    });
    return rentalId;
  }

  return { t, env, rentals, line, atCounter, ...reading(t) };
}

export type DepositDesk = Awaited<ReturnType<typeof depositDesk>> & {
  readonly rentals: RentalDesk;
};

function gatewayOf(
  { db }: TestDatabase,
  env: TestWorkflowEnvironment,
  line: { readonly isDown: boolean },
): PaymentGateway {
  const now = async () => new Date(Number(await env.currentTimeMs())).toISOString();
  const simulated = simulatedGateway({ db, now, secret: 'test' });
  return {
    ...simulated,
    carryOut: async (key, order) => {
      if (line.isDown) throw new Error('The gateway is down.');
      return simulated.carryOut(key, order);
    },
  };
}

function reading({ db, owner }: TestDatabase) {
  return {
    /** The gateway ends the rental's open hold, and says so. */
    endAtGateway: async (rentalId: string): Promise<void> => {
      const { rows } = await sql<{ ref: string }>`select gateway_ref as ref
        from rentals.authorisation where rental_id = ${rentalId} and state = 'open'`.execute(owner);
      const notice = { id: uuidv7(), type: 'hold-ended', ref: rows[0]?.ref ?? '' } as const;
      await takeNotice(db, 'simulated', notice);
    },
    holds: async (rentalId: string): Promise<readonly HoldRow[]> => {
      const { rows } = await sql<HoldRow>`select state, opened_at as "openedAt", attention,
          valid_until as "validUntil", captured_minor as "capturedMinor",
          refunded_minor as "refundedMinor"
        from rentals.authorisation where rental_id = ${rentalId}
        order by opened_at nulls last, created_at`.execute(owner);
      return rows;
    },
    /** What the gateway's own books say. */
    atGateway: async (rentalId: string) => {
      const { rows } = await sql<{ status: string; capturedMinor: number }>`select status,
          captured_minor as "capturedMinor"
        from simulated_gateway.hold where rental_id = ${rentalId}
        order by capture_before`.execute(owner);
      return rows;
    },
    /** The orders, in the order in which they were given. */
    orders: async (rentalId: string): Promise<readonly string[]> => {
      const { rows } = await sql<{ kind: string }>`select p.kind from rentals.payment_attempt p
        join rentals.authorisation a on a.id = p.authorisation_id
        where a.rental_id = ${rentalId} order by p.created_at`.execute(owner);
      return rows.map(({ kind }) => kind);
    },
  };
}

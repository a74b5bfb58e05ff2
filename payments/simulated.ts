// The simulated gateway: cards with known behaviour, and books of its own that remember each key.
import { sql } from 'kysely';
import { type Db, type Tx, transact } from '../db/client.ts';
import type { GatewayOrder, GatewayOutcome, PaymentGateway } from '../domain/payments/gateway.ts';
import { readSigned } from './notices.ts';
import {
  type DoneOrder,
  deliverNotices,
  keepNotices,
  type SendNotice,
  TELLING_CARDS,
} from './simulated-notices.ts';

/** Every other reference of a card is declined as `unknown-card`. */
export const CARDS = {
  approve: 'sim_approve',
  decline: 'sim_decline',
  /** The holder would have to prove who he is, and is not there. */
  action: 'sim_action',
  /** Its holds last for two hours. */
  expire: 'sim_expire',
  /** Everything is done, and the answer is lost. */
  timeout: 'sim_timeout',
  /** The first asking is lost before anything is done. */
  lost: 'sim_lost',
  /** A second hold of the same rental is declined. */
  renewDeclined: 'sim_renew_declined',
  /** Holds what it was asked for first, and no more. */
  increaseDeclined: 'sim_increase_declined',
  ...TELLING_CARDS,
} as const;

const DAY_MS = 86_400_000;
const VALID_MS = 7 * DAY_MS;
const SHORT_MS = DAY_MS / 12;
const NOBODY = 'system:simulated-gateway';

/** As when the line breaks: the outcome is not known. */
class GatewayTimeout extends Error {
  constructor() {
    super('The simulated gateway did not answer in time.');
    this.name = 'GatewayTimeout';
  }
}

type Settings = {
  readonly db: Db;
  /** The gateway's clock, ISO 8601 in UTC. */
  readonly now: () => string | Promise<string>;
  /** What its notices are signed with. */
  readonly secret: string;
  /** Left out, its notices are kept and not sent. */
  readonly send?: SendNotice | undefined;
};

type HoldRow = {
  readonly ref: string;
  readonly card: string;
  readonly amountMinor: number;
  readonly capturedMinor: number;
  readonly refundedMinor: number;
  readonly status: 'held' | 'captured' | 'released';
  readonly captureBefore: string;
};

export function simulatedGateway({ db, now, secret, send }: Settings): PaymentGateway {
  return {
    name: 'simulated',
    keyMs: Number.MAX_SAFE_INTEGER,

    async carryOut(key, order) {
      const at = await now();
      const answer = await transact(db, 'rentals_rw', NOBODY, async (tx) => {
        const known = await repeated(tx, key);
        if (known !== undefined) return { outcome: known, isLost: false };
        const hold = 'ref' in order ? await lockHold(tx, order.ref) : undefined;
        const card = 'ref' in order ? (hold?.card ?? '') : order.paymentMethod;
        const isLate = card === CARDS.lost && (await isFirstAsking(tx, key, order));
        if (isLate) return { outcome: null, isLost: true };
        const outcome = await decided(tx, key, order, { hold, at });
        await remember(tx, key, order, outcome);
        const told = outcome.status === 'done' ? toldOf(order, outcome.ref) : null;
        if (told !== null) await keepNotices(tx, key, told, card);
        return { outcome, isLost: card === CARDS.timeout };
      });
      // Apart from the answer, which may come before it or after it.
      if (send) void deliverNotices(db, secret, send).catch(() => undefined);
      if (answer.isLost || answer.outcome === null) throw new GatewayTimeout();
      return answer.outcome;
    },

    find: (key) =>
      transact(db, 'rentals_rw', NOBODY, async (tx) => (await repeated(tx, key)) ?? null),

    signatureHeader: 'gateway-signature',
    readNotice: (body, signature) => readSigned(secret, body, signature, Date.now() / 1_000),
  };
}

/** A charge is told as a capture is: money was taken. */
function toldOf(order: GatewayOrder, ref: string): DoneOrder | null {
  if (order.kind === 'authorise' || order.kind === 'increase') return null;
  if (order.kind !== 'charge') return order;
  const { amountMinor, currency } = order;
  return { kind: 'capture', ref, amountMinor, currency };
}

/** The stored answer, which a repetition of the key gets without anything being done. */
async function repeated(tx: Tx, key: string): Promise<GatewayOutcome | undefined> {
  const { rows } = await sql<{ outcome: GatewayOutcome | null }>`
    update simulated_gateway.operation set asked = asked + 1
    where id = ${key} and outcome <> 'null'::jsonb returning outcome`.execute(tx);
  return rows[0]?.outcome ?? undefined;
}

async function isFirstAsking(tx: Tx, key: string, { kind }: GatewayOrder): Promise<boolean> {
  const { rows } = await sql`insert into simulated_gateway.operation (id, kind, outcome)
    values (${key}, ${kind}, 'null') on conflict (id) do nothing returning id`.execute(tx);
  return rows.length > 0;
}

async function remember(
  tx: Tx,
  key: string,
  order: GatewayOrder,
  outcome: GatewayOutcome,
): Promise<void> {
  const ref = outcome.status === 'done' ? outcome.ref : null;
  const amount = order.kind === 'release' ? null : order.amountMinor;
  await sql`insert into simulated_gateway.operation (id, kind, ref, amount_minor, outcome)
    values (${key}, ${order.kind}, ${ref}, ${amount}, ${JSON.stringify(outcome)})
    on conflict (id) do update set ref = excluded.ref, amount_minor = excluded.amount_minor,
      outcome = excluded.outcome`.execute(tx);
}

type Facts = { readonly hold: HoldRow | undefined; readonly at: string };

async function decided(
  tx: Tx,
  key: string,
  order: GatewayOrder,
  { hold, at }: Facts,
): Promise<GatewayOutcome> {
  if (order.kind === 'authorise') return authorise(tx, key, order, at);
  if (order.kind === 'charge') return charge(tx, key, order, at);
  if (hold === undefined) return declined('unknown-hold');
  switch (order.kind) {
    case 'increase': {
      if (!isHeld(hold, at)) return declined('hold-ended');
      if (hold.card === CARDS.increaseDeclined) return declined('insufficient-funds');
      await change(tx, hold, { amountMinor: order.amountMinor });
      return done(hold.ref, { validUntil: hold.captureBefore });
    }
    case 'capture': {
      if (!isHeld(hold, at)) return declined('hold-ended');
      if (order.amountMinor > hold.amountMinor) return declined('amount-too-large');
      await change(tx, hold, { capturedMinor: order.amountMinor, status: 'captured' });
      return done(hold.ref);
    }
    case 'release': {
      if (hold.status === 'captured') return declined('already-captured');
      await change(tx, hold, { status: 'released' });
      return done(hold.ref);
    }
    case 'refund': {
      const refundedMinor = hold.refundedMinor + order.amountMinor;
      if (refundedMinor > hold.capturedMinor) return declined('amount-too-large');
      await change(tx, hold, { refundedMinor });
      return done(hold.ref);
    }
    default:
      return order satisfies never;
  }
}

async function authorise(
  tx: Tx,
  key: string,
  order: Extract<GatewayOrder, { kind: 'authorise' }>,
  at: string,
): Promise<GatewayOutcome> {
  const { paymentMethod: card, rentalId, amountMinor, currency } = order;
  const refusal = refusalOf(card);
  if (refusal !== null) return refusal;
  const { rows: earlier } = await sql`select from simulated_gateway.hold
    where rental_id = ${rentalId}`.execute(tx);
  if (card === CARDS.renewDeclined && earlier.length > 0) return declined('insufficient-funds');
  const ref = `sim_${key}`;
  const validMs = card === CARDS.expire ? SHORT_MS : VALID_MS;
  const validUntil = new Date(Date.parse(at) + validMs).toISOString();
  await sql`insert into simulated_gateway.hold
      (ref, card, rental_id, amount_minor, currency, capture_before)
    values (${ref}, ${card}, ${rentalId}, ${amountMinor}, ${currency}, ${validUntil})`.execute(tx);
  return done(ref, { heldAt: at, validUntil });
}

async function charge(
  tx: Tx,
  key: string,
  order: Extract<GatewayOrder, { kind: 'charge' }>,
  at: string,
): Promise<GatewayOutcome> {
  const { paymentMethod: card, rentalId, amountMinor, currency } = order;
  const refusal = refusalOf(card);
  if (refusal !== null) return refusal;
  const ref = `sim_${key}`;
  await sql`insert into simulated_gateway.hold (ref, card, rental_id, amount_minor, captured_minor,
      currency, status, capture_before)
    values (${ref}, ${card}, ${rentalId}, ${amountMinor}, ${amountMinor}, ${currency}, 'captured',
      ${at})`.execute(tx);
  return done(ref);
}

function refusalOf(card: string): GatewayOutcome | null {
  if (!(Object.values(CARDS) as readonly string[]).includes(card)) return declined('unknown-card');
  if (card === CARDS.decline) return declined('insufficient-funds');
  return card === CARDS.action ? declined('authentication-required') : null;
}

function isHeld({ status, captureBefore }: HoldRow, at: string): boolean {
  return status === 'held' && Date.parse(at) < Date.parse(captureBefore);
}

async function lockHold(tx: Tx, ref: string): Promise<HoldRow | undefined> {
  const { rows } = await sql<HoldRow>`select ref, card, amount_minor as "amountMinor",
      captured_minor as "capturedMinor", refunded_minor as "refundedMinor", status,
      capture_before as "captureBefore"
    from simulated_gateway.hold where ref = ${ref} for update`.execute(tx);
  return rows[0];
}

async function change(tx: Tx, hold: HoldRow, to: Partial<HoldRow>): Promise<void> {
  const now = { ...hold, ...to };
  await sql`update simulated_gateway.hold set amount_minor = ${now.amountMinor},
      captured_minor = ${now.capturedMinor}, refunded_minor = ${now.refundedMinor},
      status = ${now.status}
    where ref = ${hold.ref}`.execute(tx);
}

function declined(code: string): GatewayOutcome {
  return { status: 'declined', code };
}

function done(
  ref: string,
  { heldAt = null, validUntil = null }: { heldAt?: string | null; validUntil?: string | null } = {},
): GatewayOutcome {
  return { status: 'done', ref, heldAt, validUntil, overcapturePercent: 0 };
}

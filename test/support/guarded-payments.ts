// Rows of deposits, orders and disputes: what is right, and what each guard refuses of it.
import { type RawBuilder, sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import type { Tx } from '../../db/client.ts';

type Row = Readonly<Record<string, unknown>>;
export type PaymentTable = 'authorisation' | 'payment_attempt' | 'dispute';

const [HOLD, DISPUTE, SOMETHING] = [uuidv7(), uuidv7(), uuidv7()];
const [DAY, LATER] = ['2026-05-01T00:00:00Z', '2026-05-08T00:00:00Z'];

/** An open hold of 500.00, an order to capture 10.00 of it, and a dispute over that. */
function rowOf(table: PaymentTable, rentalId: string): Row {
  const made = { version: 1, created_at: DAY };
  switch (table) {
    case 'authorisation':
      return {
        ...{ id: HOLD, rental_id: rentalId, purpose: 'deposit', payer: 'renter', state: 'open' },
        ...{ gateway: 'simulated', gateway_ref: 'g-1', payment_method: 'card', currency: 'EUR' },
        ...{ amount_minor: 50_000, captured_minor: 0, refunded_minor: 0, opened_at: DAY },
        ...{ overcapture_percent: 0, valid_until: LATER, ...made },
      };
    case 'payment_attempt':
      return {
        ...{ id: 'o-1', authorisation_id: HOLD, kind: 'capture', amount_minor: 1_000 },
        ...{ state: 'unknown', asked: 0, created_at: DAY },
      };
    case 'dispute':
      return {
        ...{ id: DISPUTE, rental_id: rentalId, authorisation_id: HOLD, gateway: 'simulated' },
        ...{ gateway_ref: 'd-1', amount_minor: 1_000, fee_minor: 0, currency: 'EUR' },
        ...{ state: 'open', opened_at: DAY, opened_entry_id: SOMETHING, version: 1 },
      };
    default:
      return table satisfies never;
  }
}

export async function plantPayment(
  tx: Tx,
  rentalId: string,
  table: PaymentTable,
  over: Row = {},
): Promise<void> {
  const name = sql.id('rentals', table);
  await sql`insert into ${name} select * from jsonb_populate_record(null::${name},
    ${JSON.stringify({ ...rowOf(table, rentalId), ...over })}::jsonb)`.execute(tx);
}

export function changePayment(tx: Tx, table: PaymentTable, to: Row): Promise<unknown> {
  const id = { authorisation: HOLD, payment_attempt: 'o-1', dispute: DISPUTE }[table];
  const columns = Object.entries(to).map(([k, v]) => sql`${sql.id(k)} = ${v}`);
  return sql`update ${sql.id('rentals', table)} set ${sql.join(columns)} where id = ${id}`.execute(
    tx,
  );
}

export type GuardCase = {
  readonly guard: string;
  readonly by: 'constraint' | 'index' | 'trigger';
  readonly table: PaymentTable;
  /** There before it, besides the hold. */
  readonly after?: readonly PaymentTable[];
  readonly insert?: Row;
  readonly update?: Row;
};

const CAPTURED = { state: 'captured', captured_minor: 1_000 };
const OTHER = { id: uuidv7(), gateway_ref: 'g-2' };

export const PAYMENT_GUARDS: readonly GuardCase[] = [
  ...Object.entries({
    authorisation_keeps_no_card: { payment_method: '4242 4242 4242 4242' },
    authorisation_captures_what_it_holds: { ...CAPTURED, captured_minor: 50_001 },
    authorisation_refunds_what_was_taken: { ...CAPTURED, refunded_minor: 1_001 },
    authorisation_captured_means_taken: { state: 'captured' },
    authorisation_known: { valid_until: null },
    authorisation_declined_why: { decline_code: 'x' },
    authorisation_charged_whole: { purpose: 'prepayment', ...CAPTURED, valid_until: null },
  }).map(([guard, insert]) => onHold(guard, insert)),
  ...of('authorisation', 'index', { authorisation_one_open: OTHER }, ['authorisation']),
  ...of(
    'authorisation',
    'constraint',
    { authorisation_gateway_gateway_ref_key: { id: OTHER.id, state: 'released' } },
    ['authorisation'],
  ),
  ...of(
    'payment_attempt',
    'constraint',
    {
      payment_attempt_amount: { kind: 'release' },
      payment_attempt_settled: { settled_at: DAY },
      payment_attempt_declined_why: { decline_code: 'x' },
      payment_attempt_posted: { entry_id: SOMETHING },
      payment_attempt_charge_taxed: { taxes: [] },
      payment_attempt_approved: { approval_id: SOMETHING },
    },
    ['authorisation'],
  ),
  ...of('payment_attempt', 'index', { payment_attempt_one_unknown: { id: 'o-2' } }, [
    ...(['authorisation', 'payment_attempt'] as const),
  ]),
  ...of('payment_attempt', 'trigger', { payment_attempt_allowed: { amount_minor: 50_001 } }, [
    'authorisation',
  ]),
  ...of('payment_attempt', 'trigger', { payment_attempt_undisputed: {} }, [
    ...(['authorisation', 'dispute'] as const),
  ]),
  ...of(
    'dispute',
    'constraint',
    {
      dispute_closed: { closed_at: DAY },
      dispute_posted: { ended_entry_id: SOMETHING },
      dispute_four_eyes: { approval_id: SOMETHING },
    },
    ['authorisation'],
  ),
  ...of(
    'dispute',
    'constraint',
    { dispute_gateway_gateway_ref_key: { id: uuidv7(), opened_entry_id: HOLD } },
    ['authorisation', 'dispute'],
  ),
  ...changes('authorisation', ['authorisation'], { state: 'expired' }),
  ...changes('payment_attempt', ['authorisation', 'payment_attempt'], { amount_minor: 2_000 }),
  ...changes('dispute', ['authorisation', 'dispute'], { amount_minor: 999, version: 2 }),
];

function onHold(guard: string, insert: Row): GuardCase {
  return { guard, by: 'constraint', table: 'authorisation', insert };
}

function of(
  table: PaymentTable,
  by: GuardCase['by'],
  cases: Readonly<Record<string, Row>>,
  after: readonly PaymentTable[],
): readonly GuardCase[] {
  return Object.entries(cases).map(([guard, insert]) => ({ guard, by, table, after, insert }));
}

function changes(
  table: PaymentTable,
  after: readonly PaymentTable[],
  update: Row,
): readonly GuardCase[] {
  return [{ guard: `${table}_transition`, by: 'trigger', table, after, update }];
}

/** What takes the guard away. */
export function without({ guard, by, table }: GuardCase): RawBuilder<unknown> {
  const name = sql.id('rentals', table);
  if (by === 'index') return sql`drop index ${sql.id('rentals', guard)}`;
  return by === 'trigger'
    ? sql`alter table ${name} disable trigger ${sql.id(guard)}`
    : sql`alter table ${name} drop constraint ${sql.id(guard)}`;
}

// What the tables of cash refuse by themselves: each guard, what it refuses, and how it is taken away.
import { type RawBuilder, sql } from 'kysely';

export type GuardCase = readonly [guard: string, attempt: RawBuilder<unknown>, without: string];

/** A closed shift, an open one with a drop and a payment in cash on the invoice, and a bag. */
export type CashRows = {
  readonly closedId: string;
  readonly openId: string;
  readonly paymentId: string;
  readonly invoiceId: string;
  readonly transitId: string;
};

type Columns = Readonly<Record<string, RawBuilder<unknown>>>;

export function cashGuards(rows: CashRows): readonly GuardCase[] {
  return [...drawerGuards(rows), ...tenderGuards(rows)];
}

/** The entry of the invoice, which moved no cash, and that of the drop, which did. */
function entriesOf({ openId, invoiceId }: CashRows) {
  return {
    bare: sql`(select entry_id from accounting.invoice where id = ${invoiceId})`,
    drop: sql`(select entry_id from accounting.cash_movement where shift_id = ${openId}
      and kind = 'drop')`,
  };
}

function drawerGuards(rows: CashRows): readonly GuardCase[] {
  const { closedId, openId, transitId } = rows;
  const { bare } = entriesOf(rows);
  const move = (shiftId: string) => sql`insert into accounting.cash_movement
    (shift_id, kind, amount_minor, entry_id) values (${shiftId}, 'payment', 1, ${bare})`;
  const shift = (id: string, to: RawBuilder<unknown>) => sql`update accounting.drawer_shift
    set version = version + 1, ${to} where id = ${id}`;
  return [
    [
      'open_item_never_over_applied',
      sql`update accounting.open_item set settled_minor = due_minor + 1`,
      'open_item drop constraint open_item_never_over_applied',
    ],
    [
      'drawer_shift_one_open',
      sql`insert into accounting.drawer_shift (id, entity_id, branch_id, drawer, currency, day,
          float_minor)
        select uuidv7(), entity_id, branch_id, drawer, currency, day, 0
        from accounting.drawer_shift where id = ${openId}`,
      'INDEX drawer_shift_one_open',
    ],
    [
      'drawer_shift_transition',
      shift(openId, sql`float_minor = 7`),
      'drawer_shift disable trigger drawer_shift_transition',
    ],
    [
      'drawer_shift_four_eyes',
      shift(closedId, sql`state = 'verified', verified_by = counted_by, verified_at = now()`),
      'drawer_shift drop constraint drawer_shift_four_eyes',
    ],
    ['cash_as_posted', move(openId), 'cash_movement disable trigger cash_in_open_shift'],
    ['cash_in_open_shift', move(closedId), 'cash_movement disable trigger cash_in_open_shift'],
    [
      'branch_safe_never_below_zero',
      sql`update accounting.branch_safe set amount_minor = -1`,
      'branch_safe drop constraint branch_safe_never_below_zero',
    ],
    [
      'money_on_account_never_overdrawn',
      sql`insert into accounting.money_on_account (entity_id, customer_id, amount_minor)
        values ('FC-AT', uuidv7(), -1)`,
      'money_on_account drop constraint money_on_account_never_overdrawn',
    ],
    [
      'cash_in_transit_four_eyes',
      sql`update accounting.cash_in_transit set state = 'matched', statement = 's',
        matched_entry_id = ${bare}, matched_by = sent_by, matched_at = now()
        where id = ${transitId}`,
      'cash_in_transit drop constraint cash_in_transit_four_eyes',
    ],
    [
      'accounting.cash_movement is never changed: correct it by a reversal.',
      sql`update accounting.cash_movement set amount_minor = 1`,
      'cash_movement disable trigger refuse_change',
    ],
    [
      'accounting.application is never changed: correct it by a reversal.',
      sql`delete from accounting.application`,
      'application disable trigger refuse_change',
    ],
  ];
}

function tenderGuards(rows: CashRows): readonly GuardCase[] {
  const { openId, paymentId } = rows;
  const { bare, drop } = entriesOf(rows);
  /** Another payment like that one; its entry is the drop's, which moved cash. */
  const paid = (over: Columns): RawBuilder<unknown> => {
    const columns: Columns = {
      ...{ shift_id: sql`shift_id`, entry_id: drop, amount_minor: sql`amount_minor` },
      ...over,
    };
    return sql`insert into accounting.payment (id, entity_id, branch_id, customer_id, invoice_id,
        purpose, tender, currency, unapplied_minor, rounding_minor, applied_minor,
        ${sql.join(Object.keys(columns).map((column) => sql.id(column)))})
      select uuidv7(), entity_id, branch_id, customer_id, invoice_id, purpose, tender, currency, 0,
        0, ${columns['amount_minor']}, ${sql.join(Object.values(columns))}
      from accounting.payment where id = ${paymentId}`;
  };
  const refund = (tender: string, amountMinor: number) => sql`
    insert into accounting.payment_refund (id, payment_id, tender, amount_minor,
      from_account_minor, reason, shift_id, entry_id)
    values (uuidv7(), ${paymentId}, ${tender}, ${amountMinor}::bigint, 0, 'r',
      ${tender === 'cash' ? openId : null}, ${drop})`;
  return [
    [
      'payment_names_its_shift',
      paid({ shift_id: sql`null::uuid` }),
      'payment drop constraint payment_names_its_shift',
    ],
    [
      'payment_cash_entry_id_fkey',
      paid({ entry_id: bare }),
      'payment drop constraint payment_cash_entry_id_fkey',
    ],
    [
      'payment_within_cash_limit',
      paid({ amount_minor: sql`1000000::bigint` }),
      'payment disable trigger admit_payment',
    ],
    [
      'payment_refunded_within',
      sql`update accounting.payment set refunded_minor = amount_minor + 1`,
      'payment drop constraint payment_refunded_within',
    ],
    ['refund_in_its_tender', refund('card', 100), 'payment_refund disable trigger admit_refund'],
    [
      'refund_in_cash_is_small',
      refund('cash', 10_001),
      'payment_refund disable trigger admit_refund',
    ],
  ];
}

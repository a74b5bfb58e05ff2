// Rows of tolls and fines that are wrong in one thing, by the guard that refuses it.
import { type Kysely, type RawBuilder, sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import type { DB } from '../../db/schema.ts';
import { SECOND } from './violations.ts';

const LETTER = 'a'.repeat(64);
const CHARGED = { passed_on_minor: 6_000, toll_minor: 0, fee_minor: 0, vat_minor: 0 };
const INVOICED = { invoice_id: uuidv7(), invoice_number: 'INV-1', collect_by: 'invoice' };
const DONE = { status: 'settled', settlement: 'recharge', settled_at: SECOND.back };
export const SETTLED = { ...DONE, ...CHARGED, ...INVOICED };
const FREE = { invoice_id: null, invoice_number: null, collect_by: null, passed_on_minor: 0 };
const NOBODY = {
  ...{ vehicle_id: null, rental_id: null, customer_id: null, branch_id: null, entity_id: null },
};
/** By the guard: what it refuses of a row that is right. */
export const CASES: Readonly<Record<string, object>> = {
  violation_notice_once: { place: 'elsewhere', notice_number: 'GUARD-0' },
  violation_seen_once: { place: 'G 0', notice_number: 'GUARD-1' },
  violation_queued_why: { ...NOBODY, status: 'queued' },
  violation_doubtful_is_assigned: { queue_reason: 'no-rental' },
  violation_rental_whole: { branch_id: null },
  violation_charged_has_rental: NOBODY,
  violation_queued_has_none: { status: 'queued', queue_reason: 'no-rental' },
  violation_dismissed_why: { status: 'dismissed' },
  violation_settled_whole: { ...SETTLED, settled_at: null },
  violation_invoiced: { ...SETTLED, ...FREE, passed_on_minor: 6_000 },
  violation_invoice_whole: { ...SETTLED, collect_by: null },
  violation_nominated_is_fine: {
    ...{ ...SETTLED, ...FREE, kind: 'toll', settlement: 'nominate', letter_sha256: LETTER },
  },
  violation_charged_its_amount: { ...SETTLED, passed_on_minor: 5_999 },
  violation_fine_is_no_revenue: { ...SETTLED, passed_on_minor: 0, toll_minor: 6_000 },
  violation_nominated_by_letter: { ...SETTLED, letter_sha256: LETTER },
  violation_kind_check: { kind: 'parking' },
  violation_amount_minor_check: { amount_minor: 0 },
  violation_check: { or_at: SECOND.out.replace('2026', '2020') },
  violation_plate_key_check: { plate: ' - ' },
  violation_place_key_check: { place: ' ' },
  violation_authority_key_check: { authority: ' ' },
  violation_notice_key_check: { notice_number: ' ' },
};
/** By the trigger, which looks at what is in other rows or was before. */
export const STEPS: Readonly<Record<string, object>> = {
  violation_begins: SETTLED,
  violation_rental_had_it: { at: SECOND.out },
};

const DONE_TRYING = Symbol('done');

/**
 * Inserts a right row with something `over` it as the owner, whom no right stops: what it is refused with, then without the guard.
 * `isChecked`: the guard is no trigger, and triggers are out of its way. Nothing of it stays.
 */
export async function triedWithout(
  owner: Kysely<DB>,
  { right, over }: { readonly right: Readonly<Record<string, unknown>>; readonly over: object },
  without: RawBuilder<unknown>,
  isChecked: boolean,
): Promise<readonly string[]> {
  const said: string[] = [];
  const row = { ...right, id: uuidv7(), place: uuidv7(), notice_number: uuidv7(), ...over };
  const trial = owner.transaction().execute(async (tx) => {
    if (isChecked) await sql`alter table rentals.violation disable trigger user`.execute(tx);
    for (const removal of [null, without]) {
      await sql`savepoint trial`.execute(tx);
      if (removal !== null) await removal.execute(tx);
      said.push(
        await insert(row)
          .execute(tx)
          .then(
            () => 'accepted',
            (error: { constraint?: string; message: string }) => error.constraint ?? error.message,
          ),
      );
      await sql`rollback to savepoint trial`.execute(tx);
    }
    throw DONE_TRYING;
  });
  await trial.catch((error: unknown) => {
    if (error !== DONE_TRYING) throw error;
  });
  return said;
}

function insert(row: Readonly<Record<string, unknown>>) {
  const names = Object.keys(row).filter((name) => !name.endsWith('_key'));
  const columns = sql.join(names.map((name) => sql.id(name)));
  return sql`insert into rentals.violation (${columns}) select ${columns}
    from jsonb_populate_record(null::rentals.violation, ${JSON.stringify(row)}::jsonb)`;
}

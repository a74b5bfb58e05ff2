// Reads of notifications: lists for people, and what a letter says at the moment of sending.
import { sql } from 'kysely';
import type { NotificationKind, NotificationState, Standing } from '../../domain/notification.ts';
import type { Quote } from '../../domain/pricing.ts';
import type { RentalStatus } from '../../domain/rental.ts';
import { rentersPrice } from '../../domain/voucher.ts';
import { type Acting, type Db, type Tx, transact } from '../client.ts';
import type { NotificationRow } from '../commands/notifications.ts';
import { payerSharesOf } from '../commands/payer-documents.ts';
import { type Page, type PageRequest, paged } from './page.ts';

const READER = 'system:notifications';

export type NotificationFilter = PageRequest & {
  readonly rentalId?: string | undefined;
  readonly state?: NotificationState | undefined;
  readonly kind?: NotificationKind | undefined;
};

/** In the order in which the facts arrived. */
export function listNotifications(
  db: Db,
  acting: Acting,
  { rentalId, state, kind, after, limit }: NotificationFilter,
): Promise<Page<NotificationRow>> {
  return transact(db, 'api_read', acting, async (tx) => {
    const wanted = [
      sql<boolean>`true`,
      ...(rentalId === undefined ? [] : [sql<boolean>`rental_id = ${rentalId}`]),
      ...(state === undefined ? [] : [sql<boolean>`state = ${state}`]),
      ...(kind === undefined ? [] : [sql<boolean>`kind = ${kind}`]),
      ...(after === undefined ? [] : [sql<boolean>`id > ${after}`]),
    ];
    const { rows } = await sql<NotificationRow>`select * from rentals.notification
      where ${sql.join(wanted, sql` and `)} order by id limit ${limit + 1}`.execute(tx);
    return paged(rows, limit);
  });
}

type Money = { readonly minor: number; readonly currency: string };

/** Whom a letter goes to and what it says; personal, so it leaves the process in a letter only. */
export type LetterData = {
  readonly email: string | null;
  readonly isErased: boolean;
  readonly language: string;
  readonly optOuts: readonly string[];
  readonly status: RentalStatus;
  readonly overdue: boolean;
  readonly customer: string;
  readonly number: string;
  readonly class: string;
  readonly pickUpAt: string;
  readonly pickUpBranch: string;
  readonly pickUpZone: string;
  readonly dueAt: string;
  readonly returnBranch: string;
  readonly returnZone: string;
  readonly total: Money;
  readonly invoice: string | null;
  readonly invoiceTotal: Money | null;
  readonly hold: Money | null;
  readonly holdUntil: string | null;
  readonly vehicle: string | null;
  readonly plate: string | null;
  readonly recall: string | null;
} & Omit<Standing, 'status' | 'overdue' | 'occasion' | 'dueAt'>;

/**
 * Undefined when there is no such rental. An invoice goes to its own customer, the rest to the
 * rental's; of a duplicate to the record that stands.
 */
export function letterData(
  db: Db,
  { rental_id: rentalId, subject_id: subjectId }: NotificationRow,
): Promise<LetterData | undefined> {
  return transact(db, 'api_read', READER, async (tx) => {
    const { rows } = await sql<LetterData>`select k.email, k.language, k.opt_outs as "optOuts",
        k.contacts_erased_at is not null as "isErased", k.name as customer,
        r.number, r.status, r.overdue, c.name as class,
        r.pick_up_at as "pickUpAt", o.name as "pickUpBranch",
        o.time_zone as "pickUpZone",
        r.due_at as "dueAt", b.name as "returnBranch", b.time_zone as "returnZone",
        ${money('r.total_minor', 'r.currency')} as total,
        i.number as invoice, ${money('i.total_minor', 'i.currency')} as "invoiceTotal",
        ${money('a.amount_minor', 'a.currency')} as hold, a.valid_until as "holdUntil",
        a.state as "holdState", a.replaced_by is not null as "isHoldReplaced",
        v.make || ' ' || v.model as vehicle, v.plate, w.title as recall,
        coalesce(r.status = 'active' and r.vehicle_id = n.vehicle_id, false) as "hasRecalled"
      from rentals.rental r
      join vehicles.branch o on o.id = r.branch_id
      join vehicles.branch b on b.id = r.return_branch_id
      join vehicles.class c on c.id = r.class_id
      left join accounting.invoice i on i.id = ${subjectId} and i.rental_id = r.id
      left join rentals.authorisation a on a.id = ${subjectId} and a.rental_id = r.id
        and a.purpose = 'deposit'
      left join vehicles.recall w on w.id = ${subjectId}
      left join vehicles.recall_notice n on n.recall_id = w.id and n.rental_id = r.id
      left join vehicles.vehicle v on v.id = n.vehicle_id
      join rentals.customer d on d.id = coalesce(i.customer_id, r.customer_id)
      join rentals.customer k on k.id = coalesce(d.merged_into, d.id)
      where r.id = ${rentalId}`.execute(tx);
    const [data] = rows;
    const total = data && (await rentersTotal(tx, rentalId));
    return total ? { ...data, total } : data;
  });
}

/** Undefined where no voucher pays a part. */
async function rentersTotal(tx: Tx, rentalId: string): Promise<Money | undefined> {
  const shares = await payerSharesOf(tx, rentalId);
  if (!shares.some(({ kind }) => kind === 'voucher')) return undefined;
  const { price } = await tx
    .selectFrom('rentals.rental')
    .select('price')
    .where('id', '=', rentalId)
    .executeTakeFirstOrThrow();
  const { totalMinor: minor, currency } = rentersPrice(price as unknown as Quote, shares);
  return { minor, currency };
}

function money(minor: string, currency: string) {
  return sql`case when ${sql.ref(minor)} is not null
    then jsonb_build_object('minor', ${sql.ref(minor)}, 'currency', ${sql.ref(currency)}) end`;
}

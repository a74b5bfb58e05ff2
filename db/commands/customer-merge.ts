// Merging two records of one customer: the duplicate leads to the survivor, and nothing of it is lost.
import { sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import { type Acting, type Db, type Tx, transact } from '../client.ts';
import { publish } from '../outbox.ts';
import { recordAudit } from './audit.ts';
import { type CustomerRow, recordUpdate } from './customers.ts';

export type Merge = { readonly survivorId: string; readonly duplicateId: string };

/**
 * Rentals and invoices keep the duplicate's id; blocks, contacts and what others pay through it move
 * to the survivor, who also takes over address, payer and credit where there was none, and wants
 * none of the letters that either declined. A licence does not move: it is sealed for its own row. Answers the survivor; a repeat changes nothing. Throws
 * `not-found`, `customer-merged` when either was merged elsewhere, `invalid-state` for one that was
 * erased, and for a person with a company.
 */
export function mergeCustomers(
  db: Db,
  acting: Acting,
  { survivorId, duplicateId }: Merge,
): Promise<CustomerRow> {
  return transact(db, 'rentals_rw', acting, async (tx) => {
    const { survivor, duplicate } = await lockBoth(tx, survivorId, duplicateId);
    if (duplicate.merged_into === survivor.id) return survivor;
    refuseUnlike(survivor, duplicate);
    await lead(tx, survivor, duplicate);
    await moveWhatNamesIt(tx, survivorId, duplicateId);
    const { rows } = await sql<CustomerRow>`update rentals.customer s
      set email = coalesce(s.email, d.email), phone = coalesce(s.phone, d.phone),
        tax_id = coalesce(s.tax_id, d.tax_id),
        payer_id = coalesce(nullif(s.payer_id, d.id), nullif(d.payer_id, s.id)),
        credit_limit_minor = case when s.credit_currency is null then d.credit_limit_minor
          else s.credit_limit_minor end,
        credit_currency = coalesce(s.credit_currency, d.credit_currency),
        payment_terms_days = coalesce(s.payment_terms_days, d.payment_terms_days),
        opt_outs = array(select distinct unnest(s.opt_outs || d.opt_outs) order by 1),
        version = s.version + 1
      from rentals.customer d
      where s.id = ${survivorId} and d.id = ${duplicateId} returning s.*`.execute(tx);
    const merged = rows[0] as CustomerRow;
    await recordUpdate(tx, merged, 'customer.take-over', { duplicateId });
    return merged;
  });
}

/** In the order of ids, so that two merges of one pair queue. */
async function lockBoth(tx: Tx, survivorId: string, duplicateId: string) {
  const { rows } = await sql<CustomerRow>`select * from rentals.customer
    where id in (${survivorId}, ${duplicateId}) order by id for update`.execute(tx);
  const survivor = rows.find(({ id }) => id === survivorId);
  const duplicate = rows.find(({ id }) => id === duplicateId);
  if (survivor === undefined || duplicate === undefined) {
    const of = survivor === undefined ? {} : { of: 'duplicate' };
    throw new DomainError('not-found', 'There is no such customer.', of);
  }
  return { survivor, duplicate };
}

function refuseUnlike(survivor: CustomerRow, duplicate: CustomerRow): void {
  for (const { id, merged_into: survivorId } of [survivor, duplicate]) {
    if (survivorId === null) continue;
    throw new DomainError('customer-merged', 'One of them was merged into another already.', {
      customerId: id,
      survivorId,
    });
  }
  const erased = survivor.contacts_erased_at !== null || duplicate.contacts_erased_at !== null;
  const isAlike = survivor.kind === duplicate.kind && survivor.is_sandbox === duplicate.is_sandbox;
  if (survivor.id !== duplicate.id && isAlike && !erased) return;
  throw new DomainError('invalid-state', 'Only two records of one kind that are kept can merge.', {
    kind: survivor.kind,
    duplicateKind: duplicate.kind,
  });
}

/** What was merged into the duplicate before leads to the survivor first: always one step. */
async function lead(tx: Tx, survivor: CustomerRow, duplicate: CustomerRow): Promise<void> {
  for (const by of [sql`merged_into = ${duplicate.id}`, sql`id = ${duplicate.id}`]) {
    const { rows } = await sql<CustomerRow>`update rentals.customer
      set merged_into = ${survivor.id}, version = version + 1
      where ${by} returning *`.execute(tx);
    for (const { id, version } of rows) {
      await publish(tx, {
        type: 'forecourt.customer.merged.v1',
        aggregateId: id,
        sequence: version,
        data: { customerId: id, survivorId: survivor.id },
      });
      const subject = { subjectType: 'customer', subjectId: id } as const;
      const after = { survivorId: survivor.id };
      await recordAudit(tx, { action: 'customer.merge', ...subject, after });
    }
  }
}

async function moveWhatNamesIt(tx: Tx, survivor: string, duplicate: string): Promise<void> {
  await sql`update rentals.customer_block set customer_id = ${survivor}, version = version + 1
    where customer_id = ${duplicate}`.execute(tx);
  for (const [own, other] of [
    ['company_id', 'person_id'],
    ['person_id', 'company_id'],
  ] as const) {
    const [key, kept] = [sql.id(own), sql.id(other)];
    await sql`insert into rentals.company_contact (${key}, ${kept}, function)
      select ${survivor}, ${kept}, function from rentals.company_contact
      where ${key} = ${duplicate} and ended_at is null
      on conflict (company_id, person_id) do update
        set function = excluded.function, ended_at = null
        where company_contact.ended_at is not null`.execute(tx);
    await sql`update rentals.company_contact set ended_at = now()
      where ${key} = ${duplicate} and ended_at is null`.execute(tx);
  }
  const { rows } = await sql<CustomerRow>`update rentals.customer
    set payer_id = ${survivor}, version = version + 1
    where payer_id = ${duplicate} and id <> ${survivor} returning *`.execute(tx);
  for (const row of rows) await recordUpdate(tx, row, 'customer.update', { fields: ['payerId'] });
}

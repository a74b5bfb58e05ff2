// What else says something of an erased person: free text that others wrote, signatures, documents.
import { sql } from 'kysely';
import { ERASED } from '../../domain/erasure.ts';
import type { Tx } from '../client.ts';
import { noteFileRemovals } from './file-removals.ts';

/** With the contacts: reasons that people gave about them, and what was made of their details. */
export async function eraseReasons(tx: Tx, customerIds: readonly string[]): Promise<void> {
  const ids = sql`any (${[...customerIds]}::uuid[])`;
  const rentals = sql`(select id from rentals.rental where customer_id = ${ids})`;
  await sql`update rentals.rental_driver set override_reason = ${ERASED}, version = version + 1
    where customer_id = ${ids} and override_reason <> ${ERASED}`.execute(tx);
  await sql`update rentals.violation set dismiss_reason = ${ERASED}, version = version + 1
    where customer_id = ${ids} and dismiss_reason <> ${ERASED}`.execute(tx);
  for (const table of ['rentals.booking_override', 'rentals.drop_override']) {
    await sql`update ${sql.table(table)} set reason = ${ERASED}
      where rental_id in ${rentals}`.execute(tx);
  }
  await sql`delete from rentals.flight where rental_id in ${rentals}`.execute(tx);
  // Of a name and a term it can be guessed; a partner who asks again is told of another booking.
  await sql`update rentals.partner_booking set request_hash = sha256(gen_random_uuid()::text::bytea)
    where customer_id = ${ids}`.execute(tx);
  await sql`select vehicles.forget_rentals(array${rentals})`.execute(tx);
  const subjects = sql`array(select id from rentals.rental where customer_id = ${ids}
    union all select id from rentals.damage_case where rental_id in ${rentals}
    union all select id from rentals.dispute where rental_id in ${rentals}
    union all select id from rentals.prepayment where rental_id in ${rentals}
    union all select unnest(accounting.documents_of(${[...customerIds]}::uuid[], array${rentals})))`;
  for (const id of customerIds) {
    await sql`select people.forget_reasons(${id}, ${subjects})`.execute(tx);
  }
}

/**
 * With the name, which the same law keeps: what was noted at the vehicle, the signature under it,
 * and the agreements and invoices that name the person. Of those the facts stay.
 */
export async function eraseEvidence(tx: Tx, customerIds: readonly string[]): Promise<void> {
  const ids = sql`any (${[...customerIds]}::uuid[])`;
  const inspections = sql`(select i.id from rentals.inspection i
    join rentals.rental r on r.id = i.rental_id where r.customer_id = ${ids})`;
  await sql`update rentals.inspection set note = ${ERASED}, version = version + 1
    where id in ${inspections} and note <> ${ERASED}`.execute(tx);
  await sql`update rentals.inspection_mark set note = ${ERASED}
    where inspection_id in ${inspections} and note <> ${ERASED}`.execute(tx);
  const { rows: signed } = await sql<{ sha256: string }>`select sha256
    from rentals.inspection_file where kind = 'signature'
      and inspection_id in ${inspections}`.execute(tx);
  const { rows: named } = await sql<{ sha256: string }>`delete from rentals.agreement_file f
    where f.rental_id in (select id from rentals.rental
        where customer_id = ${ids} or payer_id = ${ids}
      union select rental_id from rentals.rental_driver where customer_id = ${ids})
    returning f.sha256`.execute(tx);
  const { rows: billed } = await sql<{ sha256: string }>`delete from rentals.invoice_file
    where customer_id = ${ids} returning sha256`.execute(tx);
  await noteFileRemovals(
    tx,
    [...signed, ...named, ...billed].map(({ sha256 }) => sha256),
  );
}

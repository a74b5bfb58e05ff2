// Everything about a vehicle that ends on a day: papers, holds by date, sub-rentals to give notice of.
import { type Kysely, sql } from 'kysely';

/** Read with the caller's rights, so it shows the vehicles that he may see. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create view vehicles.expiry with (security_invoker = true) as
      select g.document_id as id, 'document' as what, g.kind, g.vehicle_id, g.gap_from as due_at
      from vehicles.document_gaps() g
      union all
      select h.id, 'hold', h.type, h.vehicle_id, h.hard_from
      from vehicles.hold h
      where h.lifted_at is null and h.hard_from is not null and h.source <> 'document'
      union all
      select v.id, 'off_hire', 'sub_rental', v.id,
        v.sub_rented_until - make_interval(hours => 24 * v.off_hire_notice_days)
      from vehicles.vehicle v
      where v.ownership = 'sub_rented' and v.status not in ('written_off', 'returned_to_supplier')`.execute(
    db,
  );
  await sql`alter view vehicles.expiry owner to forecourt_owner`.execute(db);
  await sql`grant select on vehicles.expiry to api_read`.execute(db);
}

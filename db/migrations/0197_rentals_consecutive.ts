// What a customer had a vehicle for before: for a contract that goes on where another one ended.
import { type Kysely, sql } from 'kysely';
import { ownedBy } from './support/functions.ts';

const EARLIER_HIRES = 'rentals.earlier_hires(uuid, uuid, timestamptz)';

/**
 * The segments of other rentals in which the rental's customer, under whatever record, had the vehicle
 * back by p_at: [{from, to}]. Wherever they were: a branch's own rentals are not the whole of it.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.earlier_hires(p_rental uuid, p_vehicle uuid, p_at timestamptz)
    returns jsonb language sql stable security definer
    set search_path = rentals, pg_temp
    set app.principal = 'system:rentals' set app.scope = '*' as $$
      with renter as (
        select coalesce(c.merged_into, c.id) as id from rental r
        join customer c on c.id = r.customer_id where r.id = p_rental)
      select coalesce(jsonb_agg(jsonb_build_object('from', s.from_at, 'to', s.to_at)), '[]')
      from segment s join rental o on o.id = s.rental_id join customer c on c.id = o.customer_id
      where s.vehicle_id = p_vehicle and s.to_at <= p_at and s.rental_id <> p_rental
        and coalesce(c.merged_into, c.id) = (select id from renter)
    $$`.execute(db);
  await ownedBy(db, 'rentals_rw', [EARLIER_HIRES]);
}

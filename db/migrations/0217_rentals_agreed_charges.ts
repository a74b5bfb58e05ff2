// The agreement says whether, and for how long, what comes after the return is charged to the card.
import { type Kysely, sql } from 'kysely';

/** As in 0167, with the renter's consent to delayed charges; null without one. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function rentals.keep_agreement() returns trigger language plpgsql
    set search_path = rentals, pg_temp as $$
    begin
      insert into agreement (rental_id, version, facts)
      select new.id, (select count(*) + 1 from agreement where rental_id = new.id),
        jsonb_build_object('number', new.number, 'entityId', new.entity_id,
          'branchId', new.branch_id, 'returnBranchId', new.return_branch_id,
          'classId', new.class_id, 'vehicleId', new.vehicle_id,
          'customerId', new.customer_id, 'payerId', new.payer_id,
          'driverIds', (select coalesce(jsonb_agg(d.customer_id order by d.created_at,
              d.customer_id), '[]')
            from rental_driver d where d.rental_id = new.id and d.ended_at is null),
          'pickUpAt', new.pick_up_at, 'dueAt', new.due_at,
          'checkedOutAt', new.checked_out_at, 'odometerKm', new.odometer_out_km,
          'fuelEighths', new.fuel_out_eighths, 'price', new.price,
          'delayedCharges', (select jsonb_build_object('consentedAt', c.consented_at,
              'windowDays', c.window_days, 'recordedBy', c.recorded_by)
            from delayed_charge_consent c where c.rental_id = new.id),
          'inspectionId', (select i.id from inspection i
            where i.rental_id = new.id and i.vehicle_id = new.vehicle_id and i.kind = 'out'
              and i.completed_at is not null and not exists (select from inspection c
                where c.corrects = i.id and c.completed_at is not null)));
      return null;
    end $$`.execute(db);
}

// Swaps of a booking's vehicle before its pick-up: who agreed to what, and what it does to the price.
import { type Kysely, sql } from 'kysely';

/**
 * `given_class_id` is the class of the vehicle that a swap gave; null for one that is as it was booked.
 * The plan of a lower class counts how much less the rental costs than by its own plan.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table rentals.rental
      add given_class_id text,
      add downgrade_plan_id text,
      add downgrade_plan_version int,
      add constraint rental_downgrade_plan foreign key (downgrade_plan_id, downgrade_plan_version)
        references rentals.rate_plan,
      add constraint rental_downgrade_whole
        check (num_nulls(downgrade_plan_id, downgrade_plan_version) in (0, 2))`.execute(db);
  await sql`
    create table rentals.swap (
      id uuid primary key,
      rental_id uuid not null references rentals.rental,
      swapped_at timestamptz not null,
      swapped_by text not null,
      direction text not null check (direction in ('up', 'same', 'down')),
      previous_vehicle_id uuid,
      vehicle_id uuid not null,
      booked_class_id text not null,
      class_id text not null,
      reason text check (reason in ('customer', 'fleet', 'defect', 'other')),
      consent text check (consent in ('signed', 'spoken', 'mail')),
      plan_id text,
      plan_version int,
      foreign key (plan_id, plan_version) references rentals.rate_plan,
      constraint swap_plan_whole check (num_nulls(plan_id, plan_version) in (0, 2)),
      constraint swap_down_has_consent
        check (direction <> 'down' or (consent is not null and plan_id is not null)),
      constraint swap_same_class check ((direction = 'same') = (booked_class_id = class_id))
    )`.execute(db);
  await sql`create index swap_of_rental on rentals.swap (rental_id, swapped_at)`.execute(db);
  await sql`alter table rentals.swap owner to forecourt_owner`.execute(db);
  await sql`grant select, insert on rentals.swap to rentals_rw`.execute(db);
  await sql`grant select on rentals.swap to api_read`.execute(db);
  await sql`alter table rentals.swap enable row level security`.execute(db);
  const rule = sql`(select coalesce(current_setting('app.principal', true), '') <> ''
      and current_setting('app.scope', true) = '*')
    or exists (select from rentals.rental p where p.id = rental_id)`;
  await sql`create policy in_scope on rentals.swap
    using (${rule}) with check (${rule})`.execute(db);
}

// Erasure beyond the customer's own row: free text that others wrote of a person, and their files.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const OF_RENTALS = 'vehicles.forget_rentals(uuid[])';
const REASONS = 'people.forget_reasons(uuid, uuid[])';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createRemovals(db);
  await forgetElsewhere(db);
  await openInspections(db);
  await letBlockedBeErased(db);
  await letDismissalsBeErased(db);
}

/** Files of the object store that have to go: kept until the store has let them go. */
async function createRemovals(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table rentals.file_removal (
      sha256 text primary key check (sha256 ~ '^[0-9a-f]{64}$'),
      noted_at timestamptz not null default now()
    )`.execute(db);
  await sql`alter table rentals.file_removal owner to forecourt_owner`.execute(db);
  await sql`grant select, insert, delete on rentals.file_removal to rentals_rw`.execute(db);
  await sql`grant select on rentals.file_removal to api_read`.execute(db);
  // Made of a name and a term, it can be guessed: at the erasure it is made of nothing.
  await sql`grant update (request_hash) on rentals.partner_booking to rentals_rw`.execute(db);
}

async function forgetElsewhere(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.forget_rentals(p_rentals uuid[]) returns void
    language sql security definer set search_path = vehicles, pg_temp set app.scope = '*'
    set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
      update shortage_case set reason = 'Erased', version = version + 1
      where rental_id = any (p_rentals) and reason <> 'Erased'
    $$`.execute(db);
  await sql`create index shortage_of_rental on vehicles.shortage_case (rental_id)`.execute(db);
  await sql`grant update (reason) on people.approval to people_rw`.execute(db);
  // What was approved, by whom and over how much stays; why may name the person.
  await sql`
    create function people.forget_reasons(p_customer uuid, p_rentals uuid[]) returns void
    language sql security definer set search_path = people, pg_temp as $$
      update approval set reason = 'Erased'
      where reason <> 'Erased'
        and subject_id = any (array[p_customer::text] || p_rentals::text[])
    $$`.execute(db);
  await sql`create index approval_subject on people.approval (subject_id)`.execute(db);
  await ownedBy(db, 'vehicles_rw', [OF_RENTALS]);
  await ownedBy(db, 'people_rw', [REASONS]);
  await publishedTo(db, 'rentals_rw', [OF_RENTALS, REASONS]);
}

const ERASED = sql`exists (select from rental r join customer c on c.id = r.customer_id
  where r.id = new.rental_id and c.erased_at is not null)`;

/** As in migration 0137, but that a note goes with the name of the renter, and nothing else with it. */
async function openInspections(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.is_note_erased(p_old jsonb, p_new jsonb) returns boolean
    language sql immutable as $$
      select p_new->>'note' = 'Erased' and p_old - 'note' - 'version' = p_new - 'note' - 'version'
    $$`.execute(db);
  await ownedBy(db, 'rentals_rw', ['rentals.is_note_erased(jsonb, jsonb)']);
  await sql`
    create or replace function rentals.guard_inspection() returns trigger language plpgsql
    set search_path = rentals, pg_temp as $$
    begin
      if tg_op = 'UPDATE' then
        if rentals.is_note_erased(to_jsonb(old), to_jsonb(new)) and ${ERASED} then
          return new;
        end if;
        if old.completed_at is not null then
          raise exception 'Inspection % is completed and does not change.', old.id
            using errcode = 'check_violation', constraint = 'inspection_is_final';
        end if;
        if (new.id, new.rental_id, new.vehicle_id, new.kind, new.corrects, new.created_by)
          is distinct from (old.id, old.rental_id, old.vehicle_id, old.kind, old.corrects,
            old.created_by) or new.version <> old.version + 1 then
          raise exception 'Inspection % keeps what it is of.', old.id
            using errcode = 'check_violation', constraint = 'inspection_keeps_its_subject';
        end if;
      end if;
      if new.corrects is not null and not exists (select from inspection c
          where c.id = new.corrects and c.completed_at is not null
            and (c.rental_id, c.vehicle_id, c.kind)
              = (new.rental_id, new.vehicle_id, new.kind)) then
        raise exception 'Inspection % corrects no completed one of its kind.', new.id
          using errcode = 'check_violation', constraint = 'inspection_corrects_its_like';
      end if;
      return new;
    end $$`.execute(db);
  await sql`grant update (note) on rentals.inspection_mark to rentals_rw`.execute(db);
  await sql`
    create or replace function rentals.guard_inspection_part() returns trigger language plpgsql
    set search_path = rentals, pg_temp as $$
    declare
      v_completed timestamptz;
    begin
      if tg_op = 'UPDATE' and rentals.is_note_erased(to_jsonb(old), to_jsonb(new))
          and exists (select from inspection i join rental r on r.id = i.rental_id
            join customer c on c.id = r.customer_id
            where i.id = new.inspection_id and c.erased_at is not null) then
        return new;
      end if;
      -- Whoever completes it meanwhile is waited for.
      select completed_at into v_completed from inspection where id = new.inspection_id for share;
      if tg_op = 'UPDATE' or v_completed is not null then
        raise exception 'Inspection % takes no other parts.', new.inspection_id
          using errcode = 'check_violation', constraint = 'inspection_is_final';
      end if;
      return new;
    end $$`.execute(db);
}

/** As in migration 0123, but that a reason goes also of a driver who is blocked. */
async function letBlockedBeErased(db: Kysely<unknown>): Promise<void> {
  await sql`drop trigger rental_driver_named on rentals.rental_driver`.execute(db);
  await sql`create trigger rental_driver_named before insert on rentals.rental_driver
    for each row when (new.ended_at is null) execute function rentals.refuse_driver()`.execute(db);
  await sql`create trigger rental_driver_changed before update on rentals.rental_driver
    for each row when (new.ended_at is null
      and (old.override_reason is not distinct from new.override_reason
        or new.override_reason <> 'Erased'))
    execute function rentals.refuse_driver()`.execute(db);
}

/** As in migration 0129, but that why a violation was dismissed goes with the person. */
async function letDismissalsBeErased(db: Kysely<unknown>): Promise<void> {
  await sql`drop trigger violation_guard on rentals.violation`.execute(db);
  await sql`create trigger violation_guard before insert on rentals.violation
    for each row execute function rentals.guard_violation()`.execute(db);
  await sql`create trigger violation_steps before update on rentals.violation
    for each row when (old.status <> 'dismissed' or new.status <> 'dismissed'
      or old.dismiss_reason is not distinct from new.dismiss_reason
      or new.dismiss_reason <> 'Erased')
    execute function rentals.guard_violation()`.execute(db);
}

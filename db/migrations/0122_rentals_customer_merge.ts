// Merged customers, and the one wall in front of every rental: who is merged or blocked gets none.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table rentals.customer
      -- Rentals and invoices keep the id that they were made with; this is where it leads.
      add column merged_into uuid references rentals.customer,
      add constraint customer_merged_into_another check (merged_into <> id)`.execute(db);
  await sql`create index customer_merged on rentals.customer (merged_into)
    where merged_into is not null`.execute(db);
  await refuseChains(db);
  await createRentalGuard(db);
}

/** One step leads from any record to the one that stands; a merge is not taken back. */
async function refuseChains(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.refuse_merge() returns trigger language plpgsql as $$
    begin
      perform from rentals.customer where id = new.merged_into and merged_into is null for share;
      if not found
        or exists (select from rentals.customer where merged_into = new.id) then
        raise exception 'Customer % cannot be merged into %.', new.id, new.merged_into
          using errcode = 'check_violation', constraint = 'customer_merge_one_step';
      end if;
      return new;
    end $$`.execute(db);
  await sql`create trigger customer_merge before insert or update of merged_into
    on rentals.customer for each row when (new.merged_into is not null)
    execute function rentals.refuse_merge()`.execute(db);
  await sql`
    create function rentals.refuse_unmerge() returns trigger language plpgsql as $$
    begin
      raise exception 'Customer % stays merged.', old.id
        using errcode = 'check_violation', constraint = 'customer_stays_merged';
    end $$`.execute(db);
  await sql`create trigger customer_unmerge before update of merged_into on rentals.customer
    for each row when (old.merged_into is not null and new.merged_into is null)
    execute function rentals.refuse_unmerge()`.execute(db);
}

/**
 * In the statement that makes or hands out a rental, so that no command has to ask first: a reserve
 * costs no round trip more. A customer's rental that was made before a merge obeys the survivor's
 * blocks.
 */
async function createRentalGuard(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.refuse_customer() returns trigger language plpgsql as $$
    declare
      v_merged uuid;
      v_blocked boolean;
    begin
      select c.merged_into, exists (select from rentals.customer_block b
          where b.customer_id = coalesce(c.merged_into, c.id) and b.lifted_at is null
            and (b.until is null or b.until > now()))
        into v_merged, v_blocked
        from rentals.customer c where c.id = new.customer_id;
      if v_blocked then
        raise exception 'Customer % is blocked.', new.customer_id
          using errcode = 'check_violation', constraint = 'rental_customer_blocked',
            detail = new.customer_id::text;
      end if;
      if v_merged is not null and tg_op = 'INSERT' then
        raise exception 'Customer % is merged into %.', new.customer_id, v_merged
          using errcode = 'check_violation', constraint = 'rental_customer_merged',
            detail = v_merged::text;
      end if;
      return new;
    end $$`.execute(db);
  await sql`create trigger rental_customer_new before insert on rentals.rental
    for each row execute function rentals.refuse_customer()`.execute(db);
  await sql`create trigger rental_customer_again before update of status on rentals.rental
    for each row when (old.status = 'requested' and new.status = 'reserved'
      or old.status = 'reserved' and new.status = 'active')
    execute function rentals.refuse_customer()`.execute(db);
}

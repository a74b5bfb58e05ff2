// Partners hold quotes of their own, book by vouchers at a net rate, and stay on their side.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table rentals.partner_booking
      add column voucher_rate text check (length(voucher_rate) between 1 and 40),
      add column voucher_covers text[],
      add constraint partner_booking_voucher_whole
        check (num_nulls(voucher_rate, voucher_covers) in (0, 2))`.execute(db);
  await holdForPartners(db);
  await guardHolds(db);
}

/** For fifteen minutes, as online; visible to the partner that holds it and to its branch. */
async function holdForPartners(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table rentals.held_quote
      add column partner_id uuid,
      drop constraint held_quote_channel_check,
      add constraint held_quote_channel_check
        check (channel in ('online', 'corporate', 'partner')),
      add constraint held_quote_by_partner
        check ((channel = 'partner') = (partner_id is not null)
          and (partner_id is null or customer_id is null))`.execute(db);
  const known = `coalesce(current_setting('app.principal', true), '') <> ''`;
  const scope = `current_setting('app.scope', true)`;
  const rule = sql.raw(`(select ${known} and ${scope} = '*')
    or branch_id = any ((select case when ${known} and ${scope} like 'branches:%'
      then string_to_array(substr(${scope}, 10), ',') end)::text[])
    or customer_id = (select case when ${known} and ${scope} like 'customer:%'
      then substr(${scope}, 10)::uuid end)
    or partner_id = (select case when ${known} and ${scope} like 'partner:%'
      then substr(${scope}, 9)::uuid end)`);
  await sql`alter policy in_scope on rentals.held_quote
    using (${rule}) with check (${rule})`.execute(db);
}

/** As of rentals: both its branches, and the partner that holds it, are on one side. */
async function guardHolds(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.guard_quote_side() returns trigger language plpgsql
    set search_path = rentals, pg_temp as $$
    declare
      v_sandbox boolean := vehicles.is_sandbox(new.branch_id);
    begin
      if vehicles.is_sandbox(new.return_branch_id) <> v_sandbox
        or people.is_sandbox(new.partner_id) <> v_sandbox then
        raise exception 'Quote % would be on both sides of the sandbox.', new.id
          using errcode = 'check_violation', constraint = 'quote_on_one_side';
      end if;
      return new;
    end $$`.execute(db);
  await sql`create trigger quote_side before insert on rentals.held_quote
    for each row when (new.partner_id is not null or new.branch_id <> new.return_branch_id)
    execute function rentals.guard_quote_side()`.execute(db);
}

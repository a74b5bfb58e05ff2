// What a branch's day was in rentals: prepayments by their business day, vehicles out and in; and
// that a vehicle's document names its file.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const PREPAID = 'rentals.prepaid_on(text, date)';
const MOVES = 'rentals.moves_of_day(text, date)';
const NAMED = 'rentals.file_named(text)';

export async function up(db: Kysely<unknown>): Promise<void> {
  await dateRows(db);
  await createPrepaid(db);
  await createMoves(db);
  await createFileNamed(db);
  await ownedBy(db, 'rentals_rw', [PREPAID, MOVES, NAMED]);
  await publishedTo(db, 'vehicles_rw', [NAMED]);
  await publishedTo(db, 'accounting_rw', [PREPAID, MOVES]);
}

/** Each row gets its day when it is written, and no other one. What was there has that of its time. */
async function dateRows(db: Kysely<unknown>): Promise<void> {
  const tables = [
    ['prepayment', 'received_at', 'new.rental_id'],
    [
      'prepayment_refund',
      'refunded_at',
      '(select p.rental_id from rentals.prepayment p where p.id = new.prepayment_id)',
    ],
  ] as const;
  for (const [table, at, rental] of tables) {
    const [of, name] = [sql.id('rentals', table), sql.id(`date_${table}`)];
    await sql`alter table ${of} add column day date`.execute(db);
    await sql`alter table ${of} disable trigger user`.execute(db);
    await sql`update ${of} set day = ${sql.id(at)}::date`.execute(db);
    await sql`alter table ${of} enable trigger user`.execute(db);
    await sql`alter table ${of} alter column day set not null`.execute(db);
    await sql`create index ${sql.id(`${table}_of_day`)} on ${of} (day)`.execute(db);
    await sql`
      create function rentals.${name}() returns trigger language plpgsql
      set search_path = rentals, pg_temp as $$
      begin
        new.day := accounting.business_day(
          (select r.branch_id from rentals.rental r where r.id = ${sql.raw(rental)}),
          new.shift_id);
        return new;
      end $$`.execute(db);
    await sql`create trigger ${name} before insert on ${of}
      for each row execute function rentals.${name}()`.execute(db);
  }
}

/**
 * Minor units by tender of what was prepaid for rentals of the branch, and went back, outside its
 * drawers: cash moves and slips are counted with their shifts, and what was held before is no money.
 */
async function createPrepaid(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.prepaid_on(p_branch text, p_day date)
    returns table (tender text, in_minor bigint, out_minor bigint)
    language plpgsql stable security definer set search_path = rentals, pg_temp
    set app.scope = '*' set enable_seqscan = off as $$
    begin
      return query
        select p.tender, p.amount_minor, 0::bigint from prepayment p
          join rental r on r.id = p.rental_id
          where p.day = p_day and p.shift_id is null and p.tender <> 'deposit'
            and r.branch_id = p_branch
        union all select b.tender, 0::bigint, b.amount_minor from prepayment_refund b
          join prepayment p on p.id = b.prepayment_id join rental r on r.id = p.rental_id
          where b.day = p_day and b.shift_id is null and r.branch_id = p_branch;
    end $$`.execute(db);
}

/** Rentals that began and ended at the branch within its local day. */
async function createMoves(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.moves_of_day(p_branch text, p_day date)
    returns table (rentals_out bigint, rentals_in bigint)
    language plpgsql stable security definer set search_path = rentals, pg_temp
    set app.scope = '*' as $$
    declare
      v_zone constant text := coalesce(vehicles.zone_of(p_branch), 'UTC');
      v_from constant timestamptz := p_day::timestamp at time zone v_zone;
      v_to constant timestamptz := (p_day + 1)::timestamp at time zone v_zone;
    begin
      return query select
        (select count(*) from rental where branch_id = p_branch
          and checked_out_at >= v_from and checked_out_at < v_to),
        (select count(*) from rental where return_branch_id = p_branch
          and checked_in_at >= v_from and checked_in_at < v_to);
    end $$`.execute(db);
}

/** In the transaction whose row names the file: it was noted before it was stored. */
async function createFileNamed(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.file_named(p_key text) returns void
    language sql security definer set search_path = rentals, pg_temp
    set app.scope = '*' as $$
      delete from file_removal where sha256 = p_key
    $$`.execute(db);
}

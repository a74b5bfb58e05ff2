// Documents in scope of both branches, found by a set that is read once, and not row by row.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';
import { OF_BRANCH_OR_CUSTOMER } from './support/policies.ts';

const BRANCHES = 'rentals.branches_of(uuid)';
const NOTE = 'accounting.note_branches(uuid, text[])';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createElsewhere(db);
  await createFunctions(db);
  await noteRows(db);
  await takeStock(db);
  await replacePolicies(db);
}

/**
 * Rentals by each branch that they begin or end at, where documents or payments of theirs are another
 * branch's: at the least those that end elsewhere. It opens no row by itself, and holds ids alone.
 */
async function createElsewhere(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table accounting.elsewhere (
      branch_id text not null,
      rental_id uuid not null,
      primary key (branch_id, rental_id)
    )`.execute(db);
  await sql`alter table accounting.elsewhere owner to forecourt_owner`.execute(db);
  await sql`grant select, insert on accounting.elsewhere to accounting_rw`.execute(db);
  await sql`grant select on accounting.elsewhere to api_read`.execute(db);
}

async function createFunctions(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.branches_of(p_rental uuid) returns text[]
    language sql stable security definer set search_path = rentals, pg_temp
    set app.scope = '*' as $$
      select array[branch_id, return_branch_id] from rental where id = p_rental
    $$`.execute(db);
  await sql`
    create function accounting.note_branches(p_rental uuid, p_branches text[]) returns void
    language sql security definer set search_path = accounting, pg_temp as $$
      insert into elsewhere (branch_id, rental_id)
        select distinct b, p_rental from unnest(p_branches) b on conflict do nothing
    $$`.execute(db);
  await ownedBy(db, 'rentals_rw', [BRANCHES]);
  await ownedBy(db, 'accounting_rw', [NOTE]);
  await publishedTo(db, 'accounting_rw', [BRANCHES]);
  await publishedTo(db, 'rentals_rw', [NOTE]);
}

/** A rental that ends elsewhere, or comes to; a row that is neither of the rental's branches'. */
async function noteRows(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.note_elsewhere() returns trigger language plpgsql
    set search_path = rentals, pg_temp as $$
    begin
      perform accounting.note_branches(new.id, array[new.branch_id, new.return_branch_id]);
      return null;
    end $$`.execute(db);
  await sql`create trigger note_one_way after insert on rentals.rental
    for each row when (new.return_branch_id <> new.branch_id)
    execute function rentals.note_elsewhere()`.execute(db);
  await sql`create trigger note_elsewhere after update of branch_id, return_branch_id
    on rentals.rental for each row
    when ((new.branch_id, new.return_branch_id) is distinct from
      (old.branch_id, old.return_branch_id))
    execute function rentals.note_elsewhere()`.execute(db);
  await sql`
    create function accounting.note_elsewhere() returns trigger language plpgsql
    security definer set search_path = accounting, pg_temp as $$
    declare
      v_branches constant text[] := rentals.branches_of(new.rental_id);
    begin
      if new.branch_id is null or new.branch_id <> all (v_branches) then
        perform note_branches(new.rental_id, v_branches);
      end if;
      return null;
    end $$`.execute(db);
  await sql`alter function accounting.note_elsewhere() owner to accounting_rw`.execute(db);
  for (const table of ['invoice', 'payment']) {
    await sql`create trigger note_elsewhere after insert on ${sql.id('accounting', table)}
      for each row when (new.rental_id is not null)
      execute function accounting.note_elsewhere()`.execute(db);
  }
}

async function takeStock(db: Kysely<unknown>): Promise<void> {
  await sql`
    insert into accounting.elsewhere (rental_id, branch_id)
    select r.id, b from rentals.rental r, unnest(array[r.branch_id, r.return_branch_id]) b
      where r.return_branch_id <> r.branch_id
    union select r.id, b from rentals.rental r
      join (select rental_id, branch_id from accounting.invoice
        union all select rental_id, branch_id from accounting.payment) d on d.rental_id = r.id
      cross join unnest(array[r.branch_id, r.return_branch_id]) b
      where d.branch_id is null or d.branch_id not in (r.branch_id, r.return_branch_id)`.execute(
    db,
  );
}

/** What may be written stays as in 0187; so does what may be seen, but few rows are asked for. */
async function replacePolicies(db: Kysely<unknown>): Promise<void> {
  const theirs = sql`(select current_setting('app.scope', true) like 'branches:%')
    and rentals.is_in_scope(rental_id)`;
  const written = sql`${OF_BRANCH_OR_CUSTOMER} or (rental_id is not null and ${theirs})`;
  const seen = sql`${OF_BRANCH_OR_CUSTOMER} or (rental_id in (select e.rental_id
      from accounting.elsewhere e where e.branch_id = any ((select
        string_to_array(substr(current_setting('app.scope', true), 10), ','))::text[]))
    and ${theirs})`;
  for (const table of ['invoice', 'open_item', 'payment']) {
    await sql`alter policy in_scope on ${sql.id('accounting', table)}
      using (${seen}) with check (${written})`.execute(db);
  }
}

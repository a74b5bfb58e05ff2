// Versions of rate plans count without a gap, and say of themselves what they are.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  // The terms are what is quoted by; the columns are what is searched by: never two truths.
  await sql`alter table rentals.rate_plan add constraint rate_plan_terms_are_its_own
    check (terms->>'id' = id and (terms->>'version')::int = version)`.execute(db);
  await sql`
    create function rentals.rate_plan_follows() returns trigger
    language plpgsql set search_path = rentals, pg_temp as $$
    begin
      if new.version > 1 and not exists (
        select from rentals.rate_plan where id = new.id and version = new.version - 1
      ) then
        raise exception 'Version % of % has no version before it.', new.version, new.id
          using errcode = 'check_violation', constraint = 'rate_plan_follows',
            schema = 'rentals', table = 'rate_plan';
      end if;
      return new;
    end $$`.execute(db);
  await sql`alter function rentals.rate_plan_follows() owner to forecourt_owner`.execute(db);
  await sql`create trigger rate_plan_follows before insert on rentals.rate_plan
    for each row execute function rentals.rate_plan_follows()`.execute(db);
}

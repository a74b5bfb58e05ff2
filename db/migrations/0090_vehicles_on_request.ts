// Classes on request: a full pool's bookings wait for a person's answer instead of being refused.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const TERMS = 'vehicles.request_terms(text, text, text, timestamptz)';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createSetting(db);
  await createTerms(db);
  await ownedBy(db, 'vehicles_rw', [TERMS]);
  await publishedTo(db, 'rentals_rw', [TERMS]);
}

/** One that was withdrawn keeps its row, so that its versions go on. */
async function createSetting(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table vehicles.on_request (
      branch_id text not null references vehicles.branch,
      class_id text not null references vehicles.class,
      answer_minutes int not null default 1440 check (answer_minutes between 30 and 20160),
      active boolean not null default true,
      version int not null default 1,
      primary key (branch_id, class_id)
    )`.execute(db);
  await sql`alter table vehicles.on_request owner to forecourt_owner`.execute(db);
  await sql`grant select, insert, update on vehicles.on_request to vehicles_rw`.execute(db);
  await sql`grant select on vehicles.on_request to api_read`.execute(db);
  await sql`alter table vehicles.on_request enable row level security`.execute(db);
  const known = `coalesce(current_setting('app.principal', true), '') <> ''`;
  const scope = `current_setting('app.scope', true)`;
  const inScope = sql.raw(`(select ${known} and ${scope} = '*')
    or branch_id = any ((select case when ${known} and ${scope} like 'branches:%'
      then string_to_array(substr(${scope}, 10), ',') end)::text[])`);
  await sql`create policy in_scope on vehicles.on_request
    using (${inScope}) with check (${inScope})`.execute(db);
}

/**
 * Step 4 of a reservation: the branch's terms as take_span answers them, with {answerBy}. Null when
 * the class is not on request there, or the pick-up is too soon for anybody to answer.
 */
async function createTerms(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.request_terms(
      p_class text, p_branch_out text, p_branch_in text, p_from timestamptz
    ) returns jsonb
    language plpgsql stable security definer
    set search_path = vehicles, pg_temp set app.scope = '*'
    set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
    declare
      v_by timestamptz;
    begin
      select least(now() + make_interval(mins => answer_minutes), p_from - interval '2 hours')
      into v_by from on_request
      where branch_id = p_branch_out and class_id = p_class and active;
      if v_by is null or v_by <= now() then return null; end if;
      return terms_of(p_class, p_branch_out, p_branch_in)
        || jsonb_build_object('answerBy', to_json(v_by));
    end $$`.execute(db);
}

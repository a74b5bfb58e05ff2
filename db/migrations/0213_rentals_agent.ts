// The agent who brought a rental, with the commission as it was agreed when he was named.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table rentals.rental_agent (
      rental_id uuid primary key references rentals.rental,
      agent_id uuid,
      rate_bp int,
      kinds text[],
      version int not null default 1,
      named_at timestamptz not null default now(),
      constraint rental_agent_whole check (num_nulls(agent_id, rate_bp, kinds) in (0, 3))
    )`.execute(db);
  const table = sql.table('rentals.rental_agent');
  await sql`alter table ${table} owner to forecourt_owner`.execute(db);
  await sql`grant select, insert on ${table} to rentals_rw`.execute(db);
  await sql`grant update (agent_id, version, named_at) on ${table} to rentals_rw`.execute(db);
  await sql`grant select on ${table} to api_read`.execute(db);
  const rule = sql`exists (select from rentals.rental r where r.id = rental_id)`;
  await sql`alter table ${table} enable row level security`.execute(db);
  await sql`create policy in_scope on ${table} using (${rule}) with check (${rule})`.execute(db);
  await freeze(db);
}

/** Until the keys are out; the rate is the agent's own, whatever the writer says. */
async function freeze(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.freeze_commission() returns trigger language plpgsql
    set search_path = rentals, pg_temp as $$
    declare
      v_entity text;
      v_terms jsonb;
    begin
      if tg_op = 'DELETE' then
        raise exception 'Whose rental it was stays known.' using errcode = 'restrict_violation';
      end if;
      if tg_op = 'UPDATE' and (new.rental_id, new.version)
          is distinct from (old.rental_id, old.version + 1) then
        raise exception 'A rental''s agent changes one version at a time.'
          using errcode = 'restrict_violation';
      end if;
      select r.entity_id into v_entity from rental r where r.id = new.rental_id
        and r.status in ('requested', 'reserved') for share;
      if not found then
        raise exception 'The agent of a rental is named before its keys are out.'
          using errcode = 'check_violation', constraint = 'rental_agent_before_check_out';
      end if;
      if new.agent_id is null then
        new.rate_bp := null;
        new.kinds := null;
        return new;
      end if;
      v_terms := accounting.commission_terms(new.agent_id, v_entity);
      if v_terms is null then
        raise exception 'There is no such agent with terms in force.'
          using errcode = 'check_violation', constraint = 'rental_agent_has_terms';
      end if;
      new.rate_bp := (v_terms->>'rateBp')::int;
      new.kinds := array(select jsonb_array_elements_text(v_terms->'kinds'));
      return new;
    end $$`.execute(db);
  await sql`create trigger freeze_commission before insert or update or delete
    on rentals.rental_agent for each row execute function rentals.freeze_commission()`.execute(db);
}

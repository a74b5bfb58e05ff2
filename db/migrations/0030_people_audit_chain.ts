// The audit log as a chain: each entry is sealed to the one before, so that a change afterwards shows.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table people.audit_entry add column origin text check (origin <> '')`.execute(db);
  await sql`comment on column people.audit_entry.origin is
    'From where: the address and the request, as the setting app.origin said; null for the system'`.execute(
    db,
  );
  await sql`create index audit_entry_actor on people.audit_entry (actor, id)`.execute(db);
  // What auditors ask for first: who went beyond the rules, and who acted for the past.
  await sql`create index audit_entry_reason on people.audit_entry (id)
    where reason is not null`.execute(db);
  await sql`create index audit_entry_back_dated on people.audit_entry (id)
    where jsonb_exists(after, 'effectiveAt')`.execute(db);
  await recordOrigin(db);
  await createChain(db);
  await createSealing(db);
  await createVerifying(db);
}

/** As before, and from where: the signature stays, so that no caller can forget it. */
async function recordOrigin(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function people.record_audit(
      p_action text, p_subject_type text, p_subject_id text, p_command_id text,
      p_reason text, p_before jsonb, p_after jsonb
    ) returns void
    language sql security definer set search_path = people, pg_temp as $$
      insert into audit_entry
        (actor, action, subject_type, subject_id, command_id, reason, before, after, origin)
      values (current_setting('app.principal'), p_action, p_subject_type, p_subject_id,
        p_command_id, p_reason, p_before, p_after,
        nullif(current_setting('app.origin', true), ''))
    $$`.execute(db);
}

/** Nobody but the owner's functions writes here, and nobody changes what they wrote. */
async function createChain(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table people.audit_seal (
      position bigint primary key check (position > 0),
      -- No foreign key: a lost entry is for verify_audit to tell, and writing stays cheap.
      entry_id uuid not null unique,
      hash bytea not null check (length(hash) = 32),
      sealed_at timestamptz not null default now()
    )`.execute(db);
  await sql`create trigger audit_seal_append_only before update or delete on people.audit_seal
    for each row execute function people.refuse_change()`.execute(db);
  await sql`create trigger audit_seal_no_truncate before truncate on people.audit_seal
    for each statement execute function people.refuse_change()`.execute(db);
  // An entry that commits late has an early time and id: only this table says what is unsealed.
  await sql`
    create table people.audit_unsealed (entry_id uuid primary key)
    with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000)`.execute(db);
  await sql`insert into people.audit_unsealed select id from people.audit_entry`.execute(db);
  for (const table of ['audit_seal', 'audit_unsealed'] as const) {
    await sql`alter table ${sql.id('people', table)} owner to forecourt_owner`.execute(db);
    await sql`grant select on ${sql.id('people', table)} to people_rw, api_read`.execute(db);
  }
  await sql`
    create function people.await_seal() returns trigger
    language plpgsql security definer set search_path = people, pg_temp as $$
    begin
      insert into audit_unsealed values (new.id);
      return null;
    end $$`.execute(db);
  await ownedBy(db, 'forecourt_owner', ['people.await_seal()']);
  await sql`create trigger audit_entry_await_seal after insert on people.audit_entry
    for each row execute function people.await_seal()`.execute(db);
}

/** The hash covers every column, in a form that no session's settings change. */
async function createSealing(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function people.audit_hash(p_previous bytea, p_position bigint, e people.audit_entry)
    returns bytea language sql immutable set search_path = people, pg_temp as $$
      select sha256(p_previous || convert_to(jsonb_build_array(
        p_position, e.id, (extract(epoch from e.at) * 1000000)::bigint, e.actor, e.action,
        e.subject_type, e.subject_id, e.command_id, e.reason, e.before, e.after, e.origin
      )::text, 'UTF8'))
    $$`.execute(db);
  // One sealer at a time: whoever finds another at it has nothing to do.
  await sql`
    create function people.seal_audit(p_limit int)
    returns table (sealed int, head_position bigint, head_hash bytea)
    language plpgsql security definer set search_path = people, pg_temp as $$
    declare
      v_entry audit_entry;
    begin
      sealed := 0;
      if not pg_try_advisory_xact_lock(hashtext('people.audit_seal')) then
        return next;
        return;
      end if;
      select s.position, s.hash into head_position, head_hash
        from audit_seal s order by s.position desc limit 1;
      head_position := coalesce(head_position, 0);
      head_hash := coalesce(head_hash, '');
      for v_entry in
        select e.* from audit_unsealed u join audit_entry e on e.id = u.entry_id
        order by e.at, e.id limit p_limit
      loop
        head_position := head_position + 1;
        head_hash := audit_hash(head_hash, head_position, v_entry);
        insert into audit_seal (position, entry_id, hash)
          values (head_position, v_entry.id, head_hash);
        delete from audit_unsealed where entry_id = v_entry.id;
        sealed := sealed + 1;
      end loop;
      return next;
    end $$`.execute(db);
  const [hash, seal] = [
    'people.audit_hash(bytea, bigint, people.audit_entry)',
    'people.seal_audit(int)',
  ];
  await ownedBy(db, 'forecourt_owner', [hash, seal]);
  await publishedTo(db, 'people_rw', [seal]);
  await publishedTo(db, 'api_read', [hash]);
}

/**
 * Answers a row a fault, none when all is well. A chain that was cut off at its end, or made anew,
 * is sound in itself: whoever kept a head from before (the sealer logs them) hands it in.
 */
async function createVerifying(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function people.verify_audit(p_position bigint default null, p_hash bytea default null)
    returns table ("position" bigint, entry_id uuid, fault text)
    language sql stable set search_path = people, pg_temp as $$
      with chained as (
        select s.position, s.entry_id, s.hash, e.id is null as lost,
          lag(s.position, 1, 0::bigint) over w as before,
          audit_hash(lag(s.hash, 1, ''::bytea) over w, s.position, e) as expected
        from audit_seal s left join audit_entry e on e.id = s.entry_id
        window w as (order by s.position)
      )
      select c.position, c.entry_id, case
          when c.position <> c.before + 1 then 'a seal before it is missing'
          when c.lost then 'the entry is missing'
          else 'the entry or its seal was changed' end
        from chained c
        where c.position <> c.before + 1 or c.lost or c.hash <> c.expected
      union all
      select null, e.id, 'the entry was not sealed'
        from audit_entry e
        where e.at < now() - interval '1 minute'
          and not exists (select from audit_seal s where s.entry_id = e.id)
          and not exists (select from audit_unsealed u where u.entry_id = e.id)
      union all
      select p_position, null, 'the chain does not hold the head that was kept'
        where p_position is not null and not exists (
          select from audit_seal s where s.position = p_position and s.hash = p_hash)
      order by 1 nulls last
    $$`.execute(db);
  const verify = 'people.verify_audit(bigint, bytea)';
  await ownedBy(db, 'forecourt_owner', [verify]);
  await publishedTo(db, 'api_read', [verify]);
}

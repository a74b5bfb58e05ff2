// The blocklist: whom we rent to no more, until when and why; reserving and handing out obey it.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table rentals.customer_block (
      id uuid primary key,
      customer_id uuid not null references rentals.customer,
      cause text not null check (cause in ('unpaid', 'damage', 'fraud', 'conduct', 'other')),
      -- Free text: for those who may read it, never in events or refusals.
      reason text not null check (reason <> ''),
      blocked_by text not null,
      -- Null: until it is lifted.
      until timestamptz,
      lifted_at timestamptz,
      lifted_by text,
      lift_reason text check (lift_reason <> ''),
      version int not null default 1,
      created_at timestamptz not null default now(),
      constraint customer_block_lifted_whole check (num_nulls(lifted_at, lifted_by, lift_reason)
        in (0, 3))
    )`.execute(db);
  await sql`create index customer_block_of on rentals.customer_block (customer_id, id)`.execute(db);
  await sql`create index customer_block_in_force on rentals.customer_block (customer_id)
    where lifted_at is null`.execute(db);
  await sql`alter table rentals.customer_block owner to forecourt_owner`.execute(db);
  await sql`grant select, insert, update on rentals.customer_block to rentals_rw`.execute(db);
  await sql`grant select on rentals.customer_block to api_read`.execute(db);
  const known = sql`coalesce(current_setting('app.principal', true), '') <> ''`;
  const scope = sql`current_setting('app.scope', true)`;
  const rule = sql`(select ${known} and (${scope} = '*' or ${scope} like 'branches:%'))`;
  await sql`alter table rentals.customer_block enable row level security`.execute(db);
  await sql`create policy in_scope on rentals.customer_block
    using (${rule}) with check (${rule})`.execute(db);
  await keepBlocks(db);
}

/** What was said when somebody was blocked stays said; a block that is over does not come back. */
async function keepBlocks(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.refuse_block_change() returns trigger language plpgsql as $$
    begin
      if new.version <> old.version + 1 or old.lifted_at is not null and new.lifted_at is null
        or new.reason not in (old.reason, 'Erased')
        or (new.id, new.cause, new.blocked_by, new.until)
          is distinct from (old.id, old.cause, old.blocked_by, old.until) then
        raise exception 'Block % can be lifted, and nothing else.', old.id
          using errcode = 'check_violation', constraint = 'customer_block_kept';
      end if;
      return new;
    end $$`.execute(db);
  await sql`create trigger customer_block_kept before update on rentals.customer_block
    for each row execute function rentals.refuse_block_change()`.execute(db);
}

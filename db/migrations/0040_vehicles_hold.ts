// Holds: what keeps a vehicle from being handed out, apart from its status, and what they allow.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const BLOCKING = 'vehicles.blocking_hold(uuid, tstzrange, numeric)';
const WARNING = 'vehicles.warning_holds(uuid, tstzrange, numeric)';
const BARS_SALE = 'vehicles.sale_barring_hold(uuid)';
const HELPERS = [
  'vehicles.projected_km(uuid, timestamptz, numeric)',
  'vehicles.holds_on(uuid, tstzrange, numeric)',
];

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table vehicles.vehicle add column if not exists average_km_per_day numeric
    check (average_km_per_day >= 0)`.execute(db);
  await createHold(db);
  await createGuard(db);
  await createQuestions(db);
  await ownedBy(db, 'vehicles_rw', [...HELPERS, BLOCKING, WARNING, BARS_SALE]);
  for (const role of ['rentals_rw', 'maintenance_rw', 'api_read']) {
    await publishedTo(db, role, [BLOCKING, WARNING]);
  }
  await publishedTo(db, 'api_read', [BARS_SALE]);
}

/**
 * In force over [from_at, until_at), or from the km `from_km` on when that is set, whichever asks
 * for more: both must be met. A hard one warns from `from_at` and blocks from `hard_from` and from
 * `tolerance_km` past `from_km` on; nothing has to happen at those instants.
 */
async function createHold(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table vehicles.hold (
      id uuid primary key default uuidv7(),
      vehicle_id uuid not null references vehicles.vehicle,
      type text not null check (type in ('recall', 'maintenance', 'registration', 'damage',
        'certificate', 'other')),
      severity text not null check (severity in ('soft', 'hard')),
      from_at timestamptz not null,
      hard_from timestamptz check (hard_from >= from_at),
      until_at timestamptz check (until_at > from_at and until_at > hard_from),
      -- The km that is due, and how far past it the vehicle may still be planned.
      from_km int check (from_km >= 0),
      tolerance_km int not null default 0 check (tolerance_km >= 0),
      soon_km int not null default 0 check (soon_km >= 0),
      -- Whether it may not be sold either; an interim remedy of a recall bars the sale alone.
      bars_sale boolean not null default false,
      reason text not null check (reason <> ''),
      source text not null check (source in ('manual', 'document', 'recall', 'service-plan',
        'work-order', 'damage')),
      source_ref text not null check (source_ref <> ''),
      applied_by text not null,
      applied_at timestamptz not null default now(),
      lifted_by text,
      lifted_at timestamptz,
      lift_reason text check (lift_reason <> ''),
      -- Who may end it: what set it, a repair, one person (soft), or two.
      lifted_via text check (lifted_via in ('source', 'repair', 'person', 'approval')),
      repair_code text check (repair_code <> ''),
      approval_id uuid,
      version int not null default 1,
      constraint hold_hard_from check ((severity = 'hard') = (hard_from is not null)),
      constraint hold_lifted_whole check (num_nulls(lifted_by, lifted_at, lift_reason, lifted_via)
        in (0, 4)),
      constraint hold_recall_has_no_end
        check (type <> 'recall' or (until_at is null and from_km is null)),
      constraint hold_recall_needs_repair check (type <> 'recall' or lifted_at is null
        or (lifted_via = 'repair' and repair_code is not null)),
      -- What a person set no source ends; of those, only a recall ends by its repair.
      constraint hold_lifted_by_its_kind check (source <> 'manual' or lifted_via <> 'source'),
      constraint hold_repair_is_no_release
        check (source <> 'manual' or type = 'recall' or lifted_via <> 'repair'),
      constraint hold_hard_needs_two check (lifted_via <> 'person' or severity = 'soft'),
      constraint hold_release_is_approved
        check ((lifted_via = 'approval') = (approval_id is not null) or lifted_via is null)
    )`.execute(db);
  // What has no hold costs one probe of this index; a lifted one makes room for the next.
  await sql`create index hold_open on vehicles.hold (vehicle_id) where lifted_at is null`.execute(
    db,
  );
  await sql`create unique index hold_open_source on vehicles.hold (source, source_ref)
    where lifted_at is null`.execute(db);
  await sql`create index hold_of_vehicle on vehicles.hold (vehicle_id, id)`.execute(db);
  await sql`alter table vehicles.hold owner to forecourt_owner`.execute(db);
  await sql`grant select, insert, update on vehicles.hold to vehicles_rw`.execute(db);
  await sql`grant select on vehicles.hold to api_read`.execute(db);
  await sql`alter table vehicles.hold enable row level security`.execute(db);
  // A hold is seen by who sees its vehicle: the vehicle's own policy decides in the sub-select.
  const inScope = sql.raw(`(select coalesce(current_setting('app.principal', true), '') <> ''
      and current_setting('app.scope', true) = '*')
    or exists (select from vehicles.vehicle v where v.id = hold.vehicle_id)`);
  await sql`create policy in_scope on vehicles.hold
    using (${inScope}) with check (${inScope})`.execute(db);
}

/** A lifted hold is history, and a hard one that a person set never gets weaker, only lifted. */
async function createGuard(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.guard_hold() returns trigger language plpgsql
    set search_path = vehicles, pg_temp as $$
    begin
      if old.lifted_at is not null then
        raise exception 'Hold % was lifted.', old.id
          using errcode = 'check_violation', constraint = 'hold_lifted_is_final';
      end if;
      if (old.vehicle_id, old.type, old.source, old.source_ref)
        is distinct from (new.vehicle_id, new.type, new.source, new.source_ref) then
        raise exception 'Hold % keeps its vehicle, type and source.', old.id
          using errcode = 'check_violation', constraint = 'hold_keeps_its_source';
      end if;
      if old.source = 'manual' and old.severity = 'hard' and (new.severity = 'soft'
        or new.hard_from > old.hard_from
        or coalesce(new.until_at, 'infinity') < coalesce(old.until_at, 'infinity')
        or coalesce(new.from_km, 0) + new.tolerance_km
          > coalesce(old.from_km, 0) + old.tolerance_km
        or (old.from_km is null and new.from_km is not null)
        or (old.bars_sale and not new.bars_sale)) then
        raise exception 'Hold % may be lifted, not weakened.', old.id
          using errcode = 'check_violation', constraint = 'hold_not_weakened';
      end if;
      return new;
    end $$`.execute(db);
  await sql`alter function vehicles.guard_hold() owner to vehicles_rw`.execute(db);
  await sql`create trigger hold_guard before update on vehicles.hold
    for each row execute function vehicles.guard_hold()`.execute(db);
}

async function createQuestions(db: Kysely<unknown>): Promise<void> {
  // What the odometer will read at an instant: the last reading and the vehicle's average. A period
  // without an end counts as ten years.
  await sql`
    create function vehicles.projected_km(
      p_vehicle uuid, p_at timestamptz, p_km_per_day numeric default null
    ) returns int language sql stable set search_path = vehicles, pg_temp as $$
      select ceil(odometer_km + greatest(0, extract(epoch from
          least(p_at, now() + interval '10 years') - now()) / 86400)
        * greatest(coalesce(average_km_per_day, 140), p_km_per_day))::int
      from vehicle where id = p_vehicle
    $$`.execute(db);
  // Every hold that a period touches, `blocks` when it may not be handed out for all of it.
  await sql`
    create function vehicles.holds_on(
      p_vehicle uuid, p_during tstzrange, p_km_per_day numeric default null
    ) returns table (hold vehicles.hold, projected_km int, blocks boolean)
    language sql stable set search_path = vehicles, pg_temp as $$
      select h, p.km, h.severity = 'hard'
        and tstzrange(h.hard_from, h.until_at) && p_during
        and (h.from_km is null or p.km > h.from_km + h.tolerance_km)
      from hold h
      left join lateral (select projected_km(p_vehicle, upper(p_during), p_km_per_day) as km
        where h.from_km is not null) p on true
      where h.vehicle_id = p_vehicle and h.lifted_at is null
        and tstzrange(h.from_at, h.until_at) && p_during
        and (h.from_km is null or p.km > h.from_km)
    $$`.execute(db);
  // Whoever asks hears of every hold: one out of his sight must not read as none.
  const told = sql.raw(`jsonb_build_object('holdId', (x.hold).id, 'type', (x.hold).type,
    'from', (x.hold).from_at, 'hardFrom', (x.hold).hard_from, 'until', (x.hold).until_at,
    'limitKm', (x.hold).from_km, 'projectedKm', x.projected_km)`);
  await sql`
    create function vehicles.blocking_hold(
      p_vehicle uuid, p_during tstzrange, p_km_per_day numeric default null
    ) returns jsonb language plpgsql stable security definer
    set search_path = vehicles, pg_temp set app.scope = '*' as $$
    begin
      perform from hold where vehicle_id = p_vehicle and lifted_at is null;
      if not found then return null; end if;
      return (select ${told} from holds_on(p_vehicle, p_during, p_km_per_day) x
        where x.blocks order by (x.hold).hard_from, (x.hold).id limit 1);
    end $$`.execute(db);
  await sql`
    create function vehicles.warning_holds(
      p_vehicle uuid, p_during tstzrange, p_km_per_day numeric default null
    ) returns jsonb language plpgsql stable security definer
    set search_path = vehicles, pg_temp set app.scope = '*' as $$
    begin
      perform from hold where vehicle_id = p_vehicle and lifted_at is null;
      if not found then return '[]'; end if;
      return (select coalesce(jsonb_agg(${told} order by (x.hold).from_at, (x.hold).id), '[]')
        from holds_on(p_vehicle, p_during, p_km_per_day) x where not x.blocks);
    end $$`.execute(db);
  // The id of an open hold under which it may not be sold; null when it may be.
  await sql`
    create function vehicles.sale_barring_hold(p_vehicle uuid) returns uuid
    language sql stable set search_path = vehicles, pg_temp as $$
      select id from hold where vehicle_id = p_vehicle and lifted_at is null and bars_sale
        and tstzrange(from_at, until_at) @> now()
      order by id limit 1
    $$`.execute(db);
}

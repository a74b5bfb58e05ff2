// The fleet board: a branch's vehicles and their spans in a window, as one JSON document.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const BOARD = 'vehicles.board(text, text, timestamptz, timestamptz)';

/**
 * `{vehicles: [{id, plate, classId, status, branchId, holds, spans}], unassigned: [demand]}`, null for
 * an unknown branch. Vehicles: those that are there, and those that a span of the window brings or
 * takes. Because spans of one vehicle never overlap, one that reaches into the window from before is
 * the last that began before it: two probes of span_by_vehicle a vehicle find all. It runs with the
 * caller's rights. Instants are what the server's JSON has: UTC as +00:00; formatting each costs as
 * much as the rest.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  // One-ways and transfers are few; only they bring vehicles from elsewhere. The board asks for the
  // bounds, not by &&, which would lead through the whole company's spans of the window.
  await sql`create index span_between_branches on vehicles.span (branch_in)
    include (branch_out, vehicle_id)
    where branch_in <> branch_out and vehicle_id is not null and grip <> 'released'`.execute(db);
  await sql`
    create function vehicles.board(
      p_branch text, p_class text, p_from timestamptz, p_to timestamptz
    ) returns json
    language plpgsql stable
    set search_path = vehicles, pg_temp set "TimeZone" = 'UTC'
    set plan_cache_mode = force_generic_plan as $$
    begin
      perform from branch where id = p_branch;
      if not found then return null; end if;
      return json_build_object(
        'vehicles', (
          select coalesce(json_agg(json_build_object(
            'id', v.id, 'plate', v.plate, 'classId', v.class_id, 'status', v.status,
            'branchId', v.branch_id,
            'holds', coalesce(holds.list, '[]'),
            'spans', coalesce(spans.list, '[]')) order by v.class_id, v.plate), '[]')
          from vehicle v
          left join lateral (
            select json_agg(json_build_object('kind', s.kind, 'ref', s.ref,
              'from', lower(s.during),
              'to', upper(s.during),
              'grip', s.grip, 'branchOut', s.branch_out, 'branchIn', s.branch_in)
              order by lower(s.during)) as list
            from (
              (select * from span b
              where b.vehicle_id = v.id and b.grip <> 'released' and lower(b.during) < p_from
              order by lower(b.during) desc limit 1)
              union all
              select * from span w
              where w.vehicle_id = v.id and w.grip <> 'released'
                and lower(w.during) >= p_from and lower(w.during) < p_to
            ) s
            where upper(s.during) > p_from or upper_inf(s.during)
          ) spans on true
          left join lateral (
            select json_agg(json_build_object('id', h.id, 'type', h.type, 'severity', h.severity,
              'from', h.from_at,
              'hardFrom', h.hard_from,
              'until', h.until_at, 'limitKm', h.from_km)
              order by h.from_at, h.id) as list
            from hold h
            where h.vehicle_id = v.id and h.lifted_at is null
              and tstzrange(h.from_at, h.until_at) && tstzrange(p_from, p_to)
          ) holds on true
          where (p_class is null or v.class_id = p_class)
            and v.status not in ('sold', 'written_off', 'returned_to_supplier')
            and v.id = any (array(
              select here.id from vehicle here where here.branch_id = p_branch
              union
              select s.vehicle_id from span s
              where s.branch_in = p_branch and s.branch_in <> s.branch_out
                and s.vehicle_id is not null and s.grip <> 'released'
                and lower(s.during) < p_to and upper(s.during) > p_from))),
        'unassigned', (
          select coalesce(json_agg(json_build_object('kind', s.kind, 'ref', s.ref,
            'classId', s.class_id, 'from', lower(s.during),
            'to', upper(s.during),
            'branchOut', s.branch_out, 'branchIn', s.branch_in) order by lower(s.during)), '[]')
          from span s
          where s.grip = 'unassigned' and s.branch_out = p_branch
            and (p_class is null or s.class_id = p_class)
            and lower(s.during) < p_to and upper(s.during) > p_from));
    end $$`.execute(db);
  await ownedBy(db, 'vehicles_rw', [BOARD]);
  await publishedTo(db, 'api_read', [BOARD]);
}

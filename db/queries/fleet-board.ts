// The fleet board: every vehicle of a branch with what takes its time in a window, as one text.
import { type Db, type RowAccess, rowAccess } from '../client.ts';
import { type PreparedCall, readInOneTrip } from '../one-trip.ts';
import { branchById } from './vehicles.ts';

export type BoardRequest = {
  readonly branchId: string;
  readonly classId?: string | undefined;
  /** Instants in UTC; the window is half-open. */
  readonly from: string;
  readonly to: string;
};

/**
 * The JSON of `{vehicles, unassigned}`, made by the server because it is large and nobody here looks
 * into it. Null when the branch is unknown. Instants are what the server's JSON has: UTC as +00:00.
 */
export async function fleetBoard(
  db: Db,
  access: RowAccess,
  { branchId, classId, from, to }: BoardRequest,
): Promise<Uint8Array<ArrayBuffer> | null> {
  // The board is the branch's, whoever has its vehicles now: rows are not hidden one by one.
  const wide = { ...rowAccess(access), scope: '*' };
  const values = [branchId, classId ?? null, from, to];
  const [vehicles = [], unassigned = []] = await readInOneTrip(
    db,
    wide,
    [VEHICLES, WAITING],
    values,
  );
  if (vehicles.length + unassigned.length === 0) {
    if ((await branchById(db, branchId)) === undefined) return null;
  }
  return utf8([
    '{"vehicles":[',
    ...listed(vehicles),
    '],"unassigned":[',
    ...listed(unassigned),
    ']}',
  ]);
}

function listed(rows: readonly (string | null)[]): readonly string[] {
  return rows.flatMap((row, index) => (index === 0 ? [row ?? ''] : [',', row ?? '']));
}

/** Straight into bytes: a text of this size would have V8 clear its old generation again and again. */
function utf8(texts: readonly string[]): Uint8Array<ArrayBuffer> {
  const length = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  const bytes = Buffer.from(new ArrayBuffer(length));
  let at = 0;
  for (const text of texts) at += bytes.write(text, at);
  return bytes;
}

/** What every span shows. */
const TAKEN = `'{"kind":"' || s.kind || '","ref":"' || s.ref
  || '","from":' || to_json(lower(s.during)) || ',"to":' || to_json(upper(s.during))
  || ',"branchOut":"' || s.branch_out || '","branchIn":"' || s.branch_in`;

/**
 * The texts are put together by ||, which costs a third of what JSON functions cost for thousands of
 * spans. Nothing in them needs quoting, for constraints let through only words, codes and ids;
 * plates, which people write, and holds, which are few, are left to the JSON functions.
 */
const SPAN = `${TAKEN} || '","grip":"' || s.grip || '"}'`;

const HOLDS = `coalesce((
  select json_agg(json_build_object('id', h.id, 'type', h.type, 'severity', h.severity,
    'from', h.from_at, 'hardFrom', h.hard_from, 'until', h.until_at, 'limitKm', h.from_km)
    order by h.from_at, h.id)
  from vehicles.hold h
  where h.vehicle_id = v.id and h.lifted_at is null
    and tstzrange(h.from_at, h.until_at) && tstzrange($3, $4)), '[]')`;

/**
 * When the last span before the window began, not looking further back than `bound`: a fortnight
 * first, for the reason that migration 0108 gives.
 */
function lastBegun(bound: string): string {
  return `(select lower(b.during) from vehicles.span b
    where b.vehicle_id = v.id and b.grip <> 'released'
      and lower(b.during) < $3 and lower(b.during) >= ${bound}
    order by lower(b.during) desc limit 1)`;
}

/**
 * Vehicles: those that are there, and those that a span of the window brings or takes. Because spans
 * of one vehicle never overlap, one that reaches into the window from before is the last that began
 * before it, and all others begin after it: one scan of span_by_vehicle a vehicle finds all.
 */
const VEHICLES: PreparedCall = {
  role: 'api_read',
  name: 'fleet_board_vehicles',
  types: ['text', 'text', 'timestamptz', 'timestamptz'],
  text: `
    select '{"id":"' || v.id || '","plate":' || to_json(v.plate) || ',"classId":"' || v.class_id
      || '","status":"' || v.status || '","branchId":"' || v.branch_id || '","holds":'
      || case when v.id in (select vehicle_id from vehicles.hold where lifted_at is null)
        then ${HOLDS} else '[]' end
      || ',"spans":[' || coalesce((
        select string_agg(${SPAN}, ',' order by lower(s.during)) from vehicles.span s
        where s.vehicle_id = v.id and s.grip <> 'released' and upper(s.during) > $3
          and lower(s.during) >= coalesce(${lastBegun("$3 - interval '14 days'")},
            ${lastBegun("'-infinity'")}, $3)
          and lower(s.during) < $4), '') || ']}' as answer
    from (
      select id, plate, class_id, status, branch_id from vehicles.vehicle
      where ($2 is null or class_id = $2)
        and status not in ('sold', 'written_off', 'returned_to_supplier')
        and (branch_id = $1 or id = any (array(
          select m.vehicle_id from vehicles.span m
          where m.branch_in = $1 and m.branch_in <> m.branch_out
            and m.vehicle_id is not null and m.grip <> 'released'
            and lower(m.during) < $4 and upper(m.during) > $3)))
      order by class_id, plate) v
    order by v.class_id, v.plate`,
};

const WAITING: PreparedCall = {
  role: 'api_read',
  name: 'fleet_board_unassigned',
  types: VEHICLES.types,
  text: `
    select ${TAKEN} || '","classId":"' || s.class_id || '"}' as answer
    from vehicles.span s
    where s.grip = 'unassigned' and s.branch_out = $1 and ($2 is null or s.class_id = $2)
      and lower(s.during) < $4 and upper(s.during) > $3
    order by lower(s.during)`,
};

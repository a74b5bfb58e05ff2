// Reads of recalls: how far each is, and who has its vehicles now.
import { type Selectable, sql } from 'kysely';
import { type Acting, type Db, transact } from '../client.ts';
import type { VehiclesRecall } from '../schema.ts';
import { type Page, type PageRequest, paged } from './page.ts';

export type RecallRow = Selectable<VehiclesRecall>;

/** Vehicles that the reader may see; `on_rent` ones are with a renter, and still to be repaired. */
export type RecallProgress = RecallRow & {
  readonly vehicles: number;
  readonly repaired: number;
  readonly on_rent: number;
};

const PROGRESS = sql`select r.*,
    (select count(*) from vehicles.recall_vehicle v where v.recall_id = r.id) as vehicles,
    (select count(*) from vehicles.recall_vehicle v join vehicles.hold h on h.id = v.hold_id
      where v.recall_id = r.id and h.lifted_at is not null) as repaired,
    (select count(*) from vehicles.recall_vehicle v join vehicles.hold h on h.id = v.hold_id
      join vehicles.span s on s.vehicle_id = v.vehicle_id and s.grip = 'out'
      where v.recall_id = r.id and h.lifted_at is null and s.kind = 'rental') as on_rent
  from vehicles.recall r`;

export function recallById(
  db: Db,
  acting: Acting,
  id: string,
): Promise<RecallProgress | undefined> {
  return transact(db, 'api_read', acting, async (tx) => {
    const { rows } = await sql<RecallProgress>`${PROGRESS} where r.id = ${id}`.execute(tx);
    return rows[0];
  });
}

export function listRecalls(
  db: Db,
  acting: Acting,
  { after, limit }: PageRequest,
): Promise<Page<RecallProgress>> {
  return transact(db, 'api_read', acting, async (tx) => {
    const beyond = after === undefined ? sql`` : sql`where r.id > ${after}`;
    const { rows } = await sql<RecallProgress>`${PROGRESS} ${beyond}
      order by r.id limit ${limit + 1}`.execute(tx);
    return paged(rows, limit);
  });
}

/** One that a recall means; the rental is the one that has it now, null when it is in possession. */
export type RecalledRow = {
  readonly vehicle_id: string;
  readonly plate: string;
  readonly branch_id: string;
  readonly hold_id: string;
  readonly repaired_at: string | null;
  readonly repair_code: string | null;
  readonly rental_id: string | null;
  readonly rental_number: string | null;
  readonly due_at: string | null;
  readonly return_branch_id: string | null;
  readonly noticed_at: string | null;
  readonly channel: string | null;
};

export type RecalledFilter = PageRequest & {
  readonly onRent?: boolean | undefined;
  readonly repaired?: boolean | undefined;
};

/** Without a renter's details: who may see those reads the rental. */
export function recalledVehicles(
  db: Db,
  acting: Acting,
  recallId: string,
  { after, limit, onRent, repaired }: RecalledFilter,
): Promise<Page<RecalledRow>> {
  const wanted = [sql`rv.recall_id = ${recallId}`];
  if (after !== undefined) wanted.push(sql`rv.vehicle_id > ${after}`);
  if (onRent !== undefined) wanted.push(sql`(s.id is not null) = ${onRent}`);
  if (repaired !== undefined) wanted.push(sql`(h.lifted_at is not null) = ${repaired}`);
  return transact(db, 'api_read', acting, async (tx) => {
    const { rows } = await sql<RecalledRow>`select rv.vehicle_id, v.plate, v.branch_id,
        h.id as hold_id, h.lifted_at as repaired_at, h.repair_code, s.ref as rental_id,
        r.number as rental_number, r.due_at, r.return_branch_id,
        case n.channel when 'mail' then m.sent_at else n.noticed_at end as noticed_at,
        case when m.state in ('failed', 'skipped', 'unknown') then 'none' else n.channel end
          as channel
      from vehicles.recall_vehicle rv
      join vehicles.vehicle v on v.id = rv.vehicle_id
      join vehicles.hold h on h.id = rv.hold_id
      left join vehicles.span s on s.vehicle_id = rv.vehicle_id and s.grip = 'out'
        and s.kind = 'rental'
      left join rentals.rental r on r.id = s.ref
      left join vehicles.recall_notice n on n.recall_id = rv.recall_id and n.rental_id = s.ref
      left join rentals.notification m on m.rental_id = s.ref and m.kind = 'recall'
        and m.subject_id = rv.recall_id
      where ${sql.join(wanted, sql` and `)}
      order by rv.vehicle_id limit ${limit + 1}`.execute(tx);
    return paged(rows, limit);
  });
}

/** The hold of a recall on a vehicle; undefined when it does not mean that vehicle. */
export function holdOfRecalled(
  db: Db,
  acting: Acting,
  recallId: string,
  vehicleId: string,
): Promise<string | undefined> {
  return transact(db, 'api_read', acting, async (tx) => {
    const row = await tx
      .selectFrom('vehicles.recall_vehicle')
      .select('hold_id')
      .where('recall_id', '=', recallId)
      .where('vehicle_id', '=', vehicleId)
      .executeTakeFirst();
    return row?.hold_id;
  });
}

/** Without an address somebody has to call. */
export type Renter = {
  readonly rentalId: string;
  readonly vehicleId: string;
  readonly hasAddress: boolean;
};

/** The renters who have a recalled, unrepaired vehicle now and were not told yet. */
export function rentersToNotify(
  db: Db,
  principal: string,
  recallId: string,
): Promise<readonly Renter[]> {
  return transact(db, 'api_read', principal, async (tx) => {
    const { rows } = await sql<Renter>`select r.id as "rentalId", v.id as "vehicleId",
        k.email is not null as "hasAddress"
      from vehicles.recall c
      join vehicles.recall_vehicle rv on rv.recall_id = c.id
      join vehicles.hold h on h.id = rv.hold_id and h.lifted_at is null
      join vehicles.vehicle v on v.id = rv.vehicle_id
      join vehicles.span s on s.vehicle_id = v.id and s.grip = 'out' and s.kind = 'rental'
      join rentals.rental r on r.id = s.ref
      join rentals.customer k on k.id = r.customer_id
      where c.id = ${recallId} and not exists (select from vehicles.recall_notice n
        where n.recall_id = c.id and n.rental_id = r.id)
      order by r.id`.execute(tx);
    return rows;
  });
}

/** Held vehicles of a recall that somebody is still booked on. */
export function bookedRecalled(
  db: Db,
  principal: string,
  recallId: string,
): Promise<readonly string[]> {
  return transact(db, 'api_read', principal, async (tx) => {
    const { rows } = await sql<{ id: string }>`select distinct rv.vehicle_id as id
      from vehicles.recall_vehicle rv
      join vehicles.span s on s.vehicle_id = rv.vehicle_id and s.grip = 'tentative'
      join vehicles.hold h on h.id = rv.hold_id and h.lifted_at is null
      where rv.recall_id = ${recallId} and tstzrange(h.hard_from, null) && s.during
        and h.hard_from is not null
      order by 1`.execute(tx);
    return rows.map(({ id }) => id);
  });
}

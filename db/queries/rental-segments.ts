// Reads of the vehicles that a rental has had, one after the other.
import { sql } from 'kysely';
import type { ExchangeReason, Reading } from '../../domain/rental.ts';
import { type Acting, type Db, transact } from '../client.ts';

export type SegmentRow = {
  readonly id: string;
  readonly vehicleId: string;
  readonly reason: ExchangeReason | null;
  readonly branchOut: string;
  readonly from: string;
  readonly out: Reading;
  readonly branchIn: string | null;
  readonly to: string | null;
  readonly back: Reading | null;
};

/** In their order; none before check-out. */
export function segmentsOfRental(
  db: Db,
  acting: Acting,
  rentalId: string,
): Promise<readonly SegmentRow[]> {
  return transact(db, 'api_read', acting, async (tx) => {
    const { rows } = await sql<SegmentRow>`
      select id, vehicle_id as "vehicleId", reason, branch_out as "branchOut", from_at as "from",
        jsonb_build_object('odometerKm', odometer_out_km, 'fuelEighths', fuel_out_eighths) as out,
        branch_in as "branchIn", to_at as "to", case when to_at is not null then
          jsonb_build_object('odometerKm', odometer_in_km, 'fuelEighths', fuel_in_eighths)
        end as back
      from rentals.segment where rental_id = ${rentalId} order by from_at, to_at`.execute(tx);
    return rows;
  });
}

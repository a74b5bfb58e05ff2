// The price of a rental whose vehicle its customer had just before, under another contract.
import { sql } from 'kysely';
import { afterOthers, withoutOthers } from '../../domain/pricing/long-term.ts';
import { feesOf, type Quote } from '../../domain/pricing.ts';
import { type EarlierHire, precedingMinutes } from '../../domain/rental/consecutive.ts';
import type { Tx } from '../client.ts';
import type { RentalRow } from '../rental-row.ts';
import { asked } from './calendar.ts';
import { ratingOf } from './rental-update.ts';

/** The minutes of the contracts that lead up to `at`; null without one. */
export async function precedingOf(
  tx: Tx,
  { id }: Pick<RentalRow, 'id'>,
  vehicleId: string,
  at: string,
): Promise<number | null> {
  const earlier = await asked<readonly EarlierHire[]>(
    tx,
    sql`rentals.earlier_hires(${id}, ${vehicleId}, ${at})`,
  );
  return precedingMinutes(earlier, at);
}

/**
 * `price` as that of the vehicle that goes out at `at`: taxed as one hire with the contracts before it
 * (decisions.md 19), which stay as they were invoiced.
 */
export async function priceInSequence(
  tx: Tx,
  row: RentalRow,
  vehicleId: string,
  at: string,
  price: Quote,
): Promise<Quote> {
  const before = await precedingOf(tx, row, vehicleId, at);
  if (before === null) return price;
  const { rating } = await ratingOf(tx, row, row.due_at);
  return afterOthers(price, rating.plan, before);
}

/** The rental's price when its vehicle did not go out after all: the next may be another one. */
export async function priceAlone(tx: Tx, row: RentalRow): Promise<Quote> {
  if (row.price.chosen?.longTerm?.precedingMinutes === undefined) return row.price;
  const { rating } = await ratingOf(tx, row, row.due_at);
  const { plan, pickUpAt, clock } = rating;
  const fees = feesOf(row.price);
  return withoutOthers(row.price, { plan, pickUpAt, returnAt: row.due_at, clock, fees });
}

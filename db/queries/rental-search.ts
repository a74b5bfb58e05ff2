// The search for rentals by whatever a person at the counter has: number, plate, name, phone or mail.
import { type RawBuilder, sql } from 'kysely';
import { type Acting, type Db, rowAccess, transact } from '../client.ts';

export type RentalSearch = {
  readonly text: string;
  /** Whether it may be found by what is known of its customer. */
  readonly byCustomer: boolean;
};

const LAST_CHARACTER = '\u{10ffff}';
/** A number, or its digits alone. */
const NUMBER = /^(RA-)?([0-9]*)$/i;
/** Shorter ones would list half of all customers. */
const MIN_NAME = 2;

/** A range of the column itself: under a policy no function of a column gets to use an index. */
export function beginsWith(column: string, beginning: RawBuilder<unknown>): RawBuilder<boolean> {
  const name = sql.ref(column);
  return sql`(${name} >= ${beginning} and ${name} < ${beginning} || ${LAST_CHARACTER})`;
}

/**
 * The rentals `t` whose number begins with the text, that have or had a vehicle that has or had this
 * plate, or whose customer's name begins so or has this phone or mail. Each way has an index.
 */
export async function matches(
  db: Db,
  acting: Acting,
  { text, byCustomer }: RentalSearch,
): Promise<RawBuilder<boolean>> {
  const digits = NUMBER.exec(text)?.[2];
  const byNumber =
    digits === undefined ? [] : [beginsWith('t.number', sql`${`RA-${digits}`}::text`)];
  const vehicleIds = await vehiclesByPlate(db, acting, text);
  const ids = [
    ...(vehicleIds.length === 0 ? [] : [rentalsOfVehicles(vehicleIds)]),
    ...(byCustomer && text.length >= MIN_NAME ? customersRentals(text) : []),
  ];
  // An array, for the order of the page is then that of its probes.
  const others = ids.length === 0 ? [] : [sql`t.id = any (array(${sql.join(ids, sql` union `)}))`];
  const ways = [...byNumber, ...others];
  return ways.length === 0 ? sql<boolean>`false` : sql<boolean>`(${sql.join(ways, sql` or `)})`;
}

/**
 * The vehicle may be at a branch by now that the caller does not see; what of its rentals he sees is
 * for the rentals' own policy to say.
 */
function vehiclesByPlate(db: Db, acting: Acting, plate: string): Promise<readonly string[]> {
  const wide = { ...rowAccess(acting), scope: '*' };
  return transact(db, 'api_read', wide, async (tx) => {
    const { rows } = await sql<{ readonly id: string }>`select distinct vehicle_id as id
      from vehicles.plate where plate_key = vehicles.plate_key(${plate})`.execute(tx);
    return rows.map(({ id }) => id);
  });
}

function rentalsOfVehicles(vehicleIds: readonly string[]): RawBuilder<unknown> {
  return sql`select s.ref from vehicles.span s where s.kind = 'rental' and s.grip <> 'released'
    and s.vehicle_id = any (${vehicleIds}::uuid[])`;
}

function customersRentals(text: string): readonly RawBuilder<unknown>[] {
  const of = (customers: RawBuilder<unknown>) => sql`select r.id from rentals.customer c
    join rentals.rental r on r.customer_id = c.id where ${customers}`;
  return [
    of(beginsWith('c.name_key', sql`lower(${text})`)),
    of(sql`c.email_key = lower(${text})`),
    of(sql`c.phone = ${text}`),
  ];
}

// When a rental's timer looks whether it has a vehicle: its branch's setting, as of the booking.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table rentals.rental add column shortage_minutes int not null default 120
    check (shortage_minutes >= 0)`.execute(db);
}

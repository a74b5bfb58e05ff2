// What a repack for a rental must know of its own span, and how long a branch turns a vehicle around.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const FUNCTIONS = ['vehicles.span_of(uuid)', 'vehicles.turnaround_of(text)'];

/**
 * Json {spanId, classId, branchOut, branchIn, vehicleId | null, grip, from, until, turnaroundMinutes} of
 * a rental's span, null when there is none; and a branch's minutes, null for an unknown branch.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.span_of(p_ref uuid) returns jsonb
    language sql stable security definer set search_path = vehicles, pg_temp as $$
      select jsonb_build_object('spanId', id, 'classId', class_id, 'branchOut', branch_out,
        'branchIn', branch_in, 'vehicleId', vehicle_id, 'grip', grip,
        'from', to_json(lower(during)), 'until', to_json(upper(during)),
        'turnaroundMinutes', turnaround_minutes)
      from span where kind = 'rental' and ref = p_ref and grip <> 'released'
    $$`.execute(db);
  await sql`
    create function vehicles.turnaround_of(p_branch text) returns int
    language sql stable security definer set search_path = vehicles, pg_temp as $$
      select turnaround_minutes from branch where id = p_branch
    $$`.execute(db);
  await ownedBy(db, 'vehicles_rw', FUNCTIONS);
  await publishedTo(db, 'rentals_rw', FUNCTIONS);
}

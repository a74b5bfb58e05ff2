// Moves of spans that a random step wants: all of them are made when the model finds nothing wrong.
import { expect } from 'vitest';
import { applyMoves } from '../../db/commands/calendar-repack.ts';
import { attempt, calendar } from './fleet.ts';
import { faults, isHeld, type Seat } from './fleet-model.ts';
import type { Walk } from './fleet-steps.ts';

const STALE = 'version-conflict';

type Wanted = { readonly seat: Seat; readonly vehicle: string | null };

/** All of it when the model finds nothing wrong with the outcome, else nothing. */
export async function move({ t, world, seen }: Walk, wanted: readonly Wanted[]): Promise<void> {
  const moves = wanted.map(({ seat: { spanId, version }, vehicle }) => {
    return { spanId, version, vehicleId: vehicle ?? '' };
  });
  const answer = await attempt(calendar(t.db, (tx) => applyMoves(tx, moves, null)));
  const to = new Map(wanted.map(({ seat, vehicle }) => [seat.id, vehicle]));
  const seats = world.seats.map((s) => ({ ...s, vehicle: to.get(s.id) ?? s.vehicle }));
  const isBarred = wanted.some(({ seat, vehicle }) => isHeld(world, vehicle ?? '', seat));
  const fits = !isBarred && faults(world, seats).length === 0;
  expect(answer === STALE).toBe(!fits);
  seen(fits ? 'moved' : 'move refused');
}

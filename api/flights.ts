// A flight that somebody tells: its number straight into its row, its delay to the rental's workflow.
import type { z } from '@hono/zod-openapi';
import type { Acting } from '../db/client.ts';
import { noteFlight } from '../db/commands/flights.ts';
import type { Actor } from '../domain/actor.ts';
import type { RentalState } from '../domain/rental.ts';
import { announceDelay } from '../workflows/rental.messages.ts';
import { sendCommand } from './commands.ts';
import type { ApiDeps } from './deps.ts';
import type { AnnounceDelay, Flight } from './schemas/flights.ts';

/** `acting` says which rentals are there, `commandId` which telling it is: a repeat changes nothing. */
type Teller = {
  readonly rentalId: string;
  readonly commandId: string;
  readonly actor: Actor;
  readonly acting: Acting;
};

/** Throws `invalid-state` once nobody is waited for, `value-refused` for a delay without a flight. */
export async function tellDelay(
  deps: ApiDeps,
  { rentalId, commandId, actor, acting }: Teller,
  { flightNumber, delayMinutes }: z.infer<typeof AnnounceDelay>,
): Promise<RentalState> {
  if (typeof flightNumber === 'string') await noteFlight(deps.db, acting, rentalId, flightNumber);
  const message = { commandId, actor, command: { delayMinutes } };
  const state = await sendCommand(deps, rentalId, announceDelay, message);
  if (flightNumber === null) await noteFlight(deps.db, acting, rentalId, null);
  return state;
}

/** With a booking or its change, whose state this is; without a delay only the number is kept. */
export async function tellFlight(
  deps: ApiDeps,
  teller: Teller,
  state: RentalState,
  flight: z.infer<typeof Flight> | undefined,
): Promise<RentalState> {
  if (flight === undefined) return state;
  const { number: flightNumber, delayMinutes } = flight;
  if (delayMinutes !== undefined) {
    const told = { ...teller, commandId: `${teller.commandId}/flight` };
    return tellDelay(deps, told, { flightNumber, delayMinutes });
  }
  await noteFlight(deps.db, teller.acting, teller.rentalId, flightNumber);
  return state;
}

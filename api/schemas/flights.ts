// Flights as they are told and shown: the number names a journey, so only who knows the renter sees it.
import { z } from '@hono/zod-openapi';
import { MAX_DELAY_MINUTES } from '../../domain/rental/delay.ts';

const FlightNumber = z
  .string()
  .regex(
    /^([A-Z]{2}|[A-Z][0-9]|[0-9][A-Z])[1-9][0-9]{0,3}[A-Z]?$/,
    'must be an airline’s two characters and a number, e.g. OS123',
  )
  .openapi({ example: 'OS123' });

const DelayMinutes = z.int().min(0).max(MAX_DELAY_MINUTES).openapi({
  description:
    'Of its arrival: the vehicle is kept for as much longer, at most until it is due back',
});

/** With a booking, or a change of it. */
export const Flight = z
  .strictObject({ number: FlightNumber, delayMinutes: DelayMinutes.optional() })
  .openapi('Flight', { description: 'That the renter comes by' });

export const AnnounceDelay = z
  .strictObject({
    flightNumber: FlightNumber.nullable()
      .optional()
      .openapi({ description: 'Null removes it; left out, it is as it was told before' }),
    delayMinutes: DelayMinutes,
  })
  .refine(({ flightNumber, delayMinutes }) => flightNumber !== null || delayMinutes === 0, {
    message: 'without a flight there is no delay',
    path: ['delayMinutes'],
  })
  .openapi('AnnounceDelay');

export const FlightOfRental = z
  .object({ flightNumber: FlightNumber.nullable(), delayMinutes: z.int() })
  .openapi('FlightOfRental');

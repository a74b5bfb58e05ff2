// What a consumer accepts: the zod contract of every event, checked against domain/events.ts.
import { z } from 'zod';
import type { EventData, EventType, ForecourtEvent } from '../domain/events.ts';
import { accountingContracts } from './contracts/accounting.ts';
import { id, instant } from './contracts/parts.ts';
import { peopleContracts } from './contracts/people.ts';
import { rentalContracts } from './contracts/rentals.ts';
import { vehicleContracts } from './contracts/vehicles.ts';

/** Unknown members are dropped, so a newer producer may add data within a version. */
const DATA = {
  ...vehicleContracts,
  ...rentalContracts,
  ...peopleContracts,
  ...accountingContracts,
} as const satisfies { readonly [T in EventType]: z.ZodType<EventData[T]> };

const envelope = z.object({
  specversion: z.literal('1.0'),
  id,
  source: z.string().startsWith('/forecourt/'),
  type: z.string(),
  subject: z.string().min(1),
  time: instant,
  datacontenttype: z.literal('application/json'),
  sequence: z.string().regex(/^[1-9][0-9]*$/),
  traceparent: z.string().optional(),
  data: z.unknown(),
});

/** A message that no retry can make readable: it goes to the dead letters at once. */
export class ContractViolation extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ContractViolation';
  }
}

/** Reads a message's text as one of our events. Throws `ContractViolation` without its content. */
export function parseEvent(text: string): ForecourtEvent {
  const event = accept(envelope, parseJson(text), 'envelope');
  if (!isKnown(event.type)) throw new ContractViolation(`unknown type ${event.type.slice(0, 80)}`);
  const data = accept<unknown>(DATA[event.type], event.data, event.type);
  // The contract of this very type accepted the data, which the union cannot express.
  return { ...event, data } as ForecourtEvent;
}

function isKnown(type: string): type is EventType {
  return Object.hasOwn(DATA, type);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ContractViolation('not JSON');
  }
}

function accept<T>(contract: z.ZodType<T>, value: unknown, what: string): T {
  const result = contract.safeParse(value);
  if (result.success) return result.data;
  const where = result.error.issues.map((i) => `${i.path.join('.') || '.'} ${i.code}`);
  throw new ContractViolation(`${what}: ${where.slice(0, 5).join(', ')}`);
}

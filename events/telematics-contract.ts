// What an external producer sends to telematics.readings.v1, and how it becomes a reading.
import { z } from 'zod';
import type { NewReading } from '../db/commands/meters.ts';
import {
  CLOCK_TOLERANCE_MS,
  faultOf,
  METER_KINDS,
  METER_SOURCES,
  storedValue,
} from '../domain/meter.ts';
import { ContractViolation } from './contracts.ts';

/** Unknown members are dropped, so a newer producer may add some. See docs/telematics.md. */
const contract = z.object({
  id: z.string().min(1).max(80),
  vehicleId: z.uuid(),
  deviceId: z.string().min(1).max(80),
  source: z.enum(METER_SOURCES).exclude(['dash']),
  kind: z.enum(METER_KINDS),
  takenAt: z.iso.datetime({ offset: true }),
  value: z.number().optional(),
  code: z.string().max(5).optional(),
  active: z.boolean().optional(),
});

/**
 * Reads a message's text. Throws `ContractViolation`, which names the field but not its content:
 * not JSON, a field that is missing or wrong, or taken later than our clock (`nowMs`) allows.
 */
export function parseReading(text: string, nowMs: number): NewReading {
  const result = contract.safeParse(parseJson(text));
  if (!result.success) {
    const where = result.error.issues.map((i) => `${i.path.join('.') || '.'} ${i.code}`);
    throw new ContractViolation(where.slice(0, 5).join(', '));
  }
  const { id: externalId, vehicleId, deviceId, source, kind, takenAt } = result.data;
  const fault = faultOf(result.data);
  if (fault) throw new ContractViolation(`${fault.field} ${fault.message}`);
  if (Date.parse(takenAt) > nowMs + CLOCK_TOLERANCE_MS) {
    throw new ContractViolation('takenAt lies in the future');
  }
  const device = { deviceId, source, externalId, origin: 'device' } as const;
  return { vehicleId, kind, takenAt, ...device, ...storedValue(result.data) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ContractViolation('not JSON');
  }
}

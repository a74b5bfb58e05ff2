// What a consumer accepts: the zod contract of every event, checked against domain/events.ts.
import { z } from 'zod';
import type { EventData, EventType, ForecourtEvent } from '../domain/events.ts';

const id = z.uuid();
const code = z.string().min(1).max(40);
const instant = z.iso.datetime();
const minor = z.int();
const currency = z.string().length(3);
const branch = z.object({ branchId: code, entityId: code, timeZone: code });
const staff = z.object({ staffId: id, status: code });
const apiClient = z.object({ clientId: z.string().min(1).max(80), partnerId: id });
const apiKey = z.object({ keyId: id, owner: z.string().min(1).max(80) });
const approval = z.object({
  approvalId: id,
  kind: code,
  subjectType: code,
  subjectId: z.string().min(1).max(80),
  amount: minor,
  status: code,
});
const rental = { rentalId: id, branchId: code, status: code };

/** Unknown members are dropped, so a newer producer may add data within a version. */
const DATA = {
  'forecourt.rental.reserved.v1': z.object({
    ...rental,
    number: code,
    customerId: id,
    classId: code,
    vehicleId: id.nullable(),
    pickUpAt: instant,
    dueAt: instant,
    totalMinor: minor,
    currency,
  }),
  'forecourt.rental.checked-out.v1': z.object({
    ...rental,
    vehicleId: id,
    odometerKm: z.int(),
    fuelEighths: z.int(),
    checkedOutAt: instant,
    dueAt: instant,
  }),
  'forecourt.rental.extended.v1': z.object({
    ...rental,
    previousDueAt: instant,
    dueAt: instant,
    totalMinor: minor,
    currency,
  }),
  'forecourt.rental.checked-in.v1': z.object({
    ...rental,
    vehicleId: id,
    odometerKm: z.int(),
    fuelEighths: z.int(),
    checkedInAt: instant,
  }),
  'forecourt.rental.closed.v1': z.object({ ...rental, invoiceId: id, totalMinor: minor, currency }),
  'forecourt.rental.cancelled.v1': z.object({ ...rental, cancelledAt: instant, reason: code }),
  'forecourt.rental.no-show.v1': z.object({ ...rental, pickUpAt: instant }),
  'forecourt.rental.return-reminder.v1': z.object({ ...rental, dueAt: instant }),
  'forecourt.rental.overdue.v1': z.object({
    ...rental,
    vehicleId: id,
    dueAt: instant,
    keptUntil: instant,
  }),
  'forecourt.invoice.issued.v1': z.object({
    invoiceId: id,
    number: code,
    entityId: code,
    branchId: code.nullable(),
    rentalId: id.nullable(),
    entryId: id,
    issueDate: z.iso.date(),
    netMinor: minor,
    vatMinor: minor,
    totalMinor: minor,
    currency,
  }),
  'forecourt.entry.posted.v1': z.object({
    entryId: id,
    entityId: code,
    postingDate: z.iso.date(),
    source: z.string().max(200),
  }),
  'forecourt.legal-entity.opened.v1': z.object({ entityId: code, functionalCurrency: currency }),
  'forecourt.branch.registered.v1': branch,
  'forecourt.branch.updated.v1': branch,
  'forecourt.class.registered.v1': z.object({ classId: code }),
  'forecourt.class.updated.v1': z.object({ classId: code }),
  'forecourt.rate-plan.published.v1': z.object({ planId: code, planVersion: z.int() }),
  'forecourt.vehicle.registered.v1': z.object({
    vehicleId: id,
    branchId: code,
    classId: code,
    odometerKm: z.int(),
  }),
  'forecourt.vehicle.span-reassigned.v1': z.object({
    spanId: id,
    rentalId: id,
    vehicleId: id.nullable(),
  }),
  'forecourt.vehicle.updated.v1': z.object({ vehicleId: id, branchId: code, classId: code }),
  'forecourt.customer.registered.v1': z.object({ customerId: id }),
  'forecourt.customer.updated.v1': z.object({ customerId: id }),
  'forecourt.customer.contacts-erased.v1': z.object({ customerId: id }),
  'forecourt.customer.erased.v1': z.object({ customerId: id }),
  'forecourt.staff.hired.v1': staff,
  'forecourt.staff.changed.v1': staff,
  'forecourt.staff.password-changed.v1': z.object({ staffId: id }),
  'forecourt.partner.registered.v1': z.object({ partnerId: id }),
  'forecourt.partner.changed.v1': z.object({ partnerId: id, status: code }),
  'forecourt.api-client.created.v1': apiClient,
  'forecourt.api-client.revoked.v1': apiClient,
  'forecourt.api-key.created.v1': apiKey,
  'forecourt.api-key.revoked.v1': apiKey,
  'forecourt.approval.requested.v1': approval,
  'forecourt.approval.decided.v1': approval,
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

// Readings of meters as they are sent and shown, and what is decided about them.
import { z } from '@hono/zod-openapi';
import type { MeterState, ReadingRow } from '../../db/queries/meters.ts';
import { readDtc } from '../../domain/dtc.ts';
import { faultOf, METER_KINDS, METER_SOURCES, type Said } from '../../domain/meter.ts';
import { Id, Instant, pageQuery, text, UtcInstant } from './common.ts';

const said = {
  kind: z.enum(METER_KINDS),
  source: z.enum(METER_SOURCES),
  deviceId: text(80).optional().openapi({ description: 'Of can and gps; the dash has none' }),
  externalId: text(80).optional().openapi({
    description: 'What the sender calls it: the same of the same device again has no effect',
  }),
  takenAt: Instant,
  value: z.number().optional().openapi({
    description: 'km, hours, eighths of the tank or percent of the battery; not of a dtc',
  }),
  code: text(5).optional().openapi({ description: 'Of a dtc: SAE J2012', example: 'P0420' }),
  active: z.boolean().optional().openapi({ description: 'Of a dtc: whether it is on' }),
};

function tellFault(reading: Said, ctx: z.core.$RefinementCtx): void {
  const fault = faultOf(reading);
  if (fault) ctx.addIssue({ code: 'custom', message: fault.message, path: [fault.field] });
}

export const NewReading = z.strictObject(said).superRefine(tellFault).openapi('NewReading');
export const NewReadingOfVehicle = z
  .strictObject({ vehicleId: Id, ...said })
  .superRefine(tellFault)
  .openapi('NewReadingOfVehicle');

const STATES = ['accepted', 'queued', 'void'] as const;
const DECISIONS = ['accept', 'void', 'new-segment'] as const;

export const Reading = z
  .object({
    id: Id,
    vehicleId: Id,
    kind: z.enum(METER_KINDS),
    source: z.enum(METER_SOURCES),
    deviceId: z.string().nullable(),
    externalId: z.string().nullable(),
    takenAt: UtcInstant,
    value: z.number().nullable(),
    code: z.string().nullable(),
    active: z.boolean().nullable(),
    segment: z.int().openapi({ description: 'Counts the replacements of the counter, from 1' }),
    origin: z.string().openapi({ example: 'check-in' }),
    state: z.string().openapi({ enum: [...STATES] }),
    recordedAt: UtcInstant,
    voidedAt: UtcInstant.nullable(),
    voidReason: z.string().nullable(),
    review: z
      .object({
        reason: z.string().openapi({ enum: ['backwards', 'too-fast'] }),
        decision: z
          .string()
          .nullable()
          .openapi({ enum: [...DECISIONS, 'fits', null] }),
        decidedAt: UtcInstant.nullable(),
      })
      .nullable()
      .openapi({ description: 'Why nobody would believe it, and what was decided' }),
  })
  .openapi('Reading');

export const ReadingList = z.strictObject({
  ...pageQuery(Id),
  kind: z.enum(METER_KINDS).optional(),
  source: z.enum(METER_SOURCES).optional(),
  state: z.enum(STATES).optional(),
  from: Instant.optional(),
  to: Instant.optional(),
});

export const ReviewList = z.strictObject({ ...pageQuery(Id), vehicleId: Id.optional() });

export const VoidReading = z.strictObject({ reason: text(500) }).openapi('VoidReading');

export const ReadingDecision = z
  .strictObject({ decision: z.enum(DECISIONS), reason: text(500) })
  .openapi('ReadingDecision');

const km = z.int().min(0).max(5_000_000);

export const NewOdometer = z
  .strictObject({ replacedAt: Instant, oldKm: km, newKm: km, reason: text(500) })
  .openapi('NewOdometer');

export const Meters = z
  .object({
    meters: z
      .array(
        z.object({
          kind: z.enum(METER_KINDS),
          source: z.enum(METER_SOURCES),
          deviceId: z.string().nullable(),
          takenAt: UtcInstant,
          value: z.number(),
          offsetKm: z.number().nullable().openapi({
            description: 'Added to the device’s odometer it reads as the dash did at its newest',
          }),
        }),
      )
      .readonly(),
    dtcs: z
      .array(
        z.object({
          code: z.string(),
          system: z.string().nullable(),
          definedBy: z.string().nullable(),
          takenAt: UtcInstant,
        }),
      )
      .readonly()
      .openapi({ description: 'The codes that are on' }),
  })
  .openapi('Meters');

export function readingView(row: ReadingRow) {
  const isDtc = row.kind === 'dtc';
  return {
    id: row.id,
    vehicleId: row.vehicle_id,
    kind: row.kind,
    source: row.source,
    deviceId: row.device_id || null,
    externalId: row.external_id,
    takenAt: row.taken_at,
    value: isDtc ? null : Number(row.value),
    code: isDtc ? row.code : null,
    active: isDtc ? Number(row.value) === 1 : null,
    segment: row.segment,
    origin: row.origin,
    state: row.state,
    recordedAt: row.recorded_at,
    voidedAt: row.void_at,
    voidReason: row.void_reason,
    review:
      row.review_reason === null
        ? null
        : {
            reason: row.review_reason,
            decision: row.review_decision,
            decidedAt: row.decided_at,
          },
  };
}

export function metersView({ meters, dtcs }: MeterState) {
  return {
    meters: meters.map((row) => ({
      kind: row.kind,
      source: row.source,
      deviceId: row.device_id || null,
      takenAt: row.last_at,
      value: Number(row.last_value),
      offsetKm: row.offset_km === null ? null : Number(row.offset_km),
    })),
    dtcs: dtcs.map(({ code, last_at: takenAt }) => {
      const { system = null, definedBy = null } = readDtc(code) ?? {};
      return { code, system, definedBy, takenAt };
    }),
  };
}

// What a consumer accepts of the vehicles domain: the zod contract of each of its events.
import { z } from 'zod';
import type { VehicleEvents } from '../../domain/events/vehicles.ts';
import { code, count, currency, id, instant, minor } from './parts.ts';

const branch = z.object({ branchId: code, entityId: code, timeZone: code });
const vehicleDocument = z.object({
  documentId: id,
  vehicleId: id,
  documentKind: code,
  expiresOn: z.iso.date().nullable(),
});
const hold = z.object({ holdId: id, vehicleId: id, holdType: code, severity: code });
const onRequest = z.object({ branchId: code, classId: code, answerMinutes: z.int() });
const overbookingLimit = z.object({ limitId: id, branchId: code, classId: code });
const stopSell = z.object({
  stopSellId: id,
  branchId: code.nullable(),
  classId: code.nullable(),
  fromDate: z.iso.date(),
  toDate: z.iso.date(),
});
const transfer = {
  transferId: id,
  status: code,
  vehicleId: id,
  fromBranchId: code,
  toBranchId: code,
};
const recall = { recallId: id, vehicles: z.int() };

export const vehicleContracts = {
  'forecourt.branch.registered.v1': branch,
  'forecourt.branch.updated.v1': branch,
  'forecourt.class.registered.v1': z.object({ classId: code }),
  'forecourt.class.updated.v1': z.object({ classId: code }),
  'forecourt.vehicle.dtc-raised.v1': z.object({ vehicleId: id, code, raisedAt: instant }),
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
    reason: code.nullable().default(null),
  }),
  'forecourt.overbooking-limit.set.v1': overbookingLimit,
  'forecourt.overbooking-limit.changed.v1': overbookingLimit,
  'forecourt.on-request.set.v1': onRequest,
  'forecourt.on-request.withdrawn.v1': onRequest,
  'forecourt.shortage.raised.v1': z.object({
    caseId: id,
    rentalId: id,
    branchId: code,
    classId: code,
    pickUpAt: instant,
  }),
  'forecourt.shortage.resolved.v1': z.object({
    caseId: id,
    rentalId: id,
    branchId: code,
    step: code,
    vehicleId: id.nullable(),
    costMinor: minor.nullable(),
    currency: currency.nullable(),
  }),
  'forecourt.stop-sell.set.v1': stopSell,
  'forecourt.stop-sell.ended.v1': stopSell,
  'forecourt.transfer.planned.v1': z.object({
    ...transfer,
    classId: code,
    departsAt: instant,
    arrivesAt: instant,
  }),
  'forecourt.transfer.departed.v1': z.object({
    ...transfer,
    odometerKm: count,
    departedAt: instant,
  }),
  'forecourt.transfer.arrived.v1': z.object({
    ...transfer,
    odometerKm: count,
    km: count,
    arrivedAt: instant,
  }),
  'forecourt.transfer.cancelled.v1': z.object({ ...transfer, reason: code }),
  'forecourt.transfer.overdue.v1': z.object({
    ...transfer,
    arrivesAt: instant,
    keptUntil: instant.nullable(),
  }),
  'forecourt.travel-time.set.v1': z.object({
    fromBranchId: code,
    toBranchId: code,
    minutes: count,
  }),
  'forecourt.vehicle.updated.v1': z.object({ vehicleId: id, branchId: code, classId: code }),
  'forecourt.vehicle.status-changed.v1': z.object({
    vehicleId: id,
    branchId: code,
    classId: code,
    previousStatus: code,
    status: code,
    heldForSaleAt: instant.nullable(),
  }),
  'forecourt.vehicle.document-added.v1': vehicleDocument,
  'forecourt.vehicle.document-withdrawn.v1': vehicleDocument,
  'forecourt.hold.applied.v1': hold,
  'forecourt.hold.changed.v1': hold,
  'forecourt.hold.lifted.v1': hold,
  'forecourt.recall.opened.v1': z.object({
    ...recall,
    deadlineAt: instant,
    hardAt: instant.nullable(),
  }),
  'forecourt.recall.amended.v1': z.object({
    ...recall,
    deadlineAt: instant,
    hardAt: instant.nullable(),
  }),
  'forecourt.recall.grounded.v1': z.object(recall),
  'forecourt.recall.renter-notified.v1': z.object({
    recallId: id,
    vehicleId: id,
    rentalId: id,
    channel: code,
  }),
  'forecourt.fleet.proved.v1': z.object({
    proofId: id,
    rentals: count,
    workflows: count,
    vehicles: count,
    differences: count,
  }),
} as const satisfies { readonly [T in keyof VehicleEvents]: z.ZodType<VehicleEvents[T]> };

// What is told of a vehicle, and the columns that keep it.
import type { Energy, Ownership } from '../../domain/vehicle.ts';

/** `[from, until)`; it has to be given back, or notice given, `offHireNoticeDays` before the end. */
export type SubRental = {
  readonly from: string;
  readonly until: string;
  readonly offHireNoticeDays: number;
  readonly costPerDayMinor: number;
  readonly currency: string;
};

/** Net of recoverable VAT; dates are local calendar dates. */
export type Acquisition = {
  readonly acquiredOn: string;
  readonly costMinor: number;
  readonly currency: string;
  readonly residualMinor?: number | null | undefined;
  readonly availableForUseOn?: string | null | undefined;
};

/** What may be told at registration and changed later; null empties what may be empty. */
export type VehicleData = {
  readonly plate: string;
  /** ISO 3166 code, with a subdivision where that issues plates: AT, US-CA. ZZ is unknown. */
  readonly plateJurisdiction?: string | undefined;
  readonly classId: string;
  readonly branchId: string;
  readonly homeBranchId?: string | undefined;
  readonly make: string;
  readonly model: string;
  readonly modelYear: number;
  readonly vin?: string | null | undefined;
  /** Of an ordered one: a local date of its branch. */
  readonly expectedOn?: string | null | undefined;
  readonly energy?: Energy | null | undefined;
  readonly tankLitres?: number | null | undefined;
  readonly batteryKwh?: number | null | undefined;
  readonly ownership?: Ownership | undefined;
  readonly supplier?: string | null | undefined;
  readonly subRental?: SubRental | null | undefined;
  readonly acquisition?: Acquisition | null | undefined;
};

/** Undefined where nothing was told, so that an update leaves those columns alone. */
export function dataColumns(data: Partial<VehicleData>) {
  return {
    plate: data.plate,
    plate_jurisdiction: data.plateJurisdiction,
    class_id: data.classId,
    branch_id: data.branchId,
    home_branch_id: data.homeBranchId,
    make: data.make,
    model: data.model,
    model_year: data.modelYear,
    vin: data.vin,
    expected_on: data.expectedOn,
    energy: data.energy,
    tank_litres: data.tankLitres,
    battery_kwh: data.batteryKwh,
    ownership: data.ownership,
    supplier: data.supplier,
    ...subRentalColumns(data.subRental),
    ...acquisitionColumns(data.acquisition),
  };
}

function subRentalColumns(subRental: SubRental | null | undefined) {
  if (subRental === undefined) return {};
  return {
    sub_rented_from: subRental?.from ?? null,
    sub_rented_until: subRental?.until ?? null,
    off_hire_notice_days: subRental?.offHireNoticeDays ?? null,
    cost_per_day_minor: subRental?.costPerDayMinor ?? null,
    cost_currency: subRental?.currency ?? null,
  };
}

function acquisitionColumns(acquisition: Acquisition | null | undefined) {
  if (acquisition === undefined) return {};
  return {
    acquired_on: acquisition?.acquiredOn ?? null,
    acquisition_cost_minor: acquisition?.costMinor ?? null,
    acquisition_currency: acquisition?.currency ?? null,
    residual_minor: acquisition?.residualMinor ?? null,
    available_for_use_on: acquisition?.availableForUseOn ?? null,
  };
}

// Rows of holds, imports, recalls and transfers: what is right, and what each guard refuses of it.
import { v7 as uuidv7 } from 'uuid';
import { CLASS } from './fleet.ts';

export type Row = Readonly<Record<string, unknown>>;
export type Table = keyof typeof ROWS;

export const DAY = ['2026-05-01', '2026-05-02', '2026-05-03'].map((date) => `${date}T00:00:00Z`);
export const [HOLD, RECALL, VEHICLE, TRANSFER, IMPORT] = [
  ...([uuidv7(), uuidv7(), uuidv7(), uuidv7(), uuidv7()] as const),
] as const;
export const LIFTED = {
  lifted_by: 'staff:a',
  lifted_at: DAY[1],
  lift_reason: 'done',
  lifted_via: 'person',
};
export const HARD = { severity: 'hard', hard_from: DAY[0] };
const OUT = { status: 'under_way', departed_at: DAY[0], odometer_out_km: 9, fuel_out_eighths: 8 };
export const IN = {
  ...OUT,
  status: 'arrived',
  arrived_at: DAY[1],
  odometer_in_km: 9,
  fuel_in_eighths: 8,
};
const KEPT = { version: 1, created_at: DAY[0] };
const VIN = '1HGCM82633A004352';

/** A row of each that is right; what a case changes of it is all that is wrong. */
export const ROWS = {
  hold: {
    ...{ id: HOLD, vehicle_id: VEHICLE, type: 'other', severity: 'soft', from_at: DAY[0] },
    ...{ tolerance_km: 0, soon_km: 0, bars_sale: false, reason: 'seen', source: 'manual' },
    ...{ source_ref: HOLD, applied_by: 'staff:a', applied_at: DAY[0], version: 1 },
  },
  import: {
    ...{ id: IMPORT, format: 'csv', content_sha256: 'a'.repeat(64), status: 'checked' },
    ...{ row_count: 1, error_count: 0, warning_count: 0, problems: [], rows: [] },
    ...{ created_by: 'staff:a', ...KEPT },
  },
  recall: {
    ...{ id: RECALL, title: 'Airbag', authority_number: '26V-1', jurisdiction: 'US' },
    ...{ notice_received_at: DAY[0], deadline_at: DAY[1], hard_at: DAY[1], is_safety: true },
    ...{ has_interim_remedy: false, is_remedy_available: true, ...KEPT },
  },
  recall_scope: { recall_id: RECALL, no: 1, make: 'Skoda' },
  recall_vehicle: {
    ...{ recall_id: RECALL, vehicle_id: VEHICLE, hold_id: HOLD, matched_at: DAY[0] },
  },
  recall_notice: {
    ...{ recall_id: RECALL, rental_id: HOLD, vehicle_id: VEHICLE, channel: 'mail' },
    noticed_at: DAY[0],
  },
  transfer: {
    ...{ id: TRANSFER, status: 'planned', vehicle_id: VEHICLE, class_id: CLASS },
    ...{ from_branch: 'GU1', to_branch: 'GU2', departs_at: DAY[0], arrives_at: DAY[1] },
    ...{ overdue: false, ...KEPT },
  },
  transfer_command: { id: 'c', transfer_id: TRANSFER, outcome: {}, recorded_at: DAY[0] },
  travel_time: { from_branch: 'GU1', to_branch: 'GU2', minutes: 9, version: 1 },
} as const satisfies Readonly<Record<string, Row>>;

/** What a row of the table refers to is there. */
export const NEEDS: Readonly<Partial<Record<Table, readonly Table[]>>> = {
  recall_scope: ['recall'],
  recall_vehicle: ['hold', 'recall'],
  recall_notice: ['recall'],
  transfer_command: ['transfer'],
};

/** By the guard that refuses it. */
export const CASES: Readonly<Partial<Record<Table, Readonly<Record<string, Row>>>>> = {
  hold: {
    hold_check: { ...HARD, from_at: DAY[1] },
    hold_check1: { until_at: DAY[0] },
    hold_from_km_check: { from_km: -1 },
    hold_hard_from: { hard_from: DAY[0] },
    hold_hard_needs_two: { ...HARD, ...LIFTED },
    hold_lift_reason_check: { ...LIFTED, lift_reason: '' },
    hold_lifted_by_its_kind: { ...LIFTED, lifted_via: 'source' },
    hold_lifted_via_check: { ...LIFTED, lifted_via: 'magic' },
    hold_lifted_whole: { lifted_by: 'staff:a' },
    hold_open_source: { id: uuidv7() },
    hold_reason_check: { reason: '' },
    hold_recall_has_no_end: { type: 'recall', until_at: DAY[1] },
    hold_recall_needs_repair: { type: 'recall', source: 'recall', ...LIFTED, lifted_via: 'source' },
    hold_release_is_approved: { ...LIFTED, lifted_via: 'approval' },
    hold_repair_code_check: { repair_code: '' },
    hold_repair_is_no_release: { ...LIFTED, lifted_via: 'repair', repair_code: 'R1' },
    hold_severity_check: { severity: 'none' },
    hold_soon_km_check: { soon_km: -1 },
    hold_source_check: { source: 'rumour' },
    hold_source_ref_check: { source_ref: '' },
    hold_tolerance_km_check: { tolerance_km: -1 },
    hold_type_check: { type: 'mood' },
  },
  import: {
    import_applied_by_somebody: { status: 'applied', rows: null, applied_at: DAY[1] },
    import_content_sha256_check: { content_sha256: 'a' },
    import_error_count_check: { error_count: -1 },
    import_format_check: { format: 'xls' },
    import_refused_has_errors: { error_count: 1 },
    import_row_count_check: { row_count: -1 },
    import_rows_wait: { rows: null },
    import_status_check: { status: 'lost', rows: null },
    import_warning_count_check: { warning_count: -1 },
  },
  recall: {
    recall_authority_number_check: { authority_number: '' },
    recall_check1: { hard_at: '2026-04-30T00:00:00Z' },
    recall_hard_by_its_deadline: { hard_at: DAY[2] },
    recall_jurisdiction_authority_number_key: { id: uuidv7() },
    recall_jurisdiction_check: { jurisdiction: 'usa' },
    recall_remedy_check: { remedy: '' },
    recall_title_check: { title: '' },
  },
  recall_scope: {
    recall_scope_check: { vin_from: VIN },
    recall_scope_check1: { make: null, vin_prefix: '1HG', model: 'Civic' },
    recall_scope_check2: { year_from: 2026, year_to: 2025 },
    recall_scope_make_check: { make: '' },
    recall_scope_model_check: { model: '' },
    recall_scope_names_something: { make: null },
    recall_scope_no_check: { no: 0 },
    recall_scope_vin_from_check: { vin_from: 'O', vin_to: VIN },
    recall_scope_vin_prefix_check: { vin_prefix: '1O' },
    recall_scope_vin_to_check: { vin_from: VIN, vin_to: 'O' },
  },
  recall_notice: { recall_notice_channel_check: { channel: 'fax' } },
  transfer: {
    transfer_arrival_whole: { ...OUT, odometer_in_km: 9 },
    transfer_arrives_later: { ...IN, arrived_at: DAY[0] },
    transfer_cancel_reason_check: { status: 'cancelled', cancel_reason: 'mood' },
    transfer_cancelled_why: { status: 'cancelled' },
    transfer_check: { departs_at: DAY[2] },
    transfer_departure_whole: { departed_at: DAY[0] },
    transfer_fuel_in_eighths_check: { ...IN, fuel_in_eighths: 9 },
    transfer_fuel_out_eighths_check: { ...OUT, fuel_out_eighths: 9 },
    transfer_goes_elsewhere: { to_branch: 'GU1' },
    transfer_never_goes_back: { ...IN, odometer_in_km: 8 },
    transfer_odometer_out_km_check: { ...OUT, odometer_out_km: -1 },
    transfer_status_check: { status: 'lost' },
  },
  travel_time: {
    travel_time_check: { to_branch: 'GU1' },
    travel_time_minutes_check: { minutes: -1 },
  },
};

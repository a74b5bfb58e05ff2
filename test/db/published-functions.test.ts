// Which functions of a domain others may call, by role and by name.
import { sql } from 'kysely';
import { beforeAll, describe, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { DENIED, ROLES, refusal, SCHEMAS } from '../support/roles.ts';

let t: TestDatabase;
beforeAll(async () => {
  t = await testDatabase();
});

describe('published functions', () => {
  const functions = sql<{ name: string; owner: string; definer: boolean; path: string | null }>`
    select p.oid::regprocedure::text as name, r.rolname as owner, p.prosecdef as definer,
      (select c from unnest(p.proconfig) c where c like 'search_path=%') as path
    from pg_proc p join pg_roles r on r.oid = p.proowner
    where p.pronamespace::regnamespace::text = any (${[...SCHEMAS]})
      and p.prorettype <> 'trigger'::regtype -- nobody can call those
    order by 1`;

  test('may be called by the roles that are named, and nobody else', async () => {
    const callers: Record<string, readonly string[]> = {};
    for (const { name, owner } of (await functions.execute(t.owner)).rows) {
      const { rows } = await sql<{ role: string }>`select role from unnest(${[...ROLES]}::text[])
        role where role <> ${owner} and has_function_privilege(role, ${name}, 'EXECUTE')
        order by 1`.execute(t.owner);
      if (rows.length > 0) callers[name] = rows.map((row) => row.role);
    }
    const audit = ['accounting_rw', 'maintenance_rw', 'rentals_rw', 'vehicles_rw'];
    const take = 'timestamp with time zone,timestamp with time zone';
    const reading = 'uuid,timestamp with time zone,integer,integer';
    expect(callers).toEqual({
      'people.record_audit(text,text,text,text,text,jsonb,jsonb)': audit,
      'people.seal_audit(integer)': ['people_rw'],
      'people.verify_audit(bigint,bytea)': ['api_read'],
      'people.audit_hash(bytea,bigint,people.audit_entry)': ['api_read'],
      'people.is_approved(uuid,text,text)': ['accounting_rw', 'rentals_rw', 'vehicles_rw'],
      'people.use_approval(uuid,text,text,text)': ['accounting_rw', 'rentals_rw', 'vehicles_rw'],
      'people.take_refund(uuid,text,date,bigint,bigint)': ['accounting_rw', 'rentals_rw'],
      'people.use_refund_approval(uuid,text,text,bigint)': ['accounting_rw', 'rentals_rw'],
      'people.use_amount_approval(uuid,text,text,text,bigint)': ['rentals_rw'],
      'people.take_waiver(uuid,text,date,bigint,bigint)': ['accounting_rw', 'rentals_rw'],
      'people.use_waiver_approval(uuid,text,text,bigint)': ['accounting_rw', 'rentals_rw'],
      'people.forget_person(text,text)': ['rentals_rw'],
      'people.forget_reasons(uuid,uuid[])': ['rentals_rw'],
      'vehicles.forget_rentals(uuid[])': ['rentals_rw'],
      'people.is_sandbox(uuid)': ['rentals_rw'],
      'vehicles.branches_of_side(boolean,text[])': ['people_rw'],
      'vehicles.is_sandbox(text)': ['rentals_rw'],
      'events.maintain_log(integer)': ['events_rw'],
      'events.hours_agreed(uuid)': ['rentals_rw'],
      'rentals.queue_notifications(jsonb)': ['events_rw'],
      'rentals.deposit_left(uuid)': ['api_read', 'rentals_rw'],
      'rentals.deposit_secured(uuid)': ['api_read', 'rentals_rw'],
      'accounting.issue_invoice(jsonb)': ['rentals_rw'],
      'accounting.business_day(text,uuid)': ['rentals_rw'],
      'accounting.last_closed_day(text)': ['api_read'],
      'rentals.moves_between(text,timestamp with time zone,timestamp with time zone)': [
        'accounting_rw',
      ],
      'rentals.is_late(uuid)': ['accounting_rw'],
      'accounting.note_branches(uuid,text[])': ['rentals_rw'],
      'rentals.branches_of(uuid)': ['accounting_rw'],
      'rentals.file_named(text)': ['vehicles_rw'],
      'rentals.prepaid_on(text,date)': ['accounting_rw'],
      'accounting.exposure_of(uuid[],text)': ['rentals_rw'],
      'accounting.prepaid_left(uuid)': ['rentals_rw'],
      'accounting.is_prepaid(uuid)': ['api_read', 'rentals_rw'],
      'accounting.admit_tender(text,uuid,text,uuid,bigint,bigint)': ['rentals_rw'],
      'accounting.refundable(uuid,uuid[])': ['rentals_rw'],
      'accounting.deposit_paid(uuid)': ['api_read', 'rentals_rw'],
      'rentals.card_slips(uuid)': ['accounting_rw'],
      'rentals.is_in_scope(uuid)': ['accounting_rw', 'api_read'],
      'rentals.hold_rental(uuid)': ['accounting_rw'],
      'rentals.kept_for_damage(uuid)': ['accounting_rw'],
      'rentals.refunds_under_way(uuid)': ['accounting_rw'],
      'rentals.payment_days_of(uuid)': ['accounting_rw'],
      'accounting.cash_terms_of(text)': ['rentals_rw'],
      'accounting.customer_of(uuid)': ['rentals_rw'],
      'accounting.lock_money(uuid)': ['rentals_rw'],
      'accounting.creditable(uuid)': ['rentals_rw'],
      'accounting.issue_credit_note(jsonb)': ['rentals_rw'],
      'accounting.issued_credit_note(text)': ['rentals_rw'],
      'accounting.agent_balance(uuid,date)': ['api_read'],
      'accounting.commission_of_note(uuid)': ['rentals_rw'],
      'accounting.commission_state(uuid)': ['rentals_rw'],
      'accounting.commission_terms(uuid,text)': ['rentals_rw'],
      'accounting.post_commission(jsonb)': ['rentals_rw'],
      'accounting.cancellation_vat(text)': ['rentals_rw'],
      'accounting.documents_of(uuid[],uuid[])': ['rentals_rw'],
      'accounting.open_amount(uuid)': ['api_read', 'rentals_rw'],
      'accounting.apply_to_invoice(uuid,uuid,bigint)': ['rentals_rw'],
      'accounting.move_cash(uuid,text,bigint,uuid)': ['rentals_rw'],
      'accounting.open_shifts(text,date)': ['api_read', 'rentals_rw'],
      'accounting.post_walk(jsonb)': ['vehicles_rw'],
      'accounting.post_insurer_share(jsonb)': ['rentals_rw'],
      'accounting.post_payment(jsonb)': ['rentals_rw'],
      'accounting.payment_fault(text,text,text[])': ['rentals_rw'],
      'accounting.owed_by(uuid,uuid[])': ['rentals_rw'],
      'accounting.owed_back(uuid,uuid[])': ['rentals_rw'],
      'accounting.settle_payer(uuid,uuid,uuid[])': ['rentals_rw'],
      'accounting.unsettle_payer(uuid,uuid,uuid[])': ['rentals_rw'],
      'accounting.undo_refund(uuid,uuid,uuid)': ['rentals_rw'],
      'vehicles.blocking_hold(uuid,tstzrange,numeric)': [
        'api_read',
        'maintenance_rw',
        'rentals_rw',
      ],
      'vehicles.warning_holds(uuid,tstzrange,numeric)': [
        'api_read',
        'maintenance_rw',
        'rentals_rw',
      ],
      'vehicles.sale_barring_hold(uuid)': ['api_read'],
      'vehicles.set_hold(text,text,uuid,jsonb)': ['maintenance_rw', 'rentals_rw'],
      'vehicles.lift_hold(text,text,text,text)': ['maintenance_rw', 'rentals_rw'],
      'vehicles.document_gaps(uuid)': ['api_read'],
      'vehicles.plate_key(text)': ['api_read', 'rentals_rw'],
      'vehicles.plate_holder(text,text,timestamp with time zone)': ['rentals_rw'],
      'vehicles.record_dash_reading(uuid,integer,integer,timestamp with time zone,text)': [
        'maintenance_rw',
        'rentals_rw',
      ],
      'vehicles.forget_readings(bigint,timestamp with time zone,integer)': ['vehicles_rw'],
      'vehicles.travel_minutes(text,text)': ['api_read'],
      'vehicles.moving_vehicles(text)': ['api_read'],
      'vehicles.place_before(uuid,timestamp with time zone)': ['api_read'],
      'vehicles.place_at(uuid,timestamp with time zone)': ['api_read'],
      'vehicles.next_place(uuid,timestamp with time zone)': ['api_read'],
      'vehicles.idle_around(uuid,tstzrange)': ['api_read'],
      'vehicles.is_back_by(uuid,timestamp with time zone)': ['api_read'],
      'vehicles.belongs(uuid,text,text,tstzrange)': ['api_read'],
      'vehicles.fits(uuid,text,text,tstzrange)': ['api_read'],
      'vehicles.free_vehicles(text,text,text,tstzrange)': ['api_read'],
      [`vehicles.count_free(text,text,text,${take})`]: ['api_read'],
      'vehicles.planned_capacity(text,timestamp with time zone)': ['api_read'],
      'vehicles.rentable(uuid,text,timestamp with time zone)': ['api_read'],
      'vehicles.limit_pieces(text,text,tstzrange)': ['api_read'],
      'vehicles.limit_over(text,text,tstzrange)': ['api_read'],
      'vehicles.waiting_peak(text,text,tstzrange)': ['api_read'],
      'vehicles.excess(text,text)': ['api_read'],
      'vehicles.span_of(uuid)': ['rentals_rw'],
      'vehicles.swap_span(uuid,text,uuid,text,boolean)': ['rentals_rw'],
      'vehicles.turnaround_of(text)': ['rentals_rw'],
      'vehicles.zone_of(text)': ['accounting_rw', 'api_read', 'rentals_rw'],
      'accounting.zone_of(text)': ['rentals_rw'],
      [`vehicles.take_span(uuid,text,text,text,${take})`]: ['rentals_rw'],
      [`vehicles.queue_span(uuid,text,text,text,${take},boolean)`]: ['rentals_rw'],
      'vehicles.opening_hours_at(text,timestamp with time zone)': ['api_read', 'rentals_rw'],
      [`vehicles.stops_of(text,text,text,${take})`]: ['api_read'],
      [`vehicles.stopped_classes(text,text,${take})`]: ['api_read'],
      [`vehicles.booking_rules(text,text,text,text,${take})`]: ['api_read', 'rentals_rw'],
      'vehicles.request_terms(text,text,text,timestamp with time zone)': ['rentals_rw'],
      'vehicles.waits_by_override(uuid)': ['rentals_rw'],
      'vehicles.shortage_lead(text)': ['rentals_rw'],
      'vehicles.desk_terms(text)': ['rentals_rw'],
      'vehicles.raise_shortage(uuid,uuid)': ['rentals_rw'],
      'vehicles.shortage_proposals(uuid)': ['api_read'],
      'vehicles.span_proposals(uuid)': ['api_read'],
      'vehicles.pool_spans(text,text,tstzrange)': ['rentals_rw'],
      'vehicles.apply_moves(jsonb,jsonb)': ['rentals_rw'],
      [`vehicles.hold_quote(uuid,text,text,text,${take},timestamp with time zone)`]: ['rentals_rw'],
      'vehicles.release_quote(uuid)': ['rentals_rw'],
      'vehicles.accept_quote(uuid,uuid)': ['rentals_rw'],
      'vehicles.extend_span(uuid,timestamp with time zone)': ['rentals_rw'],
      [`vehicles.amend_span(uuid,text,text,${take})`]: ['rentals_rw'],
      'vehicles.tank_of(uuid)': ['rentals_rw'],
      [`vehicles.exchange_span(uuid,uuid,text,text,${reading.slice(5)},jsonb,jsonb)`]: [
        'rentals_rw',
      ],
      'vehicles.roll_span(uuid,timestamp with time zone)': ['rentals_rw'],
      [`vehicles.take_walk_up(uuid,text,text,text,${take},uuid)`]: ['rentals_rw'],
      'vehicles.undo_hand_out(uuid,timestamp with time zone,integer,integer,timestamp with time zone)':
        ['rentals_rw'],
      [`vehicles.retake_span(uuid,${take})`]: ['rentals_rw'],
      'vehicles.no_show_grace(text)': ['rentals_rw'],
      [`vehicles.hand_out_span(${reading},uuid)`]: ['rentals_rw'],
      [`vehicles.return_span(${reading},text)`]: ['rentals_rw'],
      'vehicles.release_span(uuid)': ['rentals_rw'],
      'vehicles.keeps_span(uuid)': ['rentals_rw', 'vehicles_rw'],
      'rentals.is_unbooked(uuid)': ['rentals_rw', 'vehicles_rw'],
    });
  });

  test('fix their search path when they run with their owner’s rights', async () => {
    const { rows } = await functions.execute(t.owner);
    const definers = rows.filter((row) => row.definer);
    expect(definers.length).toBeGreaterThan(0);
    for (const { name, path } of definers) {
      expect([name, path]).toEqual([name, expect.stringMatching(/^search_path=\w+, pg_temp$/)]);
    }
  });

  test('of the calendar are planned once, and by index, however young the company', async () => {
    // What works on sets of readings is planned for the sets.
    const { rows } = await sql<{ name: string }>`select oid::regprocedure::text as name
      from pg_proc where pronamespace = 'vehicles'::regnamespace and proconfig is not null
        and proname !~ 'reading|meter|dtc|segment|odometer'
        and not proconfig @> '{enable_seqscan=off,plan_cache_mode=force_generic_plan}'`.execute(
      t.owner,
    );
    expect(rows).toEqual([]);
  });

  test('are refused by the server to others', async () => {
    const call = `select vehicles.release_span('00000000-0000-7000-8000-000000000000')`;
    for (const role of ['maintenance_rw', 'people_rw', 'accounting_rw', 'api_read'] as const) {
      expect([role, await refusal(t.db, role, call)]).toEqual([role, DENIED]);
    }
  });
});

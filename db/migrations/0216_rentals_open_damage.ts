// A rental is not closed while a damage of it is open, and keeps a deposit in money until then.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const KEPT = 'rentals.kept_for_damage(uuid)';
/** Nobody has said yet who bears it. */
const OPEN = sql`status in ('reported', 'estimated', 'agreed', 'disputed')`;

export async function up(db: Kysely<unknown>): Promise<void> {
  await replaceOpenDeposit(db);
  await demandNoDamage(db);
  await waitForRental(db);
  await createKept(db);
  await ownedBy(db, 'rentals_rw', [KEPT]);
  await publishedTo(db, 'accounting_rw', [KEPT]);
}

/** As in 0159; a late document is charged whatever the rental is. */
async function replaceOpenDeposit(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function rentals.refuse_open_deposit() returns trigger language plpgsql as $$
    begin
      if exists (select from rentals.authorisation where rental_id = new.id
          and purpose <> 'delayed' and state in ('pending', 'open')) then
        raise exception 'Rental % still has a hold on a card.', new.id
          using errcode = 'check_violation', constraint = 'rental_closed_settled';
      end if;
      return new;
    end $$`.execute(db);
}

/** Closed means that no damage line is open (decisions.md 29). It sees all cases, whoever asks. */
async function demandNoDamage(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.refuse_open_damage() returns trigger
    language plpgsql security definer set search_path = rentals, pg_temp
    set app.scope = '*' set app.principal = 'system:guard' as $$
    begin
      if exists (select from damage_case where rental_id = new.id and ${OPEN}) then
        raise exception 'Rental % still has a damage case.', new.id
          using errcode = 'check_violation', constraint = 'rental_closed_undamaged';
      end if;
      return new;
    end $$`.execute(db);
  await sql`alter function rentals.refuse_open_damage() owner to rentals_rw`.execute(db);
  await sql`create trigger rental_closed_undamaged before update of status on rentals.rental
    for each row when (new.status = 'closed' and old.status <> 'closed')
    execute function rentals.refuse_open_damage()`.execute(db);
}

/** Whoever closes the rental just then, or gives its deposit back, is waited for, or waits. */
async function waitForRental(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.wait_for_rental() returns trigger
    language plpgsql security definer set search_path = rentals, pg_temp
    set app.scope = '*' set app.principal = 'system:guard' as $$
    begin
      perform from rental where id = new.rental_id for share;
      return new;
    end $$`.execute(db);
  await sql`alter function rentals.wait_for_rental() owner to rentals_rw`.execute(db);
  await sql`create trigger damage_case_waits before insert on rentals.damage_case
    for each row execute function rentals.wait_for_rental()`.execute(db);
}

/** Minor units of a deposit in money: what renters would pay by the estimates, all without one. */
async function createKept(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.kept_for_damage(p_rental uuid) returns bigint
    language plpgsql volatile security definer set search_path = rentals, pg_temp
    set app.scope = '*' set enable_seqscan = off as $$
    begin
      return (select coalesce(sum(coalesce(charge_minor, accounting.deposit_paid(p_rental))), 0)
        from damage_case where rental_id = p_rental and ${OPEN});
    end $$`.execute(db);
}

// A vehicle that does not come back: the letter to its renter, and cards that are not used again.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table rentals.notification drop constraint notification_kind_check`.execute(db);
  await sql`
    alter table rentals.notification add constraint notification_kind_check check (kind in (
      'confirmation', 'request-confirmed', 'request-declined', 'reminder', 'overdue',
      'not-returned', 'invoice', 'deposit-released', 'deposit-expiring', 'recall'))`.execute(db);
  await stopCards(db);
}

/**
 * From a manager's case on its card holds no more for it, nor for another rental; a hold that stands
 * is renewed all the same, because it is what there is (decisions.md 5). It sees all branches.
 */
async function stopCards(db: Kysely<unknown>): Promise<void> {
  await sql`create index authorisation_by_card on rentals.authorisation (payment_method)`.execute(
    db,
  );
  await sql`
    create function rentals.refuse_stopped_card() returns trigger
    language plpgsql security definer set search_path = rentals, pg_temp set app.scope = '*' as $$
    begin
      if exists (select from rental r where r.not_returned = 'manager' and (r.id = new.rental_id
          or r.id in (select a.rental_id from authorisation a
            where a.payment_method = new.payment_method and a.gateway = new.gateway))) then
        raise exception 'The card of authorisation % is stopped.', new.id
          using errcode = 'check_violation', constraint = 'authorisation_card_stopped';
      end if;
      return new;
    end $$`.execute(db);
  await sql`alter function rentals.refuse_stopped_card() owner to rentals_rw`.execute(db);
  await sql`create trigger authorisation_card_stopped before insert on rentals.authorisation
    for each row when (new.replaces is null)
    execute function rentals.refuse_stopped_card()`.execute(db);
}

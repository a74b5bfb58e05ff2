// Four eyes: what a person may not decide alone is asked for here, and what limits were used for.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table people.approval (
      id uuid primary key,
      kind text not null check (kind in ('discount-bp', 'refund', 'fee-waiver', 'write-off',
        'manual-journal', 'period-reopen', 'bank-detail-change', 'erasure', 'hold-release')),
      subject_type text not null check (subject_type <> ''),
      subject_id text not null check (subject_id <> ''),
      -- Null: it concerns the company, so only who has every branch may decide.
      branch_id text,
      amount bigint not null check (amount >= 0),
      reason text not null check (reason <> ''),
      requested_by text not null,
      payee text,
      requested_at timestamptz not null,
      expires_at timestamptz not null check (expires_at > requested_at),
      status text not null default 'open' check (status in ('open', 'approved', 'refused')),
      decided_by text,
      decided_at timestamptz,
      version int not null default 1,
      check ((status = 'open') = (decided_by is null)),
      check ((decided_by is null) = (decided_at is null)),
      constraint approval_within_its_time check (decided_at < expires_at),
      constraint approval_four_eyes check (decided_by <> requested_by),
      constraint approval_not_for_the_payee check (payee <> requested_by and payee <> decided_by)
    )`.execute(db);
  await sql`create index approval_open on people.approval (id) where status = 'open'`.execute(db);
  await sql`alter table people.approval owner to forecourt_owner`.execute(db);
  // What was asked for stays as it was asked for: only the decision may be written.
  await sql`grant select, insert on people.approval to people_rw`.execute(db);
  await sql`grant update (status, decided_by, decided_at, version)
    on people.approval to people_rw`.execute(db);
  await sql`grant select on people.approval to api_read`.execute(db);
  await createLimitUse(db);
}

/** A limit counts per subject and per person and day, so that splitting an amount gains nothing. */
async function createLimitUse(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table people.limit_use (
      id uuid primary key,
      staff_id uuid not null references people.staff,
      kind text not null check (kind in ('discount-bp', 'refund', 'fee-waiver', 'write-off')),
      subject_id text not null,
      day date not null,
      amount bigint not null check (amount > 0)
    )`.execute(db);
  await sql`create index limit_use_day on people.limit_use (staff_id, kind, day)`.execute(db);
  await sql`create index limit_use_subject on people.limit_use (subject_id, kind)`.execute(db);
  await sql`alter table people.limit_use owner to forecourt_owner`.execute(db);
  await sql`grant select, insert on people.limit_use to people_rw`.execute(db);
  await sql`grant select on people.limit_use to api_read`.execute(db);
}

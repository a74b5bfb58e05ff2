// Letters about facts: written down before they go out, sent at most once, and told nobody else.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { resendNotification } from '../../db/commands/notifications.ts';
import { smtpMail } from '../../notifications/smtp.ts';
import { expectProblem, SOMEBODY, type TestApi, testApi } from '../support/api.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { AGENT, hoursFromNow, PERSON } from '../support/fleet.ts';
import { AGAINST_A_LETTER, FROM, type LetterDesk, letterDesk } from '../support/letter-desk.ts';
import { plantStaff, tokenOf } from '../support/people.ts';
import { backOf, type RentalDesk, rentalDesk } from '../support/rental-desk.ts';

let t: TestDatabase;
let desk: RentalDesk;
let api: TestApi;
let post: LetterDesk;
beforeAll(async () => {
  t = await testDatabase();
  desk = await rentalDesk(t);
  post = await letterDesk(t, desk);
  api = await testApi({ database: t });
});
afterEach(() => post.restore());

describe('a fact', () => {
  test('becomes one letter in the customer’s language, however often it comes', async () => {
    await sql`update rentals.customer set language = 'de'`.execute(t.owner);
    const rental = await post.queued();
    await post.consume();
    await post.send();
    await post.consume();
    await post.send();
    const letters = post.lettersOn(rental);
    expect(letters).toHaveLength(1);
    expect(letters[0]).toMatch(/^To: ada@planted\.example\r$/m);
    expect(letters[0]).toContain(`Ihre Miete ${rental.number}`);
    const row = await post.rowOf(rental);
    expect(row).toMatchObject({ state: 'sent', reason: null, tries: 1, resends: 0 });
    expect(letters[0]).toContain(`Message-ID: <${row?.id}.0@rental.example>`);
  });

  test('of an invoice tells its number and amount, of a late car once for a due time', async () => {
    const rental = await desk.handedOut();
    for (const version of [2, 3]) {
      await desk.record({ ...rental, version }, { type: 'markOverdue' });
    }
    const late = await desk.read(rental.id);
    await post.consume();
    await post.send();
    await desk.record(late, backOf(late));
    await post.consume();
    await post.send();
    const { invoiceNumber, price } = await desk.read(rental.id);
    const letters = post.lettersOn(rental);
    expect(letters.filter((text) => text.includes('is overdue'))).toHaveLength(1);
    const invoice = letters.find((text) => text.includes(`Invoice ${invoiceNumber}`));
    expect(invoice).toContain((price.totalMinor / 100).toFixed(2));
  });

  test('of a due time that is no more the one agreed becomes no letter', async () => {
    const { id } = await desk.handedOut();
    const tell = async () => {
      await desk.record(await desk.read(id), { type: 'remind' });
      await desk.record(await desk.read(id), { type: 'markOverdue' });
      await post.consume();
    };
    await tell();
    await desk.record(await desk.read(id), { type: 'extend', dueAt: hoursFromNow(192) });
    await tell();
    await post.send();
    const { rows } = await sql`select kind, array_agg(state order by fact_at) as states
      from rentals.notification where rental_id = ${id} group by kind order by kind`.execute(
      t.owner,
    );
    const states = ['skipped', 'sent'];
    expect(rows.slice(1)).toEqual(['overdue', 'reminder'].map((kind) => ({ kind, states })));
    // What was agreed at first, and the due time of now.
    expect(rows[0]).toEqual({ kind: 'confirmation', states: ['sent', 'sent'] });
  });

  test('about the deposit is one letter, unless another hold stands in for it', async () => {
    const rental = await desk.reserved();
    const [replaced, held] = [uuidv7(), uuidv7()];
    for (const id of [held, replaced]) {
      await sql`insert into rentals.authorisation (id, rental_id, payer, gateway, gateway_ref,
          payment_method, state, amount_minor, currency, opened_at, valid_until, replaced_by)
        values (${id}, ${rental.id}, 'renter', 'simulated', ${id}, 'sim_approve', 'released',
          50000, 'EUR', now(), now(), ${id === replaced ? held : null})`.execute(t.owner);
      await post.queue(rental, 'deposit-released', id);
    }
    await post.send();
    expect(post.lettersOn(rental).filter((text) => text.includes('500.00'))).toHaveLength(1);
    const { rows } = await sql`select subject_id, state, reason from rentals.notification
      where rental_id = ${rental.id} and kind = 'deposit-released' order by state`.execute(t.owner);
    expect(rows).toEqual([
      { subject_id: held, state: 'sent', reason: null },
      { subject_id: replaced, state: 'skipped', reason: 'not-true-any-more' },
    ]);
  });
});

describe('no letter goes', () => {
  test.each(Object.entries(AGAINST_A_LETTER))('%s', async (reason, so) => {
    const rental = await post.queued();
    await so.execute(t.owner);
    await post.send();
    expect(await post.stateOf(rental)).toEqual(['skipped', reason]);
    expect(post.lettersOn(rental)).toEqual([]);
  });
});

describe('a letter whose sender is killed before it knows', () => {
  test('stays unknown for a person, and is never sent again by itself', async () => {
    const rental = await post.queued();
    const { child, died } = post.startSender();
    post.mood.onLetter = () => !child.kill('SIGKILL');
    expect(await died).toBe('SIGKILL');
    expect(await post.stateOf(rental)).toEqual(['sending', null]);
    await post.send();
    expect(await post.stateOf(rental)).toEqual(['sending', null]);
    await post.send(undefined, 0);
    expect(await post.stateOf(rental)).toEqual(['unknown', 'sender-lost']);
    await post.due(rental);
    await post.send();
    await post.consume();
    await post.send();
    expect(post.lettersOn(rental)).toHaveLength(1);
  });
});

describe('a mail server', () => {
  test('that refuses for now is asked again, later', async () => {
    const rental = await post.queued();
    post.mood.refuse = 451;
    await post.send();
    expect(await post.stateOf(rental)).toEqual(['queued', 'EENVELOPE 451']);
    post.mood.refuse = false;
    await post.send();
    expect(post.lettersOn(rental)).toEqual([]);
    await post.due(rental);
    await post.send();
    expect(post.lettersOn(rental)).toHaveLength(1);
    expect(await post.rowOf(rental)).toMatchObject({ state: 'sent', tries: 2 });
  });

  test('that is not there is asked again, and in the end no more', async () => {
    const rental = await post.queued();
    const nowhere = smtpMail('smtp://127.0.0.1:1', FROM);
    await post.send(nowhere);
    expect(await post.stateOf(rental)).toEqual(['queued', 'ESOCKET']);
    await sql`update rentals.notification set tries = 11, next_at = now(), version = version + 1
      where rental_id = ${rental.id}`.execute(t.owner);
    await post.send(nowhere);
    expect(await post.stateOf(rental)).toEqual(['failed', 'ESOCKET']);
  });

  test('that takes the letter and falls silent leaves it unknown', async () => {
    const rental = await post.queued();
    post.mood.onLetter = () => false;
    await post.send(smtpMail(`${post.smtpUrl}&socketTimeout=200`, FROM));
    expect(await post.stateOf(rental)).toEqual(['unknown', 'ETIMEDOUT']);
    await post.due(rental);
    post.mood.onLetter = () => undefined;
    await post.send();
    expect(post.lettersOn(rental)).toHaveLength(1);
  });
});

describe('the database by itself', () => {
  test('queues nothing again that has left, but by a command', async () => {
    const rental = await post.queued();
    await post.send();
    const refused = { constraint: 'notification_transition' };
    for (const so of [
      `state = 'queued', sent_at = null`,
      `state = 'sending', sent_at = null`,
      `state = 'queued', sent_at = null, resends = 1`,
      `state = 'queued', sent_at = null, resend_id = gen_random_uuid()`,
      `kind = 'overdue'`,
    ]) {
      const change = sql`update rentals.notification set ${sql.raw(so)}, version = version + 1
        where rental_id = ${rental.id}`.execute(t.owner);
      await expect(change).rejects.toMatchObject(refused);
    }
  });
});

describe('over HTTP', () => {
  const path = '/api/v1/notifications';

  test('a person sees what was refused for good, and sends it again, once a command', async () => {
    const rental = await post.queued();
    post.mood.refuse = true;
    await post.send();
    post.mood.refuse = false;
    const list = await api.call('GET', `${path}?rentalId=${rental.id}&state=failed`);
    expect(list.body.items).toMatchObject([
      { rentalId: rental.id, kind: 'confirmation', state: 'failed', reason: 'EENVELOPE 550' },
    ]);
    const { id } = list.body.items[0];
    const again = () => api.call('POST', `${path}/${id}/resend`, { key: id });
    expect((await again()).body).toMatchObject({ state: 'queued', resends: 1, tries: 0 });
    expectProblem(await api.call('POST', `${path}/${id}/resend`), 409, 'invalid-state');
    await post.send();
    expect((await again()).body).toMatchObject({ resends: 1 });
    await post.send();
    expect(post.lettersOn(rental)).toHaveLength(1);
    expect(post.lettersOn(rental)[0]).toContain(`Message-ID: <${id}.1@rental.example>`);
    // As after a crash before the answer was saved.
    const twice = () => resendNotification(t.db, AGENT, id, rental.id);
    expect([(await twice()).resends, (await twice()).resends]).toEqual([2, 2]);
    const { rows } = await sql`select actor, action from people.audit_entry
      where subject_type = 'notification' and subject_id = ${id} and actor <> ${AGENT}`.execute(
      t.owner,
    );
    const { id: agent } = await api.person(SOMEBODY);
    expect(rows).toEqual([{ actor: `staff:${agent}`, action: 'notification.resend' }]);
  });

  test('those of other branches’ rentals do not exist', async () => {
    const rental = await post.queued();
    const id = (await post.rowOf(rental))?.id;
    const token = await tokenOf(await plantStaff(t.owner, { branches: ['ELSE'] }));
    expect((await api.call('GET', path, { token })).body.items).toEqual([]);
    expectProblem(await api.call('POST', `${path}/${id}/resend`, { token }), 404, 'not-found');
  });

  test('a customer declines what may be declined, and gets the rest', async () => {
    const settings = `/api/v1/customers/${desk.customerId}/notification-settings`;
    const first = await api.call('GET', settings);
    expect(first.body).toEqual({ customerId: desk.customerId, language: 'en', optOuts: [] });
    const set = (optOuts: readonly string[], etag = first.headers.get('etag') ?? '') =>
      api.call('PUT', settings, { headers: { 'if-match': etag }, body: { optOuts } });
    expect((await set(['invoice'])).status).toBe(422);
    expect((await set(['reminder'])).body).toMatchObject({ optOuts: ['reminder'] });
    expectProblem(await set([]), 412, 'version-conflict');
    const byHand = sql`update rentals.customer set opt_outs = '{invoice}'`.execute(t.owner);
    const constraint = 'customer_opts_out_of_optional_kinds';
    await expect(byHand).rejects.toMatchObject({ constraint });
    const rental = await desk.handedOut();
    await desk.record(rental, { type: 'remind' });
    await post.consume();
    await post.send();
    expect(await post.stateOf(rental, 'reminder')).toEqual(['skipped', 'opted-out']);
    expect(await post.stateOf(rental)).toEqual(['sent', null]);
  });
});

test('neither rows nor what is logged hold a name or an address', async () => {
  const { rows } = await sql`select to_jsonb(n) as row from rentals.notification n`.execute(
    t.owner,
  );
  expect(rows.length).toBeGreaterThan(10);
  expect(post.told.length).toBeGreaterThan(10);
  const kept = JSON.stringify([rows, post.told, api.logLines]);
  for (const secret of Object.values(PERSON)) expect(kept).not.toContain(secret);
});

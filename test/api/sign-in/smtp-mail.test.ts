// Letters by SMTP: they arrive whole, by TLS where there is a network, and fail without telling.
import { createServer, type Server } from 'node:net';
import { beforeAll, expect, test } from 'vitest';
import { LetterNotSent } from '../../../notifications/mail.ts';
import { smtpMail } from '../../../notifications/smtp.ts';
import { createLogger } from '../../../workers/logging.ts';
import { type TestDatabase, testDatabase } from '../../support/database.ts';
import { mailServer } from '../../support/mail-server.ts';
import { freshAddress, hire, PASSWORD, testSignIn } from '../../support/staff.ts';

const FROM = 'desk@rental.example';
const LETTER = { to: 'pat@example.com', subject: 'Grüße', text: 'One line\nand another.' };
/** Nobody vouches for the test server's certificate. */
const TRUSTING = 'tls.rejectUnauthorized=false';

let t: TestDatabase;
beforeAll(async () => {
  t = await testDatabase();
});

/** What the API's process does with a letter that fails. */
function failures() {
  const lines: string[] = [];
  const log = createLogger('api', { write: (line: string) => void lines.push(line) });
  return { lines, tell: (error: unknown) => log.error({ err: error }, 'a letter was not sent') };
}

function failureOf(url: string, letter = LETTER): Promise<unknown> {
  return smtpMail(url, FROM)
    .send(letter)
    .catch((error: unknown) => error);
}

test('a mailed link arrives, and is good', async () => {
  const server = await mailServer();
  const mail = smtpMail(`smtp://${server.at}?${TRUSTING}`, FROM);
  const signIn = testSignIn(t.db, { mail, publicUrl: 'https://rental.example' });
  const person = await hire(t.db);
  await signIn.requestReset({ userNameOrEmail: person.user_name, address: freshAddress() });
  await signIn.lettersSent();
  const [letter] = server.received;
  expect([letter?.from, letter?.to, letter?.secure]).toEqual([FROM, [person.email], true]);
  // Long lines are folded by =, and = itself is =3D (quoted-printable).
  const text = letter?.text.replaceAll('=\r\n', '').replaceAll('=3D', '=') ?? '';
  const token = /https:\/\/rental\.example\/account\/reset\?token=([\w-]+)/.exec(text)?.[1] ?? '';
  const set = await signIn.reset({ token, password: `${PASSWORD}, and one more` });
  expect(set.outcome).toBe('ok');
});

test('it signs in to the server that asks for it, and its head is one of fields', async () => {
  const login = { user: 'forecourt', password: 'correct horse' };
  const server = await mailServer({ login });
  const at = `smtp://${login.user}:${encodeURIComponent(login.password)}@${server.at}`;
  const subject = 'Hello\r\nBcc: eve@example.com';
  await smtpMail(`${at}?${TRUSTING}`, FROM).send({ ...LETTER, subject });
  const [letter] = server.received;
  expect([letter?.user, letter?.to]).toEqual([login.user, [LETTER.to]]);
  expect(letter?.text).not.toMatch(/^Bcc:/im);
});

test('by smtps: it is TLS from the first byte', async () => {
  const server = await mailServer({ tls: 'from-the-start' });
  await smtpMail(`smtps://${server.at}?${TRUSTING}`, FROM).send(LETTER);
  expect(server.received.map(({ secure }) => secure)).toEqual([true]);
});

test.each(['from-the-start', 'offered'] as const)(
  'a server whose certificate nobody vouches for gets nothing (TLS %s)',
  async (tls) => {
    const server = await mailServer({ tls, login: { user: 'u', password: 'p' } });
    const scheme = tls === 'offered' ? 'smtp' : 'smtps';
    expect(await failureOf(`${scheme}://u:p@${server.at}`)).toBeInstanceOf(LetterNotSent);
    expect([server.received, server.logins]).toEqual([[], []]);
  },
);

test('over a network it says nothing before TLS, also when none is offered', async () => {
  const server = await mailServer({ tls: 'none', login: { user: 'u', password: 'p' } });
  const port = server.at.split(':')[1];
  // Another name of this machine, which the adapter does not know as such.
  const failure = await failureOf(`smtp://u:p@0.0.0.0:${port}`);
  expect(failure).toMatchObject({ name: 'LetterNotSent', code: 'ETLS' });
  expect([server.received, server.logins]).toEqual([[], []]);
  await smtpMail(`smtp://u:p@${server.at}`, FROM).send(LETTER);
  expect(server.logins).toEqual([{ user: 'u', secure: false }]);
});

test('a letter that is refused is told by its number, without address, link or password', async () => {
  const server = await mailServer({ refuse: () => true });
  const person = await hire(t.db);
  const { lines, tell } = failures();
  const mail = smtpMail(`smtp://${server.at}?${TRUSTING}`, FROM);
  const signIn = testSignIn(t.db, { mail, onLetterFailed: tell });
  await signIn.requestReset({ userNameOrEmail: person.user_name, address: freshAddress() });
  await signIn.lettersSent();
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? '').err).toMatchObject({ code: 'EENVELOPE', responseCode: 550 });
  for (const secret of [person.email, 'token=', '/account/reset']) {
    expect(lines.join()).not.toContain(secret);
  }
});

test('a wrong password of ours is not repeated, though the server does so', async () => {
  const server = await mailServer({ login: { user: 'forecourt', password: 'right' } });
  const failure = await failureOf(`smtp://forecourt:wrong-one@${server.at}?${TRUSTING}`);
  const { lines, tell } = failures();
  tell(failure);
  expect(JSON.parse(lines[0] ?? '').err).toMatchObject({ code: 'EAUTH', responseCode: 535 });
  expect(lines.join()).not.toContain('wrong-one');
});

test('a server that says nothing is given up', async () => {
  const silent: Server = createServer(() => undefined);
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as { readonly port: number };
  const failure = await failureOf(`smtp://127.0.0.1:${port}?greetingTimeout=200`);
  expect(failure).toMatchObject({ name: 'LetterNotSent', code: 'ETIMEDOUT' });
  silent.close();
});

test('a server that is not there fails the letter, not the person who asked', async () => {
  const { lines, tell } = failures();
  const mail = smtpMail('smtp://127.0.0.1:1', FROM);
  const signIn = testSignIn(t.db, { mail, onLetterFailed: tell });
  const person = await hire(t.db);
  await signIn.requestReset({ userNameOrEmail: person.user_name, address: freshAddress() });
  await signIn.lettersSent();
  expect(JSON.parse(lines[0] ?? '').err.code).toBe('ESOCKET');
});

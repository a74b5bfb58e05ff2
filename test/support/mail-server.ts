// A mail server of the outside world: takes letters on a real socket, or refuses them.
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { whenDone } from './endings.ts';

export type Received = {
  readonly to: readonly string[];
  readonly from: string | undefined;
  /** Whether it came through TLS. */
  readonly secure: boolean;
  readonly user: string | undefined;
  readonly text: string;
};

export type MailServer = {
  /** host:port */
  readonly at: string;
  readonly received: readonly Received[];
  /** Everything that clients said before any letter: who tried to sign in, and how. */
  readonly logins: readonly { readonly user: string | undefined; readonly secure: boolean }[];
};

type Options = {
  readonly tls?: 'from-the-start' | 'offered' | 'none';
  /** When set, the one who may send. */
  readonly login?: { readonly user: string; readonly password: string };
  /** A number is what it is refused with, instead of 550. */
  readonly refuse?: (to: string) => boolean | number;
  /** When a letter is there, and before its sender knows; false: he is never told. */
  readonly onLetter?: (text: string) => boolean | undefined;
};

/** Its certificate is signed by nobody whom a client trusts. */
export async function mailServer(options: Options = {}): Promise<MailServer> {
  const received: Received[] = [];
  const logins: { user: string | undefined; secure: boolean }[] = [];
  const { login, refuse, onLetter } = options;
  const server = new SMTPServer({
    secure: options.tls === 'from-the-start',
    ...(options.tls === 'none' && { hideSTARTTLS: true, disabledCommands: ['STARTTLS'] }),
    authOptional: login === undefined,
    allowInsecureAuth: true,
    onAuth: ({ username, password }, { secure }, answer) => {
      logins.push({ user: username, secure });
      const isRight = username === login?.user && password === login?.password;
      if (isRight) answer(null, { user: username ?? '' });
      else answer(new Error(`no, ${username} is not ${password}`));
    },
    onRcptTo: ({ address }, _session, answer) => {
      const refusal = new Error(`<${address}> lives here no more`);
      const refused = refuse?.(address) ?? false;
      if (refused === false) answer();
      else answer(Object.assign(refusal, { responseCode: refused === true ? 550 : refused }));
    },
    onData: (stream, { envelope, secure, user }, answer) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const from = envelope.mailFrom ? envelope.mailFrom.address : undefined;
        const to = envelope.rcptTo.map(({ address }) => address);
        received.push({ to, from, secure, user: user as string | undefined, text });
        if (onLetter?.(text) !== false) answer();
      });
    },
  });
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  whenDone(() => new Promise<void>((done) => server.close(done)));
  return { at: `127.0.0.1:${(server.server.address() as AddressInfo).port}`, received, logins };
}

// Letters by SMTP, for ways in and for notifications alike.
import { createTransport } from 'nodemailer';
import { isOnThisMachine } from './loopback.ts';
import { LetterNotSent, type Mail, type NotSent } from './mail.ts';

/** How long a mail server may be silent; nobody waits for a letter, but process and socket do. */
const SILENCE_MS = 10_000;

/**
 * `url` as nodemailer reads it, e.g. `smtps://user:password@mail.example.com`. By `smtp:` the
 * connection must turn to TLS before anything is said, unless the server is on this machine: an
 * offer of TLS is easily taken out on the way. `send` throws `LetterNotSent`.
 */
export function smtpMail(url: string, from: string): Mail {
  const defaults = {
    connectionTimeout: SILENCE_MS,
    greetingTimeout: SILENCE_MS,
    socketTimeout: SILENCE_MS,
    requireTLS: !isOnThisMachine(url),
  };
  // What the address says goes over these.
  const transport = createTransport({ ...defaults, url }, { from });
  return {
    send: async ({ to, subject, text, messageId }) => {
      try {
        await transport.sendMail({ to, subject, text, ...(messageId && { messageId }) });
      } catch (error) {
        throw notSent(error as Failure);
      }
    },
  };
}

type Failure = {
  readonly code?: unknown;
  readonly responseCode?: unknown;
  readonly syscall?: unknown;
  readonly timeoutType?: unknown;
};

function notSent(failure: Failure): LetterNotSent {
  const code = typeof failure.code === 'string' ? failure.code : 'unknown';
  const { responseCode: said } = failure;
  const responseCode = typeof said === 'number' ? said : null;
  return new LetterNotSent(code, responseCode, outcomeOf(failure, code, responseCode));
}

/** About the letter itself or its reader; the server refuses them before or after it has it all. */
const OF_THE_LETTER = ['EENVELOPE', 'EMESSAGE'];
/** Errors that only come before the letter is handed over. */
const BEFORE = ['EDNS', 'ETLS', 'EAUTH'];

/**
 * A server that refuses has not taken the letter (RFC 5321 section 4.2.1), and what is wrong with
 * our own way to it will be mended. A connection that breaks may break after the last dot, so the
 * letter may have arrived.
 */
function outcomeOf(failure: Failure, code: string, responseCode: number | null): NotSent {
  if (responseCode !== null && responseCode >= 500 && OF_THE_LETTER.includes(code)) {
    return 'permanent';
  }
  if (responseCode !== null && responseCode >= 400) return 'temporary';
  if (code === 'EENVELOPE') return 'permanent'; // no address that could be sent to
  const never = failure.syscall === 'connect' || failure.timeoutType === 'CONNECT_TIMEOUT';
  const silent = failure.timeoutType === 'GREETING_TIMEOUT';
  return never || silent || BEFORE.includes(code) ? 'temporary' : 'unknown';
}

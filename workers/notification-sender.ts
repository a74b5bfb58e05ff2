// The part of the consumers' process that sends notifications, with its figures and its log.
import type { Logger } from 'pino';
import { Counter, type Registry } from 'prom-client';
import type { Db } from '../db/client.ts';
import { mailFrom } from '../notifications/from-env.ts';
import { startSender } from '../notifications/sender.ts';

const FOR_A_PERSON = ['failed', 'unknown'];

/** Throws when the environment names no way to send. */
export function openSender(db: Db, registry: Registry, log: Logger) {
  const settled = new Counter({
    name: 'forecourt_notifications_total',
    help: 'Letters to customers by what became of them. Alert on unknown.',
    labelNames: ['kind', 'state'],
    registers: [registry],
  });
  const { env } = process;
  return startSender({
    db,
    mail: mailFrom(env),
    host: (env['MAIL_FROM'] ?? '').split('@')[1]?.replace(/[^\w.-].*$/, '') || 'localhost',
    observer: {
      settled: (kind, state, reason, id) => {
        settled.inc({ kind, state });
        if (FOR_A_PERSON.includes(state)) log.warn({ kind, state, reason, id }, 'not sent');
      },
      trouble: (error) => log.warn({ err: error }, 'notifications wait'),
    },
  });
}

// The sender of notifications as a process of its own, which tests kill.
import { openDb } from '../../db/client.ts';
import { startSender } from '../../notifications/sender.ts';
import { smtpMail } from '../../notifications/smtp.ts';

const env = (name: string) => process.env[name] ?? '';
startSender({
  db: openDb(env('DATABASE_URL')),
  mail: smtpMail(env('SMTP_URL'), 'desk@rental.example'),
  host: 'rental.example',
  observer: { settled: () => undefined, trouble: () => undefined },
});

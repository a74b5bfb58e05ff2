// `npm run token -- <demo user>`: prints an access token for the running system, and nothing else.
import { demoToken } from './demo-token.ts';
import { demoTotpSecret } from './demo-users.ts';

const { env } = process;
const [userName] = process.argv.slice(2);
const password = env['DEMO_PASSWORD'];
if (userName === undefined || password === undefined) {
  console.error(
    userName === undefined
      ? 'Whose token? npm run token -- <demo user>'
      : 'DEMO_PASSWORD is not set: the start of the system that loaded the demo data printed it.',
  );
  process.exitCode = 1;
} else {
  try {
    const api = env['FORECOURT_API'] ?? 'http://localhost:8080';
    const totpSecret = env['DEMO_TOTP_SECRET'] ?? demoTotpSecret(password, userName);
    console.log(await demoToken(api, { userName, password, totpSecret }));
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}

// Stripe's own mock of its API: it knows every parameter, and answers from fixtures as they are here.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export type StripeMock = {
  readonly server: { readonly host: string; readonly port: number };
  /** Until when the hold of its one charge may be captured, in seconds. */
  readonly captureBefore: number;
  readonly stop: () => void;
};

type Fixture = Record<string, unknown>;
type Fixtures = { readonly resources: Readonly<Record<string, Fixture>> };

const WEEK_S = 7 * 86_400;
/** Its standard input is ours: it ends when we do, however that is. */
const WHILE_WE_LIVE = '"$0" "$@" & cat > /dev/null; kill $!';

/** `STRIPE_MOCK` is the program's path; `npm test` builds it and says where it is. */
export async function stripeMock(): Promise<StripeMock> {
  const { STRIPE_MOCK: program } = process.env;
  if (!program) throw new Error('STRIPE_MOCK is not set: run the tests by npm test.');
  const captureBefore = Math.floor(Date.now() / 1_000) + WEEK_S;
  const folder = mkdtempSync(join(tmpdir(), 'forecourt-stripe-'));
  const fixtures = join(folder, 'fixtures.json');
  const given = readFileSync(join(dirname(program), 'fixtures3.json'), 'utf8');
  writeFileSync(fixtures, JSON.stringify(withHold(JSON.parse(given) as Fixtures, captureBefore)));
  const args = [program, '-http-addr', '127.0.0.1:', '-fixtures', fixtures];
  const child = spawn('sh', ['-c', WHILE_WE_LIVE, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  const port = await new Promise<number>((resolve, reject) => {
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      if (said !== 'listening') said += chunk.toString();
      const [, found] = /HTTP at address: 127\.0\.0\.1:(\d+)\n/.exec(said) ?? [];
      if (found === undefined) return;
      said = 'listening';
      resolve(Number(found));
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`stripe-mock ended with ${code}: ${said}`)));
  });
  const stop = () => {
    child.stdin.end();
    rmSync(folder, { recursive: true });
  };
  return { server: { host: '127.0.0.1', port }, captureBefore, stop };
}

/** Its one payment is held by its one charge, on a card that a customer saved. */
function withHold({ resources }: Fixtures, captureBefore: number): Fixtures {
  const { payment_intent: intent, charge, payment_method: card, customer } = resources;
  const details = charge?.['payment_method_details'] as { readonly card: object } | undefined;
  if (!(intent && charge && card && customer && details)) throw new Error('Other fixtures.');
  const held = { ...details, card: { ...details.card, capture_before: captureBefore } };
  const { id: latest_charge } = charge;
  const amounts = { amount: 50_000, amount_capturable: 50_000 };
  return {
    resources: {
      ...resources,
      payment_intent: { ...intent, ...amounts, status: 'requires_capture', latest_charge },
      charge: { ...charge, payment_method_details: held },
      payment_method: { ...card, customer: customer['id'] },
    },
  };
}

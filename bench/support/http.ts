// A cheap HTTP client that keeps its connections, and clients that ask one after the other.
import { Agent, request } from 'node:http';

export type Answer = { readonly status: number; readonly body: string };
export type Ask = () => Promise<Answer>;

export type HttpClient = {
  readonly get: (path: string, headers?: Readonly<Record<string, string>>) => Promise<Answer>;
  readonly post: (
    path: string,
    body: unknown,
    headers?: Readonly<Record<string, string>>,
  ) => Promise<Answer>;
  /** A body that is no JSON; its type comes with the headers. */
  readonly postText: (
    path: string,
    text: string,
    headers: Readonly<Record<string, string>>,
  ) => Promise<Answer>;
  readonly close: () => void;
};

/** node:http, because it costs the bench's core less than fetch does. */
export function openHttpClient(port: number): HttpClient {
  const agent = new Agent({ keepAlive: true });
  const send = (method: string, path: string, headers: Record<string, string>, body?: string) =>
    new Promise<Answer>((resolve, reject) => {
      const sent = request({ agent, port, host: '127.0.0.1', method, path, headers }, (answer) => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (chunk: string) => {
          text += chunk;
        });
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: text }));
        answer.on('error', reject);
      });
      sent.on('error', reject);
      sent.end(body);
    });
  const postText: HttpClient['postText'] = (path, text, headers) =>
    send('POST', path, { 'content-length': String(Buffer.byteLength(text)), ...headers }, text);
  return {
    get: (path, headers = {}) => send('GET', path, { ...headers }),
    post: (path, body, headers = {}) =>
      postText(path, JSON.stringify(body), { 'content-type': 'application/json', ...headers }),
    postText,
    close: () => agent.destroy(),
  };
}

export type Leg = {
  readonly perSecond: number;
  readonly latenciesMs: readonly number[];
  /** The first answers that were not the expected ones, and how many there were. */
  readonly failures: number;
  readonly failure: string | null;
};

/** `clients` clients for `seconds`, each with one request under way at any time. */
export async function load(
  ask: Ask,
  options: { readonly clients: number; readonly seconds: number; readonly expected: number },
): Promise<Leg> {
  const latenciesMs: number[] = [];
  let failures = 0;
  let failure: string | null = null;
  const started = performance.now();
  const end = started + options.seconds * 1_000;
  const client = async () => {
    while (performance.now() < end) {
      const asked = performance.now();
      const answer = await ask().catch((error) => ({ status: 0, body: String(error) }));
      if (answer.status === options.expected) latenciesMs.push(performance.now() - asked);
      else {
        failures += 1;
        failure ??= `${answer.status} ${answer.body.slice(0, 300)}`;
      }
    }
  };
  await Promise.all(Array.from({ length: options.clients }, client));
  const perSecond = latenciesMs.length / ((performance.now() - started) / 1_000);
  return { perSecond, latenciesMs, failures, failure };
}

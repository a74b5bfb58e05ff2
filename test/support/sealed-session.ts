// A caller that speaks through an encrypted session, written from its description alone.
import { createECDH, hkdfSync, webcrypto } from 'node:crypto';
import type { ApiAnswer, TestApi } from './api.ts';

export type SealedSession = {
  readonly id: string;
  readonly seal: (text: string, aad: string) => Promise<string>;
  readonly open: (sealed: string, aad: string) => Promise<string>;
  /** Sends `body` sealed; `over` changes the headers or the sealed text that go out. */
  readonly send: (
    method: string,
    path: string,
    sequence: number,
    options?: SendOptions,
  ) => Promise<ApiAnswer>;
};

type SendOptions = {
  readonly body?: unknown;
  readonly ifMatch?: string;
  readonly token?: string | false;
  /** Instead of what the message was sealed for. */
  readonly sealedFor?: string;
  /** Changes what was sealed before it goes out. */
  readonly tamper?: (sealed: Buffer) => Buffer;
  readonly sessionId?: string;
};

const { subtle } = webcrypto;

/** `token` is the caller's; left out, the test API's own. */
export async function sealedSession(api: TestApi, token?: string): Promise<SealedSession> {
  const mine = createECDH('prime256v1');
  const point = mine.generateKeys();
  const agreed = await api.call('POST', '/api/v1/session-keys', {
    body: { publicKey: point.toString('base64url') },
    ...(token !== undefined && { token }),
  });
  if (agreed.status !== 201) throw new Error(`No session: ${agreed.text}`);
  const { id, publicKey } = agreed.body;
  const server = Buffer.from(publicKey, 'base64url');
  const shared = mine.computeSecret(server);
  const key = async (direction: string) => {
    const info = `forecourt session v1 ${direction} ${id}`;
    const bytes = hkdfSync('sha256', shared, Buffer.concat([point, server]), info, 32);
    return subtle.importKey('raw', bytes, 'AES-GCM', false, ['encrypt', 'decrypt']);
  };
  const [request, answer] = [await key('request'), await key('answer')];
  const seal = async (text: string, aad: string) => {
    const iv = webcrypto.getRandomValues(new Uint8Array(12));
    const params = { name: 'AES-GCM', iv, additionalData: Buffer.from(aad) };
    const sealed = await subtle.encrypt(params, request, Buffer.from(text));
    return Buffer.concat([iv, Buffer.from(sealed)]).toString('base64url');
  };
  const open = async (text: string, aad: string) => {
    const bytes = Buffer.from(text, 'base64url');
    const iv = bytes.subarray(0, 12);
    const params = { name: 'AES-GCM', iv, additionalData: Buffer.from(aad) };
    return Buffer.from(await subtle.decrypt(params, answer, bytes.subarray(12))).toString();
  };
  const send: SealedSession['send'] = async (method, path, sequence, options = {}) => {
    const plain = options.body === undefined ? '' : JSON.stringify(options.body);
    const aad = options.sealedFor ?? `${method} ${path} ${sequence} ${id}`;
    const whole = Buffer.from(await seal(plain, aad), 'base64url');
    const sealed = (options.tamper?.(whole) ?? whole).toString('base64url');
    const sentToken = options.token ?? token;
    return api.call(method, path, {
      ...(method === 'GET' ? {} : { body: { sealed } }),
      ...(sentToken !== undefined && { token: sentToken }),
      headers: {
        'x-session-key': options.sessionId ?? id,
        'x-sequence': String(sequence),
        ...(method === 'GET' && { 'x-sealed': sealed }),
        ...(options.ifMatch !== undefined && { 'if-match': options.ifMatch }),
      },
    });
  };
  return { id, seal, open, send };
}

// An authorization server on a real socket over a test's own database, and clients of it.
import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ClientMetadata } from 'oidc-provider';
import { pino } from 'pino';
import type { UpstreamSettings } from '../../api/auth/pages/upstream.ts';
import {
  type AuthorizationServer,
  createAuthorizationServer,
} from '../../api/auth/server/authorization-server.ts';
import type { SignIn } from '../../api/auth/sign-in.ts';
import { createRateLimiter } from '../../api/rate-limits/limiter.ts';
import { trustedProxies } from '../../api/rate-limits/peer.ts';
import { quotasFrom } from '../../api/rate-limits/tiers.ts';
import { type Envelope, openEnvelope } from '../../db/envelope.ts';
import { type TestDatabase, testDatabase } from './database.ts';
import { whenDone } from './endings.ts';
import { testSignIn } from './staff.ts';

export type SignInServer = {
  readonly issuer: string;
  readonly database: TestDatabase;
  readonly signIn: SignIn;
  readonly envelope: Envelope;
  readonly authorization: AuthorizationServer;
  readonly logLines: readonly string[];
};

type Options = {
  readonly database?: TestDatabase;
  readonly envelope?: Envelope;
  readonly clients?: readonly ClientMetadata[];
  readonly upstream?: UpstreamSettings;
  /** As RATE_LIMITS; left out, far more than a test asks for. */
  readonly quotas?: string;
  /** A second process behind the same name. */
  readonly issuer?: string;
  readonly port?: number;
};

const AMPLE = 'auth-account=100000,auth-peer=100000,public=1000000';
/** Where forecourt-web lives in tests. */
export const WEB = 'http://localhost:5173';

/** Call it in `beforeAll`. */
export async function signInServer(options: Options = {}): Promise<SignInServer> {
  const database = options.database ?? (await testDatabase());
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
  whenDone(() => closed(server));
  const issuer = options.issuer ?? `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const envelope = options.envelope ?? openEnvelope(`t:${randomBytes(32).toString('base64')}`);
  const signIn = testSignIn(database.db, { envelope, publicUrl: issuer });
  const logLines: string[] = [];
  const authorization = createAuthorizationServer({
    db: database.db,
    envelope,
    signIn,
    log: pino({ level: 'info' }, { write: (line: string) => void logLines.push(line) }),
    publicUrl: issuer,
    cookieKeys: [randomBytes(32).toString('base64url')],
    web: { redirectUris: [`${WEB}/callback`], postLogoutRedirectUris: [`${WEB}/bye`] },
    limiter: createRateLimiter({ quotas: quotasFrom(options.quotas ?? AMPLE) }),
    proxies: trustedProxies(undefined),
    ...(options.clients && { clients: options.clients }),
    upstream: options.upstream,
  });
  server.on('request', authorization.handle);
  return { issuer, database, signIn, envelope, authorization, logLines };
}

async function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

/** Free when it was asked for. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await closed(server);
  return port;
}

// The protocol library's storage on PostgreSQL. Secrets that name a row are kept as digests only.
import { createHash } from 'node:crypto';
import { type Adapter, type AdapterPayload, errors, Provider } from 'oidc-provider';
import type { Db } from '../../../db/client.ts';
import {
  apiClientById,
  consumeArtifact,
  deleteArtifact,
  deleteGrant,
  findArtifact,
  saveArtifact,
} from '../../../db/commands/oidc.ts';
import type { SessionEnd } from '../../../db/commands/sessions.ts';
import { partnerClient } from './clients.ts';

/** What the storage does besides storing: it ends the sign-ins that a revoked grant came from. */
type Deps = {
  readonly db: Db;
  readonly endSession: (sessionId: string, reason: SessionEnd) => Promise<void>;
};

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** One a model: `kind` is 'RefreshToken', 'Session' and so on. */
export function artifactAdapter(deps: Deps, kind: string): Adapter {
  const { db } = deps;
  return {
    upsert: (id, payload, expiresIn) => save(db, kind, id, payload, expiresIn),
    find: async (id) => {
      if (kind === 'Client') return clientById(db, id);
      const stored = await findArtifact(db, kind, 'id', digest(id));
      return stored && restored(stored, { jti: id });
    },
    findByUid: async (uid) => {
      const stored = await findArtifact(db, kind, 'uid', uid);
      return stored && restored(stored, {});
    },
    findByUserCode: async (userCode) => {
      const stored = await findArtifact(db, kind, 'user_code', userCode);
      return stored && restored(stored, {});
    },
    // The library has read `consumed` before; only this statement decides between two at once.
    consume: async (id) => {
      const { won, grantId } = await consumeArtifact(db, kind, digest(id));
      if (won) return;
      if (grantId !== null) await revoke(deps, grantId);
      throw new errors.InvalidGrant('it was used already');
    },
    destroy: async (id) => {
      if (kind === 'Grant') await revoke(deps, id);
      else await deleteArtifact(db, kind, digest(id));
    },
    revokeByGrantId: (grantId) => revoke(deps, grantId),
  };
}

/** The whole family: codes, refresh tokens, the grant, and by its session the access tokens. */
async function revoke(deps: Deps, grantId: string): Promise<void> {
  const sessions = await deleteGrant(deps.db, grantId, digest(grantId));
  const reason = reasonOf(Provider.ctx?.oidc?.route);
  for (const sessionId of sessions) await deps.endSession(sessionId, reason);
}

function reasonOf(route: string | undefined): SessionEnd {
  if (route === 'token') return 'token-reused';
  return route === 'end_session_confirm' ? 'signed-out' : 'revoked';
}

function save(
  db: Db,
  kind: string,
  id: string,
  payload: AdapterPayload,
  expiresIn = 0,
): Promise<void> {
  const { jti, ...rest } = payload;
  const sessionId = payload.sessionUid ?? (kind === 'Session' ? payload.uid : undefined);
  return saveArtifact(db, {
    kind,
    id: digest(id),
    // A device code is also found by its user code and saved again then; it lives ten minutes.
    payload: kind === 'DeviceCode' ? { ...rest, jti } : rest,
    grantId: payload.grantId ?? null,
    uid: payload.uid ?? null,
    userCode: payload.userCode ?? null,
    sessionId: sessionId !== undefined && UUID.test(sessionId) ? sessionId : null,
    expiresInS: expiresIn,
  });
}

function restored(
  { payload, consumedAt }: Awaited<ReturnType<typeof findArtifact>> & object,
  id: { readonly jti?: string },
): AdapterPayload {
  return { ...payload, ...id, ...(consumedAt !== null && { consumed: consumedAt }) };
}

async function clientById(db: Db, id: string): Promise<AdapterPayload | undefined> {
  const client = await apiClientById(db, id);
  return client && partnerClient(client);
}

function digest(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}

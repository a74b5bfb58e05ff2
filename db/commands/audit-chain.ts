// Sealing the audit log and checking its seals: the chain itself is the database's (migration 0030).
import { sql } from 'kysely';
import { type Db, transact } from '../client.ts';

/** The newest seal: kept elsewhere, it proves later that the chain was neither cut nor remade. */
export type ChainHead = { readonly position: number; readonly hash: string };

export type Sealing = {
  readonly sealed: number;
  /** Null while another sealer is at it, and of an empty chain. */
  readonly head: ChainHead | null;
};

/** `hash` in hex. Safe to call from several processes at once: one of them seals. */
export function sealAudit(db: Db, limit: number): Promise<Sealing> {
  return transact(db, 'people_rw', 'system:audit-sealer', async (tx) => {
    const { rows } = await sql<{
      readonly sealed: number;
      readonly position: number | null;
      readonly hash: string | null;
    }>`select sealed, head_position as position, encode(head_hash, 'hex') as hash
      from people.seal_audit(${limit})`.execute(tx);
    const { sealed = 0, position = null, hash = null } = rows[0] ?? {};
    return { sealed, head: position && hash ? { position, hash } : null };
  });
}

export type ChainFault = {
  readonly position: number | null;
  readonly entryId: string | null;
  readonly fault: string;
};

/** Every fault of the chain; `kept` is a head that must still be in it. */
export function verifyAudit(db: Db, kept?: ChainHead): Promise<readonly ChainFault[]> {
  return transact(db, 'api_read', 'system:audit-verifier', async (tx) => {
    const hash = kept === undefined ? null : Buffer.from(kept.hash, 'hex');
    const { rows } = await sql<ChainFault>`select position, entry_id as "entryId", fault
      from people.verify_audit(${kept?.position ?? null}, ${hash})`.execute(tx);
    return rows;
  });
}

// Keeps the audit log sealed, a second or so behind: a loop of the relay process.
import type { Db } from '../db/client.ts';
import { type ChainHead, sealAudit } from '../db/commands/audit-chain.ts';

type Options = {
  readonly db: Db;
  /** Told now and then, and at the end: whoever keeps it can prove the chain later. */
  readonly onHead: (head: ChainHead) => void;
  readonly onTrouble: (error: unknown) => void;
};

const PAUSE_MS = 1_000;
/** A transaction's worth: short enough to lose nothing by being killed. */
const BATCH = 500;
const TELL_HEAD_MS = 60_000;

/** Answers how to stop it: resolves when it does nothing any more. */
export function startAuditSealer({ db, onHead, onTrouble }: Options): () => Promise<void> {
  let stopped = false;
  let wake: () => void = () => undefined;
  let newest: ChainHead | null = null;
  let toldAt = 0;
  const tell = () => {
    if (newest !== null) onHead(newest);
    newest = null;
    toldAt = performance.now();
  };
  const run = async () => {
    while (!stopped) {
      try {
        const { sealed, head } = await sealAudit(db, BATCH);
        if (sealed > 0) newest = head;
        if (performance.now() - toldAt > TELL_HEAD_MS) tell();
        if (sealed === BATCH) continue;
      } catch (error) {
        onTrouble(error);
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
        setTimeout(resolve, PAUSE_MS);
      });
    }
    tell();
  };
  const running = run();
  return () => {
    stopped = true;
    wake();
    return running;
  };
}

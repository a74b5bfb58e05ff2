// Whether this process can serve: each dependency by name, probed on demand and never at once twice.
import { connect } from 'node:net';
import type { Client } from '@temporalio/client';
import { sql } from 'kysely';
import { type Db, transact } from '../db/client.ts';
import { temporalAnswers } from '../temporal-config/connection.ts';

export type Probe = {
  /** Without it the API cannot do its work; the others are shown only. */
  readonly needed: boolean;
  /** Rejects when it is down. */
  readonly check: () => Promise<unknown>;
};

export type DependencyState = { readonly state: 'up' | 'down'; readonly needed: boolean };

export type Health = {
  readonly check: () => Promise<Readonly<Record<string, DependencyState>>>;
  /** True from the moment of the stop signal: load balancers look elsewhere. */
  readonly isDraining: () => boolean;
  readonly drain: () => void;
};

const PROBE_TIMEOUT_MS = 2_000;

export function createHealth(probes: Readonly<Record<string, Probe>>): Health {
  let draining = false;
  let running: ReturnType<Health['check']> | undefined;
  return {
    // Probes that arrive together share one run, so that nobody can load the database with them.
    check: () => {
      running ??= checkAll(probes).finally(() => {
        running = undefined;
      });
      return running;
    },
    isDraining: () => draining,
    drain: () => {
      draining = true;
    },
  };
}

async function checkAll(
  probes: Readonly<Record<string, Probe>>,
): Promise<Readonly<Record<string, DependencyState>>> {
  const states = Object.entries(probes).map(async ([name, { needed, check }]) => {
    const up = await within(check()).then(
      () => true,
      () => false,
    );
    return [name, { state: up ? 'up' : 'down', needed }] as const;
  });
  return Object.fromEntries(await Promise.all(states));
}

async function within(check: Promise<unknown>): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('The probe timed out.')), PROBE_TIMEOUT_MS);
  });
  try {
    return await Promise.race([check, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

export function postgresProbe(db: Db): Probe {
  const check = () => transact(db, 'api_read', 'system:health', (tx) => sql`select 1`.execute(tx));
  return { needed: true, check };
}

export function temporalProbe(client: Client): Probe {
  const check = async () => {
    if (!(await temporalAnswers(client))) throw new Error('Temporal does not answer.');
  };
  return { needed: true, check };
}

/** For what the API never talks to itself: is somebody listening there? `address` is host:port. */
export function listenerProbe(address: string): Probe {
  const [host = '', port = ''] = address.split(':');
  const check = () =>
    new Promise<void>((resolve, reject) => {
      const socket = connect({ host, port: Number(port), timeout: PROBE_TIMEOUT_MS });
      const end = (settle: () => void) => {
        socket.destroy();
        settle();
      };
      socket.once('connect', () => end(resolve));
      socket.once('error', (error) => end(() => reject(error)));
      socket.once('timeout', () => end(() => reject(new Error('timeout'))));
    });
  return { needed: false, check };
}

// Types for the parts of the local stack that the tests touch: stack/ itself is plain JavaScript.
const folder = new URL('../../stack/', import.meta.url);

export type ProcessRecord = { readonly pid: number; readonly startTime: string };
export type Places = { readonly data: string; readonly run: string; readonly logs: string };
export type Part = {
  readonly id: string;
  readonly name: string;
  readonly address: string;
  readonly how: string;
  readonly external?: boolean;
};
export type Row = Omit<Part, 'id'> & { readonly state: string; readonly seconds: number };

export type Ports = {
  readonly startPorts: (environment: Record<string, string>) => Readonly<Record<string, number>>;
  readonly freePorts: () => Promise<Readonly<Record<string, number>>>;
  readonly requireFree: (part: string, port: number) => Promise<void>;
};
export type Processes = {
  readonly startTimeOf: (pid: number) => string | undefined;
  readonly isAlive: (record: ProcessRecord | undefined) => boolean;
  readonly recordProcess: (dir: string, id: string, pid: number, signal?: string) => void;
  readonly orphansIn: (dir: string) => readonly (ProcessRecord & { readonly id: string })[];
  readonly stopOrphans: (dir: string, seconds?: number) => Promise<readonly string[]>;
};
export type Fetch = {
  readonly fetched: (
    name: string,
    build: (dir: string) => Promise<void> | void,
    options: { readonly base: string; readonly installed?: () => string | undefined },
  ) => Promise<{ readonly dir: string; readonly how: string }>;
  readonly checkSums: (dir: string, names: readonly string[], list: string) => void;
};
export type Redis = { readonly redis: (context: object) => Promise<Part> };
export type Temporal = {
  readonly keepKind: (places: Places, kind: 'real' | 'development') => void;
};
export type Supervise = {
  readonly supervisor: (places: Places) => {
    readonly start: (part: object) => Promise<number>;
    readonly stop: () => Promise<void>;
  };
};
export type Table = { readonly table: (rows: readonly Row[]) => string };

/** A module of stack/ as the type that the test states. */
export async function stackModule<T>(file: string): Promise<T> {
  return (await import(new URL(file, folder).href)) as T;
}

// What the demo prints, and the comparisons that it fails on.

export type Ledger = {
  readonly items: readonly {
    readonly source: string;
    readonly postingDate: string;
    readonly lines: readonly {
      readonly account: string;
      readonly name: string;
      readonly currency: string;
      readonly amountMinor: number;
    }[];
  }[];
};

type Facts = {
  readonly items: readonly {
    readonly status: string;
    readonly event: { readonly type: string; readonly sequence: string };
  }[];
};

export function say(step: string, what: string): void {
  console.log(`${step.padEnd(14)} ${what}`);
}

export function money(of: { readonly totalMinor: number; readonly currency: string }): string {
  return `${of.currency} ${(of.totalMinor / 100).toFixed(2)}`;
}

/** Ends the demo with an error where `seen` is not `expected`. */
export function check<T extends string | number>(promise: string, seen: T, expected: T): void {
  if (seen === expected) return;
  throw new Error(`MISMATCH: ${promise}: expected ${expected}, saw ${seen}`);
}

export function printEntries({ items }: Ledger): void {
  for (const entry of items) {
    say('entry', `${entry.source} of ${entry.postingDate}`);
    for (const line of entry.lines) {
      const side = line.amountMinor > 0 ? 'Dr' : 'Cr';
      const amount = (Math.abs(line.amountMinor) / 100).toFixed(2).padStart(10);
      console.log(`${' '.repeat(15)}${side} ${line.account} ${line.name.padEnd(22)}${amount}`);
    }
  }
}

export function printFacts({ items }: Facts): void {
  for (const { status, event } of items) {
    say('event', `${event.sequence} ${event.type} ${status}`);
  }
}

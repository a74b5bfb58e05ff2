// What is known about callers, remembered for at most three seconds: what a token cannot take back.

/** With the interval of the reader's own clock, everything takes effect well within 5 s. */
const FRESH_MS = 3_000;
/** Far more than callers who are active within three seconds; the oldest go first. */
const MOST = 10_000;

type Entry<T> = { readonly at: number; readonly value: Promise<T> };

export type Remembered<T> = {
  /** As it is or was at most three seconds ago; `anew` asks in any case. */
  readonly get: (key: string, load: () => Promise<T>, anew?: boolean) => Promise<T>;
};

/** One load a key at a time; a load that fails is forgotten, so that the next request asks again. */
export function remembering<T>(clock: () => number = () => performance.now()): Remembered<T> {
  const entries = new Map<string, Entry<T>>();
  return {
    get: (key, load, anew = false) => {
      const known = entries.get(key);
      // The age counts from the question: what was true then is what the answer says.
      const at = clock();
      if (known !== undefined && !anew && at - known.at < FRESH_MS) return known.value;
      const value = load();
      entries.delete(key);
      entries.set(key, { at, value });
      value.catch(() => {
        if (entries.get(key)?.value === value) entries.delete(key);
      });
      if (entries.size > MOST) entries.delete(entries.keys().next().value ?? '');
      return value;
    },
  };
}

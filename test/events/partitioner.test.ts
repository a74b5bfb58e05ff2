// Keys must fall into the same partitions whichever client sends them.
import { describe, expect, it } from 'vitest';
import { createPartitioner, murmur2 } from '../../events/partitioner.ts';

describe('the partitioner', () => {
  // From Kafka's own UtilsTest.testMurmur2.
  it.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])('hashes %s as Java does', (text, hash) => {
    expect(murmur2(Buffer.from(text))).toBe(hash);
  });

  it('keeps a key in one partition and spreads what has no key', () => {
    const partition = createPartitioner();
    const partitionMetadata = [0, 1, 2, 3].map((partitionId) => ({ partitionId }));
    const of = (key: string | null) => partition({ partitionMetadata, message: { key } });
    expect(of('abc')).toBe(479470107 % 4);
    expect(of('foobar')).toBe((-790332482 & 0x7fffffff) % 4);
    expect(new Set([of(null), of(null), of(null), of(null)]).size).toBe(4);
  });
});

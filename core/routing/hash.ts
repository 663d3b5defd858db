// Hashes that stay the same over releases, processes and machines: where a key falls.

/** FNV-1a, 32 bits (http://www.isthe.com/chongo/tech/comp/fnv/), over UTF-16 units: a place in [0, 1) that stays the same for the same key. */
export function hashToUnit(key: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) {
    h = Math.imul(h ^ key.charCodeAt(i), 0x01000193);
  }
  // FNV's high bits are weak for short keys: murmur3's finaliser spreads them.
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 0x1_0000_0000;
}

/**
 * MurmurHash3, 32 bits (Appleby, https://github.com/aappleby/smhasher), over pairs of UTF-16 units. Two seeds give two draws that do not tell
 * of each other, which one hash of two prefixes would not (FNV's lowest bit is the same function of the key under every prefix).
 *
 * @returns 0 to 2^32 - 1
 */
export function hash32(key: string, seed: number): number {
  const { length } = key;
  let h = seed;
  for (let i = 0; i + 1 < length; i += 2) {
    h ^= mixed(key.charCodeAt(i) | (key.charCodeAt(i + 1) << 16));
    h = (h << 13) | (h >>> 19);
    h = (Math.imul(h, 5) + 0xe6546b64) | 0;
  }
  if (length % 2 === 1) h ^= mixed(key.charCodeAt(length - 1));
  h ^= length * 2;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function mixed(block: number): number {
  const k = Math.imul(block, 0xcc9e2d51);
  return Math.imul((k << 15) | (k >>> 17), 0x1b873593);
}

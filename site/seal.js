// Seals a ledger: every prediction and run is chained to the one before, by SHA-256 of its
// canonical JSON (RFC 8785). docs/ledger.md says what that shows and what it cannot;
// fleetlab/ledger/seal.py computes the same. Written out here since crypto.subtle is missing on a page
// that is served without https, and a ledger is exported there too.

/** Returns the canonical JSON of a value: no white space, keys in order. */
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item ?? null)).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const keys = Object.keys(value).filter((key) => value[key] !== undefined).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(",")}}`;
}

/** Returns a copy of the ledger in order of time, with seals that replace any it had. */
export function sealed(ledger) {
  const { seal: _, predictions, runs, ...rest } = ledger;
  const copies = { predictions: inOrder(predictions), runs: inOrder(runs) };
  let link = sha256(canonical({ schema: ledger.schema, track: ledger.track }));
  const chain = [...copies.predictions, ...copies.runs]; // sort() keeps equal times in this order
  for (const entry of chain.sort(byTime)) {
    link = sha256(`${link}\n${canonical(entry)}`);
    entry.seal = link;
  }
  return { ...rest, ...copies, seal: sha256(`${link}\n${canonical(rest)}`) };
}

const byTime = (a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0);
const inOrder = (entries) => entries.map(({ seal: _, ...entry }) => entry).sort(byTime);

const PRIMES = [];
for (let n = 2; PRIMES.length < 64; n++) if (PRIMES.every((prime) => n % prime)) PRIMES.push(n);
const bits = (root) => ((root % 1) * 2 ** 32) | 0; // the first 32 bits behind the point
const FIRST = PRIMES.slice(0, 8).map((prime) => bits(Math.sqrt(prime)));
const ROUND = PRIMES.map((prime) => bits(Math.cbrt(prime)));
const turn = (word, by) => (word >>> by) | (word << (32 - by));

/** Returns the SHA-256 of a text's UTF-8 bytes (FIPS 180-4), in hexadecimal. */
export function sha256(text) {
  const bytes = new TextEncoder().encode(text);
  const blocks = Math.ceil((bytes.length + 9) / 64);
  const padded = new Uint8Array(blocks * 64);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setBigUint64(padded.length - 8, BigInt(bytes.length) * 8n);
  const state = Int32Array.from(FIRST);
  const words = new Int32Array(64);
  for (let start = 0; start < padded.length; start += 64) {
    for (let i = 0; i < 64; i++) {
      if (i < 16) {
        words[i] = view.getInt32(start + i * 4);
        continue;
      }
      const [early, late] = [words[i - 15], words[i - 2]];
      words[i] = words[i - 16] + (turn(early, 7) ^ turn(early, 18) ^ (early >>> 3)) +
        words[i - 7] + (turn(late, 17) ^ turn(late, 19) ^ (late >>> 10));
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let i = 0; i < 64; i++) {
      const up = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) +
        ROUND[i] + words[i]) | 0;
      const down = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + up) | 0, c, b, a, (up + down) | 0];
    }
    [a, b, c, d, e, f, g, h].forEach((word, i) => { state[i] += word; });
  }
  return Array.from(state, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}

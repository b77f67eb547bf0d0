// The largest files are kept as they are unpacked, besides as they came: a later visit reads them
// in a fraction of the time that unpacking takes. Each lies under the SHA-256 of its bytes, in the
// browser's own file system for this site, or in a cache where there is none. Where there is no room
// either, every visit unpacks.

const LARGE = [WASM, MEMORY, LIBRARIES];
const FOLDER = "unpacked";
const STORE = "fleetlab"; // the service worker's, which holds the files as they came
const CACHE = "fleetlab-unpacked";
const lying = new Set(); // names of LARGE that have been found

let opened = null; // a promise of the place, opened once for all of them

const openPlace = () => (opened ??= navigator.storage?.getDirectory ? openFolder() : openCache());

// A place has names(); drop(name); keep(name, stream); find(name), which is what lies there:
// begin() has it brought, where that is another's work; readInto(bytes) returns the digest of it.
async function openFolder() {
  const root = await navigator.storage.getDirectory();
  const folder = await root.getDirectoryHandle(FOLDER, { create: true });
  return {
    names: () => Array.fromAsync(folder.keys()),
    drop: (name) => folder.removeEntry(name),
    async find(name) {
      const file = await folder.getFileHandle(name);
      const handle = await file.createSyncAccessHandle({ mode: "read-only" });
      return {
        begin() {},
        readInto(bytes) {
          try {
            handle.read(bytes, { at: 0 });
          } finally {
            handle.close();
          }
          return digestOf(bytes);
        },
      };
    },
    async keep(name, stream) {
      const file = await folder.getFileHandle(name, { create: true });
      const handle = await file.createSyncAccessHandle();
      try {
        handle.truncate(0);
        let at = 0;
        for (const reader = stream.getReader(); ; ) {
          const { done, value } = await reader.read();
          if (done) break;
          at += handle.write(value, { at });
        }
        handle.flush();
      } finally {
        handle.close();
      }
    },
  };
}

// For WebKitGTK, which has no file system for a site, and brings from a cache sooner than it unpacks.
async function openCache() {
  const cache = await caches.open(CACHE);
  const addressOf = (name) => `${home}${name}`;
  return {
    names: async () => (await cache.keys()).map(({ url }) => url.slice(home.length)),
    drop: (name) => cache.delete(addressOf(name)),
    async find(name) {
      if (!(await cache.keys(addressOf(name))).length) throw new Error(`${name} is not kept`);
      let coming = null; // a promise of the bytes, and of their digest
      const bring = async () => {
        const bytes = await (await cache.match(addressOf(name))).arrayBuffer();
        return { bytes: new Uint8Array(bytes), digest: digestOf(bytes) };
      };
      return {
        begin() {
          coming ??= bring();
          coming.catch(() => {}); // it is awaited below
        },
        async readInto(bytes) {
          this.begin();
          const found = await coming;
          bytes.set(found.bytes);
          return found.digest;
        },
      };
    },
    keep: (name, stream) => cache.put(addressOf(name), new Response(stream)),
  };
}

// Returns what an earlier visit has kept of one of LARGE, or null. read() is {bytes, module}, or
// null; of the memory it is {unpacked}, to be read where it is to lie. begin() has it brought, where
// that takes its time; copyTo(bytes) writes it into the beginning of some bytes and returns whether it
// is the build's; if not, it is no longer kept.
async function findKept(name, { content_size: size, content_sha256: sha256 }) {
  // A worker without an address of its own has no place of its own either.
  if (!LARGE.includes(name) || self.location.protocol === "data:") return null;
  try {
    const place = await openPlace();
    const found = await place.find(sha256);
    lying.add(name);
    return {
      begin: () => found.begin(),
      async read() {
        if (name === MEMORY) return { unpacked: this };
        const bytes = new Uint8Array(size);
        if (!(await this.copyTo(bytes))) return null;
        return { bytes, module: name === WASM ? WebAssembly.compile(bytes) : null };
      },
      async copyTo(bytes) {
        try {
          if ((await found.readInto(bytes.subarray(0, size))) === sha256) return true;
        } catch {
          // It cannot be read.
        }
        lying.delete(name);
        await place.drop(sha256).catch(() => {}); // another tab may be reading it
        return false;
      },
    };
  } catch {
    return null; // it is not there, or in another tab's hands
  }
}

// Keeps what does not lie there yet, and nothing of another build. Who came up the lean way may
// have no use for it.
async function keepUnpacked(manifest) {
  const names = way === "snapshot" ? LARGE : [];
  const files = names.map((name) => ({ name, ...manifest[name] }));
  try {
    const place = await openPlace();
    const hashes = files.map(({ content_sha256 }) => content_sha256);
    for (const hash of await place.names()) if (!hashes.includes(hash)) await place.drop(hash);
    const missing = files.filter(({ name }) => !lying.has(name));
    const wantedBytes = missing.reduce((sum, { content_size }) => sum + content_size, 0);
    for (const { name, sha256, content_sha256 } of (await isRoom(wantedBytes)) ? missing : []) {
      const packed = await (await caches.open(STORE)).match(`${home}${name}?${sha256}`);
      await place.keep(content_sha256, packed.body.pipeThrough(new DecompressionStream("gzip")));
    }
  } catch {
    // There is no such place, no room in it, or another tab is at it.
  }
  self.postMessage({ type: "kept" });
}

// A browser that does not say how much room there is refuses what is too much.
async function isRoom(bytes) {
  if (!navigator.storage?.estimate) return true;
  const { quota, usage } = await navigator.storage.estimate();
  return quota - usage > bytes;
}

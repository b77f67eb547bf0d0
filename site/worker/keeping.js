// The largest files are kept as they are unpacked, besides as they came: a later visit reads them
// in a fraction of the time that unpacking takes. They lie in the browser's own file system for this
// site, each under the SHA-256 of its bytes. Where there is none, or no room in it, every visit
// unpacks.

const LARGE = [WASM, MEMORY, LIBRARIES];
const FOLDER = "unpacked";
const STORE = "fleetlab"; // the service worker's, which holds the files as they came
const lying = new Set(); // names of LARGE that have been found

let opened = null; // a promise of the folder, opened once for all of them

async function openFolder() {
  opened ??= navigator.storage.getDirectory().then((root) => root.getDirectoryHandle(FOLDER, { create: true }));
  return opened;
}

// Returns what an earlier visit has kept of one of LARGE, or null. read() is {bytes, module}, or
// null; of the memory it is {unpacked}, to be read where it is to lie. copyTo(bytes) writes it into
// the beginning of some bytes and returns whether it is the build's; if not, it is no longer kept.
async function findKept(name, { content_size: size, content_sha256: sha256 }) {
  // A worker without an address of its own has no place of its own either.
  if (!LARGE.includes(name) || self.location.protocol === "data:") return null;
  try {
    const folder = await openFolder();
    const file = await folder.getFileHandle(sha256);
    const handle = await file.createSyncAccessHandle({ mode: "read-only" });
    lying.add(name);
    return {
      async read() {
        if (name === MEMORY) return { unpacked: this };
        const bytes = new Uint8Array(size);
        if (!(await this.copyTo(bytes))) return null;
        return { bytes, module: name === WASM ? WebAssembly.compile(bytes) : null };
      },
      async copyTo(bytes) {
        const part = bytes.subarray(0, size);
        try {
          handle.read(part, { at: 0 });
          if ((await digestOf(part)) === sha256) return true;
        } catch {
          // It cannot be read.
        } finally {
          handle.close();
        }
        lying.delete(name);
        await folder.removeEntry(sha256).catch(() => {}); // another tab may be reading it
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
    const folder = await openFolder();
    const hashes = files.map(({ content_sha256 }) => content_sha256);
    for await (const hash of folder.keys()) if (!hashes.includes(hash)) await folder.removeEntry(hash);
    const missing = files.filter(({ name }) => !lying.has(name));
    const { quota, usage } = await navigator.storage.estimate();
    const room = quota - usage > missing.reduce((sum, { content_size }) => sum + content_size, 0);
    for (const file of room ? missing : []) await keepOne(folder, file);
  } catch {
    // There is no file system, no room in it, or another tab is at it.
  }
  self.postMessage({ type: "kept" });
}

async function keepOne(folder, { name, sha256, content_sha256 }) {
  const packed = await (await caches.open(STORE)).match(`${home}${name}?${sha256}`);
  const file = await folder.getFileHandle(content_sha256, { create: true });
  const handle = await file.createSyncAccessHandle();
  try {
    handle.truncate(0);
    let at = 0;
    for (const reader = packed.body.pipeThrough(new DecompressionStream("gzip")).getReader(); ; ) {
      const { done, value } = await reader.read();
      if (done) break;
      at += handle.write(value, { at });
    }
    handle.flush();
  } finally {
    handle.close();
  }
}

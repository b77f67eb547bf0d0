// The files of the worker: each is fetched, watched while it arrives, unpacked and checked.

// A file that could not be had, or whose bytes are not the build's.
class FileFailure extends Error {
  constructor(file, sentence) {
    super(sentence);
    this.file = file;
  }
}

const PACE_MS = 50; // between two reports of what arrives, but those of whole files

// Returns {fetch, expect, say, speed}. fetch(name): {name, bytes, module}, the file's verified bytes,
// compiled if it is WASM, or {name, unpacked} (keeping.js); expect(names): what will be fetched
// besides COMMON; speed: promise of the bytes a second at which the first of them came, counted from
// the first one on, for what passes before that is a busy processor's and a server's wait, and not
// the link's.
function fetcher(manifest, fresh, stallMs) {
  const loaded = new Map();
  const sizeOf = (names) => names.reduce((sum, name) => sum + (manifest[name]?.size ?? 0), 0);
  let total = sizeOf([...COMMON, ...SNAPSHOT]);
  let measured;
  const speed = new Promise((resolve) => (measured = resolve));
  let count = 0;
  let cameAt = null;
  let saidAt = performance.now();

  const say = (what) => self.postMessage({ type: "progress", loaded: count, total, what });
  const report = (name, bytes) => {
    const { size } = manifest[name];
    loaded.set(name, Math.min(bytes, size));
    count = [...loaded.values()].reduce((a, b) => a + b, 0);
    const now = performance.now();
    if (count) cameAt ??= now;
    if (count > MEASURED_BYTES) measured((count / (now - cameAt)) * 1000); // all at once: Infinity
    if (bytes < size && now - saidAt < PACE_MS) return; // the page has other things to draw
    saidAt = now;
    say([...loaded].find(([other, some]) => some < manifest[other].size)?.[0] ?? "");
  };

  async function fetchFile(name) {
    const facts = manifest[name];
    try {
      if (!facts) throw new FileFailure(name, `The build's manifest does not list ${name}.`);
      report(name, 0);
      const kept = fresh ? null : await findKept(name, facts);
      if (kept) measured(Infinity); // nothing large will come by the link
      const file = (await kept?.read()) ?? (await download(name, facts));
      report(name, facts.size);
      performance.mark(`fleetlab:${name}`);
      return { name, ...file, module: await file.module };
    } catch (error) {
      fail(error);
      throw error;
    }
  }

  async function download(name, facts) {
    const { stream, packed } = await arriving(name, fresh, stallMs, (bytes) => report(name, bytes));
    const [kept, compiled] = name === WASM ? stream.tee() : [stream, null];
    const module = compiled && compileWhileArriving(compiled);
    module?.catch(() => {}); // wrong bytes are reported as such, by verify below
    const bytes = await collect(name, kept, facts.content_size ?? facts.size);
    await verify(name, bytes, packed, facts);
    return { bytes, module };
  }

  return {
    fetch: fetchFile,
    expect: (names) => (total = sizeOf([...COMMON, ...names])),
    say,
    speed,
  };
}

// Returns {stream, packed}: the file's decoded bytes as they arrive, and the list of the packed
// pieces of a file ending in .gz, unless the server has unpacked it already.
async function arriving(name, fresh, stallMs, report) {
  const stop = new AbortController();
  const stalled = new FileFailure(
    name,
    `The file ${name} stopped arriving: nothing came for ${Math.round(stallMs / 1000)} seconds.`,
  );
  let timer = setTimeout(() => stop.abort(stalled), stallMs);
  const alive = () => {
    clearTimeout(timer);
    timer = setTimeout(() => stop.abort(stalled), stallMs);
  };
  const reach = async (promise) => {
    try {
      return await promise;
    } catch (error) {
      clearTimeout(timer);
      if (stop.signal.aborted) throw stalled;
      throw new FileFailure(name, `The file ${name} could not be loaded: the connection failed.`);
    }
  };

  const response = await reach(
    fetchFromSite(name, { signal: stop.signal, cache: fresh ? "reload" : "default" }),
  );
  if (!response.ok) {
    clearTimeout(timer);
    throw new FileFailure(
      name,
      `The file ${name} could not be loaded: the server answered ${response.status}.`,
    );
  }
  const reader = response.body.getReader();
  let count = 0;
  const next = async () => {
    const { done, value } = await reach(reader.read());
    alive();
    if (done) {
      clearTimeout(timer);
      return null;
    }
    count += value.length;
    report(count);
    return value;
  };

  const first = await next();
  const isPacked = name.endsWith(".gz") && first?.[0] === 0x1f && first?.[1] === 0x8b;
  const packed = isPacked ? [first] : null;
  const raw = new ReadableStream({
    start(controller) {
      if (first) controller.enqueue(first);
      else controller.close();
    },
    async pull(controller) {
      const value = await next();
      if (!value) {
        controller.close();
        return;
      }
      packed?.push(value);
      controller.enqueue(value);
    },
  });
  return { stream: packed ? raw.pipeThrough(new DecompressionStream("gzip")) : raw, packed };
}

// The browser's own, whatever Pyodide is given in its place (start.js). A worker without an address
// of its own is handed its files by the page instead.
const { fetch: fetchByLink } = self;
self.fetchFromSite = (name, options) => fetchByLink(home + name, options);
const asked = new Map();

function askPage(name, { cache }) {
  self.postMessage({ type: "need", name, cache });
  return new Promise((resolve, reject) => asked.set(name, { resolve, reject }));
}

function supply({ name, bytes, problem }) {
  if (bytes) asked.get(name)?.resolve(new Response(bytes));
  else asked.get(name)?.reject(new Error(problem));
}

// Returns all bytes of a stream that is to have `size` of them: written where they stay, since the
// memory is large and each copy of it takes time.
async function collect(name, stream, size) {
  const bytes = new Uint8Array(size);
  let count = 0;
  try {
    for (const reader = stream.getReader(); ; ) {
      const { done, value } = await reader.read();
      if (done) break;
      if (count + value.length <= size) bytes.set(value, count);
      count += value.length;
    }
  } catch (error) {
    if (error instanceof FileFailure) throw error;
    throw new FileFailure(name, `The file ${name} is damaged: it arrived incomplete.`);
  }
  if (count !== size) {
    throw new FileFailure(name, `The file ${name} is damaged: it has ${count} bytes where the build made ${size}.`);
  }
  return bytes;
}

function joined(pieces) {
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

async function digestOf(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// The packed bytes are the fewer, so they are what is checked where they came.
async function verify(name, bytes, packed, facts) {
  if (!self.crypto?.subtle) return; // only on plain http from another machine
  const hex = await digestOf(packed ? joined(packed) : bytes);
  if (hex !== (packed ? facts.sha256 : facts.content_sha256 ?? facts.sha256)) {
    throw new FileFailure(name, `The file ${name} is damaged: its bytes are not the build's.`);
  }
}

function compileWhileArriving(stream) {
  const headers = { "content-type": "application/wasm" };
  return WebAssembly.compileStreaming(new Response(stream, { headers }));
}

// The worker's messages: what Python tells the page, and what the page tells Python.

// Python's way to the page: post(type, name, value), all texts, but for a patch's buffers and a
// tell's bytes.
function post(type, name, value) {
  if (type === "document") {
    self.postMessage({ type, document: value });
  } else if (type === "patch") {
    const buffers = [...(plain(value) ?? [])].map(([id, bytes]) => [id, ownBuffer(bytes)]);
    self.postMessage({ type, patch: name, buffers }, buffers.map(([, buffer]) => buffer));
  } else if (type === "tell") {
    self.postMessage({ type, name, value: typeof value === "string" ? JSON.parse(value) : plain(value) });
  } else {
    self.postMessage({ type });
  }
}

function receive(data) {
  try {
    let done;
    if (data.type === "patch") {
      done = host.receive("patch", data.patch);
    } else if (data.type === "tell") {
      const { name, value } = data;
      const bytes = value instanceof ArrayBuffer;
      done = host.receive("tell", name, bytes ? python.toPy(new Uint8Array(value)) : JSON.stringify(value ?? null));
    }
    done?.catch?.(complain);
  } catch (error) {
    complain(error);
  }
  // Work that goes on in slices does not count as busy: a newer knob must reach it.
  self.postMessage({ type: "idle" });
}

function complain(error) {
  if (way === "snapshot" && /ModuleNotFoundError|FileNotFoundError|EOFError/.test(error.message)) {
    unfit(error); // something that the snapshot should hold
    return;
  }
  console.error(error.message);
  const value = `That could not be carried out: ${lastLine(error.message)}`;
  self.postMessage({ type: "tell", name: "notice", value });
}

function plain(value) {
  if (!value?.toJs) return value;
  const copy = value.toJs();
  value.destroy();
  return copy;
}

function ownBuffer(bytes) {
  const view = plain(bytes);
  return view.buffer.byteLength === view.byteLength ? view.buffer : view.slice().buffer;
}

function lastLine(text) {
  return String(text).trim().split("\n").pop();
}

// The worker begins before the page's own modules are here, since it has the most to do. The build
// writes this script, and the worker's, into the page.
{
  const STALL_MS = 30_000; // no byte of a file for so long: it has stalled
  const read = (id) => document.getElementById(id).textContent;

  // Starts a worker; `fresh`: no cache is to be trusted; `lean`: without the snapshot. Returns
  // {worker, said}; `said` are its messages until somebody else listens.
  globalThis.beginWorker = ({ fresh, lean }) => {
    const script = read("fleetlab-worker");
    // In the offline edition and in a sandboxed frame it may ask for nothing: the page hands it its
    // files.
    const supplied = document.documentElement.dataset.edition === "offline" || location.origin === "null";
    const url = supplied
      ? `data:text/javascript,${encodeURIComponent(script)}`
      : URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
    const worker = new Worker(url);
    const said = [];
    worker.onmessage = ({ data }) => said.push(data);
    worker.onerror = (event) => {
      event.preventDefault();
      said.push({ type: "crash", reason: event.message });
    };
    worker.postMessage({
      type: "start",
      manifest: JSON.parse(read("fleetlab-manifest")),
      // Pyodide wants a place even where there is none.
      place: supplied ? "https://fleetlab.invalid/" : new URL(".", location.href).href,
      stallMs: globalThis.fleetlabStallMs ?? STALL_MS,
      fresh,
      lean,
      supplied,
    });
    return { worker, said };
  };

  const waits = globalThis.parent !== globalThis && new URLSearchParams(location.search).get("embed") === "1";
  if (globalThis.WebAssembly && !waits) {
    try {
      globalThis.begunWorker = globalThis.beginWorker({ fresh: false, lean: globalThis.fleetlabLean ?? false });
    } catch {
      // boot.js tries again, and says what is wrong.
    }
  }
}

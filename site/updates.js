// Keeping the lab for a visit without a network, and the newer build that may be waiting.

/**
 * Has the browser keep the lab's files; `onKept` hears that it has them, `onUpdate` that a newer
 * build is ready. Returns a function that takes the newer build and loads the page again; nothing
 * else ever does.
 */
export function keepForLater(onKept, onUpdate) {
  const container = containerOf(globalThis);
  if (!container || !globalThis.isSecureContext || !location.protocol.startsWith("http")) return () => {};
  let waiting = null;

  const offer = (registration) => {
    if (!registration.waiting || !container.controller) return;
    waiting = registration.waiting;
    onUpdate();
  };
  container
    .register("sw.js")
    .then((registration) => {
      offer(registration);
      registration.addEventListener("updatefound", () => {
        registration.installing?.addEventListener("statechange", () => offer(registration));
      });
      return container.ready;
    })
    .then(({ active }) => {
      if (!container.controller) handOver(active);
      onKept();
    })
    .catch((error) => console.warn(`This browser does not keep the lab for later: ${error.message}`));

  return () => {
    container.addEventListener("controllerchange", () => location.reload(), { once: true });
    waiting?.postMessage("take over");
  };
}

// What this page has fetched before there was a service worker is there without a network too.
function handOver(worker) {
  worker.postMessage({ used: performance.getEntriesByType("resource").map(({ name }) => name) });
}

// A sandboxed frame may not even ask.
function containerOf({ navigator }) {
  try {
    return navigator.serviceWorker;
  } catch {
    return null;
  }
}

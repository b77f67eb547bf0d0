// The service worker: after one visit the lab works without a network, and a later visit fetches
// next to nothing. It keeps the files of its own build and no others, each under its hash, so that
// a build's page only ever meets that build's files. A newer build waits until the reader takes it.
"use strict";

// name: {sha256, keep, named}; the build writes this list above. `named`: the page asks for it with
// its hash, so that a browser keeps the script compiled from the moment that it is kept here.
const FILES = self.fleetlabFiles;
const STORE = "fleetlab";
const PAGE = "index.html";

let opened = null; // a promise of the store
const openStore = () => (opened ??= caches.open(STORE));
const addressOf = (name) => new URL(`${name}?${FILES[name].sha256}`, self.registration.scope).href;

self.addEventListener("install", (event) => event.waitUntil(keepAll()));
self.addEventListener("activate", (event) => event.waitUntil(dropOthers()));
self.addEventListener("message", (event) => {
  if (event.data === "take over") self.skipWaiting();
  else event.waitUntil(keepUsed(event.data.used));
});
self.addEventListener("fetch", (event) => {
  const name = nameOf(event.request);
  if (name) event.respondWith(answer(name, event.request.cache === "reload"));
});

// Returns the name in FILES of what is asked for, or nothing: that goes to the network untouched.
function nameOf({ method, url, mode }) {
  if (method !== "GET" || !url.startsWith(self.registration.scope)) return null;
  const path = new URL(url).pathname.slice(new URL(self.registration.scope).pathname.length);
  const name = mode === "navigate" && path === "" ? PAGE : path;
  return Object.hasOwn(FILES, name) ? name : null;
}

async function answer(name, fresh) {
  const store = await openStore();
  const kept = fresh ? null : await store.match(addressOf(name));
  if (kept) return kept;
  const response = await fetch(name, { cache: fresh ? "reload" : "default" });
  if (await isWhole(name, response.clone())) await put(store, name, response.clone());
  return response; // as it came: the page says what may be wrong with it
}

async function keepAll() {
  const store = await openStore();
  const wanted = Object.keys(FILES).filter((name) => FILES[name].keep);
  for (const name of wanted) {
    if (await store.match(addressOf(name))) continue;
    const response = await fetch(FILES[name].named ? addressOf(name) : name);
    if (!(await isWhole(name, response.clone()))) throw new Error(`${name} is not the build's`);
    await put(store, name, response);
  }
}

// A page that came before this worker names the addresses of what it has used.
function keepUsed(addresses) {
  const names = addresses.map((url) => nameOf({ method: "GET", url })).filter(Boolean);
  return Promise.all(names.map((name) => answer(name, false)));
}

async function put(store, name, response) {
  try {
    await store.put(addressOf(name), response);
  } catch (error) {
    console.warn(`${name} could not be kept: ${error.message}`); // no room: the network has it
  }
}

// Nothing opaque, nothing that failed, nothing with other bytes than the build's.
async function isWhole(name, response) {
  if (!response.ok || response.type !== "basic" || response.redirected) return false;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await response.arrayBuffer()));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("") === FILES[name].sha256;
}

async function dropOthers() {
  const store = await openStore();
  const ours = new Set(Object.keys(FILES).map(addressOf));
  for (const { url } of await store.keys()) if (!ours.has(url)) await store.delete(url);
}

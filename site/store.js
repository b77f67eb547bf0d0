// Where records are kept: IndexedDB, else localStorage, else only this page's memory.
// Every call is guarded, since storage may be denied, full, or never answer.

import { asRecord, merge } from "./record.js";

const NAME = "fleetlab";
const TABLE = "records";
const PREFIX = "fleetlab/record/";
const ANSWER_MS = 3000; // storage that has not answered by then counts as denied

/**
 * Returns a store: load(track) gives that track's record or null; save(record) gives the record
 * as it now stands, merged with what another tab kept; flush(record) saves at once, for a page
 * that is about to go. onStatus hears "saving", "saved" and "not-saved". Nothing here throws.
 */
export async function openStore(onStatus) {
  const database = await openDatabase();
  const memory = new Map();
  let queue = Promise.resolve(); // saves of one page never overtake each other
  let status = "";

  function tell(next) {
    if (next !== status) onStatus((status = next));
  }

  async function load(track) {
    const kept = [await readDatabase(database, track), readLocal(track), memory.get(track)];
    const records = kept.map((record) => asRecord(record, track)).filter(Boolean);
    if (!status) tell(database || localWorks() ? "saved" : "not-saved");
    return records.length ? records.reduce(merge) : null;
  }

  async function write(record) {
    const inDatabase = await writeDatabase(database, record);
    if (inDatabase) {
      memory.set(record.track, inDatabase);
      dropLocal(record.track);
      return [inDatabase, "saved"];
    }
    const inLocal = writeLocal(record);
    if (inLocal) return [inLocal, "saved"];
    const older = memory.get(record.track);
    memory.set(record.track, older ? merge(older, record) : record);
    return [memory.get(record.track), "not-saved"];
  }

  function save(record) {
    tell("saving");
    const done = queue.then(() => write(record));
    let last;
    queue = last = done.then(([, result]) => {
      if (queue === last) tell(result);
    });
    return done.then(([merged]) => merged);
  }

  // The database may not answer a page that is going, so a copy is left where writing is
  // immediate; the next load merges it.
  function flush(record) {
    if (database) writeLocal(record);
    return save(record);
  }

  return { load, save, flush };
}

function answered(promise) {
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(() => resolve(null), ANSWER_MS);
  });
  return Promise.race([promise.catch(() => null), late]).finally(() => clearTimeout(timer));
}

const settled = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("blocked"));
  });

async function openDatabase() {
  try {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(TABLE, { keyPath: "track" });
    const database = await answered(settled(request));
    // A newer page may want to change the table: make way for it.
    if (database) database.onversionchange = () => database.close();
    return database;
  } catch {
    return null;
  }
}

async function readDatabase(database, track) {
  try {
    return await answered(settled(database.transaction(TABLE).objectStore(TABLE).get(track)));
  } catch {
    return null;
  }
}

// Reads, merges and writes in one transaction, so that two tabs cannot fall between.
async function writeDatabase(database, record) {
  try {
    const transaction = database.transaction(TABLE, "readwrite");
    const table = transaction.objectStore(TABLE);
    let merged = record;
    const reading = table.get(record.track);
    reading.onsuccess = () => {
      const older = asRecord(reading.result, record.track);
      if (older) merged = merge(older, record);
      table.put(merged);
    };
    const written = new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve(merged);
      transaction.onabort = transaction.onerror = () => reject(transaction.error);
    });
    return await answered(written);
  } catch {
    return null;
  }
}

function localWorks() {
  try {
    localStorage.setItem(`${PREFIX}probe`, "1");
    localStorage.removeItem(`${PREFIX}probe`);
    return true;
  } catch {
    return false;
  }
}

function readLocal(track) {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + track));
  } catch {
    return null;
  }
}

function writeLocal(record) {
  try {
    const older = asRecord(readLocal(record.track), record.track);
    const merged = older ? merge(older, record) : record;
    localStorage.setItem(PREFIX + record.track, JSON.stringify(merged));
    return merged;
  } catch {
    return null;
  }
}

function dropLocal(track) {
  try {
    localStorage.removeItem(PREFIX + track);
  } catch {
    // Nothing was kept there.
  }
}

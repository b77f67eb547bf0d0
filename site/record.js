// What one reader did on one track, as a value: nothing here touches the page or the disk. Its
// fields are those of docs/ledger.md, and two that stay here: `generation` counts how often the
// ledger was started afresh, `written_at` when each of the reader's texts and choices was made.

export const SCHEMA = "fleetlab-ledger/2";
export const FIRST_SCHEMA = "fleetlab-ledger/1";
export const TRACKS = ["titan", "guardian", "nomad", "pioneer"];
export const PARTS = [1, 2, 3];
export const PRIORITIES = ["density", "locality"];
const SERVICE = {
  tokens: "tokens_s",
  loop_p999: "loop_p999_ms",
  frames: "frames_s",
  lowest_fps: "lowest_fps",
  dropout: "dropout_share",
  silent: "silent_share",
}; // one track's each, so evidence only where a run has it
export const EVIDENCE = {
  allocated: "allocated",
  productive: "productive",
  mfu: "mfu",
  wait_p50: "wait_p50_s",
  wait_p95: "wait_p95_s",
  worst_low_priority: "worst_low_priority_s",
  cost: "cost_dollars",
  time_to_converge: "time_to_converge_s",
  ...SERVICE,
}; // of each, the figure of a run that it is
export const OWN_RULE = "own-rule"; // the placement of a policy whose run the reader's rule placed
const DIVERGENCE = 0.005; // by how much shares of the fleet must differ to be called so
const RUNS_KEPT = 400;

/** Returns an empty record of a track. */
export function newRecord(track, version, generation = 0) {
  return {
    schema: SCHEMA,
    track,
    seed: null,
    version,
    generation,
    predictions: [],
    runs: [],
    policy: {},
    evidence: { runs: [] },
    rejected_alternative: "",
    priority: null,
    paradox_answer: { text: "", runs: [] },
    residual_risk: "",
    reflections: {},
    rule: "",
    written_at: {},
  };
}

export const predictionOf = (record, part) =>
  record.predictions.find((prediction) => prediction.part === part);

export const runsOf = (record, part) => record.runs.filter((run) => run.part === part);

/** Returns the newest run with that digest, or undefined. */
export const runWith = (record, digest) => record.runs.findLast((run) => run.digest === digest);

export const isEmpty = (record) =>
  !record.predictions.length && !record.runs.length && !Object.keys(record.written_at).length;

/** Returns the record with a run at its end, unless it has that very run already. */
export function withRun(record, run) {
  const repeats = (made) =>
    ["digest", "scenario", "rule"].every((name) => sameValue(made[name] ?? null, run[name] ?? null));
  if (record.runs.some(repeats)) return record;
  return pruned({ ...record, seed: run.seed ?? record.seed, runs: [...record.runs, run] });
}

/**
 * Returns the record with something that the reader wrote or chose: `field` is one of the record's
 * or a part's reflection ("part1").
 */
export function withWritten(record, field, value, at) {
  const place = isReflection(field) ? { reflections: { ...record.reflections, [field]: value } }
    : { [field]: value };
  return { ...record, ...place, written_at: { ...record.written_at, [field]: at } };
}

export const writtenIn = (record, field) =>
  isReflection(field) ? record.reflections[field] ?? "" : record[field];

const isReflection = (field) => /^part\d$/.test(field);

// Runs that are cited, and the first of each part, outlast any number of others.
function pruned(record) {
  const { runs, evidence, paradox_answer: answer } = record;
  const cited = new Set([...evidence.runs, ...answer.runs]);
  let spare = runs.length - RUNS_KEPT;
  if (spare <= 0) return record;
  const stays = (run, i) => cited.has(run.digest) ||
    runs.findIndex(({ part }) => part === run.part) === i || spare-- <= 0;
  return { ...record, runs: runs.filter(stays) };
}

/**
 * Returns what two copies of one track's record hold together, whichever is asked first: of each
 * part's predictions the earliest, all runs, of each text and choice the newest. A copy that was
 * started afresh more often than the other stands alone.
 */
export function merge(a, b) {
  if (a.generation !== b.generation) return a.generation > b.generation ? a : b;
  const runs = new Map([...a.runs, ...b.runs].map((run) => [`${run.at} ${run.digest}`, run]));
  let merged = {
    ...newRecord(a.track, a.version, a.generation),
    ...pick(newest(a, b), ["seed", "version"]),
    predictions: [...a.predictions, ...b.predictions]
      .sort(byTime)
      .filter(({ part }, i, all) => all.findIndex((other) => other.part === part) === i),
    runs: [...runs.values()].sort(byTime),
  };
  for (const copy of [a, b]) {
    for (const [field, at] of Object.entries(copy.written_at)) {
      const [value, since] = [writtenIn(copy, field), merged.written_at[field] ?? ""];
      const older = at < since ||
        (at === since && JSON.stringify(value) < JSON.stringify(writtenIn(merged, field)));
      if (!older) merged = withWritten(merged, field, value, at);
    }
  }
  return pruned(merged);
}

/**
 * Returns the record with what an imported one adds. A prediction that was locked here stays,
 * whatever the file says; other tabs take the result over as it is.
 */
export function withImport(record, imported) {
  const both = merge(record, { ...imported, generation: record.generation });
  const own = (prediction) => predictionOf(record, prediction.part) ?? prediction;
  return { ...both, generation: record.generation + 1, predictions: both.predictions.map(own) };
}

/**
 * Returns a value read from storage as a record of the track, brought up to this schema; null for
 * anything that is none.
 */
export function asRecord(value, track) {
  const known = isObject(value) && [SCHEMA, FIRST_SCHEMA].includes(value.schema) &&
    value.track === track && Number.isInteger(value.generation) &&
    Array.isArray(value.predictions) && Array.isArray(value.runs) && isObject(value.reflections);
  if (!known) return null;
  const { reflected_at: reflected = {}, ...rest } = value;
  return {
    ...newRecord(track, value.version),
    ...rest,
    schema: SCHEMA,
    runs: value.runs.map(withPart),
    written_at: value.written_at ?? reflected,
  };
}

/** Returns the number of the part that a Scenario's text names, or null. */
export const partIn = (query) => Number(new URLSearchParams(query).get("part")) || null;

/** Returns a run with the part whose evidence it is: runs of the first schema do not say. */
export const withPart = (run) => ({ ...run, part: run.part ?? partIn(asText(run.scenario)) ?? 1 });

/** Returns the record as it leaves the browser: what only merging needs stays here. */
export function exported({ generation, written_at, ...record }) {
  return record;
}

/**
 * Returns {busy, idle, useful} where of the two runs cited the one that kept more GPUs allocated
 * got less work done, `useful` naming the figure that says so; null where they do not diverge so,
 * or are of different parts, whose fleets say nothing of each other.
 */
export function divergenceIn(record) {
  const [one, other] = record.paradox_answer.runs.map((digest) => runWith(record, digest));
  if (!one || !other || one.part !== other.part) return null;
  for (const [busy, idle] of [[one, other], [other, one]]) {
    const gap = (name) => (busy.figures?.[name] ?? NaN) - (idle.figures?.[name] ?? NaN);
    const useful = ["mfu", "productive"].find((name) => gap(name) <= -DIVERGENCE);
    if (gap("allocated") >= DIVERGENCE && useful) return { busy, idle, useful };
  }
  return null;
}

/** Returns the evidence of the runs with these digests; of each figure the last run's that has it. */
export function evidenceOf(record, digests) {
  const runs = digests.map((digest) => runWith(record, digest)).filter(Boolean);
  const figures = Object.assign({}, ...runs.map((run) => run.figures ?? {}));
  const found = Object.entries(EVIDENCE).map(([name, figure]) => [name, figures[figure] ?? null]);
  const told = found.filter(([name, value]) => value !== null || !(name in SERVICE));
  return { ...Object.fromEntries(told), runs: digests };
}

/** Returns what a complete ledger has and this one lacks, in words. */
export function missingFrom(record) {
  const wanted = PARTS.flatMap((part) => [
    [predictionOf(record, part), `the prediction of part ${part}`],
    [runsOf(record, part).length, `a run of part ${part}`],
    [record.reflections[`part${part}`]?.trim(), `the reflection of part ${part}`],
  ]);
  const { text, runs } = record.paradox_answer;
  wanted.push(
    [record.evidence.runs.length, "the final policy"],
    [record.rejected_alternative.trim(), "the rejected alternative"],
    [record.priority, "density or locality"],
    [text.trim() && runs.length === 2, "the paradox answer"],
    [!runs.length || divergenceIn(record), "two runs that diverge, for the paradox answer"],
    [record.residual_risk.trim(), "the residual risk"],
  );
  return wanted.filter(([there]) => !there).map(([, name]) => name);
}

export const isObject = (value) =>
  typeof value === "object" && value !== null && !Array.isArray(value);
export const asText = (value) => (typeof value === "string" ? value : JSON.stringify(value ?? ""));
export const byTime = (a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0);

const newest = (a, b) => ((a.runs.at(-1)?.at ?? "") > (b.runs.at(-1)?.at ?? "") ? a : b);
const pick = (value, names) => Object.fromEntries(names.map((name) => [name, value[name]]));
const sameValue = (a, b) => JSON.stringify(a) === JSON.stringify(b);

// The choices of a Scenario in words, as the knobs of the page call them.

import { asText } from "./record.js";

const CHOSEN = {
  order: {
    fifo: "first come, first served", priority: "by priority", fair: "fair share", drf: "dominant resource fairness",
    sjf: "shortest first", smallest: "smallest first", srpt: "shortest remaining first",
    las: "least attained service first",
  },
  backfill: { none: "strict FIFO", easy: "backfill", skip: "skip ahead", conservative: "conservative backfill" },
  gang: { whole: "whole gangs", "hold-and-wait": "hold and wait" },
  placement: {
    "best-fit": "best fit", random: "random placement", "first-fit": "first fit", "worst-fit": "worst fit",
    contiguous: "contiguous placement", "topology-aware": "topology-aware placement", "own-rule": "your own rule",
    "dot-product": "dot-product packing", clustering: "clustering placement", packing: "share packing", fgd: "FGD placement",
  },
  preemption: { none: "no preemption", priority: "preemption by priority", order: "preemption by order" },
  quota: { none: "no quotas", hard: "hard quotas", borrowable: "borrowable quotas", reclaimable: "reclaimable quotas" },
  reclaim: {
    memoryless: "reclaims one by one", bathtub: "reclaims of young and old nodes", bursts: "reclaims in bursts",
    aws: "reclaims as on AWS",
  },
  patience: { [-1]: "strict", 0: "loose" },
  starvation: { 0: "nobody’s wait bounded" },
  elastic: { 0: "static", 1: "elastic" },
  tau: { 0: "never saved" },
};
const UNITS = {
  jobs: "jobs",
  load: "% load",
  penalty: "% longer across blocks",
  patience: "min of patience",
  ageing: "h of ageing a level",
  starvation: "h waited at most",
  migration: "min to migrate",
  spot: "% spot",
  preemptions: "preemptions a day",
  notice: "s of notice",
  away: "min until replaced",
  tau: "min between checkpoints",
  checkpoint: "s a checkpoint",
  restart: "s to restart",
  rendezvous: "s of rendezvous",
};

// The names come from addresses and files: what every object has (toString) is none of ours.
function settingWords(name, value) {
  if (Object.hasOwn(CHOSEN, name) && Object.hasOwn(CHOSEN[name], value)) return CHOSEN[name][value];
  return Object.hasOwn(UNITS, name) ? `${value}\u00a0${UNITS[name]}` : `${name} ${value}`;
}

/** Returns what a Scenario changes on its track's default, in words. */
export function scenarioWords(scenario) {
  return [...new URLSearchParams(asText(scenario))]
    .filter(([name]) => !["track", "part"].includes(name))
    .map(([name, value]) => settingWords(name, value)).join(", ") || "as it opens";
}

/** Returns a record's policy in words: every choice that is not simply off. */
export function policyWords({ policy }) {
  const on = Object.entries(policy).filter(([, value]) => value !== 0 && value !== "none");
  return on.map(([name, value]) => settingWords(name, value)).join(", ");
}

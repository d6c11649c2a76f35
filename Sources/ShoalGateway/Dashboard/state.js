// What is known of the mesh, polled once a second while the page is in sight. Views subscribe and
// draw; nobody but this file writes.

import { get } from "./api.js";

export const state = {
  reachable: false,
  peers: [],
  models: [],
  /** Generations that this peer was asked for and that have not ended. */
  jobs: [],
  /** Name of the chosen model. */
  model: null,
  objective: "latency",
  plan: null,
  planError: null,
  /** Members of the job that this page runs, by id; empty while none runs. */
  busy: new Set(),
  /** [{seconds, ...}] of the tokens of the last job. */
  steps: [],
  /** [{at, peers, tokens}] of the last five minutes, a second apart. */
  history: [],
  /** [{at, kind, text}], newest first. */
  events: [],
};

const views = [];
const historyLimit = 300;
const eventLimit = 200;
let tokensSeen = 0;

export function subscribe(draw) {
  views.push(draw);
}

export function changed() {
  for (const draw of views) draw(state);
}

export function note(text, kind = "") {
  state.events.unshift({ at: new Date(), kind, text });
  state.events.length = Math.min(state.events.length, eventLimit);
}

export function countToken() {
  tokensSeen += 1;
}

/** The name that people know a peer by: its profile and the beginning of its id. */
export function nameOf(peer) {
  return `${peer.profile || "peer"} ${peer.id.slice(0, 6)}`;
}

export function isLive(peer) {
  return peer.state === "alive" || peer.state === "suspect";
}

const hues = new Map();

/** A colour for each peer. Peers get theirs in the order of their ids, a golden angle apart, and
    keep them: neighbours differ, and windows that were opened together agree. */
export function colourOf(id) {
  if (!hues.has(id)) hues.set(id, (200 + hues.size * 137.5) % 360);
  return `light-dark(hsl(${hues.get(id)} 60% 42%), hsl(${hues.get(id)} 60% 62%))`;
}

export async function refresh() {
  try {
    const [peers, models, jobs] = await Promise.all(
      [get("api/peers"), get("api/models"), get("api/jobs")]);
    if (!state.reachable) note("This peer answers.", "good");
    state.reachable = true;
    tellOfPeers(state.peers, peers);
    tellOfModels(state.models, models);
    for (const peer of peers.toSorted((a, b) => (a.id < b.id ? -1 : 1))) colourOf(peer.id);
    state.peers = peers;
    state.models = models;
    state.jobs = jobs;
    chooseModel();
    await refreshPlan();
  } catch (error) {
    if (state.reachable) note(`This peer does not answer: ${error.message}`, "bad");
    state.reachable = false;
  }
  remember(Date.now());
  changed();
}

/** One sample a second, however often the peer is asked. */
function remember(at) {
  if (at - (state.history.at(-1)?.at ?? 0) < 900) return;
  state.history.push({ at, peers: state.peers.filter(isLive).length, tokens: tokensSeen });
  tokensSeen = 0;
  if (state.history.length > historyLimit) state.history.shift();
}

function chooseModel() {
  if (!state.models.some((model) => model.name === state.model)) {
    state.model = state.models[0]?.name ?? null;
  }
}

export async function refreshPlan() {
  state.planError = null;
  if (!state.model) {
    state.plan = null;
    return;
  }
  const query = new URLSearchParams({ model: state.model, objective: state.objective });
  try {
    state.plan = await get(`api/plan?${query}`);
  } catch (error) {
    state.plan = null;
    state.planError = error.message;
  }
}

function tellOfPeers(before, now) {
  const old = new Map(before.map((peer) => [peer.id, peer]));
  for (const peer of now) {
    const was = old.get(peer.id);
    if (!was) {
      note(`${nameOf(peer)} is here.`, "good");
    } else if (was.state !== peer.state) {
      note(`${nameOf(peer)} is ${peer.state}.`, isLive(peer) ? "" : "bad");
    }
    old.delete(peer.id);
  }
  for (const peer of old.values()) note(`${nameOf(peer)} is forgotten.`);
}

function tellOfModels(before, now) {
  const old = new Set(before.map((model) => model.model));
  for (const model of now) if (!old.has(model.model)) note(`Model ${model.name} is offered.`, "good");
}

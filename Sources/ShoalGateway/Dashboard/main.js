// Wires the page: polls while it is in sight, and lets each section draw itself.

import { listen } from "./ask.js";
import { counted, html, show } from "./draw.js";
import { drawJobs } from "./jobs.js";
import { drawMesh } from "./mesh.js";
import { drawShares } from "./shares.js";
import { drawSpeed } from "./speed.js";
import { changed, isLive, refresh, refreshPlan, state, subscribe } from "./state.js";
import { drawSteps } from "./steps.js";

const section = (id) => document.getElementById(id);
const interval = 1000;
/** While somebody is in doubt: how that ends is to be seen as soon as it is known. */
const shortInterval = 200;

subscribe(drawMesh(section("mesh")));
subscribe(drawJobs(section("jobs")));
subscribe(drawShares(section("shares")));
subscribe(drawSteps(section("steps")));
subscribe(drawSpeed(section("speed")));
subscribe(drawSummary);
subscribe(drawModels);
subscribe(drawEvents);
listen();

section("model").addEventListener("change", async (event) => {
  state.model = event.target.value;
  await refreshPlan();
  changed();
});

function drawSummary() {
  const alive = state.peers.filter(isLive).length;
  const text = state.reachable
    ? `${alive} of ${counted(state.peers.length, "peer")} alive, ${counted(state.models.length, "model")}`
    : "This peer does not answer.";
  if (section("summary").textContent !== text) section("summary").textContent = text;
}

function drawModels() {
  const select = section("model");
  const options = state.models.map((model) =>
    html("option", { value: model.name, selected: model.name === state.model ? "" : null },
      model.name));
  show(select, ...options);
  const chosen = state.models.find((model) => model.name === state.model);
  section("model-note").textContent = chosen?.atoms
    ? `${chosen.held} of ${chosen.atoms} atoms are here` : "";
}

function drawEvents() {
  show(section("events").querySelector("ol"), ...state.events.map((event) =>
    html("li", { class: event.kind },
      html("time", { datetime: event.at.toISOString() }, event.at.toLocaleTimeString()),
      event.text)));
}

async function poll() {
  if (!document.hidden) await refresh();
  setTimeout(poll, state.peers.some((peer) => peer.state === "suspect") ? shortInterval : interval);
}

poll();

// The generations that this peer was asked for and that have not ended: who waits, who runs, how
// fast, on whom.

import { html, rate, show, table } from "./draw.js";
import { colourOf } from "./state.js";

export function drawJobs(section) {
  const note = section.querySelector(".note");
  const list = section.querySelector(".table");
  return (state) => {
    const waiting = state.jobs.filter((job) => job.state === "waiting").length;
    note.textContent = state.jobs.length === 0 ? "Nobody asks this peer for anything."
      : `${state.jobs.length - waiting} at work, ${waiting} waiting.`;
    show(list, state.jobs.length ? jobTable(state.jobs) : html("span"));
  };
}

function jobTable(jobs) {
  return table("Jobs", ["Job", "Model", "State", "Prompt", "Tokens", "Tokens/s", "Peers"],
    jobs.map((job) => [
      job.id || "–", job.model, job.state, String(job.promptTokens), String(job.tokens),
      job.tokensPerSecond ? rate(job.tokensPerSecond) : "–",
      html("span", {}, ...job.peers.map((peer) =>
        html("span", { class: "swatch", title: peer.id.slice(0, 8),
          style: `background: ${colourOf(peer.id)}` }))),
    ]), [3, 4, 5]);
}

// Who computes which part of which layer: one row for each layer, one cell for each atom of it, in
// the colour of the peer that the plan gives it to. Beneath it, the numbers and who is left out.

import { bytes, html, rate, show, svg, table, widthOf } from "./draw.js";
import { colourOf, nameOf } from "./state.js";

const kinds = [
  ["attention", "attention"],
  ["feedForward", "feed-forward"],
];

export function drawShares(section) {
  const note = section.querySelector(".note");
  const figure = section.querySelector(".figure");
  const list = section.querySelector(".table");
  return (state) => {
    const plan = state.plan;
    note.textContent = plan
      ? `${plan.kind}, about ${rate(plan.tokensPerSecond)} tokens/s. Instead: `
        + plan.alternatives.filter((other) => other.kind !== plan.kind).map((other) =>
          `${other.kind} ${rate(other.tokensPerSecond)}`).join(", ")
      : state.planError ?? "No model yet. Import one: shoal import FILE.gguf";
    show(figure, plan ? heatMap(plan, widthOf(figure)) : html("span"));
    show(list, plan ? memberTable(plan, state.peers) : html("span"));
  };
}

function heatMap(plan, width) {
  const [left, gap] = [64, 12];
  const layers = Math.max(...plan.stages.map((stage) => stage.layers[1]));
  const row = Math.max(3, Math.min(16, 320 / layers));
  const counts = kinds.map(([kind]) => plan.slots[kind]);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const unit = (width - left - gap) / Math.max(1, total);
  const root = svg("svg", { viewBox: `0 0 ${width} ${24 + layers * row}`, role: "img",
    "aria-label": "Parts of each layer by peer; the table below says the same in numbers" });
  let start = left;
  kinds.forEach(([kind, name], index) => {
    root.append(svg("text", { x: start, y: 14, class: "quiet" }, `${name}: ${counts[index]}`));
    for (const stage of plan.stages) {
      for (const rank of stage.ranks) {
        for (const [from, to] of rank[kind]) {
          root.append(svg("rect", { "data-peer": rank.peer, "data-kind": kind,
            "data-from": from, "data-to": to,
            "data-first": stage.layers[0], "data-end": stage.layers[1], x: start + from * unit, y: 22 + stage.layers[0] * row,
            width: (to - from) * unit, height: (stage.layers[1] - stage.layers[0]) * row,
            style: `fill: ${colourOf(rank.peer)}` }));
        }
      }
    }
    start += counts[index] * unit + gap;
  });
  for (let layer = 0; layer < layers; layer += 1) {
    const y = 22 + layer * row;
    root.append(svg("line", { x1: left, x2: width, y1: y, y2: y, style: "stroke: var(--card)" }));
    if (layer % Math.ceil(layers / 8) === 0) {
      root.append(svg("text", { x: 0, y: y + 11, class: "quiet" }, `layer ${layer}`));
    }
  }
  return root;
}

function memberTable(plan, peers) {
  const name = (id) => {
    const peer = peers.find((candidate) => candidate.id === id);
    return peer ? nameOf(peer) : id.slice(0, 6);
  };
  const label = (id) => html("span", {},
    html("span", { class: "swatch", style: `background: ${colourOf(id)}` }), name(id));
  const members = plan.members.map((member) => [
    label(member.peer), `${(member.share * 100).toFixed(1)} %`, String(member.headsPerLayer),
    String(member.ffnColumns), member.precision, bytes(member.bytes)]);
  const excluded = plan.excluded.map((other) => [
    html("span", { class: "quiet" }, name(other.peer)),
    html("span", { class: "quiet reason" }, other.reason), "", "", "", ""]);
  return table("The plan", ["Peer", "Share", "Heads", "Columns", "Precision", "Bytes"],
    [...members, ...excluded], [2, 3, 5]);
}

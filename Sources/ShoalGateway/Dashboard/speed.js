// Tokens per second of this page's jobs, and live peers, over the last five minutes.

import { show, svg, widthOf } from "./draw.js";

const height = 140;
const seconds = 300;

export function drawSpeed(section) {
  const figure = section.querySelector(".figure");
  return (state) => show(figure, chart(state.history, widthOf(figure)));
}

function chart(history, width) {
  const root = svg("svg", { viewBox: `0 0 ${width} ${height + 22}`, role: "img",
    "aria-label": "Tokens per second and live peers over time" });
  const now = history.at(-1)?.at ?? 0;
  const x = (sample) => width - ((now - sample.at) / 1000 / seconds) * width;
  const fastest = Math.max(1, ...history.map((sample) => sample.tokens));
  const most = Math.max(1, ...history.map((sample) => sample.peers));
  const y = (value, top) => height - (value / top) * (height - 18);
  const path = (value, top) => history.map((sample, index) =>
    `${index ? "L" : "M"}${x(sample).toFixed(1)} ${y(value(sample), top).toFixed(1)}`).join("");
  root.append(svg("line", { x1: 0, x2: width, y1: height, y2: height, class: "axis" }));
  if (history.length > 1) {
    root.append(svg("path", { d: path((sample) => sample.peers, most),
      style: "fill: none; stroke: var(--wait); stroke-width: 2" }));
    root.append(svg("path", { d: path((sample) => sample.tokens, fastest),
      style: "fill: none; stroke: var(--compute); stroke-width: 2" }));
  }
  root.append(svg("text", { x: 0, y: height + 18, style: "fill: var(--compute)" },
    `tokens/s, up to ${fastest}`));
  root.append(svg("text", { x: 160, y: height + 18, class: "quiet" }, `peers, up to ${most}`));
  root.append(svg("text", { x: width, y: height + 18, "text-anchor": "end", class: "quiet" }, "now"));
  return root;
}

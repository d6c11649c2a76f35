// A waterfall: one bar for each token of the last job, cut into computing, exchanging and waiting
// at the rank that computed longest.

import { show, svg, widthOf } from "./draw.js";

const parts = [["compute", "computing"], ["exchange", "packing and sending"], ["wait", "waiting"]];
const shown = 96;

export function drawSteps(section) {
  const figure = section.querySelector(".figure");
  const note = section.querySelector(".note");
  return (state) => {
    const steps = state.steps.slice(-shown);
    if (steps.length === 0) return;
    const mean = (part) => steps.reduce((sum, step) => sum + step[part], 0) / steps.length;
    note.textContent = `Mean of ${steps.length} tokens: ` + parts.map(([part, name]) =>
      `${name} ${(mean(part) * 1000).toFixed(2)} ms`).join(", ");
    show(figure, waterfall(steps, widthOf(figure)));
  };
}

function waterfall(steps, width) {
  const height = 200;
  const total = (step) => parts.reduce((sum, [part]) => sum + step[part], 0);
  const longest = Math.max(...steps.map(total), 1e-6);
  const bar = width / Math.max(steps.length, 24);
  const root = svg("svg", { viewBox: `0 0 ${width} ${height + 24}`, role: "img",
    "aria-label": "Time of each token by part" });
  steps.forEach((step, index) => {
    let y = height;
    for (const [part] of parts) {
      const size = (step[part] / longest) * (height - 16);
      y -= size;
      root.append(svg("rect", { x: index * bar, y, width: Math.max(1, bar - 1), height: size,
        style: `fill: var(--${part})` }));
    }
  });
  root.append(svg("line", { x1: 0, x2: width, y1: height, y2: height, class: "axis" }));
  root.append(svg("text", { x: width, y: 12, "text-anchor": "end", class: "quiet" },
    `${(longest * 1000).toFixed(1)} ms`));
  let x = 0;
  for (const [part, name] of parts) {
    root.append(svg("rect", { x, y: height + 10, width: 10, height: 10,
      style: `fill: var(--${part})` }));
    root.append(svg("text", { x: x + 15, y: height + 20, class: "quiet" }, name));
    x += 30 + name.length * 7;
  }
  return root;
}

// Small helpers for drawing: elements, tables, numbers. Text goes in as text, never as markup.

const svgNamespace = "http://www.w3.org/2000/svg";

/** The width to draw at, in units that are pixels on this screen: text keeps its size. */
export function widthOf(figure) {
  return Math.max(320, figure.clientWidth);
}

export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS(svgNamespace, name), attributes, children);
}

export function html(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

function fill(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "style") element.style.cssText = value;
    else if (value !== null && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** rows: cells as strings or elements; `numbers` are the columns that are right-aligned. */
export function table(caption, heads, rows, numbers = []) {
  const cell = (name, content, column) =>
    html(name, { class: numbers.includes(column) ? "number" : null,
      scope: name === "th" ? "col" : null }, content);
  return html("table", {},
    html("caption", { class: "hidden" }, caption),
    html("thead", {}, html("tr", {}, ...heads.map((head, column) => cell("th", head, column)))),
    html("tbody", {}, ...rows.map((row) =>
      html("tr", {}, ...row.map((content, column) => cell("td", content, column))))));
}

export function bytes(count) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (count >= 1024 && unit < units.length - 1) {
    count /= 1024;
    unit += 1;
  }
  return `${unit && count < 10 ? count.toFixed(1) : Math.round(count)} ${units[unit]}`;
}

/** Three digits where there are decimals, none where there is no need. */
export function rate(value) {
  return value >= 100 ? String(Math.round(value)) : value.toPrecision(3);
}

export function counted(count, noun) {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

export function milliseconds(value) {
  if (value === null || value === undefined) return "–";
  return value < 10 ? `${value.toFixed(2)} ms` : `${Math.round(value)} ms`;
}

/** Replaces what `parent` shows, unless it is the very same already: a reader's place and a
    selection survive. */
export function show(parent, ...children) {
  const next = html("div", {}, ...children);
  if (parent.innerHTML !== next.innerHTML) parent.replaceChildren(...children);
}

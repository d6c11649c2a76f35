// The mesh as a picture: this peer in the middle, the others around it, a link to each with its
// round trip; links of a running job move.

import { bytes, html, milliseconds, show, svg, table, widthOf } from "./draw.js";
import { colourOf, isLive, nameOf } from "./state.js";

const pictured = 48;
/** What a peer's name and figures need below its circle, and the largest circle's radius. */
const [captions, largestRadius] = [36, 32];

export function drawMesh(section) {
  const figure = section.querySelector(".figure");
  const list = section.querySelector(".table");
  return (state) => {
    show(figure, picture(state, widthOf(figure)));
    show(list, peerTable(state.peers));
  };
}

function picture(state, width) {
  const centre = state.peers.find((peer) => peer.isSelf);
  const others = state.peers.filter((peer) => !peer.isSelf).slice(0, pictured);
  const largest = Math.max(1, ...state.peers.map((peer) => peer.usableBytes));
  // A phone has more room below than beside.
  const isNarrow = width < 420;
  const height = isNarrow ? 400 : 280;
  const [across, down] = [width / 2 - (isNarrow ? 56 : 80), isNarrow ? 140 : 90];
  const places = others.map((peer, index) => {
    const turn = (index + (isNarrow ? 0 : 0.5)) / Math.max(others.length, 2);
    const angle = -Math.PI / 2 + 2 * Math.PI * turn;
    return { peer, x: width / 2 + across * Math.cos(angle), y: height / 2 - 12 + down * Math.sin(angle) };
  });
  const root = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img",
    "aria-label": `${state.peers.filter(isLive).length} of ${state.peers.length} peers are alive` });
  if (!centre) return root;
  const here = { peer: centre, x: width / 2, y: height / 2 - 12 };
  for (const place of places) root.append(...link(here, place, state.busy));
  for (const place of [here, ...places]) root.append(node(place, largest));
  return root;
}

function link(from, to, busy) {
  if (!isLive(to.peer)) return [];
  const moves = busy.has(from.peer.id) && busy.has(to.peer.id);
  const line = svg("line", { x1: from.x, y1: from.y, x2: to.x, y2: to.y,
    class: moves ? "link busy" : "link", "stroke-width": moves ? 3 : 1.5 });
  const label = svg("text", { ...labelPlace(from, to), class: "quiet" },
    milliseconds(to.peer.roundTripMilliseconds));
  return [line, label];
}

/** Where a link's round trip meets no other text: above the line, or beside one that is upright. */
function labelPlace(from, to) {
  if (Math.abs(to.x - from.x) > 60) {
    return { x: from.x + (to.x - from.x) * 0.45, y: from.y + (to.y - from.y) * 0.45 - 6,
      "text-anchor": "middle" };
  }
  const [upper, lower] = from.y < to.y ? [from, to] : [to, from];
  const y = (upper.y + largestRadius + captions + lower.y - largestRadius) / 2 + 4;
  return { x: (from.x + to.x) / 2 + 8, y, "text-anchor": "start" };
}

function node({ peer, x, y }, largest) {
  const radius = 12 + (largestRadius - 12) * Math.sqrt(peer.usableBytes / largest);
  return svg("g", { class: `peer ${peer.state}` },
    svg("title", {}, `${nameOf(peer)}: ${peer.state}, ${peer.address ?? "no address"}`),
    svg("circle", { cx: x, cy: y, r: radius, style: `fill: ${colourOf(peer.id)}` }),
    svg("text", { x, y: y + radius + 16, "text-anchor": "middle" },
      peer.profile || peer.id.slice(0, 6)),
    svg("text", { x, y: y + radius + 31, "text-anchor": "middle", class: "quiet" },
      isLive(peer) ? `${bytes(peer.usableBytes)}, ${peer.cores} cores` : peer.state));
}

function peerTable(peers) {
  return table("Peers of the mesh", ["Peer", "State", "Address", "Memory", "Round trip", "Plays"],
    peers.map((peer) => [
      html("span", { class: isLive(peer) ? null : "gone" },
        html("span", { class: "swatch", style: `background: ${colourOf(peer.id)}` }),
        nameOf(peer) + (peer.isSelf ? " (this one)" : "")),
      peer.state, peer.address ?? "–", bytes(peer.usableBytes),
      milliseconds(peer.roundTripMilliseconds),
      peer.emulated ? `emulated, 1/${Math.round(peer.emulated)}` : "itself",
    ]), [3, 4]);
}

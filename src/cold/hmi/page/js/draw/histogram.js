// A histogram as SVG: columns of counts over classes of time. Counts are drawn by their logarithm, since the few slow ones are
// what a person looks for; empty classes at both ends are left out.

import { s } from "../dom.js";
import { count, micros } from "../figures.js";
import { either, t } from "../words.js";

const WIDTH = 760;
const HEIGHT = 210;
const LEFT = 56;
const BOTTOM = 34;

/** The drawing of a histogram of the API. */
export function histogram(own) {
  let first = own.counts.findIndex((each) => each > 0);
  let last = own.counts.length - 1 - [...own.counts].reverse().findIndex((each) => each > 0);
  if (first < 0) { first = 0; last = Math.max(0, own.counts.length - 1); }
  const shown = own.counts.slice(first, last + 1);
  const edges = own.edges_us.slice(first, last + 2);
  const most = Math.max(1, ...shown);
  const decades = Math.max(1, Math.ceil(Math.log10(most + 1)));
  const y = (value) => (HEIGHT - BOTTOM) - (value > 0 ? (Math.log10(value) + 0.3) / (decades + 0.3) : 0) * (HEIGHT - BOTTOM - 12);
  const step = (WIDTH - LEFT - 8) / Math.max(1, shown.length);
  const every = Math.max(1, Math.ceil(edges.length / 9));
  const grid = Array.from({ length: decades + 1 }, (_, power) => {
    const value = 10 ** power;
    return [s("path.grid", { d: `M${LEFT} ${y(value).toFixed(1)}H${WIDTH - 8}` }), s("text", { x: LEFT - 8, y: y(value) + 4, "text-anchor": "end" }, count(value))];
  });
  return s("svg.histogram", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img",
    "aria-label": t("health.histogram", { name: either(own.name), p50: micros(own.p50_us), p99: micros(own.p99_us), least: micros(own.least_us), most: micros(own.most_us) }) },
  grid,
  shown.map((value, index) => s("rect.column", { x: (LEFT + index * step + 1).toFixed(1), width: Math.max(1, step - 2).toFixed(1), y: y(value).toFixed(1), height: (HEIGHT - BOTTOM - y(value)).toFixed(1), rx: 1.5 },
    s("title", `${micros(edges[index])} – ${micros(edges[index + 1])}: ${count(value)}`))),
  marker(own.p50_us, "50%", edges, step), marker(own.p99_us, "99%", edges, step),
  edges.map((edge, index) => (index % every === 0 ? s("text", { x: LEFT + index * step, y: HEIGHT - 12, "text-anchor": "middle" }, micros(edge)) : null)),
  s("path.axis", { d: `M${LEFT} ${HEIGHT - BOTTOM}H${WIDTH - 8}` }));
}

function marker(value, name, edges, step) {
  if (value === null || edges.length < 2) return null;
  let index = edges.findIndex((edge) => edge > value) - 1;
  if (index < 0) index = value >= edges[edges.length - 1] ? edges.length - 2 : 0;
  const within = Math.min(1, Math.max(0, (value - edges[index]) / (edges[index + 1] - edges[index] || 1)));
  const x = LEFT + (index + within) * step;
  return [s("path.marker", { d: `M${x.toFixed(1)} 14V${HEIGHT - BOTTOM}` }), s("text.marker-name", { x: x + 4, y: 14 }, name)];
}

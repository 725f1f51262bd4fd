// The live drawing of the belt from above: feeder, entry eye, camera, weigh cell, one column of jets a bin, the tray. Lanes lie
// as rows. Pearls move with the belt at a quarter of its speed, as dense as the line counts them, and thin out behind each
// jet by the share that it takes; single pearls are not tracked here. Below stand the bins, in the columns of their jets.
// Words: the "front" is the part before the first jet.

import { attribute, h, replace, replaceWhen, s, text } from "../dom.js";
import { fixed, measure } from "../figures.js";
import { icon } from "../icons.js";
import { either, t } from "../words.js";
import { chance, definitions } from "./nacre.js";

/** How much slower than the belt the picture moves. */
const SLOWER = 4;
/** Length of the pattern of pearls that repeats, px. */
const PERIOD = 320;
const TOP = 42;

/** The drawing; `update(line, layout)` changes it. `front` is the width before the first jet, px. */
export function belt() {
  const svg = s("svg.belt-drawing", { role: "img" });
  const moving = h("div.pearls", { "aria-hidden": "true" });
  const element = h("div.belt-box", svg, moving);
  const model = { svg, moving, width: 0, parts: null, key: "", flow: "" };
  const resize = new ResizeObserver(() => { model.width = 0; if (model.last) update(model, element, ...model.last); });
  resize.observe(element);
  return { element, update: (line, layout, front) => update(model, element, line, layout, front), end: () => resize.disconnect() };
}

function update(model, element, line, layout, front) {
  model.last = [line, layout, front];
  const width = Math.floor(element.clientWidth);
  if (!width) return;
  const jets = layout.stations.filter((station) => station.kind === "jet");
  const key = `${width} ${front} ${layout.lanes} ${jets.map((jet) => jet.bin)} ${document.documentElement.lang}`;
  if (key !== model.key) {
    model.key = key;
    model.flow = "";
    model.parts = build(model.svg, width, front, layout, jets);
  }
  change(model, line, layout);
}

function build(svg, width, front, layout, jets) {
  const lanes = layout.lanes;
  const pitch = Math.max(4, Math.min(18, Math.floor(186 / lanes)));
  const height = TOP + lanes * pitch + 14;
  const left = 40;
  const column = (width - front) / (jets.length + 1);
  const at = (index) => front + column * (index + 0.5);
  const define = definitions();
  attribute(svg, "viewBox", `0 0 ${width} ${height}`);
  attribute(svg, "width", width);
  attribute(svg, "height", height);
  const bottom = TOP + lanes * pitch;
  const end = front + column * jets.length;
  // Narrow screens have no room for the stations' names; the picture's label says them.
  const named = front > 180;
  const step = named ? 42 : 26;
  const parts = { define, named, pitch, left, end, width, height, bottom, column, at, front, lanes: [], jets: [] };
  parts.eye = eye(left + (named ? 62 : 36), bottom, named);
  parts.belt = s("rect.belt", { x: left, y: TOP - 3, width: end - left + 6, height: lanes * pitch + 6, rx: 5 });
  parts.tray = s("path.tray", { d: `M${end + 10} ${TOP - 1}h${width - end - 16}v${lanes * pitch + 2}h${-(width - end - 16)}z` });
  replace(svg, define.element, parts.belt, parts.tray,
    Array.from({ length: lanes }, (_, index) => lane(parts, index)),
    feeder(left, bottom), parts.eye,
    camera(left + (named ? 62 : 36) + step, bottom, named), weigh(parts, left + (named ? 62 : 36) + step * 2, layout),
    jets.map((jet, index) => column_of_jets(parts, jet, index, lanes)),
    named && name(end + (width - end) / 2, t("station.tray")),
    s("path.guide", { d: `M${end + (width - end) / 2} ${bottom + 3}v11` }));
  return parts;
}

function lane(parts, index) {
  const y = TOP + index * parts.pitch;
  const each = parts.pitch >= 11 ? 1 : parts.pitch >= 8 ? 2 : 8;
  const row = s("rect.lane", { x: parts.left + 2, y: y + 1, width: parts.end - parts.left + 2, height: parts.pitch - 2, rx: Math.min(3, parts.pitch / 3) });
  const label = index % each === each - 1 || index === 0 ? s("text.lane-name", { x: 17, y: y + parts.pitch / 2 + 4, "text-anchor": "end" }, index + 1) : null;
  const rate = s("rect.lane-rate", { x: 21, y: y + parts.pitch * 0.3, height: Math.max(2, parts.pitch * 0.4), width: 0, rx: 1 });
  const mark = s("path.lane-mark", { d: `M${parts.left + 14} ${y + 1.5}l${parts.pitch * 0.55} ${parts.pitch - 3}h${-parts.pitch * 1.1}z` });
  parts.lanes.push({ row, rate, mark });
  return [row, rate, mark, label];
}

function feeder(left, bottom) {
  return s("g", s("path.feeder", { d: `M${left - 2} ${TOP - 3}h24v${bottom - TOP + 6}h-24z` }),
    s("path.feeder-lines", { d: Array.from({ length: 3 }, (_, index) => `M${left + 4 + index * 6} ${TOP + 2}V${bottom - 2}`).join("") }));
}

function name(x, word) {
  return s("text.station-name", { x, y: 15, "text-anchor": "middle" }, word);
}

function eye(x, bottom, named) {
  return s("g", s("path.eye-beam", { d: `M${x} ${TOP - 6}V${bottom + 6}` }), s("circle.metal", { cx: x, cy: TOP - 8, r: 3.5 }), s("circle.metal", { cx: x, cy: bottom + 8, r: 3.5 }),
    named && name(x, t("station.entry_eye")));
}

function camera(x, bottom, named) {
  return s("g", s("path.camera-view", { d: `M${x - 4} ${TOP - 8}h8l10 ${(bottom - TOP) / 2 + 8}l-10 ${(bottom - TOP) / 2 + 6}h-8l-10 ${-(bottom - TOP) / 2 - 6}z` }),
    s("rect.metal", { x: x - 9, y: TOP - 16, width: 18, height: 10, rx: 2.5 }), s("circle.lens", { cx: x, cy: TOP - 11, r: 3 }),
    named && name(x, t("station.camera")));
}

function weigh(parts, x, layout) {
  if (!layout.stations.some((each) => each.kind === "weigh_cell")) return null;
  return s("g", parts.lanes.map((_, index) => s("rect.weigh", { x: x - 11, y: TOP + index * parts.pitch + 1, width: 22, height: parts.pitch - 2, rx: 2 })),
    parts.named && name(x, t("station.weigh_cell")));
}

function column_of_jets(parts, jet, index, lanes) {
  const x = parts.at(index);
  const number = s("text.jet-number", { x, y: 16, "text-anchor": "middle" }, jet.bin);
  const half = Math.min(12, parts.column / 2 - 1);
  const ring = s("rect.jet-ring", { x: x - half, y: 1.5, width: half * 2, height: 20, rx: 10 });
  const noses = s("path.jet", { d: Array.from({ length: lanes }, (_, row) => {
    const y = TOP + row * parts.pitch + parts.pitch / 2;
    const nose = Math.max(1.6, parts.pitch * 0.28);
    return `M${x - nose * 1.5} ${y - nose}l${nose * 3} ${nose}l${-nose * 3} ${nose}z`;
  }).join("") });
  const group = s("g.jets", s("path.guide", { d: `M${x} ${TOP - 20}v16M${x} ${parts.bottom + 3}v11` }), ring, number, noses, s("path.jet-off", { d: `M${x - 11} ${20}L${x + 11} ${3}` }));
  parts.jets.push({ group, bin: jet.bin, x });
  return group;
}

function change(model, line, layout) {
  const { parts } = model;
  const most = Math.max(1, ...line.lanes.map((each) => each.rate_pearls_s));
  for (const each of line.lanes) {
    const own = parts.lanes[each.lane - 1];
    if (!own) continue;
    attribute(own.rate, "width", Math.round((each.rate_pearls_s / most) * 15));
    own.row.classList.toggle("faulty", each.faulty);
    own.mark.classList.toggle("shown", each.faulty);
  }
  for (const jet of parts.jets) {
    const bin = line.bins.find((each) => each.bin === jet.bin);
    jet.group.classList.toggle("off", bin ? bin.state !== "ready" : false);
  }
  attribute(model.svg, "aria-label", described(line, layout));
  flow(model, line);
}

function described(line, layout) {
  const faulty = line.lanes.filter((each) => each.faulty).map((each) => each.lane);
  return [t("drawing.belt", { lanes: layout.lanes, bins: layout.bins.length - 1, speed: measure(line.speed_m_s, 2, "m/s"), rate: fixed(line.rate_pearls_s, 0) }),
    line.feeder ? t("drawing.feeder_on") : t("drawing.feeder_off"),
    faulty.length ? t("drawing.faulty", { lanes: faulty.join(", ") }) : ""].filter(Boolean).join(" ");
}

function flow(model, line) {
  const { parts, moving } = model;
  const speed = Math.round(line.speed_m_s * 10) / 10;
  const each = line.rate_pearls_s / Math.max(1, line.lanes.length);
  const spacing = each > 0.2 && speed > 0 ? Math.max(14, Math.min(PERIOD, Math.round((speed * 900) / each / 20) * 20 || 20)) : 0;
  const key = `${model.key} ${spacing} ${speed}`;
  if (key !== model.flow) {
    model.flow = key;
    replace(moving, spacing ? pearls(parts, spacing) : null);
    const box = moving.style;
    box.left = `${parts.left + 26}px`;
    box.width = `${parts.end - parts.left - 22}px`;
    box.top = `${TOP}px`;
    box.height = `${parts.bottom - TOP}px`;
    // A pixel is about a millimetre of belt here.
    if (moving.firstChild) {
      moving.firstChild.style.setProperty("--period", `${PERIOD}px`);
      moving.firstChild.style.animationDuration = `${((PERIOD * SLOWER) / (speed * 1000)).toFixed(2)}s`;
    }
  }
  thin(model, line);
}

function pearls(parts, spacing) {
  const width = parts.end - parts.left + PERIOD;
  const define = definitions();
  const radius = Math.max(1.7, Math.min(5, parts.pitch * 0.34));
  const dots = [];
  parts.lanes.forEach((_, index) => {
    const next = chance(index + 7);
    const places = [];
    for (let x = next() * spacing; x < PERIOD - radius * 2; x += spacing * (0.65 + next() * 0.7)) places.push([x, radius * (0.82 + next() * 0.34)]);
    for (let from = 0; from < width; from += PERIOD) {
      for (const [x, own] of places) dots.push(s("circle", { cx: (from + x).toFixed(1), cy: index * parts.pitch + parts.pitch / 2, r: own.toFixed(1), fill: define.pearl }));
    }
  });
  return s("svg.pearl-flow", { width, height: parts.bottom - TOP, viewBox: `0 0 ${width} ${parts.bottom - TOP}` }, define.element, dots);
}

/** Behind each jet only those are left that it did not take. */
function thin(model, line) {
  const { parts, moving } = model;
  const { entered, recirculated, lost } = line.counts;
  const kept = entered > 0 ? Math.max(0, 1 - (recirculated + lost) / entered) : 0;
  let left = 1;
  const stops = ["#000 0"];
  for (const jet of parts.jets) {
    const x = Math.round(jet.x - parts.left - 26);
    stops.push(`rgb(0 0 0 / ${left.toFixed(2)}) ${x}px`);
    left = Math.max(0.12, left - (line.bins.find((each) => each.bin === jet.bin)?.share ?? 0) * kept);
    stops.push(`rgb(0 0 0 / ${left.toFixed(2)}) ${x + 6}px`);
  }
  const mask = `linear-gradient(to right, ${stops.join(", ")})`;
  if (moving.mask === mask) return;
  moving.mask = mask;
  moving.style.maskImage = mask;
}

/** The button that stops and starts the motion of the picture (not of the line). */
export function motionButton(element) {
  const kept = () => { try { return localStorage.getItem("pearlsort.still") === "yes"; } catch { return false; } };
  const label = h("span.hidden-visually");
  const own = h("button.button.plain.motion", { type: "button" }, label);
  const set = (still) => {
    element.classList.toggle("still", still);
    attribute(own, "aria-pressed", String(still));
    attribute(own, "title", t("drawing.still"));
    text(label, t("drawing.still"));
    replaceWhen(own, String(still), () => [icon(still ? "play" : "pause"), label]);
  };
  own.addEventListener("click", () => {
    const still = !element.classList.contains("still");
    try { localStorage.setItem("pearlsort.still", still ? "yes" : "no"); } catch { /* not remembered */ }
    set(still);
  });
  set(kept());
  return own;
}

/** The line's other signals, each with its sign and what it says. */
export function signals(list) {
  return h("ul.signals", list.map((signal) => h(`li${signal.good === false ? ".bad" : ""}`,
    icon(signal.good === null ? "idle" : signal.good ? "tick" : "quarantined"), h("span.muted", either(signal.name)), h("span", either(signal.says)))));
}

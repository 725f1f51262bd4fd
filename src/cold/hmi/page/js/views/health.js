// Health: each lane, each valve (a grid of bins by lanes, one cell a valve, by drop-eye confirmation), the field boards, and how
// quick decisions are, as histograms. Read again every few seconds while it is shown.

import { get, post } from "../api.js";
import { button, open, tell } from "../dialogs.js";
import { h, replace, useStyle } from "../dom.js";
import { histogram } from "../draw/histogram.js";
import { count, fixed, measure, micros, percent } from "../figures.js";
import { icon } from "../icons.js";
import { live } from "../live.js";
import { go } from "../router.js";
import { needs } from "../session.js";
import { either, t } from "../words.js";

const PAUSE_MS = 4000;
const tabs = ["lanes", "valves", "boards", "times"];
/** A valve is marked from these on: confirmed share below, drift beyond, us. */
const CONFIRMED_LEAST = 0.98;
const DRIFT_MOST_US = 250;
/** Length of a test pulse, us. */
const PULSE_US = 5000;

/** Shows one of the four tables. */
export function show(root, [which]) {
  useStyle("views");
  const tab = tabs.includes(which) ? which : "lanes";
  const body = h("div.stack");
  root.append(h("header", h("h1", t("nav.health")), h("div.tabs", { role: "tablist", "aria-label": t("nav.health") },
    tabs.map((name) => h("button", { type: "button", role: "tab", "aria-selected": String(name === tab), "data-tab": name, on: { click: () => go("health", name) } }, t(`health.${name}`))))), body);
  const shown = { lanes: showLanes, valves: showValves, boards: showBoards, times: showTimes }[tab];
  let timer;
  let over = false;
  const again = async () => {
    try { await shown(body); } catch (error) { if (!body.firstChild) replace(body, h("p.note.bad", error.told ?? String(error))); }
    if (!over) timer = setTimeout(again, PAUSE_MS);
  };
  again();
  return () => { over = true; clearTimeout(timer); };
}

/** A table of which only the rows are new each time, so that scroll and focus stay. */
function table(body, name, columns, rows) {
  let own = body.querySelector(`table[data-table="${name}"]`);
  if (!own) {
    own = h("table.dense", { "data-table": name }, h("thead", h("tr", columns.map(([text, number]) => h(`th${number ? ".number" : ""}`, { scope: "col" }, text)))), h("tbody"));
    replace(body, h("div.card.scroll", { tabindex: "0", role: "region", "aria-label": t(`health.${name}`) }, own));
  }
  replace(own.tBodies[0], rows);
}

async function showLanes(body) {
  const lanes = await get("/lanes");
  table(body, "lanes", [[t("word.lane"), true], [t("count.entered"), true], [t("count.binned"), true], [t("count.recirculated"), true], [t("word.share"), true], [t("count.lost"), true], [t("health.unmeasured"), true],
    [t("health.zero_drift"), true], [t("health.lamp"), true], [t("health.main_cause")]], lanes.map((lane) => {
    const faulty = live.line?.lanes.find((each) => each.lane === lane.lane)?.faulty;
    return h(`tr${faulty ? ".faulty" : ""}`, h("th.number", { scope: "row" }, faulty ? h("span.mark.warn", icon("quarantined"), lane.lane) : lane.lane), h("td.number", count(lane.entered)), h("td.number", count(lane.binned)), h("td.number", count(lane.recirculated)),
      h("td.number", percent(lane.entered ? lane.recirculated / lane.entered : null)), h("td.number", count(lane.lost)), h("td.number", count(lane.unmeasured)),
      h("td.number", measure(lane.zero_drift_mg, 2, "mg")), h("td.number", percent(lane.lamp, 0)), h("td", lane.causes[0] ? `${either(lane.causes[0].name)} ${count(lane.causes[0].pearls)}` : "–"));
  }));
}

const troubled = (valve) => (valve.confirmed !== null && valve.confirmed < CONFIRMED_LEAST) || (valve.drift_us !== null && Math.abs(valve.drift_us) > DRIFT_MOST_US) || valve.faults > 0;

async function showValves(body) {
  const valves = await get("/valves");
  const bins = [...new Set(valves.map((valve) => valve.bin))].sort((a, b) => a - b);
  const lanes = [...new Set(valves.map((valve) => valve.lane))].sort((a, b) => a - b);
  const cell = (valve) => {
    if (!valve) return h("td");
    const bad = troubled(valve);
    const hidden = (words) => h("span.hidden-visually", words);
    return h("td", h(`button.valve${bad ? ".bad" : ""}${valve.confirmed === null ? ".unknown" : ""}`, { type: "button", "data-valve": valve.valve, on: { click: () => valveDialog(valve) } },
      hidden(`${t("word.valve")} ${valve.valve}, ${t("health.confirmed")} `), bad ? icon("quarantined") : null, h("span.figure", percent(valve.confirmed, valve.confirmed === 1 ? 0 : 1)), hidden(`, ${t("health.fires")} `), h("small.figure", count(valve.fires))));
  };
  const focused = document.activeElement?.dataset?.valve;
  replace(body, h("div.card", h("h2", t("health.matrix"), h("small", t("health.matrix_hint"))),
    h("div.scroll", { tabindex: "0", role: "region", "aria-label": t("health.matrix") }, h("table.matrix",
      h("thead", h("tr", h("th", { scope: "col" }, t("word.lane")), bins.map((bin) => h("th", { scope: "col" }, t("bin.number", { n: bin }))))),
      h("tbody", lanes.map((lane) => h("tr", h("th", { scope: "row" }, lane), bins.map((bin) => cell(valves.find((valve) => valve.lane === lane && valve.bin === bin))))))))));
  if (focused) body.querySelector(`[data-valve="${Number(focused)}"]`)?.focus({ preventScroll: true });
}

function valveDialog(valve) {
  const pair = (label, value) => [h("dt", label), h("dd", value)];
  return open(`${t("word.valve")} ${valve.valve} · ${t("word.lane")} ${valve.lane} · ${t("bin.number", { n: valve.bin })}`, (close) => [
    h("dl.pairs", pair(t("health.confirmed"), percent(valve.confirmed, 2)), pair(t("health.fires"), count(valve.fires)), pair(t("health.fires_service"), count(valve.fires_since_service)),
      pair(t("health.lag_on"), micros(valve.lag_on_us)), pair(t("health.lag_off"), micros(valve.lag_off_us)), pair(t("health.drift"), micros(valve.drift_us)),
      pair(t("health.faults"), count(valve.faults)), pair(t("word.late"), count(valve.late))),
    h("p.muted", t("health.pulse_hint")),
    h("div.row.end", button(t("do.close"), () => close(), { kind: "plain" }), button(t("health.pulse"), async () => {
      if (!(await needs("maintenance"))) return;
      await post(`/valves/${valve.valve}/pulse`, { length_us: PULSE_US, version: live.versions.line });
      tell(t("health.pulsed", { valve: valve.valve }));
    }, { "aria-disabled": live.line?.mode === "valve_test" ? undefined : "true" })),
  ]);
}

async function showBoards(body) {
  const boards = await get("/boards");
  table(body, "boards", [[t("health.boards")], [""], [t("health.port")], [t("health.frames"), true], [t("health.repeats"), true], [t("health.crc_errors"), true], [t("health.round_trip"), true], [t("health.clock_fit"), true], [t("health.belt_offset"), true], [t("health.restarts"), true]],
    boards.map((board) => h("tr", h("th", { scope: "row" }, board.name), h("td", h(`span.mark.${board.connected ? "calm" : "bad"}`, icon(board.connected ? "tick" : "unplugged"), board.connected ? t("health.connected") : t("health.not_connected"))),
      h("td.wrap", board.port ?? "–"), h("td.number", count(board.frames)), h("td.number", count(board.repeats)), h("td.number", count(board.crc_errors)), h("td.number", micros(board.round_trip_us)),
      h("td.number", measure(board.clock_fit_us, 1, "µs")), h("td.number", measure(board.belt_offset_um, 0, "µm")), h("td.number", count(board.restarts)))));
}

async function showTimes(body) {
  const times = await get("/histograms");
  replace(body, ["decision", "lead"].map((name) => {
    const own = times[name];
    const figure = (label, value) => h("div", h("dt", label), h("dd.figure", micros(value)));
    return h("section.card", h("h2", either(own.name)), histogram(own),
      h("dl.figures", figure(t("health.least"), own.least_us), figure(t("health.p50"), own.p50_us), figure(`${fixed(99, 0)}%`, own.p99_us), figure(`${fixed(99.9, 1)}%`, own.p999_us), figure(t("health.most"), own.most_us)));
  }));
}

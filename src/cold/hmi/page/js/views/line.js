// The line: the live drawing with its bins, the high-grade rate against its aim, the figures, the grade mix, the open lot.

import { belt, motionButton, signals } from "../draw/belt.js";
import { bins } from "../draw/bins.js";
import { gauge, spark } from "../draw/gauge.js";
import { balance, mix } from "../draw/mix.js";
import { h, replaceWhen, text } from "../dom.js";
import { count, fixed, lasted, mass, measure, micros, percent } from "../figures.js";
import { live, on } from "../live.js";
import { either, languageNow, t } from "../words.js";
import { binDialog } from "./bin.js";
import { closeLot, openLot } from "./lot-forms.js";
import { button } from "../dialogs.js";
import { address } from "../router.js";

/** Width before the first jet on a wide screen, px. */
const FRONT = 216;
const FRONT_NARROW = 150;
/** Least width of a jet's column, px: with many bins the drawing scrolls sideways. On a phone the bins stand below in rows. */
const COLUMN = 74;
const COLUMN_NARROW = 22;

/** Shows the view; gives what ends it. */
export function show(root) {
  const drawing = belt();
  const bowls = bins(binDialog);
  const rate = gauge();
  const sum = balance();
  const grades = mix();
  const speed = spark(t("word.rate"));
  const box = h("div.card.drawing");
  const figures = keyFigures(speed);
  const lot = h("section.card.lot-card", { "aria-label": t("word.open_lot") });
  const causes = h("div.causes");
  const told = h("div");
  const across = h("div", drawing.element, bowls.element);
  box.append(h("h1.hidden-visually", t("nav.line")), motionButton(box), h("div.scroll", across), told);
  root.classList.add("line-view");
  root.append(h("div.line-left", box,
    h("section.card.mix-card", { "aria-label": t("word.grade_mix") }, h("div.mix-head", h("h2", t("word.grade_mix")), sum.element), grades.element, h("div.mix-columns", grades.legend, causes))),
  h("div.line-right", h("section.card.gauge-card", { "aria-label": t("word.high_grade_rate") }, h("h2", t("word.high_grade_rate"), h("small", figures.aim)), rate.element), lot, figures.element));
  const waiting = h("p.empty", { role: "status" }, t("shell.waiting"));
  if (!live.line) root.append(waiting);
  const update = () => {
    const { line, layout } = live;
    root.classList.toggle("ready", Boolean(line && layout));
    if (!line || !layout) return;
    if (waiting.isConnected) waiting.remove();
    if (performance.getEntriesByName("line-ready").length === 0) performance.mark("line-ready");
    const wide = root.clientWidth > 700;
    const front = wide ? FRONT : FRONT_NARROW;
    across.style.minWidth = `${front + line.bins.length * (wide ? COLUMN : COLUMN_NARROW)}px`;
    drawing.update(line, layout, front);
    bowls.update(line, front);
    beltFigures(bowls.front, line);
    rate.update(line.high_grade, live.trend);
    sum.update(line.counts);
    grades.update(line);
    figures.update(line);
    speed.update(live.trend.map((each) => each.rate));
    replaceWhen(told, [languageNow(), line.signals], () => signals(line.signals));
    replaceWhen(causes, [languageNow(), line.causes.slice(0, 5)], () => causeList(line));
    lotCard(lot, line);
  };
  const ends = [on("line", update), on("layout", update)];
  update();
  return () => { for (const end of ends) end(); drawing.end(); };
}

function beltFigures(element, line) {
  replaceWhen(element, [languageNow(), line.speed_m_s.toFixed(2), line.feeder, line.recipe.hash, line.recipe.name], () => [
    h("dl.pairs", h("dt", t("word.belt")), h("dd", measure(line.speed_m_s, 2, "m/s")), h("dt", t("word.feeder")), h("dd", line.feeder ? t("word.on") : t("word.off"))),
    h("a.recipe-name", { href: address("recipes") }, h("span.muted", t("word.recipe")), h("b", either(line.recipe.name)), h("code", line.recipe.hash.slice(-8)))]);
}

function keyFigures(speed) {
  const parts = Object.fromEntries(["rate", "p99", "lead", "oee", "availability", "performance", "quality", "late", "records"].map((name) => [name, h("span.figure")]));
  const aim = h("span");
  const factors = ["availability", "performance", "quality"].map((name, index) => [index ? h("span.muted", { "aria-hidden": "true" }, "×") : null, h("span.factor", h("small.muted", t(`oee.${name}`)), parts[name])]);
  const element = h("section.card.key-card", { "aria-label": t("word.figures") },
    h("div.rate-row", h("div", h("p.muted", t("word.rate")), h("p.huge", parts.rate, h("small.unit", t("unit.pearls_s")))), speed.element),
    h("dl.pairs.tight", h("dt", t("word.decision_p99")), h("dd", parts.p99), h("dt", t("word.lead_least")), h("dd", parts.lead), h("dt", t("word.late")), h("dd", parts.late), h("dt", t("word.records_dropped")), h("dd", parts.records)),
    h("div.oee", h("p.oee-total", h("span", t("word.oee")), parts.oee), h("p.oee-factors", factors)));
  return { element, aim, update(line) {
    text(parts.rate, fixed(line.rate_pearls_s, line.rate_pearls_s < 100 ? 1 : 0));
    text(parts.p99, micros(line.timing.decision_p99_us));
    text(parts.lead, micros(line.timing.lead_least_us));
    text(parts.late, count(line.counts.late));
    text(parts.records, count(line.store.dropped));
    parts.records.classList.toggle("attention", line.store.dropped > 0);
    parts.late.classList.toggle("attention", line.counts.late > 0);
    text(parts.oee, percent(line.oee.oee));
    for (const name of ["availability", "performance", "quality"]) text(parts[name], percent(line.oee[name], 0));
    text(aim, line.high_grade.aim === null ? "" : t("gauge.aim", { aim: percent(line.high_grade.aim, 0) }));
  } };
}

function causeList(line) {
  const most = Math.max(1, ...line.causes.map((each) => each.pearls));
  return [h("h3", t("word.causes")), line.causes.length === 0 ? h("p.muted", t("word.none")) : h("ul", line.causes.slice(0, 5).map((each) => h("li",
    h("span", either(each.name)), h("progress", { max: most, value: each.pearls, "aria-hidden": "true" }), h("span.figure", count(each.pearls)))))];
}

function lotCard(element, line) {
  const { lot } = line;
  replaceWhen(element, [languageNow(), lot?.lot ?? null], () => {
    if (!lot) return [h("h2", t("word.open_lot")), h("p.muted", t("lot.none_hint")), h("div.row", button(t("lot.open"), () => openLot(), { kind: "primary", sign: "plus", "data-do": "open-lot" }))];
    return [h("h2", h("span.lot-number", lot.number), h("small", lot.farm)),
      h("dl.pairs.tight", h("dt", t("count.entered")), h("dd", { "data-live": "entered" }), h("dt", t("word.mass_binned")), h("dd", { "data-live": "mass" }), h("dt", t("word.open_for")), h("dd", { "data-live": "time" })),
      h("div.row", button(t("lot.close"), () => closeLot(lot.lot), { "data-do": "close-lot" }), h("a.button.plain", { href: address("lots", String(lot.lot), "report") }, t("lot.report")))];
  });
  if (!lot) return;
  const set = (name, value) => { const part = element.querySelector(`[data-live="${name}"]`); if (part) text(part, value); };
  set("entered", count(lot.counts.entered));
  set("mass", mass(lot.binned_mg));
  set("time", lasted(line.at_ms - lot.opened_at_ms));
}

// Commissioning: the wizard, step by step as the server offers them (ticks, distances, lags, signals, weigh cells), and the
// calibrations in force with what is left over of each.

import { get, post } from "../api.js";
import { ask, button, field, form, open, tell, tellError } from "../dialogs.js";
import { h, replace, replaceWhen, useStyle } from "../dom.js";
import { moment } from "../figures.js";
import { icon } from "../icons.js";
import { live } from "../live.js";
import { needs } from "../session.js";
import { either, languageNow, t } from "../words.js";

const kinds = ["ticks", "distances", "lags", "signals", "weigh"];
/** While a step is under way it is asked for so often, ms; otherwise so often. */
const BUSY_MS = 700;
const IDLE_MS = 4000;

/** Shows the wizard and the calibrations. */
export function show(root) {
  useStyle("views");
  const wizard = h("div");
  const items = h("div");
  root.append(h("header", h("h1", t("nav.calibration"))), wizard, items);
  const view = { wizard, items, over: false, timer: null };
  const again = async () => {
    clearTimeout(view.timer);
    try { draw(view, await get("/calibration")); } catch (error) { if (!wizard.firstChild) replace(wizard, h("p.note.bad", error.told ?? String(error))); }
    if (!view.over) view.timer = setTimeout(again, view.busy ? BUSY_MS : IDLE_MS);
  };
  view.again = again;
  again();
  return () => { view.over = true; clearTimeout(view.timer); };
}

function draw(view, told) {
  const step = told.wizard;
  view.busy = Boolean(step && !step.done);
  // Progress alone changes the bar, not the step: what is being typed stays.
  replaceWhen(view.wizard, [languageNow(), step && { ...step, progress: 0 }], () => (step ? wizardCard(view, step) : kindCards(view, told.items)));
  const bar = view.wizard.querySelector("progress");
  if (bar && step) bar.value = step.progress;
  replaceWhen(view.items, [languageNow(), told.items], () => itemTable(told.items));
}

function kindCards(view, items) {
  return h("div.kinds", kinds.map((kind) => {
    const own = items.filter((item) => item.kind === kind);
    const bad = own.filter((item) => !item.good).length;
    const last = Math.max(0, ...own.map((item) => item.at_ms ?? 0));
    return h("article.card.kind", h("h2", t(`calibration_kind.${kind}`)), h("p.muted", t(`calibration_hint.${kind}`)),
      h("p", own.length === 0 || last === 0 ? h("span.mark.warn", icon("quarantined"), t("calibration.never")) : [h(`span.mark.${bad ? "warn" : "calm"}`, icon(bad ? "quarantined" : "tick"), bad ? t("calibration.bad") : t("calibration.good")), h("span.muted.figure", ` ${moment(last)}`)]),
      button(t("calibration.start"), () => start(view, kind), { kind: "primary", "data-start": kind, "aria-label": `${t("calibration.start")}: ${t(`calibration_kind.${kind}`)}` }));
  }));
}

function wizardCard(view, step) {
  const steps = h("ol.steps", { "aria-label": t("calibration.step", { step: step.step, steps: step.steps }) }, Array.from({ length: step.steps }, (_, index) => {
    const number = index + 1;
    return h(`li${number < step.step || step.done ? ".past" : ""}`, { "aria-current": number === step.step && !step.done ? "step" : undefined }, number < step.step || (step.done && step.stored) ? icon("tick") : number);
  }));
  return h("section.card.wizard", { "aria-label": t("calibration.wizard"), data: { needs: step.done ? "done" : step.needs } },
    h("h2", t(`calibration_kind.${step.kind}`), h("small", t("calibration.step", { step: step.step, steps: step.steps }))), steps,
    h("p.wizard-text", { role: "status" }, either(step.text)),
    step.done ? h(`p.note.${step.stored ? "good" : "warn"}`, step.stored ? t("calibration.stored") : t("calibration.not_stored")) : h("progress", { max: 1, value: step.progress, "aria-label": t("calibration.under_way") }),
    step.done ? h("div.row.end", button(t("calibration.finish"), () => act(view, "/calibration/cancel", {}), { kind: "primary", "data-do": "finish" })) : answers(view, step));
}

function answers(view, step) {
  const cancel = button(t("calibration.cancel"), async () => {
    if (await ask(t("calibration.cancel"), t("calibration.cancel_ask"), t("calibration.cancel"), "danger")) await act(view, "/calibration/cancel", {});
  }, { kind: "plain", "data-do": "cancel" });
  const send = (body) => act(view, "/calibration/answer", { step: step.step, ...body });
  if (step.needs === "number") {
    const number = field({ label: t("calibration.number"), name: "number", unit: step.unit || undefined, inputmode: "decimal", required: true, autocomplete: "off" });
    return h("form.stack", { novalidate: true, on: { submit: (event) => {
      event.preventDefault();
      number.wrong("");
      const value = Number(number.input.value.trim().replace(",", "."));
      if (number.input.value.trim() === "" || !Number.isFinite(value)) number.wrong(t("form.number"));
      else send({ number: value }).catch(tellError);
    } } }, number.element, h("div.row.end", cancel, h("button.button.primary", { type: "submit", "data-do": "send" }, t("calibration.send"))));
  }
  if (step.needs === "yes_or_no") return h("div.row.end", cancel, button(t("word.no"), () => send({ yes: false }), { "data-do": "no" }), button(t("word.yes"), () => send({ yes: true }), { kind: "primary", "data-do": "yes" }));
  if (step.needs === "confirmation") return h("div.row.end", cancel, button(t("calibration.next"), () => send({}), { kind: "primary", sign: "next", "data-do": "next" }));
  return h("div.row.end", h("span.muted.grow", t("calibration.under_way")), cancel);
}

async function act(view, path, body) {
  if (!(await needs("maintenance"))) return;
  draw(view, await post(path, { ...body, version: live.versions.calibration }));
  view.again();
}

/** `1, 3, 5-8` as numbers; undefined where it can't be read. */
export function lanesOf(typed, most) {
  const lanes = new Set();
  for (const part of typed.split(/[,，、\s]+/).filter(Boolean)) {
    const [, from, to] = part.match(/^(\d+)(?:[-–~](\d+))?$/) ?? [];
    if (!from) return undefined;
    for (let lane = Number(from); lane <= Number(to ?? from); lane += 1) {
      if (lane < 1 || lane > most) return undefined;
      lanes.add(lane);
    }
  }
  return [...lanes].sort((a, b) => a - b);
}

async function start(view, kind) {
  if (!(await needs("maintenance"))) return;
  const most = live.layout?.lanes ?? 64;
  const lanes = await open(t(`calibration_kind.${kind}`), (close) => {
    const typed = field({ label: t("calibration.lanes"), name: "lanes", hint: t("calibration.lanes_hint"), autocomplete: "off" });
    return form([h("p", t(`calibration_hint.${kind}`)), kind === "signals" ? null : typed.element], t("calibration.start"), close, () => {
      const list = lanesOf(typed.input.value, most);
      if (list === undefined) typed.wrong(t("calibration.lanes_wrong", { n: most }));
      else close(list);
    });
  });
  if (lanes === undefined) return;
  draw(view, await post("/calibration/start", { kind, lanes, version: live.versions.calibration }));
  tell(t(`calibration_kind.${kind}`));
  view.again();
}

function itemTable(items) {
  return h("section.card", h("h2", t("calibration.in_force")), items.length === 0 ? h("p.muted", t("calibration.never")) : h("div.scroll", { tabindex: "0", role: "region", "aria-label": t("calibration.in_force") }, h("table.dense",
    h("thead", h("tr", [t("nav.calibration"), t("calibration.subject"), t("report.result"), t("report.residual"), "", t("word.time"), t("word.who")].map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", items.map((item) => h("tr", h("th", { scope: "row" }, t(`calibration_kind.${item.kind}`)), h("td", either(item.subject)), h("td.figure", item.result), h("td.figure", item.residual),
      h("td", h(`span.mark.${item.good ? "calm" : "warn"}`, icon(item.good ? "tick" : "quarantined"), item.good ? t("calibration.good") : t("calibration.bad"))),
      h("td.figure", item.at_ms === null ? t("calibration.never") : moment(item.at_ms)), h("td", item.by)))))));
}

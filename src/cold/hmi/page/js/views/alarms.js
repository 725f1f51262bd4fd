// Alarms: what is wrong now, gravest first, each with its cause, consequence and what to do; acknowledged, shelved with a time;
// the first-out marked; a flood told; the history, and
// the journal of everything that happened.

import { get, post } from "../api.js";
import { button, field, form, open, tell, tellError } from "../dialogs.js";
import { h, replace, replaceWhen, useStyle } from "../dom.js";
import { clock, moment } from "../figures.js";
import { icon, priority } from "../icons.js";
import { live, loadAlarms, on } from "../live.js";
import { go } from "../router.js";
import { needs } from "../session.js";
import { acknowledge, level, waits } from "../strip.js";
import { either, languageNow, t, word } from "../words.js";

/** Entries a page of the history. */
const MOST = 50;
/** How long an alarm may be shelved, s. */
const TIMES_S = [600, 1800, 3600, 14400, 28800];

const tabNames = ["now", "history", "journal"];

/** Shows what is wrong now, the history, or the journal. */
export function show(root, [which]) {
  useStyle("views");
  const tab = tabNames.includes(which) ? which : "now";
  const tabs = h("div.tabs", { role: "tablist", "aria-label": t("nav.alarms") },
    tabNames.map((name) => h("button", { type: "button", role: "tab", "aria-selected": String(name === tab), "data-tab": name, on: { click: () => go("alarms", ...(name === "now" ? [] : [name])) } }, t(`alarm.${name}`))));
  const all = button(t("alarm.acknowledge_all"), acknowledgeAll, { "data-do": "acknowledge-all" });
  root.append(h("header", h("h1", t("nav.alarms")), tabs, tab === "now" ? all : null));
  if (tab === "history") return showHistory(root);
  if (tab === "journal") return showJournal(root);
  const list = h("div.stack.alarm-list");
  const shelf = h("div");
  const flood = h("div", { role: "status" });
  root.append(flood, list, shelf);
  const update = () => {
    const { alarms, flood: flooded } = live.alarms;
    const shelved = alarms.filter((alarm) => alarm.state === "shelved" || alarm.state === "suppressed" || alarm.state === "out_of_service");
    const active = alarms.filter((alarm) => !shelved.includes(alarm));
    all.hidden = active.filter(waits).length < 2;
    replaceWhen(flood, [languageNow(), flooded], () => (flooded ? h("p.note.bad", h("b", t("alarm.flood")), ". ", t("alarm.flood_hint")) : []));
    replaceWhen(list, [languageNow(), active], () => (active.length ? firstOutFirst(active).map(card) : h("p.empty.card", icon("tick"), t("alarm.empty"))));
    replaceWhen(shelf, [languageNow(), shelved], () => (shelved.length ? [h("h2.shelf-head", t("alarm.shelved")), h("div.stack", shelved.map(card))] : []));
  };
  update();
  return on("alarms", update);
}

const firstOutFirst = (alarms) => [...alarms].sort((a, b) => Number(b.first_out) - Number(a.first_out));

function card(alarm) {
  const seen = !waits(alarm);
  const quiet = alarm.state === "shelved";
  return h(`article.card.alarm.p${level[alarm.priority]}${seen ? ".seen" : ""}`, { data: { alarm: alarm.id, state: alarm.state } },
    priority(level[alarm.priority], seen, word(`priority.${alarm.priority}`)),
    h("div.alarm-what",
      h("h2", either(alarm.name), either(alarm.place) ? h("span.place", ` · ${either(alarm.place)}`) : null),
      h("p.marks", alarm.first_out ? h("span.mark.bad", icon("first"), t("alarm.first_out")) : null,
        h(`span.mark.${seen ? "calm" : "bad"}`, word(`alarm_state.${alarm.state}`)),
        quiet && alarm.shelved_until_ms ? h("span.mark.info", icon("shelved"), t("alarm.shelved_until", { time: clock(alarm.shelved_until_ms, false) })) : null,
        h("span.muted.figure", `${t("alarm.since")} ${moment(alarm.raised_at_ms)}`),
        alarm.cleared_at_ms === null ? null : h("span.muted.figure", `${t("alarm.cleared")} ${moment(alarm.cleared_at_ms)}`),
        alarm.times > 1 ? h("span.muted.figure", t("alarm.times", { n: alarm.times })) : null,
        alarm.value ? h("b.figure", alarm.value) : null,
        alarm.acknowledged_by ? h("span.muted", t("alarm.by", { user: alarm.acknowledged_by })) : null),
      h("dl.pairs.left", h("dt", t("alarm.action")), h("dd.action", either(alarm.action)), h("dt", t("alarm.cause")), h("dd", either(alarm.cause)), h("dt", t("alarm.consequence")), h("dd", either(alarm.consequence)))),
    h("div.alarm-do",
      seen ? null : button(t("alarm.acknowledge"), () => acknowledge(alarm), { kind: "primary", "data-do": "acknowledge", "aria-label": `${t("alarm.acknowledge")}: ${either(alarm.name)}` }),
      quiet ? button(t("alarm.unshelve"), () => unshelve(alarm), { "data-do": "unshelve" }) : button(t("alarm.shelve"), () => shelve(alarm), { sign: "shelved", "data-do": "shelve", "aria-label": `${t("alarm.shelve")}: ${either(alarm.name)}` })));
}

async function acknowledgeAll() {
  if (!(await needs("operator"))) return;
  for (const alarm of live.alarms.alarms.filter(waits)) await post(`/alarms/${encodeURIComponent(alarm.id)}/acknowledge`).catch(tellError);
  await loadAlarms();
}

async function shelve(alarm) {
  if (!(await needs("operator"))) return;
  await open(`${t("alarm.shelve")}: ${either(alarm.name)}`, (close) => {
    const time = field({ label: t("alarm.shelve_for"), name: "for_s", value: "1800", options: TIMES_S.map((s) => [String(s), s < 3600 ? t("unit.minutes", { n: s / 60 }) : t("unit.hours", { n: s / 3600 })]), hint: t("alarm.shelve_hint") });
    const reason = field({ label: t("word.reason"), name: "reason", required: true, maxlength: 200 });
    return form([time.element, reason.element], t("alarm.shelve"), close, async () => {
      reason.wrong("");
      if (!reason.input.value.trim()) return reason.wrong(t("form.required"));
      try {
        await post(`/alarms/${encodeURIComponent(alarm.id)}/shelve`, { for_s: Number(time.input.value), reason: reason.input.value.trim() });
        close();
        tell(t("alarm.shelved_now", { name: either(alarm.name) }));
        await loadAlarms();
      } catch (error) {
        reason.wrong(error.told ?? String(error));
      }
    });
  });
}

async function unshelve(alarm) {
  if (!(await needs("operator"))) return;
  await post(`/alarms/${encodeURIComponent(alarm.id)}/unshelve`);
  tell(t("alarm.unshelved_now", { name: either(alarm.name) }));
  await loadAlarms();
}

async function showHistory(root) {
  const rows = h("tbody");
  const more = h("div.row.end");
  root.append(h("div.card.scroll", { tabindex: "0", role: "region", "aria-label": t("alarm.history") }, h("table",
    h("thead", h("tr", h("th", { scope: "col" }, t("word.time")), h("th", h("span.hidden-visually", t("alarm.now"))), h("th", { scope: "col" }, t("word.what")), h("th", { scope: "col" }, t("nav.alarms")), h("th", { scope: "col" }, t("word.who")))), rows), more));
  const load = async (before) => {
    const list = await get(`/alarms/history?most=${MOST}${before ? `&before=${before}` : ""}`);
    for (const each of list) {
      rows.append(h("tr", h("td.figure", moment(each.at_ms)), h("td", priority(level[each.priority], true, word(`priority.${each.priority}`))),
        h("td", word(`alarm_state.${each.state}`)), h("th", { scope: "row" }, either(each.name)), h("td", each.by ?? "")));
    }
    replace(more, list.length === MOST ? button(t("do.more"), () => load(list[list.length - 1].number)) : null);
  };
  await load().catch((error) => root.append(h("p.note.bad", error.told)));
}

async function showJournal(root) {
  const rows = h("tbody");
  root.append(h("div.card.scroll", { tabindex: "0", role: "region", "aria-label": t("alarm.journal") }, h("table.dense",
    h("thead", h("tr", h("th.number", { scope: "col" }, "#"), h("th", { scope: "col" }, t("word.time")), h("th", { scope: "col" }, t("word.what")))), rows)));
  const add = (entry) => rows.prepend(h("tr", h("td.number", entry.number), h("td.figure", moment(entry.at_ms)), h("td", either(entry.text))));
  try {
    for (const entry of await get(`/journal?most=${MOST * 4}`)) add(entry);
  } catch (error) {
    root.append(h("p.note.bad", error.told));
  }
  return on("journal", add);
}

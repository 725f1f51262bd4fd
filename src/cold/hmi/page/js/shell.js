// The frame around the views: top bar, alarm strip, rail, dock of commands, word of a lost connection. Built anew when the
// language changes, otherwise only changed in place.

import { attribute, h, put, replace, replaceWhen, text } from "./dom.js";
import { button, open } from "./dialogs.js";
import { strip } from "./strip.js";
import { dock } from "./dock.js";
import { clock, count } from "./figures.js";
import { icon } from "./icons.js";
import { live, on } from "./live.js";
import { address, place, watch } from "./router.js";
import { changePassword, login, logout, onSession, sessionNow } from "./session.js";
import { either, languageNow, t, useLanguage, word } from "./words.js";

const views = ["line", "lots", "alarms", "health", "recipes", "calibration", "doubts", "admin"];
let root;
let parts = {};
let leave = () => {};
let showing = 0;
let rebuilding = false;

/** Builds the frame and keeps it up to date. */
export function frame(element) {
  root = element;
  build();
  on("line", update);
  on("layout", update);
  on("alarms", counts);
  on("connection", connection);
  onSession(() => { update(); show(); });
  watch(show);
  setInterval(tickClock, 1000);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", (event) => { if (!keptTheme()) theme(event.matches ? "dark" : "light"); });
}

function build() {
  parts = { clock: h("span.clock.figure"), name: h("strong"), mode: h("small"), lot: h("a.lot", { href: address("lots") }), view: h("main.view", { id: "view", tabindex: "-1" }),
    user: h("span.wide"), rail: h("ul"), lost: h("div.lost", { role: "alert" }) };
  parts.strip = strip();
  parts.dock = dock();
  parts.user.textContent = sessionNow().user ?? t("session.login");
  replace(root,
    h("a.skip", { href: "#view", on: { click: skipTo(parts.view) } }, t("nav.skip_view")),
    h("header.top",
      h("div.brand", h("img", { src: "/pearl.svg", alt: "", width: 34, height: 34 }), h("div", parts.name, parts.mode)),
      parts.lot,
      h("div.tools",
        parts.clock,
        h("button.tool", { type: "button", lang: languageNow() === "en" ? "zh-CN" : "en", on: { click: otherLanguage } }, languageNow() === "en" ? "中文" : "English"),
        h("button.tool", { type: "button", "aria-label": t("nav.theme"), title: t("nav.theme"), on: { click: otherTheme } }, icon(document.documentElement.dataset.theme === "dark" ? "sun" : "moon")),
        h("button.tool", { type: "button", on: { click: userMenu } }, icon("user"), h("span.hidden-visually", t("nav.user")), parts.user))),
    h("div.strip", parts.lost, parts.strip.element),
    h("nav.rail", { "aria-label": t("nav.views") }, parts.rail),
    parts.view,
    parts.dock.element);
  rail();
  tickClock();
  update();
  counts();
  connection();
  show();
}

function skipTo(element) {
  return (event) => { event.preventDefault(); element.focus(); };
}

function rail() {
  parts.links = Object.fromEntries(views.map((name) => [name, h("a", { href: address(name) }, icon(name), h("span", t(`nav.${name}`)))]));
  replace(parts.rail, views.map((name) => h("li", parts.links[name])));
  parts.alarmCount = h("span.count");
  parts.links.alarms.append(parts.alarmCount);
}

async function show() {
  const mine = ++showing;
  const where = place();
  const name = views.includes(where[0]) ? where[0] : "line";
  for (const [other, link] of Object.entries(parts.links)) attribute(link, "aria-current", other === name ? "page" : undefined);
  parts.links[name].scrollIntoView({ block: "nearest", inline: "nearest" });
  root.dataset.view = name;
  let view;
  try {
    view = await import(`./views/${name}.js`);
  } catch {
    view = { show: (element) => { put(element, [h("p.empty", t("error.no_connection"))]); } };
  }
  if (mine !== showing) return;
  leave();
  leave = () => {};
  const body = h("main.view", { id: "view", tabindex: "-1", data: { view: name } });
  parts.view.replaceWith(body);
  parts.view = body;
  document.title = `${t(`nav.${name}`)} · pearlsort`;
  const ended = await view.show(body, where.slice(1));
  if (mine === showing) leave = typeof ended === "function" ? ended : () => {};
  else if (typeof ended === "function") ended();
  if (!rebuilding && document.activeElement === document.body && mine > 2) body.focus({ preventScroll: true });
}

function update() {
  const line = live.line;
  text(parts.user, sessionNow().user ?? t("session.login"));
  if (live.layout) text(parts.name, either(live.layout.name));
  if (!line) return;
  text(parts.mode, t("shell.mode", { mode: word(`mode.${line.mode}`) }));
  const lot = line.lot;
  replaceWhen(parts.lot, [languageNow(), lot?.number, lot?.farm, lot?.counts.entered], () => (lot
    ? [icon("lots"), h("span", h("span.name.muted", `${t("word.lot")} `), h("b", lot.number), lot.farm ? h("span.name", ` · ${lot.farm}`) : null, h("span.name.muted.figure", ` · ${t("unit.pearls", { n: count(lot.counts.entered) })}`))]
    : [icon("lots"), h("span.muted", t("lot.none"))]));
  parts.lot.href = lot ? address("lots", String(lot.lot)) : address("lots");
}

function counts() {
  const waiting = live.alarms.alarms.filter((alarm) => alarm.state === "unacknowledged" || alarm.state === "returned_unacknowledged").length;
  parts.alarmCount.hidden = waiting === 0;
  replace(parts.alarmCount, h("span", { "aria-hidden": "true" }, waiting), h("span.hidden-visually", t("alarm.waiting", { n: waiting })));
}

function connection() {
  const lost = !live.connected && live.line !== null;
  root.classList.toggle("offline", lost);
  replaceWhen(parts.lost, lost ? languageNow() : "", () => (lost ? [icon("unplugged"), h("span", t("shell.lost"))] : []));
}

function tickClock() {
  text(parts.clock, clock(Date.now()));
}

async function otherLanguage() {
  rebuilding = true;
  await useLanguage(languageNow() === "en" ? "zh" : "en");
  build();
  rebuilding = false;
  root.querySelector(".tools .tool")?.focus();
}

function keptTheme() {
  try { return localStorage.getItem("pearlsort.theme"); } catch { return null; }
}

function theme(wanted) {
  document.documentElement.dataset.theme = wanted;
  const tool = root.querySelector(".tools .tool:nth-of-type(2)");
  if (tool) replace(tool, icon(wanted === "dark" ? "sun" : "moon"));
}

function otherTheme() {
  const wanted = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  try { localStorage.setItem("pearlsort.theme", wanted); } catch { /* not remembered */ }
  theme(wanted);
}

function userMenu() {
  const session = sessionNow();
  if (!session.user) return login();
  return open(session.user, (close) => [
    h("p", t("session.right_is", { right: t(`right.${session.right}`) })),
    h("div.row",
      button(t("session.change_password"), () => { close(); return changePassword(); }),
      button(t("session.other_user"), () => { close(); return login(); }),
      button(t("session.logout"), async () => { close(); await logout(); }, { kind: "primary" })),
    h("div.row.end", button(t("do.close"), () => close(), { kind: "plain" })),
  ]);
}

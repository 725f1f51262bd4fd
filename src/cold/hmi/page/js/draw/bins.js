// The bins below the belt, each in the column of its jet: a bowl that fills, its grade, count and share, and a mark with icon
// and word when it is full, missing, inhibited or quarantined. Pressing one opens what can be done with it.

import { attribute, h, replace, replaceWhen, s, text } from "../dom.js";
import { count, mass, percent } from "../figures.js";
import { icon } from "../icons.js";
import { either, languageNow, t, word } from "../words.js";
import { definitions, grade } from "./nacre.js";

/** Rows of pearls in a full bowl, from below. */
const ROWS = [4, 5, 6, 6];
const tones = { full: "warn", missing: "bad", inhibited: "info", quarantined: "bad" };

function places() {
  const all = [];
  ROWS.forEach((length, row) => {
    for (let index = 0; index < length; index += 1) all.push([36 + (index - (length - 1) / 2) * 9.2, 36 - row * 7.4]);
  });
  return all;
}

function bowl() {
  const define = definitions();
  const pearls = places().map(([x, y]) => s("circle", { cx: x, cy: y, r: 4.6, fill: define.pearl }));
  const element = s("svg.bowl", { viewBox: "0 0 72 48", "aria-hidden": "true" }, define.element,
    s("path.bowl-back", { d: "M4 12h64l-7 27a7 7 0 0 1-7 5H18a7 7 0 0 1-7-5z" }), pearls, s("path.bowl-rim", { d: "M4 12h64l-7 27a7 7 0 0 1-7 5H18a7 7 0 0 1-7-5z" }));
  let shown = -1;
  return { element, fill(level) {
    const wanted = level > 0 ? Math.max(1, Math.round(level * pearls.length)) : 0;
    if (wanted === shown) return;
    shown = wanted;
    pearls.forEach((pearl, index) => attribute(pearl, "visibility", index < wanted ? undefined : "hidden"));
  } };
}

/** One bin's card; `update(bin, line)` changes it. */
function card(number, press) {
  const picture = bowl();
  const name = h("span.bin-name");
  const pearls = h("span.bin-count.figure");
  const share = h("span.bin-share.figure");
  const mark = h("span.bin-mark");
  const sign = h("span.bin-sign");
  const badge = number === 0 ? icon("reset") : h(`span.badge.${grade(number)}`, { "aria-hidden": "true" }, number);
  // What the picture shows, for those who listen: the bin's number before its name, the unit after the count, the state.
  const hidden = (words) => h("span.hidden-visually", words);
  const unit = hidden("");
  const prefix = hidden("");
  const element = h("button.bin", { type: "button", "data-bin": number, on: { click: () => press(number) } }, h("span.bin-head", h("span.bin-badges", badge, sign), prefix, name), picture.element, h("span", pearls, unit), share, mark);
  return { element, update(bin, line) {
    text(name, number === 0 ? t("word.tray") : either(bin.name));
    text(pearls, count(bin.pearls));
    const small = number === 0 ? topCause(line) : [percent(bin.share), bin.mass_mg === null ? "" : mass(bin.mass_mg)].filter(Boolean);
    replaceWhen(share, small, () => small.map((each) => h("span", each)));
    picture.fill(bin.fill ?? Math.min(1, bin.share * 1.6));
    element.className = `bin ${bin.state}`;
    text(unit, ` ${t("word.pearls")}, `);
    text(prefix, number === 0 ? "" : `${t("bin.number", { n: number })} `);
    replaceWhen(mark, [languageNow(), bin.state], () => (bin.state === "ready" ? hidden(word("bin.ready")) : h(`span.mark.${tones[bin.state]}`, word(`bin.${bin.state}`))));
    replaceWhen(sign, bin.state, () => (bin.state === "ready" ? [] : icon(bin.state)));
  } };
}

function topCause(line) {
  const [first] = line.causes;
  return first ? [either(first.name), count(first.pearls)] : [];
}

/** All bins; `press(number)` when one is pressed. */
export function bins(press) {
  const front = h("div.bins-front");
  const element = h("div.bins", front);
  let cards = new Map();
  let key = "";
  return { element, front, update(line, width) {
    const ordered = [...line.bins.filter((bin) => bin.bin !== 0), ...line.bins.filter((bin) => bin.bin === 0)];
    const wanted = ordered.map((bin) => bin.bin).join();
    if (wanted !== key) {
      key = wanted;
      cards = new Map(ordered.map((bin) => [bin.bin, card(bin.bin, press)]));
      replace(element, front, [...cards.values()].map((own) => own.element));
    }
    element.style.setProperty("--front", `${width}px`);
    element.style.setProperty("--bins", ordered.length);
    for (const bin of ordered) cards.get(bin.bin).update(bin, line);
  } };
}

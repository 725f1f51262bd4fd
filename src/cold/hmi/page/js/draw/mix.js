// The grade mix: one bar, each bin its width, the recirculated hatched; a legend with number, name, count and share, so that
// colour is never the only sign. Above it the sum that must always hold: in = binned + recirculated + lost + on the belt.

import { attribute, h, replace, replaceWhen, s, text } from "../dom.js";
import { count, percent } from "../figures.js";
import { either, languageNow, t } from "../words.js";
import { definitions, grade } from "./nacre.js";

const WIDTH = 1000;

/** The bar with its legend; `update(line)`. */
export function mix() {
  const bar = s("svg.mix-bar", { viewBox: `0 0 ${WIDTH} 44`, preserveAspectRatio: "none", "aria-hidden": "true" });
  const legend = h("ul.legend");
  const element = h("div.mix-frame", bar);
  let rows = new Map();
  const define = definitions();
  return { element, legend, update(line) {
    const graded = line.bins.filter((bin) => bin.bin !== 0);
    const { binned, recirculated, lost } = line.counts;
    const all = Math.max(1, binned + recirculated + lost);
    const tray = { bin: 0, pearls: recirculated, share: recirculated / all };
    const parts = [...graded.map((bin) => ({ ...bin, of: (bin.share * binned) / all })), { ...tray, of: recirculated / all }];
    replaceWhen(legend, [languageNow(), graded.map((bin) => [bin.bin, bin.name, bin.high_grade])], () => {
      rows = new Map(parts.map((part) => [part.bin, row(part)]));
      replace(bar, define.element, [...rows.values()].map((own) => own.piece));
      return [...rows.values()].map((own) => own.element);
    });
    let x = 0;
    for (const part of parts) {
      const own = rows.get(part.bin);
      attribute(own.piece, "x", x.toFixed(1));
      attribute(own.piece, "width", Math.max(0, part.of * WIDTH - 2).toFixed(1));
      if (part.bin === 0) attribute(own.piece, "fill", define.hatch);
      x += part.of * WIDTH;
      text(own.share, percent(part.of));
    }
  } };
}

function row(part) {
  const piece = part.bin === 0 ? s("rect.mix-tray", { y: 0, height: 44 }) : s(`rect.${grade(part.bin)}`, { y: 0, height: 44 });
  const share = h("span.figure");
  const badge = part.bin === 0 ? h("span.badge.hatched") : h(`span.badge.${grade(part.bin)}`, part.bin);
  return { piece, share, element: h("li", badge, h("span.legend-name", part.bin === 0 ? t("word.recirculated") : either(part.name), part.high_grade ? h("span.high", ` ${t("word.high")}`) : null), share) };
}

/** The sum that must always hold, as a line of figures; `update(counts)`. */
export function balance() {
  const names = ["entered", "binned", "recirculated", "lost", "in_flight"];
  const figures = Object.fromEntries(names.map((name) => [name, h("b.figure")]));
  const element = h("dl.balance", names.map((name, index) => [index ? h("span.sign", { "aria-hidden": "true" }, index === 1 ? "=" : "+") : null,
    h("div", { "data-count": name }, h("dt", t(`count.${name}`)), h("dd", figures[name]))]));
  return { element, update(counts) { for (const name of names) text(figures[name], count(counts[name])); } };
}

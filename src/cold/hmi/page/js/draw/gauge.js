// The high-grade rate against its aim: an arc with a pearl that rides on it, a tick at the aim, the figure in the middle; and
// the same over the last half hour as a line. Below the aim the arc changes colour, and a word says so.

import { attribute, h, s, text } from "../dom.js";
import { percent } from "../figures.js";
import { t } from "../words.js";
import { definitions } from "./nacre.js";

const [CX, CY, R] = [110, 104, 84];
/** The arc runs from lower left over the top to lower right, degrees from straight up. */
const [FROM, TO] = [-120, 120];

function point(share, radius = R) {
  const angle = ((FROM + (TO - FROM) * share - 90) * Math.PI) / 180;
  return [CX + radius * Math.cos(angle), CY + radius * Math.sin(angle)];
}

function arc(share) {
  const [x0, y0] = point(0);
  const [x1, y1] = point(Math.max(0.0001, share));
  const large = (TO - FROM) * share > 180 ? 1 : 0;
  return `M${x0.toFixed(2)} ${y0.toFixed(2)}A${R} ${R} 0 ${large} 1 ${x1.toFixed(2)} ${y1.toFixed(2)}`;
}

/** The gauge; `update(high_grade, trend)`. */
export function gauge() {
  const define = definitions();
  const value = s("path.gauge-value", { d: arc(0) });
  const pearl = s("circle.gauge-pearl", { r: 11, fill: define.pearl });
  const tick = s("path.gauge-aim");
  const aimText = s("text.gauge-aim-text", { "text-anchor": "middle" });
  const figure = s("text.gauge-figure", { x: CX, y: CY + 8, "text-anchor": "middle" });
  const says = s("text.gauge-says", { x: CX, y: CY + 34, "text-anchor": "middle" });
  const low = s("text.gauge-scale", { x: point(0)[0] - 2, y: point(0)[1] + 22, "text-anchor": "middle" });
  const high = s("text.gauge-scale", { x: point(1)[0] + 2, y: point(1)[1] + 22, "text-anchor": "middle" });
  const svg = s("svg.gauge", { viewBox: "0 0 220 176", role: "img" }, define.element, s("path.gauge-track", { d: arc(1) }), value, tick, aimText, pearl, figure, says, low, high);
  const line = spark(t("word.high_grade_rate"));
  const element = h("div.gauge-box", svg, line.element);
  return { element, update(grade, trend) {
    const aim = grade.aim ?? null;
    const top = Math.min(1, Math.max(0.4, Math.ceil(Math.max((aim ?? 0) * 1.9, (grade.share ?? 0) * 1.15) * 10) / 10));
    const share = grade.share ?? 0;
    attribute(value, "d", arc(Math.min(1, share / top)));
    const [px, py] = point(Math.min(1, share / top));
    attribute(pearl, "cx", px.toFixed(1));
    attribute(pearl, "cy", py.toFixed(1));
    attribute(pearl, "visibility", grade.share === null ? "hidden" : undefined);
    text(figure, percent(grade.share));
    text(low, percent(0, 0));
    text(high, percent(top, 0));
    const below = aim !== null && grade.share !== null && grade.share < aim;
    svg.classList.toggle("below", below);
    text(says, aim === null ? t("gauge.no_aim") : grade.share === null ? t("gauge.no_pearls") : below ? t("gauge.below") : t("gauge.above"));
    if (aim !== null) {
      const [x0, y0] = point(aim / top, R - 14);
      const [x1, y1] = point(aim / top, R + 14);
      attribute(tick, "d", `M${x0.toFixed(1)} ${y0.toFixed(1)}L${x1.toFixed(1)} ${y1.toFixed(1)}`);
      const [tx, ty] = point(aim / top, R - 27);
      attribute(aimText, "x", tx.toFixed(1));
      attribute(aimText, "y", (ty + 4).toFixed(1));
      text(aimText, percent(aim, 0));
    }
    attribute(svg, "aria-label", `${t("word.high_grade_rate")} ${percent(grade.share)}, ${aim === null ? t("gauge.no_aim") : `${t("gauge.aim", { aim: percent(aim, 0) })}, ${below ? t("gauge.below") : t("gauge.above")}`}`);
    line.update(trend.map((each) => each.share), { aim, least: 0, most: top });
  } };
}

/** A small line of the last values; absent ones leave a gap. */
export function spark(label) {
  const path = s("path.spark-line");
  const dashed = s("path.spark-aim");
  const dot = s("path.spark-dot");
  const element = s("svg.spark", { viewBox: "0 0 200 40", preserveAspectRatio: "none", "aria-hidden": "true", "data-label": label }, dashed, path, dot);
  return { element, update(values, { aim = null, least = 0, most } = {}) {
    const known = values.filter((value) => value !== null && value !== undefined);
    const top = most ?? Math.max(1, ...known) * 1.1;
    const y = (value) => 37 - ((value - least) / (top - least || 1)) * 34;
    const step = 194 / Math.max(1, values.length - 1);
    let d = "";
    let broken = true;
    values.forEach((value, index) => {
      if (value === null || value === undefined) { broken = true; return; }
      d += `${broken ? "M" : "L"}${(values.length === 1 ? 194 : index * step).toFixed(1)} ${y(value).toFixed(1)}`;
      broken = false;
    });
    attribute(path, "d", d || "M0 0");
    attribute(dashed, "d", aim === null ? "M0 0" : `M0 ${y(aim).toFixed(1)}H200`);
    const last = values[values.length - 1];
    attribute(dot, "visibility", last === null || last === undefined ? "hidden" : undefined);
    attribute(dot, "d", `M194 ${y(last ?? 0).toFixed(1)}h0`);
  } };
}

// Crops of doubtful pearls: pictures of those whose grade was too close to a threshold, newest first, by cause.

import { get } from "../api.js";
import { button, choice, open } from "../dialogs.js";
import { h, replace, useStyle } from "../dom.js";
import { clock, mass, measure } from "../figures.js";
import { either, t } from "../words.js";

const MOST = 60;

/** Shows the pictures. */
export async function show(root) {
  useStyle("views");
  const grid = h("ul.crops");
  const filter = h("div");
  let crops = [];
  let cause = "";
  const draw = () => replace(grid, crops.filter((crop) => !cause || crop.cause === cause).map(card));
  const load = async () => {
    crops = await get(`/crops?most=${MOST}`);
    const causes = [...new Map(crops.map((crop) => [crop.cause, either(crop.name)]))];
    replace(filter, causes.length > 1 ? choice(t("word.causes"), [["", t("doubts.all")], ...causes], cause, (value) => { cause = value; draw(); }) : null);
    if (crops.length === 0) replace(grid, h("li.empty.card", t("doubts.empty")));
    else draw();
  };
  root.append(h("header", h("h1", t("nav.doubts")), filter, button(t("do.refresh"), load, { sign: "reset" })), h("p.muted", t("doubts.hint")), grid);
  await load().catch((error) => replace(grid, h("li.note.bad", error.told)));
}

const source = (crop) => `/api/v1/crops/${encodeURIComponent(crop.crop)}/image`;

function card(crop) {
  const words = t("doubts.picture", { lane: crop.lane, name: either(crop.name) });
  return h("li", h("button.crop.card", { type: "button", data: { crop: crop.crop }, on: { click: () => large(crop, words) } },
    h("img", { src: source(crop), alt: words, loading: "lazy", width: 128, height: 128 }),
    h("span.crop-cause", either(crop.name)), figures(crop)));
}

function figures(crop) {
  return h("span.muted.figure", [`${t("word.lane")} ${crop.lane}`, crop.diameter_mm === null ? "" : measure(crop.diameter_mm, 2, "mm"), crop.mass_mg === null ? "" : mass(crop.mass_mg), clock(crop.at_ms)].filter(Boolean).join(" · "));
}

function large(crop, words) {
  return open(words, (close) => [h("img.crop-large", { src: source(crop), alt: words }), h("p", figures(crop)), h("div.row.end", button(t("do.close"), () => close(), { kind: "primary" }))]);
}

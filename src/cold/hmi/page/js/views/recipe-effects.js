// What a changed recipe means: its difference from the one in force, line by line, and what it would have done to the last
// pearls, as bars beside figures and as a list of those that would go elsewhere.

import { post } from "../api.js";
import { field } from "../dialogs.js";
import { h, replace } from "../dom.js";
import { count, fixed, mass, percent } from "../figures.js";
import { either, t } from "../words.js";

const PEARLS = ["1000", "5000", "20000"];
/** Lines around a change that are shown. */
const AROUND = 3;

/** Shows the difference from the recipe in force. */
export async function showDiff(view) {
  const diff = await post("/recipes/diff", { file: view.file, text: view.editor.value() });
  replace(view.effects, diff.added + diff.removed === 0 ? h("p.note", t("recipe.no_diff"))
    : [h("p.figure", h("b.added", `+${diff.added}`), " ", h("b.removed", `−${diff.removed}`)), h("div.diff.scroll", { tabindex: "0", role: "region", "aria-label": t("recipe.diff") }, lines(diff.lines))]);
}

function lines(list) {
  const near = new Set();
  list.forEach((line, index) => { if (line.kind !== "same") for (let each = index - AROUND; each <= index + AROUND; each += 1) near.add(each); });
  const rows = [];
  let skipped = false;
  list.forEach((line, index) => {
    if (!near.has(index)) { skipped = true; return; }
    if (skipped && rows.length) rows.push(h("div.diff-gap", "⋯"));
    skipped = false;
    const sign = { same: " ", removed: "−", added: "+" }[line.kind];
    rows.push(h(`div.diff-line.${line.kind}`, h("span.diff-number", line.old_line ?? ""), h("span.diff-number", line.new_line ?? ""), h("span.diff-sign", sign), h("code", line.text)));
  });
  return rows;
}

/** Shows what the text would have done to the last pearls. */
export async function showWhatIf(view, pearls = PEARLS[1]) {
  const many = field({ label: t("recipe.what_if_last"), name: "pearls", value: pearls, options: PEARLS.map((n) => [n, count(Number(n))]) });
  many.input.addEventListener("change", () => showWhatIf(view, many.input.value).catch((error) => replace(view.effects, many.element, h("p.note.bad", error.told))));
  const result = await post("/recipes/what-if", { file: view.file, text: view.editor.value(), pearls: Number(pearls) });
  const names = new Map(result.slots.map((slot) => [slot.slot, either(slot.name)]));
  const most = Math.max(1, ...result.slots.flatMap((slot) => [slot.old_pearls, slot.new_pearls]));
  replace(view.effects, h("p.muted", t("recipe.what_if_hint")), many.element, h("p", h("b", t("recipe.what_if_of", { n: count(result.pearls) }))),
    h("div.scroll", { tabindex: "0", role: "region", "aria-label": t("recipe.what_if") }, h("table.dense.what-if",
      h("thead", h("tr", h("th", { scope: "col" }, t("report.kind")), h("th.number", { scope: "col" }, t("recipe.old")), h("th.number", { scope: "col" }, t("recipe.new")), h("th.number", { scope: "col" }, t("recipe.change")))),
      h("tbody", result.slots.map((slot) => row(slot, result, most))))),
    moves(result, names));
}

function row(slot, result, most) {
  const change = slot.new_pearls - slot.old_pearls;
  const share = (pearls) => percent(result.pearls ? pearls / result.pearls : null);
  return h("tr", { data: { slot: slot.slot } },
    h("th", { scope: "row" }, either(slot.name), h("progress.old", { max: most, value: slot.old_pearls, "aria-hidden": "true" }), h("progress.new", { max: most, value: slot.new_pearls, "aria-hidden": "true" })),
    h("td.number", count(slot.old_pearls), h("small", share(slot.old_pearls)), h("small", mass(slot.old_mass_mg))), h("td.number", count(slot.new_pearls), h("small", share(slot.new_pearls)), h("small", mass(slot.new_mass_mg))),
    h("td.number", h("b", change > 0 ? `+${count(change)}` : change < 0 ? `−${count(-change)}` : "0"), slot.new_value === null || slot.old_value === null ? null : h("small", `${fixed(slot.new_value - slot.old_value, 2)} ${result.currency ?? ""}`)));
}

function moves(result, names) {
  if (result.moves.length === 0) return h("p.note", t("recipe.no_moves"));
  const called = (slot) => names.get(slot) ?? slot;
  return [h("h3", t("recipe.moves")), h("ul.moves", result.moves.slice(0, 12).map((move) => h("li", h("span", called(move.from)), h("span", { "aria-hidden": "true" }, "→"), h("span", called(move.to)), h("b.figure", count(move.pearls)))))];
}

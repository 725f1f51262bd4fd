// The recipe editor: a text with line numbers, checked while it is typed with the messages of `pearlsort check`, each at its
// line; its difference from the recipe in force; what it would have done to the last pearls; stage, apply, undo.

import { get, post } from "../api.js";
import { ask, button, field, tell } from "../dialogs.js";
import { h, replace, text, useStyle } from "../dom.js";
import { clock } from "../figures.js";
import { icon } from "../icons.js";
import { live, on } from "../live.js";
import { go } from "../router.js";
import { may, needs } from "../session.js";
import { either, t } from "../words.js";
import { editor } from "./editor.js";
import { showDiff, showWhatIf } from "./recipe-effects.js";

/** After so long without a key the text is checked, ms. */
const CHECK_AFTER_MS = 450;
/** Texts that were changed and not staged, by file: kept when the view or the language changes. */
const drafts = new Map();

/** Shows the editor with one file, the one in force unless another is named. */
export async function show(root, [wanted]) {
  useStyle("views");
  let status;
  try { status = await get("/recipes"); } catch (error) {
    root.append(h("header", h("h1", t("nav.recipes"))), h("p.note.bad", error.told));
    return undefined;
  }
  const file = status.files.includes(wanted) ? wanted : status.in_force.file;
  const kept = await get(`/recipes/${encodeURIComponent(file)}`);
  const view = { root, file, kept, status, checked: null, timer: null };
  build(view);
  view.editor.set(drafts.get(file) ?? kept.text);
  check(view);
  // Somebody else may stage and apply too.
  let version = live.versions.recipe;
  return on("line", () => {
    if (live.versions.recipe === version && live.line.recipe.hash === view.status.in_force.hash) return;
    version = live.versions.recipe;
    refresh(view).catch(() => {});
  });
}

function build(view) {
  const choose = field({ label: t("recipe.files"), name: "file", value: view.file, options: view.status.files.map((name) => [name, name === view.status.in_force.file ? `${name} · ${t("recipe.in_force")}` : name]) });
  choose.input.addEventListener("change", () => go("recipes", choose.input.value));
  view.state = h("div.recipe-state");
  view.editor = editor(t("recipe.text"), () => changed(view));
  view.verdict = h("div.verdict", { role: "status" });
  view.effects = h("div.effects");
  view.stage = button(t("recipe.stage"), () => stage(view), { kind: "primary", "data-do": "stage" });
  view.discard = button(t("recipe.discard"), () => discard(view), { kind: "plain", "data-do": "discard" });
  view.root.append(
    h("header", h("h1", t("nav.recipes")), choose.element),
    view.state,
    h("div.recipe-columns",
      h("section.card.editor-card", { "aria-label": t("recipe.text") }, view.editor.element, h("div.row", h("span.muted.grow", t("recipe.keyboard")), view.discard, view.stage)),
      h("div.stack", h("section.card", { "aria-label": t("recipe.check") }, h("h2", t("recipe.check")), view.verdict),
        h("section.card", h("div.row", button(t("recipe.diff"), () => showDiff(view), { "data-do": "diff" }), button(t("recipe.what_if"), () => showWhatIf(view), { "data-do": "what-if" })), view.effects))));
  state(view);
}

async function refresh(view) {
  view.status = await get("/recipes");
  state(view);
}

/** The recipe in force, the staged one with apply, and undo. */
function state(view) {
  const { in_force: force, staged, undo } = view.status;
  const maintenance = may("maintenance");
  replace(view.state,
    h("div.card.slot", { data: { slot: "in-force" } }, h("p.muted", t("recipe.in_force")), h("p", h("b", either(force.name)), " ", h("code.muted", force.hash)), h("p.muted", force.file),
      undo ? button(t("recipe.undo"), () => undoApplied(view), { sign: "reset", "data-do": "undo", "aria-disabled": maintenance ? undefined : "true" }) : null),
    staged ? h("div.card.slot.staged", { data: { slot: "staged" } }, h("p.muted", t("recipe.staged")), h("p", h("b", either(staged.recipe.name)), " ", h("code.muted", staged.recipe.hash)),
      h("p.muted", t("recipe.staged_by", { user: staged.by, time: clock(staged.at_ms, false) })),
      h("div.row", button(t("recipe.apply"), () => apply(view), { kind: "primary", sign: "play", "data-do": "apply" }), button(t("recipe.unstage"), () => unstage(view), { kind: "plain", "data-do": "unstage" }))) : null);
}

function changed(view) {
  const now = view.editor.value();
  if (now === view.kept.text) drafts.delete(view.file);
  else drafts.set(view.file, now);
  replace(view.effects);
  clearTimeout(view.timer);
  text(view.verdict, t("recipe.checking"));
  view.timer = setTimeout(() => check(view), CHECK_AFTER_MS);
}

async function check(view) {
  const asked = view.editor.value();
  view.discard.hidden = asked === view.kept.text;
  if (!may("operator")) {
    replace(view.verdict, h("p.note", t("admin.needs", { right: t("right.operator") })));
    return;
  }
  let result;
  try { result = await post("/recipes/check", { file: view.file, text: asked }); } catch (error) {
    replace(view.verdict, h("p.note.bad", error.told));
    return;
  }
  if (asked !== view.editor.value() || !view.root.isConnected) return;
  view.checked = result;
  view.editor.faults(result.faults);
  view.stage.setAttribute("aria-disabled", String(!result.usable));
  replace(view.verdict, result.faults.length === 0
    ? h("p.note.good", icon("tick"), h("b", t("recipe.all_right")), " ", h("code.muted", result.hash ?? ""))
    : [h(`p.note.${result.usable ? "warn" : "bad"}`, h("b", t("recipe.faults", { n: result.faults.length }))), h("ol.fault-list", result.faults.map((fault) => faultItem(view, fault)))]);
}

function faultItem(view, fault) {
  return h(`li${fault.error ? ".error" : ""}`, h("button.fault", { type: "button", on: { click: () => view.editor.goTo(fault) } },
    h("span.mark.bad", t("recipe.at_line", { line: fault.line })), h("code", fault.key), h("span.message", { lang: "en" }, fault.message), fault.help ? h("span.help.muted", { lang: "en" }, fault.help) : null));
}

async function stage(view) {
  if (!(await needs("maintenance"))) return;
  view.status = await post("/recipes/stage", { file: view.file, text: view.editor.value(), version: live.versions.recipe });
  state(view);
  tell(t("recipe.staged_now", { name: either(view.status.staged.recipe.name) }));
  view.state.querySelector('[data-do="apply"]')?.focus();
}

async function unstage(view) {
  if (!(await needs("maintenance"))) return;
  view.status = await post("/recipes/unstage", { version: live.versions.recipe });
  state(view);
  tell(t("recipe.unstaged_now"));
}

async function apply(view) {
  if (!(await needs("maintenance"))) return;
  const { staged } = view.status;
  if (!(await ask(t("recipe.apply"), t("recipe.apply_ask", { name: either(staged.recipe.name) }), t("recipe.apply")))) return;
  view.status = await post("/recipes/apply", { hash: staged.recipe.hash, version: live.versions.recipe });
  await takeText(view);
  tell(t("recipe.applied_now", { name: either(view.status.in_force.name) }));
}

async function undoApplied(view) {
  if (!(await needs("maintenance"))) return;
  if (!(await ask(t("recipe.undo"), t("recipe.undo_ask", { name: either(view.status.undo.name) }), t("recipe.undo")))) return;
  view.status = await post("/recipes/undo", { version: live.versions.recipe });
  await takeText(view);
  tell(t("recipe.undone_now", { name: either(view.status.in_force.name) }));
}

/** After apply and undo the file's text is the server's. */
async function takeText(view) {
  view.kept = await get(`/recipes/${encodeURIComponent(view.file)}`);
  drafts.delete(view.file);
  view.editor.set(view.kept.text);
  replace(view.effects);
  state(view);
  check(view);
}

async function discard(view) {
  if (!(await ask(t("recipe.discard"), t("recipe.leave"), t("recipe.discard"), "danger"))) return;
  drafts.delete(view.file);
  view.editor.set(view.kept.text);
  check(view);
}

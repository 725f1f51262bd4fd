// Dialogs, form fields, and passing messages. A dialog is the browser's own: it keeps the focus inside, closes on Escape and
// gives the focus back.

import { attribute, h, put, replace } from "./dom.js";
import { icon } from "./icons.js";
import { t, word } from "./words.js";

let number = 0;
/** A fresh id, for labels and what they label. */
export const id = (prefix) => `${prefix}-${++number}`;

/** Opens a dialog; `make(close)` gives its children. Resolves with what `close(value)` was given, or undefined on Escape. */
export function open(title, make, { wide = false, lasting = false } = {}) {
  return new Promise((resolve) => {
    const heading = id("dialog");
    const dialog = h(`dialog${wide ? ".wide" : ""}`, { "aria-labelledby": heading });
    let answer;
    const close = (value) => { answer = value; dialog.close(); };
    dialog.append(put(h("div.inside"), [h("h2", { id: heading }, title), make(close)]));
    dialog.addEventListener("cancel", (event) => { if (lasting) event.preventDefault(); });
    dialog.addEventListener("close", () => { dialog.remove(); resolve(answer); });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** Asks before something is done; true when it was confirmed. */
export function ask(title, sentence, confirm, tone = "primary") {
  return open(title, (close) => [
    h("p", sentence),
    h("div.row.end",
      h("button.button", { type: "button", on: { click: () => close(false) } }, t("do.cancel")),
      h(`button.button.${tone}`, { type: "button", autofocus: true, on: { click: () => close(true) } }, confirm)),
  ]).then(Boolean);
}

/** Asks for a reason in writing; undefined when it was called off. */
export function askReason(title, sentence, confirm, { required = true } = {}) {
  return open(title, (close) => {
    const reason = field({ label: t("word.reason"), name: "reason", required, maxlength: 200 });
    return form([h("p", sentence), reason.element], confirm, close, () => {
      if (required && !reason.input.value.trim()) return reason.wrong(t("form.required"));
      return close(reason.input.value.trim());
    });
  });
}

/** A form within a dialog: its children, its confirm button, what happens on submit. */
export function form(children, confirm, close, submit) {
  return h("form.stack", { novalidate: true, on: { submit: (event) => { event.preventDefault(); submit(); } } },
    children,
    h("div.row.end",
      h("button.button", { type: "button", on: { click: () => close() } }, t("do.cancel")),
      h("button.button.primary", { type: "submit" }, confirm)));
}

/** A labelled field. `wrong(text)` shows what is wrong with it and gives it the focus; an empty text takes that back. */
export function field({ label, name, type = "text", value, hint, unit, options, wide, rows, ...rest }) {
  const own = id(name);
  const tag = options ? "select" : rows ? "textarea" : "input";
  const input = h(`${tag}${unit ? ".with-unit" : ""}`, { id: own, name, type: tag === "input" ? type : undefined, rows, "aria-describedby": `${own}-more`, ...rest },
    options?.map(([key, text]) => h("option", { value: key, selected: key === value }, text)));
  if (value !== undefined && !options) input.value = value;
  const more = h("p.hint", { id: `${own}-more` }, hint ?? "");
  if (rest.required) input.setAttribute("aria-required", "true");
  const element = h(`div.field${wide ? ".wide" : ""}`, h("label", { for: own }, label),
    unit ? h("div.unit-box", input, h("span.unit", unit)) : input, more);
  return {
    element,
    input,
    wrong(text) {
      attribute(input, "aria-invalid", text ? "true" : undefined);
      more.className = text ? "wrong" : "hint";
      replace(more, text || hint || "");
      if (text) input.focus();
    },
  };
}

let toasts;

/** A passing message, read out too. `tone` is "good" or "bad"; a bad one stays longer. */
export function tell(message, tone = "good") {
  if (!toasts?.isConnected) {
    toasts = h("div.toasts", { role: "status", "aria-live": "polite" });
    document.body.append(toasts);
  }
  // Within an open dialog's top layer, or nobody sees it.
  const top = [...document.querySelectorAll("dialog[open]")].pop();
  (top ?? document.body).append(toasts);
  const toast = h(`div.toast.${tone}`, icon(tone === "bad" ? "info" : "tick"), h("span", message));
  toasts.append(toast);
  setTimeout(() => toast.remove(), tone === "bad" ? 9000 : 4500);
}

/** Tells a failed request. */
export const tellError = (error) => tell(error.told ?? word("page.error.unknown", { what: error.message }), "bad");

/** A button that is busy while its work lasts and tells what went wrong. */
export function button(label, work, { kind = "", sign, ...rest } = {}) {
  const element = h(`button.button${kind ? `.${kind}` : ""}`, { type: "button", ...rest }, sign ? icon(sign) : null, label);
  element.addEventListener("click", async () => {
    if (element.getAttribute("aria-busy") === "true") return;
    element.setAttribute("aria-busy", "true");
    try { await work(element); } catch (error) { tellError(error); } finally { element.removeAttribute("aria-busy"); }
  });
  return element;
}

/** Choices of which one holds: `[[value, label], ...]`. */
export function choice(label, options, value, chosen) {
  const buttons = options.map(([key, text]) => h("button", { type: "button", "aria-pressed": String(key === value), on: { click: () => {
    for (const [index, [other]] of options.entries()) buttons[index].setAttribute("aria-pressed", String(other === key));
    chosen(key);
  } } }, text));
  return h("div.choice", { role: "group", "aria-label": label }, buttons);
}

// A plain text editor with line numbers: a textarea, so that tablets, keyboards and screen readers know it, over a layer that
// marks faulty places. Tab leaves it, as everywhere else.

import { id } from "../dialogs.js";
import { attribute, h, replace } from "../dom.js";

/** The editor; `changed()` is called with each change. */
export function editor(label, changed) {
  const own = id("editor");
  const numbers = h("div.editor-numbers", { "aria-hidden": "true" });
  const marks = h("div.editor-marks", { "aria-hidden": "true" });
  const area = h("textarea.editor-text.code", { id: own, "aria-label": label, spellcheck: "false", autocapitalize: "none", autocomplete: "off", wrap: "off", lang: "en" });
  const element = h("div.editor", numbers, h("div.editor-body", marks, area));
  let faults = [];
  const number = () => {
    const lines = area.value.split("\n").length;
    const wrong = new Map(faults.map((fault) => [fault.line, fault.error]));
    const key = `${lines} ${JSON.stringify([...wrong])}`;
    if (numbers.dataset.key === key) return;
    numbers.dataset.key = key;
    replace(numbers, Array.from({ length: lines }, (_, index) => h(`span${wrong.has(index + 1) ? (wrong.get(index + 1) ? ".wrong" : ".warning") : ""}`, index + 1)));
  };
  const mark = () => {
    const lines = area.value.split("\n");
    replace(marks, lines.map((line, index) => {
      const here = faults.find((fault) => fault.line === index + 1);
      if (!here) return `${line}\n`;
      const letters = [...line];
      const start = Math.max(0, here.column - 1);
      const end = Math.min(letters.length, start + Math.max(1, here.width));
      return [letters.slice(0, start).join(""), h(`mark${here.error ? "" : ".warning"}`, letters.slice(start, end).join("") || " "), letters.slice(end).join(""), "\n"];
    }));
  };
  const follow = () => {
    marks.style.transform = `translate(${-area.scrollLeft}px, ${-area.scrollTop}px)`;
    numbers.style.transform = `translateY(${-area.scrollTop}px)`;
  };
  area.addEventListener("input", () => { faults = []; number(); mark(); changed(); });
  area.addEventListener("scroll", follow);
  return { element,
    value: () => area.value,
    set(value) { area.value = value; faults = []; number(); mark(); },
    faults(list) {
      faults = list;
      attribute(area, "aria-invalid", list.some((fault) => fault.error) ? "true" : undefined);
      number();
      mark();
      follow();
    },
    goTo(fault) {
      const lines = area.value.split("\n");
      const before = lines.slice(0, fault.line - 1).reduce((sum, line) => sum + line.length + 1, 0);
      const letters = [...(lines[fault.line - 1] ?? "")];
      const from = before + letters.slice(0, fault.column - 1).join("").length;
      area.focus();
      area.setSelectionRange(from, from + letters.slice(fault.column - 1, fault.column - 1 + Math.max(1, fault.width)).join("").length);
      const height = parseFloat(getComputedStyle(area).lineHeight);
      area.scrollTop = Math.max(0, (fault.line - 6) * height);
      follow();
    } };
}

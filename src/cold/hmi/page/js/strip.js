// The strip under the top bar: the gravest alarm that nobody has acknowledged, with a button to acknowledge it, in every view.

import { post } from "./api.js";
import { button, tell } from "./dialogs.js";
import { h, replaceWhen } from "./dom.js";
import { icon, priority } from "./icons.js";
import { live, loadAlarms, on } from "./live.js";
import { address } from "./router.js";
import { needs } from "./session.js";
import { either, languageNow, t, word } from "./words.js";

/** Alarm priorities as numbers: 1 is the gravest. */
export const level = { critical: 1, high: 2, medium: 3, low: 4 };
/** Whether nobody has acknowledged it. */
export const waits = (alarm) => alarm.state === "unacknowledged" || alarm.state === "returned_unacknowledged";

/** Acknowledges an alarm, after a login if one is wanting. */
export async function acknowledge(alarm) {
  if (!(await needs("operator"))) return;
  await post(`/alarms/${encodeURIComponent(alarm.id)}/acknowledge`);
  await loadAlarms();
  tell(t("alarm.acknowledged_now", { name: either(alarm.name) }));
}

let ended = () => {};

/** The strip; `element` keeps itself up to date. */
export function strip() {
  ended();
  const element = h("div.band", { role: "region", "aria-label": t("alarm.strip"), "aria-live": "polite" });
  const update = () => {
    const { alarms, flood } = live.alarms;
    const active = alarms.filter((alarm) => alarm.state !== "shelved" && alarm.state !== "suppressed" && alarm.state !== "out_of_service");
    const waiting = active.filter(waits);
    const first = waiting[0] ?? null;
    element.className = `band${first ? ` p${level[first.priority]}` : ""}`;
    replaceWhen(element, [languageNow(), first?.id, first?.state, first?.times, waiting.length, active.length, flood], () => {
      if (!first) return [icon("tick"), h("p.what.quiet", active.length ? t("alarm.all_seen", { n: active.length }) : t("alarm.none")), all(active.length)];
      return [
        priority(level[first.priority], false, word(`priority.${first.priority}`)),
        h("p.what", h("b", either(first.name), either(first.place) ? ` · ${either(first.place)}` : ""), h("span", flood ? `${t("alarm.flood")} · ` : "", either(first.action))),
        waiting.length > 1 ? h("span.mark.calm", t("alarm.more", { n: waiting.length - 1 })) : null,
        button(t("alarm.acknowledge"), () => acknowledge(first), { "data-do": "acknowledge" }),
        all(active.length),
      ];
    });
  };
  ended = on("alarms", update);
  update();
  return { element };
}

const all = (n) => (n ? h("a.button.plain", { href: address("alarms"), "aria-label": t("alarm.all") }, h("span.wide", t("alarm.all")), icon("next")) : null);

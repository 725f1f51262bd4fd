// What can be done with a bin: keep pearls out, let them in again, say that an empty one stands there, end its quarantine.

import { post } from "../api.js";
import { ask, button, open, tell, tellError } from "../dialogs.js";
import { h } from "../dom.js";
import { count, mass, percent } from "../figures.js";
import { icon } from "../icons.js";
import { live, takeLine } from "../live.js";
import { needs } from "../session.js";
import { either, t, word } from "../words.js";

const actions = ["inhibit", "release", "changed", "end_quarantine"];
/** What the bin's state leaves open. */
const offered = { ready: ["inhibit", "changed"], inhibited: ["release", "changed"], quarantined: ["end_quarantine", "inhibit"], full: ["changed", "inhibit"], missing: ["changed", "inhibit"] };

/** Opens the dialog of a bin; of the tray, why its pearls are there. */
export function binDialog(number) {
  const bin = live.line.bins.find((each) => each.bin === number);
  if (number === 0) return trayDialog(bin);
  return open(`${t("bin.number", { n: number })} · ${either(bin.name)}`, (close) => [
    h("p.row", h(`span.mark.${bin.state === "ready" ? "calm" : "warn"}`, icon(bin.state === "ready" ? "tick" : bin.state), word(`bin.${bin.state}`)), h("span.muted", t(`bin_hint.${bin.state}`))),
    h("dl.pairs", h("dt", t("word.pearls")), h("dd", count(bin.pearls)), h("dt", t("word.mass")), h("dd", mass(bin.mass_mg)), h("dt", t("word.share")), h("dd", percent(bin.share)),
      bin.fill === null ? null : [h("dt", t("word.fill")), h("dd", percent(bin.fill, 0))]),
    h("div.row.end", button(t("do.close"), () => close(), { kind: "plain" }),
      actions.filter((action) => offered[bin.state].includes(action)).map((action) => button(t(`bin_do.${action}`), () => act(number, action, close), { "data-bin-do": action }))),
  ]);
}

async function act(number, action, close) {
  close();
  try {
    if (!(await needs(action === "end_quarantine" ? "maintenance" : "operator"))) return;
    if (action !== "inhibit" && !(await ask(t(`bin_do.${action}`), t(`bin_ask.${action}`, { n: number }), t(`bin_do.${action}`)))) return;
    takeLine(await post(`/bins/${number}`, action === "inhibit" ? { action } : { action, version: live.versions.line }));
    tell(t(`bin_done.${action}`, { n: number }));
  } catch (error) {
    tellError(error);
  }
}

function trayDialog(bin) {
  const causes = live.line.causes;
  return open(t("word.tray"), (close) => [
    h("p", t("bin.tray_hint")),
    h("dl.pairs", h("dt", t("word.pearls")), h("dd", count(bin?.pearls)), h("dt", t("word.mass")), h("dd", mass(bin?.mass_mg))),
    h("h3", t("word.causes")),
    h("dl.pairs", causes.map((each) => [h("dt", either(each.name)), h("dd", count(each.pearls))])),
    h("div.row.end", button(t("do.close"), () => close(), { kind: "plain" })),
  ]);
}

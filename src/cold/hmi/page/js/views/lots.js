// Lots: the list, the open one first; opening, closing; one lot's page; its report to print.

import { get } from "../api.js";
import { button } from "../dialogs.js";
import { h, replace, useStyle } from "../dom.js";
import { count, mass, moment } from "../figures.js";
import { live, on } from "../live.js";
import { address, go } from "../router.js";
import { t } from "../words.js";
import { closeLot, openLot } from "./lot-forms.js";
import { showReport } from "./report.js";

/** Lots a page of the list. */
const MOST = 50;

/** Shows the list, or with a number the lot's report. */
export async function show(root, [lot]) {
  useStyle("views");
  if (lot) return showReport(root, lot);
  const rows = h("tbody");
  const more = h("div.row.end");
  const open = button(t("lot.open"), () => openLot(), { kind: "primary", sign: "plus", "data-do": "open-lot" });
  root.append(h("header", h("h1", t("nav.lots")), open),
    h("div.card.scroll", { tabindex: "0", role: "region", "aria-label": t("nav.lots") }, h("table.lots",
      h("thead", h("tr", [["number"], ["farm"], ["harvest_date"], ["customer"], ["operator"]].map(([name]) => h("th", { scope: "col" }, t(`lot.${name}`))),
        h("th.number", { scope: "col" }, t("lot.pearls")), h("th.number", { scope: "col" }, t("word.mass_binned")), h("th", { scope: "col" }, t("lot.opened")), h("th", { scope: "col" }, t("lot.closed")), h("th", h("span.hidden-visually", t("lot.report"))))),
      rows), more));
  let version;
  const load = async (before) => {
    const list = await get(`/lots?most=${MOST}${before ? `&before=${before}` : ""}`);
    if (!before) replace(rows);
    if (!before && list.length === 0) rows.append(h("tr", h("td.empty", { colspan: 10 }, t("lot.empty"))));
    for (const each of list) rows.append(row(each));
    replace(more, list.length === MOST ? button(t("do.more"), () => load(list[list.length - 1].lot)) : null);
  };
  version = live.versions.lot;
  await load().catch((error) => replace(rows, h("tr", h("td", { colspan: 10 }, error.told))));
  return on("line", () => {
    open.hidden = Boolean(live.line.lot);
    if (live.versions.lot === version) return;
    version = live.versions.lot;
    load().catch(() => {});
  });
}

function row(lot) {
  return h("tr", { data: { lot: lot.lot } },
    h("th", { scope: "row" }, h("a.link", { href: address("lots", String(lot.lot), "report") }, lot.number)),
    h("td", lot.farm), h("td.figure", lot.harvest_date), h("td", lot.customer), h("td", lot.operator),
    h("td.number", count(lot.pearls)), h("td.number", mass(lot.binned_mg)), h("td.figure", moment(lot.opened_at_ms)),
    h("td.figure", lot.closed_at_ms === null ? h("span.mark.info", t("lot.is_open")) : moment(lot.closed_at_ms)),
    h("td", lot.closed_at_ms === null
      ? button(t("lot.close"), () => closeLot(lot.lot), { "data-do": "close-lot" })
      : button(t("lot.report"), () => go("lots", String(lot.lot), "report"), { kind: "plain" })));
}

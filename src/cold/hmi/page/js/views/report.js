// A lot's report, on the screen and on paper: who and what; that in = binned + recirculated + lost; sums by grade and class;
// recipes, calibrations and changes that it rests on.

import { get } from "../api.js";
import { button } from "../dialogs.js";
import { h } from "../dom.js";
import { count, fixed, mass, measure, moment, percent } from "../figures.js";
import { icon } from "../icons.js";
import { live } from "../live.js";
import { address } from "../router.js";
import { either, t } from "../words.js";
import { closeLot } from "./lot-forms.js";

/** Shows the report of a lot. */
export async function showReport(root, number) {
  const id = encodeURIComponent(number);
  let report;
  try {
    report = await get(`/lots/${id}/report`);
  } catch (error) {
    root.append(h("header", h("h1", t("report.title"))), h("p.note.bad", error.told));
    return;
  }
  const { lot } = report;
  root.append(
    h("header.no-print", h("a.button.plain", { href: address("lots") }, icon("back"), t("nav.lots")), h("span.grow"),
      lot.closed_at_ms === null ? button(t("lot.close"), () => closeLot(lot.lot), { "data-do": "close-lot" }) : null,
      h("a.button", { href: `/api/v1/lots/${id}/export?form=csv`, download: `${lot.number}.csv` }, icon("save"), t("report.export_csv")),
      h("a.button", { href: `/api/v1/lots/${id}/export?form=parquet`, download: `${lot.number}.parquet` }, icon("save"), t("report.export_parquet")),
      button(t("do.print"), () => print(), { kind: "primary", sign: "print" })),
    h("article.card.report",
      head(report), balance(report), grades(report),
      h("div.report-columns", classes(report), causes(report)),
      recipes(report), calibrations(report), changes(report), foot(report)));
}

/** A part of the report: on a phone it scrolls by itself, so it can be reached by the keyboard. */
const part = (title, ...children) => h("section", { tabindex: "0", role: "region", "aria-label": title }, h("h2", title), children);

function head({ lot, made_at_ms: made, adds_up: whole, records_dropped: dropped }) {
  const pair = (label, value) => [h("dt", label), h("dd", value || "–")];
  return h("header.report-head",
    h("div.report-title", h("img", { src: "/pearl.svg", alt: "", width: 44, height: 44 }),
      h("div", h("p.muted", live.layout ? either(live.layout.name) : ""), h("h1", `${t("report.title")} ${lot.number}`)),
      h("p.muted.figure", `${t("report.made")} ${moment(made, true)}`)),
    h("dl.pairs.left.two",
      pair(t("lot.farm"), lot.farm), pair(t("lot.harvest_date"), lot.harvest_date), pair(t("lot.customer"), lot.customer), pair(t("lot.operator"), lot.operator),
      pair(t("lot.mass_in"), mass(lot.mass_in_mg)), pair(t("lot.count_in"), count(lot.count_in)),
      pair(t("lot.opened"), moment(lot.opened_at_ms, true)), pair(t("lot.closed"), lot.closed_at_ms === null ? t("lot.is_open") : moment(lot.closed_at_ms, true))),
    h(`p.note.${whole ? "good" : "bad"}`, { "data-adds-up": String(whole) }, h("b", whole ? t("report.adds_up") : t("report.adds_not")),
      lot.closed_at_ms === null ? ` ${t("report.still_open", { n: count(lot.passes.in_flight) })}` : ""),
    dropped ? h("p.note.warn", t("report.dropped", { n: count(dropped) })) : null);
}

function balance({ lot, ...report }) {
  const { passes } = lot;
  const row = (name, pearls, milligrams, kind = "td") => h(`tr${kind === "th" ? ".sum" : ""}`, { data: { count: name } }, h("th", { scope: "row" }, name === "seen" ? t("report.seen") : t(`count.${name}`)),
    h("td.number", count(pearls)), h("td.number", percent(passes.entered ? pearls / passes.entered : null)), h("td.number", milligrams === undefined ? "" : mass(milligrams)));
  return part(t("report.balance"), h("table.dense",
    h("thead", h("tr", h("th", { scope: "col" }, t("report.kind")), h("th.number", { scope: "col" }, t("lot.passes")), h("th.number", { scope: "col" }, t("word.share")), h("th.number", { scope: "col" }, t("word.mass")))),
    h("tbody", row("binned", passes.binned, report.mass_binned_mg), row("recirculated", passes.recirculated, report.mass_recirculated_mg), row("lost", passes.lost, report.mass_lost_mg),
      passes.in_flight ? row("in_flight", passes.in_flight) : null),
    h("tfoot", row("entered", passes.entered, report.mass_seen_mg, "th"))),
  h("dl.pairs.left.one", h("dt", t("lot.pearls")), h("dd", h("b", count(lot.pearls)), " ", h("span.muted", t("report.passes_hint"))),
    report.mass_missing_mg === null ? null : [h("dt", t("report.missing")), h("dd", mass(report.mass_missing_mg))],
    h("dt", t("word.high_grade_rate")), h("dd", h("b", percent(report.high_grade_share)))));
}

function grades(report) {
  const priced = report.grades.some((grade) => grade.value !== null);
  const sum = (name) => report.grades.reduce((total, grade) => total + (grade[name] ?? 0), 0);
  const money = (value) => (value === null ? "–" : `${fixed(value, 2)} ${report.currency ?? ""}`);
  return part(t("report.grades"), h("table.dense",
    h("thead", h("tr", h("th", { scope: "col" }, t("word.bin")), h("th", { scope: "col" }, t("word.grade")), h("th.number", { scope: "col" }, t("word.pearls")), h("th.number", { scope: "col" }, t("word.share")),
      h("th.number", { scope: "col" }, t("word.mass")), h("th.number", { scope: "col" }, t("report.mean_diameter")), priced ? h("th.number", { scope: "col" }, t("report.value")) : null)),
    h("tbody", report.grades.map((grade) => h("tr", { data: { grade: grade.bin } }, h("td.figure", grade.bin), h("th", { scope: "row" }, either(grade.name), grade.high_grade ? h("span.high", ` ${t("word.high")}`) : null),
      h("td.number", count(grade.pearls)), h("td.number", percent(grade.share)), h("td.number", mass(grade.mass_mg)), h("td.number", measure(grade.mean_diameter_mm, 2, "mm")), priced ? h("td.number", money(grade.value)) : null))),
    h("tfoot", h("tr", { data: { grade: "sum" } }, h("td"), h("th", { scope: "row" }, t("report.sum")), h("td.number", count(sum("pearls"))), h("td.number", percent(sum("pearls") ? sum("share") : null)), h("td.number", mass(sum("mass_mg"))), h("td"),
      priced ? h("td.number", money(sum("value"))) : null))));
}

function classes({ classes: list }) {
  const groups = new Map();
  for (const each of list) {
    const name = either(each.property);
    groups.set(name, [...(groups.get(name) ?? []), each]);
  }
  return part(t("report.classes"), h("div.class-groups", [...groups].map(([name, rows]) => h("table.dense",
    h("caption", name), h("thead.hidden-visually", h("tr", h("th", { scope: "col" }, t("word.class")), h("th", { scope: "col" }, t("word.pearls")))),
    h("tbody", rows.map((each) => h("tr", h("th", { scope: "row" }, each.class), h("td.number", count(each.pearls)))))))));
}

function causes({ causes: list }) {
  return part(t("word.causes"), list.length === 0 ? h("p.muted", t("word.none")) : h("table.dense",
    h("tbody", list.map((each) => h("tr", h("th", { scope: "row" }, either(each.name)), h("td.number", count(each.pearls))))),
    h("tfoot", h("tr", h("th", { scope: "row" }, t("report.sum")), h("td.number", count(list.reduce((total, each) => total + each.pearls, 0)))))));
}

function recipes({ recipes: list }) {
  return part(t("report.recipes"), h("table.dense",
    h("thead", h("tr", h("th", { scope: "col" }, t("word.recipe")), h("th", { scope: "col" }, t("report.hash")), h("th", { scope: "col" }, t("report.from")), h("th.number", { scope: "col" }, t("lot.passes")))),
    h("tbody", list.map((each) => h("tr", h("th", { scope: "row" }, either(each.name)), h("td", h("code", each.hash)), h("td.figure", moment(each.from_ms, true)), h("td.number", count(each.passes)))))));
}

function calibrations({ calibrations: list }) {
  return part(t("report.calibrations"), list.length === 0 ? h("p.muted", t("word.none")) : h("table.dense",
    h("thead", h("tr", [t("nav.calibration"), t("calibration.subject"), t("word.time"), t("word.who"), t("report.result"), t("report.residual")].map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", list.map((each) => h("tr", h("th", { scope: "row" }, t(`calibration_kind.${each.kind}`)), h("td", either(each.subject)), h("td.figure", each.at_ms === null ? t("calibration.never") : moment(each.at_ms, true)), h("td", each.by), h("td", each.result), h("td", each.residual))))));
}

function changes({ audit, audit_hash: hash }) {
  return part(t("report.audit"), audit.length === 0 ? h("p.muted", t("report.no_changes")) : h("table.dense",
    h("thead", h("tr", h("th.number", { scope: "col" }, "#"), [t("word.time"), t("word.who"), t("word.what"), t("admin.subject"), t("admin.before"), t("admin.after")].map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", audit.map((each) => h("tr", h("td.number", each.number), h("td.figure", moment(each.at_ms, true)), h("td", each.by), h("td", h("code", each.action)), h("td.wrap", each.subject), h("td.wrap", each.before), h("td.wrap", each.after))))),
  h("p.hash", h("span.muted", t("report.audit_hash")), " ", h("code", hash)));
}

function foot({ lot }) {
  return h("footer.report-foot.print-only", h("p", `${t("lot.operator")}  ${lot.operator}`), h("p", t("report.signed"), h("span.signature")));
}

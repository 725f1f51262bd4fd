// Opening and closing a lot, from wherever the operator stands.

import { post } from "../api.js";
import { ask, field, form, open, tell } from "../dialogs.js";
import { h } from "../dom.js";
import { date } from "../figures.js";
import { live } from "../live.js";
import { go } from "../router.js";
import { needs, sessionNow } from "../session.js";
import { t } from "../words.js";

/** A number as typed, with a comma or a point before the decimals; null when empty, undefined when it is none. */
function typed(input) {
  const value = input.value.trim().replace(/[\s\u202f]/g, "").replace(",", ".");
  if (value === "") return null;
  return /^\d+(\.\d+)?$/.test(value) ? Number(value) : undefined;
}

/** The dialog that opens a lot. */
export async function openLot() {
  if (!(await needs("operator"))) return;
  await open(t("lot.open"), (close) => {
    const number = field({ label: t("lot.number"), name: "number", required: true, maxlength: 64, autofocus: true });
    const farm = field({ label: t("lot.farm"), name: "farm", required: true, maxlength: 100 });
    const harvest = field({ label: t("lot.harvest_date"), name: "harvest_date", type: "date", max: date(Date.now()) });
    const customer = field({ label: t("lot.customer"), name: "customer", maxlength: 100 });
    const mass = field({ label: t("lot.mass_in"), name: "mass_in", unit: "g", inputmode: "decimal" });
    const counted = field({ label: t("lot.count_in"), name: "count_in", unit: t("unit.pearl"), inputmode: "numeric" });
    return form([h("div.fields", number.element, farm.element, harvest.element, customer.element, mass.element, counted.element),
      h("p.muted", t("lot.operator_is", { user: sessionNow().user }))], t("lot.open"), close, async () => {
      for (const each of [number, farm, mass, counted]) each.wrong("");
      if (!number.input.value.trim()) return number.wrong(t("form.required"));
      if (!farm.input.value.trim()) return farm.wrong(t("form.required"));
      const grams = typed(mass.input);
      const pearls = typed(counted.input);
      if (grams === undefined) return mass.wrong(t("form.number"));
      if (pearls === undefined || (pearls !== null && !Number.isInteger(pearls))) return counted.wrong(t("form.whole"));
      try {
        await post("/lots", { lot: { number: number.input.value.trim(), farm: farm.input.value.trim(), harvest_date: harvest.input.value, customer: customer.input.value.trim(),
          mass_in_mg: grams === null ? null : grams * 1000, count_in: pearls }, version: live.versions.lot });
        close(true);
        tell(t("lot.opened_now", { number: number.input.value.trim() }));
      } catch (error) {
        number.wrong(error.told ?? String(error));
      }
    });
  });
}

/** Closes a lot after asking, and shows its report. */
export async function closeLot(lot) {
  if (!(await needs("operator"))) return;
  if (!(await ask(t("lot.close"), t("lot.close_ask"), t("lot.close")))) return;
  const closed = await post(`/lots/${lot}/close`, { version: live.versions.lot });
  tell(t("lot.closed_now", { number: closed.number }));
  go("lots", String(lot), "report");
}

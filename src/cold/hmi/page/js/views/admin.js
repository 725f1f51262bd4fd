// Users and the audit trail. Who may do what is the administrator's; the trail is chained by hash and can be verified here.

import { get, post, putTo, remove } from "../api.js";
import { ask, button, field, form, open, tell } from "../dialogs.js";
import { h, replace, useStyle } from "../dom.js";
import { count, moment } from "../figures.js";
import { icon } from "../icons.js";
import { live } from "../live.js";
import { go } from "../router.js";
import { may, needs, sessionNow } from "../session.js";
import { either, t } from "../words.js";

const MOST = 50;
const rights = ["view", "operator", "maintenance", "admin"];

/** Shows users, or the trail. */
export async function show(root, [which]) {
  useStyle("views");
  const tab = which === "audit" ? "audit" : "users";
  const head = h("header", h("h1", t("nav.admin")), h("div.tabs", { role: "tablist", "aria-label": t("nav.admin") },
    ["users", "audit"].map((name) => h("button", { type: "button", role: "tab", "aria-selected": String(name === tab), "data-tab": name, on: { click: () => go("admin", ...(name === "audit" ? ["audit"] : [])) } }, t(`admin.${name}`)))));
  const body = h("div.stack");
  root.append(head, body);
  const wanted = tab === "audit" ? "maintenance" : "admin";
  if (!may(wanted)) {
    replace(body, h("div.empty.card", icon("admin"), h("p", t("admin.needs", { right: t(`right.${wanted}`) })), button(t("session.login"), () => needs(wanted), { kind: "primary" })));
    return;
  }
  await (tab === "audit" ? showAudit(body) : showUsers(body)).catch((error) => replace(body, h("p.note.bad", error.told ?? String(error))));
}

async function showUsers(body) {
  const [users, about] = await Promise.all([get("/users"), get("/about")]);
  replace(body,
    h("div.row.end", button(t("admin.new_user"), () => userDialog(body), { kind: "primary", sign: "plus", "data-do": "new-user" })),
    h("div.card.scroll", { tabindex: "0", role: "region", "aria-label": t("admin.users") }, h("table",
      h("thead", h("tr", [t("admin.name"), t("admin.right"), t("admin.last_login"), ""].map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", users.map((user) => h("tr", { data: { user: user.name } }, h("th", { scope: "row" }, user.name, user.password_is_initial ? [" ", h("span.mark.warn", icon("quarantined"), t("admin.initial"))] : null), h("td", t(`right.${user.right}`)),
        h("td.figure", user.last_login_ms === null ? t("admin.never") : moment(user.last_login_ms)),
        h("td", h("div.row.end", button(t("admin.change"), () => userDialog(body, user), { "data-do": "change-user", "aria-label": `${t("admin.change")}: ${user.name}` }),
          user.name === sessionNow().user ? null : button(t("do.remove"), () => removeUser(body, user), { kind: "plain", "aria-label": `${t("do.remove")}: ${user.name}` })))))))),
    h("section.card", h("h2", t("admin.about")), h("dl.pairs.left", h("dt", about.program), h("dd", about.version), h("dt", t("admin.watchers")), h("dd.figure", `${count(about.watchers)} / ${count(about.most_watchers)}`))));
}

async function removeUser(body, user) {
  if (!(await ask(t("do.remove"), t("admin.remove_ask", { name: user.name }), t("do.remove"), "danger"))) return;
  await remove(`/users/${encodeURIComponent(user.name)}`, { version: live.versions.users });
  tell(t("admin.removed", { name: user.name }));
  await showUsers(body);
}

function userDialog(body, user) {
  return open(user ? user.name : t("admin.new_user"), (close) => {
    const name = field({ label: t("admin.name"), name: "name", required: true, maxlength: 32, autocomplete: "off", autocapitalize: "none" });
    const right = field({ label: t("admin.right"), name: "right", value: user?.right ?? "operator", options: rights.map((each) => [each, t(`right.${each}`)]) });
    const password = field({ label: t("session.password"), name: "password", type: "password", required: !user, autocomplete: "new-password", hint: user ? t("admin.password_keep") : t("session.password_hint") });
    return form([user ? null : name.element, right.element, password.element], t("do.save"), close, async () => {
      name.wrong("");
      password.wrong("");
      const secret = password.input.value;
      if (!user && !name.input.value.trim()) return name.wrong(t("form.required"));
      if ((!user || secret) && secret.length < 10) return password.wrong(t("session.password_hint"));
      try {
        if (user) await putTo(`/users/${encodeURIComponent(user.name)}`, { right: right.input.value, password: secret || null, version: live.versions.users });
        else await post("/users", { name: name.input.value.trim(), right: right.input.value, password: secret, version: live.versions.users });
        close();
        tell(t("admin.saved"));
        await showUsers(body);
      } catch (error) {
        (user ? password : name).wrong(error.told ?? String(error));
      }
    });
  });
}

async function showAudit(body) {
  const rows = h("tbody");
  const more = h("div.row.end");
  const verdict = h("div", { role: "status" });
  replace(body,
    h("div.row", button(t("admin.verify"), async () => {
      const told = await get("/audit/verify");
      replace(verdict, h(`p.note.${told.holds ? "good" : "bad"}`, icon(told.holds ? "tick" : "cross"), either(told.text)));
    }, { kind: "primary", sign: "admin", "data-do": "verify" })), verdict,
    h("div.card.scroll", { tabindex: "0", role: "region", "aria-label": t("admin.audit") }, h("table.dense",
      h("thead", h("tr", h("th.number", { scope: "col" }, "#"), [t("word.time"), t("word.who"), t("word.what"), t("admin.subject"), t("admin.before"), t("admin.after"), t("report.hash")].map((name) => h("th", { scope: "col" }, name)))), rows), more));
  const load = async (before) => {
    const page = await get(`/audit?most=${MOST}${before ? `&before=${before}` : ""}`);
    for (const each of page.entries) {
      rows.append(h("tr", h("td.number", each.number), h("td.figure", moment(each.at_ms)), h("td", each.by, each.from ? h("small.muted.below", each.from) : null), h("td", h("code", each.action)), h("td.wrap", each.subject), h("td.wrap", each.before), h("td.wrap", each.after), h("td", h("code.muted", each.hash.slice(0, 12)))));
    }
    replace(more, page.next_before === null ? null : button(t("do.more"), () => load(page.next_before)));
  };
  await load();
}

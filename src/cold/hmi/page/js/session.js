// Who is at the page and what they may do; logging in and out; the session's end, told clearly. Words: a "right" is one of
// view, operator, maintenance, admin, each with those before.

import { get, onEnded, post, remove, useToken } from "./api.js";
import { ask, field, form, open, tell } from "./dialogs.js";
import { h } from "./dom.js";
import { t } from "./words.js";

const order = ["view", "operator", "maintenance", "admin"];
let session = { user: null, right: null };
let listeners = [];
let asking = null;

/** The session as the server told it last. */
export const sessionNow = () => session;
/** Whether the user has at least that right. */
export const may = (right) => order.indexOf(session.right) >= order.indexOf(right);
/** Called whenever another user, or none, is there. */
export const onSession = (listener) => { listeners.push(listener); };

function take(told) {
  const other = told.user !== session.user || told.right !== session.right;
  session = told;
  useToken(told.csrf_token);
  if (other) for (const listener of listeners) listener(session);
}

/** Asks the server who is there. */
export async function loadSession() {
  take(await get("/session"));
  return session;
}

/** Makes sure of a right: asks for a login where it is wanting. True when it is there. */
export async function needs(right) {
  if (may(right)) return true;
  if (session.user) {
    tell(t("session.not_allowed", { right: t(`right.${right}`), user: session.user }), "bad");
    const change = await ask(t("session.other_user"), t("session.not_allowed", { right: t(`right.${right}`), user: session.user }), t("session.login"));
    if (!change) return false;
  }
  await login();
  return may(right);
}

/** The login dialog; one at a time. True when somebody logged in. */
export function login(reason) {
  asking ??= open(t("session.login"), (close) => loginForm(close, reason)).finally(() => { asking = null; });
  return asking;
}

function loginForm(close, reason) {
  const user = field({ label: t("session.user"), name: "user", autocomplete: "username", required: true, maxlength: 64, autocapitalize: "none", spellcheck: "false" });
  const password = field({ label: t("session.password"), name: "password", type: "password", autocomplete: "current-password", required: true, maxlength: 200 });
  return form([reason ? h("p.note.warn", reason) : null, user.element, password.element], t("session.login"), close, async () => {
    user.wrong("");
    password.wrong("");
    if (!user.input.value.trim()) return user.wrong(t("form.required"));
    if (!password.input.value) return password.wrong(t("form.required"));
    try {
      take(await post("/session", { user: user.input.value.trim(), password: password.input.value }));
      close(true);
      tell(t("session.welcome", { user: session.user, right: t(`right.${session.right}`) }));
      if (session.password_is_initial) changePassword(t("session.initial"));
    } catch (error) {
      password.wrong(error.told ?? String(error));
    }
  });
}

/** Logs out. */
export async function logout() {
  await remove("/session");
  await loadSession();
  tell(t("session.goodbye"));
}

/** The dialog for a new password. */
export function changePassword(reason) {
  return open(t("session.change_password"), (close) => {
    const old = field({ label: t("session.password_old"), name: "old", type: "password", autocomplete: "current-password", required: true });
    const fresh = field({ label: t("session.password_new"), name: "new", type: "password", autocomplete: "new-password", required: true, hint: t("session.password_hint") });
    return form([reason ? h("p.note.warn", reason) : null, old.element, fresh.element], t("do.save"), close, async () => {
      old.wrong("");
      fresh.wrong("");
      if (fresh.input.value.length < 10) return fresh.wrong(t("session.password_hint"));
      try {
        await post("/session/password", { old: old.input.value, new: fresh.input.value });
        close(true);
        tell(t("session.password_changed"));
        await loadSession();
      } catch (error) {
        old.wrong(error.told ?? String(error));
      }
    });
  });
}

/** Finds out whether the session has ended, tells it, and asks for a login where one is needed. */
export async function checkEnded() {
  const had = session.user;
  if (asking) return;
  await loadSession().catch(() => { /* No connection: that is told elsewhere. */ });
  if (!session.user && (had || !session.right)) login(had ? t("session.ended", { user: had }) : t("session.wanted"));
}

onEnded(checkEnded);

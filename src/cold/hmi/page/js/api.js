// Every request to the program's API passes here: the CSRF token, errors in the reader's language, the session's end.

import { languageNow, t } from "./words.js";

let token = "";
let ended = () => {};
let changed = async () => {};

/** The session's CSRF token, sent with every request that changes something. */
export const useToken = (value) => { token = value ?? ""; };
/** What to do after a change, before its answer is used: the numbers of versions are read again, since the next change carries them. */
export const onChanged = (listener) => { changed = listener; };
/** What to do when the server says that there is no session. */
export const onEnded = (listener) => { ended = listener; };

/** A request that was refused or did not get through: `told` is what to show, `code` what the server called it. */
export class Refused extends Error {
  constructor(status, code, told, body) {
    super(told);
    Object.assign(this, { status, code, told, body });
  }
}

/** Paths whose changes count a version up. */
const versioned = /^\/(line|bins|lots|recipes\/(stage|unstage|apply|undo)|calibration|users)/;

async function request(method, path, body) {
  const headers = { Accept: "application/json" };
  if (method !== "GET") headers["x-csrf-token"] = token;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(`/api/v1${path}`, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), credentials: "same-origin", cache: "no-store" });
  } catch {
    throw new Refused(0, "no_connection", t("error.no_connection"));
  }
  const kind = response.headers.get("Content-Type") ?? "";
  const answer = kind.includes("json") ? await response.json().catch(() => null) : await response.text();
  if (response.ok) {
    if (versioned.test(path) && method !== "GET") await changed();
    return answer;
  }
  const told = answer?.[`message_${languageNow()}`] ?? t("error.status", { status: response.status });
  if (response.status === 401 && !(method === "POST" && path === "/session")) ended();
  throw new Refused(response.status, answer?.code ?? "", told, answer);
}

export const get = (path) => request("GET", path);
export const post = (path, body = {}) => request("POST", path, body);
export const putTo = (path, body = {}) => request("PUT", path, body);
export const remove = (path, body) => request("DELETE", path, body);

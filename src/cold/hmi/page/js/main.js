// Starts the page: words, session, frame, stream. The frame then shows the view that the address names.

import { connect, loadLine, on } from "./live.js";
import { checkEnded, loadSession, login, onSession, sessionNow } from "./session.js";
import { frame } from "./shell.js";
import { loadWords, t } from "./words.js";

async function start() {
  try {
    await Promise.all([loadWords(), loadSession().then((session) => (session.right ? loadLine() : undefined))]);
  } catch {
    // Both languages, since neither is loaded.
    document.getElementById("app").textContent = "正在连接分选线… Connecting to the line…";
    setTimeout(start, 1500);
    return;
  }
  frame(document.getElementById("app"));
  connect(() => Boolean(sessionNow().right));
  onSession(() => connect());
  on("bye", checkEnded);
  if (!sessionNow().right) login(t("session.wanted"));
}

start();

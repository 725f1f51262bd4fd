// The dock: the line's state in a word, why it stands, and the commands. The three big buttons keep their places: what brings
// the line on, hold, stop. One that the state does not allow can still be pressed: the line then says why it refuses.

import { post } from "./api.js";
import { ask, button, open, tell, tellError } from "./dialogs.js";
import { attribute, h, replaceWhen, text } from "./dom.js";
import { lasted } from "./figures.js";
import { icon } from "./icons.js";
import { live, on, takeLine } from "./live.js";
import { needs } from "./session.js";
import { either, languageNow, t, word } from "./words.js";

/** How a state looks: tone of the sign, its icon. */
const looks = {
  execute: ["moving", "play"], starting: ["moving", "play"], unholding: ["moving", "play"], unsuspending: ["moving", "play"], resetting: ["rest", "reset"],
  completing: ["moving", "finish"], complete: ["rest", "finish"], idle: ["rest", "idle"], stopped: ["rest", "stop"], stopping: ["rest", "stop"],
  holding: ["held", "pause"], held: ["held", "pause"], suspending: ["held", "wait"], suspended: ["held", "wait"],
  aborting: ["aborted", "abort"], aborted: ["aborted", "abort"], clearing: ["rest", "clear"], undefined: ["rest", "idle"],
};
/** What brings the line on, most wanted first; the first that is allowed is the big button. */
const onward = ["clear", "reset", "start", "unhold", "unsuspend"];
const signs = { start: "play", unhold: "play", unsuspend: "play", hold: "pause", stop: "stop", reset: "reset", clear: "clear", abort: "abort", complete: "finish", suspend: "wait", empty_out: "next", purge: "clear" };
const others = ["complete", "empty_out", "purge", "suspend", "abort"];
/** Commands that are asked about first: what they undo takes minutes. */
const asked = ["stop", "abort", "complete", "purge"];
const modes = ["production", "maintenance", "manual", "calibration", "valve_test", "dry_cycle"];
const towardsRest = ["stop", "hold", "suspend", "abort"];

/** Gives a command, after a login if one is wanting; tells a refusal. */
export async function command(name) {
  if (!(await needs("operator"))) return;
  const allowed = live.line?.commands.includes(name);
  if (allowed && asked.includes(name) && !(await ask(word(`command.${name}`), t(`command_ask.${name}`), word(`command.${name}`), name === "abort" ? "danger" : "primary"))) return;
  const body = towardsRest.includes(name) ? { command: name } : { command: name, version: live.versions.line };
  takeAnswer(await post("/line/command", body));
}

/** A command's answer is the line as it is now, so that the page need not wait for the stream. */
function takeAnswer(answer) {
  if (answer?.line && answer?.versions) takeLine(answer);
}

async function changeMode(name) {
  if (!(await needs(name === "production" ? "operator" : "maintenance"))) return;
  takeAnswer(await post("/line/mode", { mode: name, version: live.versions.line }));
  tell(t("shell.mode", { mode: word(`mode.${name}`) }));
}

function big(name, kind = "") {
  const element = h(`button.big${kind}`, { type: "button", "data-command": name });
  element.addEventListener("click", async () => {
    element.setAttribute("aria-busy", "true");
    try { await command(element.dataset.command); } catch (error) { tellError(error); } finally { element.removeAttribute("aria-busy"); }
  });
  return element;
}

function face(element, name, allowed) {
  element.dataset.command = name;
  replaceWhen(element, [languageNow(), name], () => [icon(signs[name]), h("span", word(`command.${name}`))]);
  attribute(element, "aria-disabled", allowed ? undefined : "true");
}

let ended = [];

/** The dock; `element` keeps itself up to date. */
export function dock() {
  for (const end of ended) end();
  const sign = h("div.sign");
  const says = h("p.word");
  const since = h("small.figure");
  const name = h("span");
  says.append(name, since);
  const why = h("p.why");
  const on1 = big("start");
  const hold = big("hold");
  const stop = big("stop");
  const more = button(h("span.wide", t("do.more_commands")), moreDialog, { sign: "more", "aria-haspopup": "dialog", "aria-label": t("do.more_commands") });
  // The state is read out when it changes; the running time is not.
  const said = h("p.hidden-visually", { role: "status" });
  const element = h("section.dock", { "aria-label": t("nav.commands") }, h("div.state", sign, h("div", says, why), said), on1, hold, stop, more);
  const update = () => {
    const line = live.line;
    if (!line) return;
    const [tone, picture] = looks[line.state] ?? looks.undefined;
    element.dataset.tone = tone;
    element.dataset.state = line.state;
    replaceWhen(sign, picture, () => icon(picture));
    text(name, word(`state.${line.state}`));
    text(since, lasted(line.at_ms - line.state_since_ms));
    const reason = line.stop_reason ? either(line.stop_reason) : t(`state_hint.${line.state}`);
    text(why, reason);
    text(said, `${word(`state.${line.state}`)}. ${reason}`);
    const next = onward.find((each) => line.commands.includes(each));
    face(on1, next ?? (line.state === "held" ? "unhold" : "start"), Boolean(next) && live.connected);
    on1.classList.toggle("primary", Boolean(next));
    face(hold, "hold", line.commands.includes("hold") && live.connected);
    face(stop, "stop", line.commands.includes("stop") && live.connected);
  };
  ended = [on("line", update), on("connection", update)];
  update();
  return { element };
}

function moreDialog() {
  return open(t("do.more_commands"), (close) => [
    h("div.stack", others.map((name) => {
      const allowed = live.line?.commands.includes(name);
      return h("div.row",
        button(word(`command.${name}`), async () => { close(); await command(name); }, { sign: signs[name], "aria-disabled": allowed ? undefined : "true", "data-command": name }),
        h("span.muted", t(`command_hint.${name}`)));
    })),
    h("h3", t("word.mode")),
    h("div.row", modes.map((name) => button(word(`mode.${name}`), async () => { close(); await changeMode(name); },
      { kind: live.line?.mode === name ? "primary" : "", "aria-pressed": String(live.line?.mode === name), "aria-disabled": live.line?.modes.includes(name) || live.line?.mode === name ? undefined : "true", "data-mode": name }))),
    h("div.row.end", button(t("do.close"), () => close(), { kind: "plain" })),
  ], { wide: true });
}

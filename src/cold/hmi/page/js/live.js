// What comes from the line by itself: one stream of server-sent events, and what it tells to read again (alarms, layout).
// Keeps the last state for views that open later, and a short trend. Silence is a lost connection: `line` comes four times a
// second.

import { get, onChanged } from "./api.js";

/** So long without a word, and the connection counts as lost, ms. */
const SILENCE_MS = 5000;
/** Pauses between tries to connect again, ms. */
const PAUSES_MS = [400, 800, 1500, 3000];
/** A point of the trend each so long, ms, and so many points: half an hour. */
const TREND_MS = 10000;
const TREND_POINTS = 180;

const now = { line: null, versions: {}, layout: null, alarms: { alarms: [], version: -1, flood: false }, connected: false, trend: [] };
const listeners = { line: new Set(), alarms: new Set(), layout: new Set(), connection: new Set(), journal: new Set(), bye: new Set() };
let source = null;
let heard = 0;
let tries = 0;
let again = null;
let looking = () => true;

/** The last known state of everything. */
export const live = now;

/** Calls `listener` at each change of `what`, and at once if it is known; gives the function that ends this. */
export function on(what, listener) {
  listeners[what].add(listener);
  return () => listeners[what].delete(listener);
}

function say(what, value) {
  for (const listener of [...listeners[what]]) listener(value);
}

function connected(yes) {
  if (now.connected === yes) return;
  now.connected = yes;
  say("connection", yes);
}

function remember(line) {
  const last = now.trend[now.trend.length - 1];
  if (last && line.at_ms - last.at_ms < TREND_MS && line.at_ms >= last.at_ms) return;
  now.trend.push({ at_ms: line.at_ms, rate: line.rate_pearls_s, share: line.high_grade.share });
  if (now.trend.length > TREND_POINTS) now.trend.shift();
}

/** Takes a state of the line: from the stream, or from the answer to a command. */
export function takeLine({ line, versions }) {
  const recipeChanged = now.line?.recipe.hash !== line.recipe.hash;
  now.line = line;
  now.versions = versions;
  remember(line);
  if (recipeChanged) loadLayout();
  say("line", line);
  if (line.alarms.version !== now.alarms.version) loadAlarms();
}

async function loadLayout() {
  try {
    now.layout = await get("/layout");
    say("layout", now.layout);
  } catch { /* The stream tells of the connection; the layout is read again with the next recipe or connection. */ }
}

/** Asks for the line once, so that the first picture need not wait for the stream. */
export async function loadLine() {
  try {
    takeLine(await get("/line"));
  } catch { /* The stream brings it. */ }
}

onChanged(loadLine);

let loading = false;

/** Reads the alarms again. */
export async function loadAlarms() {
  if (loading) return;
  loading = true;
  try {
    now.alarms = await get("/alarms");
    say("alarms", now.alarms);
  } catch { /* as above */ } finally {
    loading = false;
  }
}

function heardNow() {
  heard = Date.now();
  tries = 0;
  connected(true);
}

function lose() {
  source?.close();
  source = null;
  connected(false);
  if (again) return;
  const pause = PAUSES_MS[Math.min(tries, PAUSES_MS.length - 1)];
  tries += 1;
  again = setTimeout(() => { again = null; connect(); }, pause);
}

/** Opens the stream, and again whenever it is lost, as long as somebody may look. */
export function connect(mayLook) {
  looking = mayLook ?? looking;
  if (!looking()) return;
  source?.close();
  heard = Date.now();
  source = new EventSource("/api/v1/events");
  source.addEventListener("open", () => { heardNow(); if (!now.layout) loadLayout(); });
  source.addEventListener("line", (event) => { heardNow(); takeLine(JSON.parse(event.data)); });
  source.addEventListener("journal", (event) => { heardNow(); say("journal", JSON.parse(event.data)); });
  source.addEventListener("alarms", (event) => { heardNow(); if (JSON.parse(event.data).version !== now.alarms.version) loadAlarms(); });
  source.addEventListener("bye", goodbye);
  source.addEventListener("error", lose);
}

/** The session has ended or the program stops. */
function goodbye() {
  lose();
  tries = PAUSES_MS.length;
  say("bye");
}

setInterval(() => { if (source && Date.now() - heard > SILENCE_MS) lose(); }, 1000);
addEventListener("online", () => { if (!source) { clearTimeout(again); again = null; connect(); } });

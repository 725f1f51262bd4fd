// What the tests share: the browser, a page that is logged in, words of the catalogue, and short ways to say what an operator
// does. Nothing here sleeps: each wait is for something that is seen.

import { exec } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { chromium } from "playwright-core";

export const base = process.env.PEARLSORT_PAGE?.replace(/\/$/, "");
const user = process.env.PEARLSORT_USER ?? "admin";
const password = process.env.PEARLSORT_PASSWORD ?? "";
/** Given to `test`: without a page to drive, a test is skipped and says why. */
export const skip = base ? false : "PEARLSORT_PAGE is not set: there is no page to drive";
/** So long at most for what a line does: ramps, empty belts, ms. */
export const LINE_MS = 60_000;

const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

/** A browser with a fresh profile; `close` takes the profile away too. */
export async function launch({ language = "zh", theme = "light", width = 1280, height = 800, touch = false, reducedMotion = "reduce" } = {}) {
  const profile = mkdtempSync(join(tmpdir(), "pearlsort-browser-"));
  const context = await chromium.launchPersistentContext(profile, { executablePath: process.env.PEARLSORT_CHROMIUM ?? "/usr/bin/chromium", args: flags, viewport: { width, height }, hasTouch: touch, reducedMotion });
  await context.addInitScript(([t, l]) => {
    if (localStorage.getItem("pearlsort.test")) return;
    localStorage.setItem("pearlsort.test", "yes");
    localStorage.setItem("pearlsort.theme", t);
    localStorage.setItem("pearlsort.language", l);
  }, [theme, language]);
  const page = context.pages()[0] ?? (await context.newPage());
  const faults = [];
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("console", (message) => { if (message.type() === "error" && /Content Security Policy|SyntaxError|TypeError/.test(message.text())) faults.push(message.text()); });
  page.on("dialog", (dialog) => { faults.push(`a script opened a dialog: ${dialog.message()}`); dialog.dismiss(); });
  return { context, page, faults, close: async () => { await context.close(); rmSync(profile, { recursive: true, force: true }); } };
}

/** The catalogue of a language. */
export async function words(language) {
  const catalogue = await (await fetch(`${base}/words/${language}.json`)).json();
  return (key) => catalogue[key] ?? key;
}

/** Goes to a view and waits until it is there. */
export async function view(page, ...parts) {
  const wanted = `#/${parts.map(encodeURIComponent).join("/")}`;
  if (page.url().startsWith(base)) await page.evaluate((hash) => { location.hash = hash; }, wanted);
  else await page.goto(`${base}/${wanted}`);
  await page.locator(`main.view[data-view="${parts[0]}"]`).waitFor();
  if (parts[0] === "line") await page.locator("main.line-view.ready").waitFor({ timeout: LINE_MS });
}

/** Logs in by the dialog. */
export async function logIn(page, t) {
  if (await page.locator(".top .tool", { hasText: user }).count()) return;
  await page.locator(".top .tool").last().click();
  const dialog = page.locator("dialog[open]");
  await dialog.locator('input[name="user"]').fill(user);
  await dialog.locator('input[name="password"]').fill(password);
  await dialog.getByRole("button", { name: t("page.session.login") }).click();
  await page.locator(".top .tool", { hasText: user }).waitFor();
  // A line that was just made asks for a new password: not now.
  const again = page.locator("dialog[open]");
  if (await again.count()) await again.getByRole("button", { name: t("page.do.cancel") }).click();
}

/** The state that the dock shows. */
export const state = (page) => page.locator(".dock").getAttribute("data-state");

/** Waits for one of the states. */
export async function reach(page, ...states) {
  await page.locator(states.map((each) => `.dock[data-state="${each}"]`).join(", ")).first().waitFor({ timeout: LINE_MS });
}

/** Presses a command of the dock. */
export async function command(page, name) {
  await page.locator(`.dock [data-command="${name}"]:not([aria-disabled="true"])`).first().click({ timeout: LINE_MS });
}

/** Brings the line to sort, from wherever it stands. */
export async function run(page) {
  for (let step = 0; step < 8; step += 1) {
    await reach(page, "execute", "stopped", "idle", "held", "suspended", "aborted", "complete");
    const now = await state(page);
    if (now === "execute") return;
    const next = { stopped: "reset", complete: "reset", idle: "start", held: "unhold", suspended: "unsuspend", aborted: "clear" }[now];
    await command(page, next);
    await page.waitForFunction((before) => document.querySelector(".dock").dataset.state !== before, now, { timeout: LINE_MS });
  }
  throw new Error(`the line does not run: ${await state(page)}`);
}

/** Confirms the open dialog by its last button. */
export async function confirm(page) {
  await page.locator("dialog[open] .row.end .button").last().click();
  await page.locator("dialog[open]").waitFor({ state: "detached" });
}

/** The whole number in a text such as "31,197 粒". */
export const whole = (text) => Number(text.replace(/[^\d-]/g, ""));

/** Waits until an alarm stands in the strip that nobody has acknowledged; raises one where a command is given. */
export async function waitForAlarm(page) {
  if (process.env.PEARLSORT_RAISE) await promisify(exec)(process.env.PEARLSORT_RAISE);
  await page.locator('.strip [data-do="acknowledge"]').waitFor({ timeout: 3 * LINE_MS });
}

/** Closes the lot that is open, if one is. */
export async function closeOpenLot(page) {
  await view(page, "line");
  const button = page.locator('.lot-card [data-do="close-lot"]');
  await page.locator(".lot-card button").first().waitFor();
  if (!(await button.count())) return;
  await button.click();
  await confirm(page);
  await page.locator("article.report").waitFor();
}

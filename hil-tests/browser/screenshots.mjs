// The README's pictures: a lot is opened, the line runs, and each view is taken to docs/pictures, small enough for a page.
// PEARLSORT_PAGE, PEARLSORT_USER and PEARLSORT_PASSWORD as for the tests.

import { mkdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { base, launch, LINE_MS, logIn, run, view, words } from "./page.mjs";

const folder = process.argv[2] ?? join(dirname(fileURLToPath(import.meta.url)), "../../docs/pictures");
/** A picture is at most so large, bytes. */
const MOST = 150_000;
/** Pearls that the line has sorted before the first picture, so that it shows something. */
const PEARLS = 2500;

if (!base) {
  console.error("PEARLSORT_PAGE is not set: there is no page to take pictures of");
  process.exit(64);
}
mkdirSync(folder, { recursive: true });

async function take(page, name) {
  // The faces of text and pictures are there, and nothing passes over the page.
  await page.evaluate(() => Promise.all([document.fonts.ready, ...[...document.images].map((each) => each.decode().catch(() => {}))]));
  await page.locator(".toast").first().waitFor({ state: "detached", timeout: LINE_MS });
  const path = join(folder, `${name}.png`);
  await page.screenshot({ path });
  const { size } = statSync(path);
  console.log(`${name}.png ${size} bytes`);
  if (size > MOST) throw new Error(`${path}: ${size} bytes, at most ${MOST}`);
}

async function openLot(page, t) {
  if (await page.locator('.lot-card [data-do="close-lot"]').count()) return;
  await page.locator('[data-do="open-lot"]').click();
  const dialog = page.locator("dialog[open]");
  await dialog.locator('input[name="number"]').fill("ZJ-2026-1124-03");
  await dialog.locator('input[name="farm"]').fill("山下湖三号塘");
  await dialog.locator('input[name="harvest_date"]').fill("2026-11-20");
  await dialog.locator('input[name="mass_in"]').fill("14000");
  await dialog.getByRole("button", { name: t("page.lot.open") }).click();
  await dialog.waitFor({ state: "detached" });
}

async function enough(page) {
  await page.waitForFunction((least) => Number(document.querySelector('.balance [data-count="binned"] b').textContent.replace(/\D/g, "")) > least, PEARLS, { timeout: 5 * LINE_MS });
}

const pictures = [
  { size: "tablet", language: "zh", theme: "light", width: 1280, height: 800, views: { line: ["line"], alarms: ["alarms"], valves: ["health", "valves"], recipes: ["recipes"] } },
  { size: "tablet", language: "en", theme: "light", width: 1280, height: 800, views: { line: ["line"], report: ["lots"] } },
  { size: "tablet", language: "zh", theme: "dark", width: 1280, height: 800, views: { line: ["line"] } },
  { size: "phone", language: "zh", theme: "light", width: 390, height: 844, views: { line: ["line"] } },
];

for (const { size, language, theme, width, height, views } of pictures) {
  const t = await words(language);
  const browser = await launch({ language, theme, width, height, reducedMotion: "no-preference" });
  try {
    const { page } = browser;
    await view(page, "line");
    await logIn(page, t);
    await openLot(page, t);
    await run(page);
    await enough(page);
    for (const [name, place] of Object.entries(views)) {
      await view(page, ...place);
      if (name === "report") {
        await page.locator("table.lots tbody th a").first().click();
        await page.locator("article.report").waitFor();
      } else if (name === "recipes") {
        await page.locator(".verdict .note").waitFor();
      } else if (name === "valves") {
        await page.locator(".valve").first().waitFor();
      }
      await take(page, `${size}-${name}-${language}-${theme}`);
    }
  } finally {
    await browser.close();
  }
}

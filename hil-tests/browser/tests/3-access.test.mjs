// For everybody: axe finds nothing serious in any view, dark or light, in either language; what is pressed is large enough for a
// glove; the line is run and held by the keyboard alone.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import { launch, LINE_MS, logIn, reach, run, skip, state, view, words } from "../page.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const places = [["line"], ["lots"], ["alarms"], ["alarms", "history"], ["alarms", "journal"], ["health", "lanes"], ["health", "valves"], ["health", "boards"], ["health", "times"], ["recipes"], ["calibration"], ["doubts"], ["admin"], ["admin", "audit"]];
/** What is pressed is at least so large, px: a finger in a glove. */
const TARGET = 48;

async function settled(page) {
  await page.waitForFunction(() => document.querySelector("main.view")?.childElementCount > 0);
  await page.waitForLoadState("networkidle", { timeout: 1500 }).catch(() => { /* The stream never rests. */ });
}

async function serious(page) {
  await page.evaluate(axe);
  const result = await page.evaluate(() => globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
  return result.violations.filter((each) => each.impact === "serious" || each.impact === "critical").map((each) => `${each.id}: ${each.help}: ${each.nodes.slice(0, 3).map((node) => `${node.html.slice(0, 140)} (${node.any[0]?.message ?? ""})`).join(" | ")}`);
}

async function small(page) {
  return page.evaluate((least) => [...document.querySelectorAll("button, a[href], select, input:not([type=checkbox]):not([type=radio])")].filter((each) => {
    if (!each.checkVisibility() || each.classList.contains("skip")) return false;
    const box = each.getBoundingClientRect();
    return box.width > 0 && (box.height < least - 0.5 || box.width < least - 0.5) && !each.closest(".choice");
  }).map((each) => `${each.outerHTML.slice(0, 120)} ${JSON.stringify(each.getBoundingClientRect())}`), TARGET);
}

for (const [language, theme, width, height] of [["zh", "light", 1280, 800], ["en", "dark", 1280, 800], ["zh", "dark", 390, 844], ["en", "light", 390, 844]]) {
  test(`axe and targets in ${language}, ${theme}, ${width} x ${height}`, { skip }, async () => {
    const t = await words(language);
    const browser = await launch({ language, theme, width, height });
    const { page } = browser;
    try {
      await view(page, "line");
      await logIn(page, t);
      const found = [];
      for (const place of places) {
        await view(page, ...place);
        await settled(page);
        const name = place.join("/");
        found.push(...(await serious(page)).map((each) => `${name}: ${each}`), ...(await small(page)).map((each) => `${name}: too small: ${each}`));
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        if (wide > 0) found.push(`${name}: ${wide} px wider than the screen`);
      }
      assert.deepEqual(found, []);
      await view(page, "lots");
      const report = page.locator("table.lots tbody th a").first();
      if (await report.count()) {
        await report.click();
        await page.locator("article.report").waitFor();
        assert.deepEqual(await serious(page), [], "axe in the report");
      }
      await page.locator(".dock [aria-haspopup]").click({ timeout: 2000 }).catch(() => { /* A phone has the dock in the line's view alone. */ });
      if (await page.locator("dialog[open]").count()) assert.deepEqual(await serious(page), [], "axe in the commands' dialog");
      assert.deepEqual(browser.faults, []);
    } finally {
      await browser.close();
    }
  });
}

test("the line is run and held by the keyboard alone", { skip }, async () => {
  const t = await words("zh");
  const browser = await launch();
  const { page } = browser;
  try {
    await view(page, "line");
    await logIn(page, t);
    await run(page);
    const tabTo = async (name) => {
      for (let step = 0; step < 120; step += 1) {
        const at = await page.evaluate(() => document.activeElement?.dataset?.command);
        if (at === name) return;
        await page.keyboard.press("Tab");
      }
      assert.fail(`Tab does not come to ${name}`);
    };
    await page.locator("body").press("Tab");
    await tabTo("hold");
    const ring = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.notEqual(ring, "none", "the focus is seen");
    await page.keyboard.press("Enter");
    await reach(page, "held");
    await page.locator('.dock [data-command="unhold"]').waitFor({ timeout: LINE_MS });
    await tabTo("unhold");
    await page.keyboard.press("Space");
    await reach(page, "execute");
    assert.equal(await state(page), "execute");
    // A dialog keeps the focus, closes on Escape and gives it back.
    await page.locator(".dock [aria-haspopup]").focus();
    await page.keyboard.press("Enter");
    await page.locator("dialog[open]").waitFor();
    assert.ok(await page.evaluate(() => document.querySelector("dialog[open]").contains(document.activeElement)));
    await page.keyboard.press("Escape");
    await page.locator("dialog[open]").waitFor({ state: "detached" });
    assert.ok(await page.evaluate(() => document.activeElement.matches(".dock [aria-haspopup]")));
  } finally {
    await browser.close();
  }
});

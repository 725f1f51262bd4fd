// A recipe is edited wrongly: the fault stands at its line, and it can't be staged. Then rightly: its difference and what it
// would have done are shown; it is staged, applied, and undone.

import assert from "node:assert/strict";
import { test } from "node:test";
import { confirm, launch, LINE_MS, logIn, run, skip, view, words } from "../page.mjs";

const area = ".editor-text";

for (const language of ["zh", "en"]) {
  test(`a recipe in ${language}: wrong, right, staged, applied, undone`, { skip }, async () => {
    const t = await words(language);
    const browser = await launch({ language });
    const { page } = browser;
    try {
      await view(page, "line");
      await logIn(page, t);
      await run(page);
      await view(page, "recipes");
      await page.locator('[data-slot="in-force"]').waitFor();
      const unstage = page.locator('[data-do="unstage"]');
      if (await unstage.count()) { await unstage.click(); await page.locator('[data-slot="staged"]').waitFor({ state: "detached" }); }
      const force = async () => (await page.locator('[data-slot="in-force"] code').innerText()).trim();
      const before = await force();
      const text = await page.locator(area).inputValue();
      const line = text.split("\n").findIndex((each) => /^(diameter-mm|mass-mg|lustre|shape)\s*=/.test(each)) + 1;
      assert.ok(line > 0, "the recipe in force asks for something");

      await page.locator(area).fill(text.split("\n").map((each, index) => (index === line - 1 ? each.replace(/=.*/, '= ">=Q"') : each)).join("\n"));
      const fault = page.locator(".fault").first();
      await fault.waitFor();
      assert.match(await fault.innerText(), new RegExp(`\\b${line}\\b`), "the fault names its line");
      assert.equal(await page.locator(".editor-numbers .wrong").first().innerText(), String(line), "the line is marked");
      assert.equal(await page.locator('[data-do="stage"]').getAttribute("aria-disabled"), "true", "a faulty recipe can't be staged");
      await fault.click();
      const selected = await page.locator(area).evaluate((each) => each.value.slice(0, each.selectionStart).split("\n").length);
      assert.equal(selected, line, "pressing the fault goes to its line");

      await page.locator(area).fill(`${text}\n# ${language} ${Date.now()}\n`);
      await page.locator(".verdict .note.good").waitFor();
      await page.locator('[data-do="diff"]').click();
      await page.locator(".diff-line.added").first().waitFor();
      await page.locator('[data-do="what-if"]').click();
      await page.locator(".what-if tbody tr").first().waitFor({ timeout: LINE_MS });

      const changed = text.replace(/^name = .*/m, `name = { zh = "试配方 ${language}", en = "trial ${language}" }`);
      await page.locator(area).fill(changed);
      await page.locator(".verdict .note.good").waitFor();
      await page.locator('[data-do="stage"]:not([aria-disabled="true"])').click();
      await page.locator('[data-slot="staged"]').waitFor();
      assert.equal(await force(), before, "staging changes nothing in force");
      await page.locator('[data-do="apply"]').click();
      await confirm(page);
      await page.locator('[data-slot="in-force"]', { hasText: language === "zh" ? "试配方 zh" : "trial en" }).waitFor({ timeout: LINE_MS });
      await page.locator('[data-do="undo"]').click();
      await confirm(page);
      await page.locator('[data-slot="in-force"] code', { hasText: before }).waitFor({ timeout: LINE_MS });
      assert.equal(await page.locator(area).inputValue(), text, "the text is as it was");
      assert.deepEqual(browser.faults, []);
    } finally {
      await browser.close();
    }
  });
}

// A shift in small: a lot is opened, the line runs, is held and goes on, an alarm is acknowledged, the lot is closed, and its
// report adds up. Once in Chinese, once in English.

import assert from "node:assert/strict";
import { test } from "node:test";
import { closeOpenLot, command, confirm, launch, LINE_MS, logIn, reach, run, skip, view, waitForAlarm, whole, words } from "../page.mjs";

async function openLot(page, t, number) {
  await page.locator('[data-do="open-lot"]').first().click();
  const dialog = page.locator("dialog[open]");
  await dialog.getByRole("button", { name: t("page.lot.open") }).click();
  assert.equal(await dialog.locator('input[name="number"]').getAttribute("aria-invalid"), "true", "a lot without a number is not opened");
  await dialog.locator('input[name="number"]').fill(number);
  await dialog.locator('input[name="farm"]').fill("山下湖三号塘");
  await dialog.locator('input[name="harvest_date"]').fill("2026-11-20");
  await dialog.locator('input[name="customer"]').fill("Zhuji Pearls");
  await dialog.locator('input[name="mass_in"]').fill("1250.5");
  await dialog.locator('input[name="count_in"]').fill("2600");
  await dialog.getByRole("button", { name: t("page.lot.open") }).click();
  await dialog.waitFor({ state: "detached" });
  await page.locator(".lot-card .lot-number", { hasText: number }).waitFor({ timeout: LINE_MS });
}

async function counted(page, name) {
  return whole(await page.locator(`.balance [data-count="${name}"] b`).innerText());
}

async function reportAddsUp(page, t) {
  const passes = async (name) => {
    const cell = page.locator(`.report tr[data-count="${name}"] td`).first();
    return (await cell.count()) ? whole(await cell.innerText()) : 0;
  };
  const [entered, binned, recirculated, lost, flying] = [await passes("entered"), await passes("binned"), await passes("recirculated"), await passes("lost"), await passes("in_flight")];
  assert.ok(entered > 0, "pearls came");
  assert.equal(entered, binned + recirculated + lost + flying, "in = binned + recirculated + lost");
  assert.equal(await page.locator("[data-adds-up]").getAttribute("data-adds-up"), "true");
  const grades = await page.locator('.report tr[data-grade]:not([data-grade="sum"]) td:nth-child(3)').allInnerTexts();
  const sum = whole(await page.locator('.report tr[data-grade="sum"] td:nth-child(3)').innerText());
  assert.equal(grades.map(whole).reduce((a, b) => a + b, 0), sum, "grades add up to their sum");
  assert.ok(sum <= binned, "a pearl is in one grade at most");
  assert.ok(await page.getByText(t("page.report.audit_hash")).count(), "the hash of the audit trail is there");
}

for (const language of ["zh", "en"]) {
  test(`a shift in ${language}: lot, run, hold, alarm, report`, { skip }, async () => {
    const t = await words(language);
    const browser = await launch({ language, touch: true });
    const { page } = browser;
    try {
      await view(page, "line");
      await logIn(page, t);
      await closeOpenLot(page);
      await view(page, "line");
      const number = `T-${language}-${Date.now().toString(36)}`;
      await openLot(page, t, number);

      await run(page);
      const before = await counted(page, "binned");
      await page.waitForFunction((least) => Number(document.querySelector('.balance [data-count="binned"] b').textContent.replace(/\D/g, "")) > least + 20, before, { timeout: LINE_MS });
      assert.ok(await page.getByText(t("state.execute")).count(), "the state is said in the operator's language");

      await command(page, "hold");
      await reach(page, "held");
      await page.locator('.dock [data-command="start"], .dock [data-command="unhold"]').first().waitFor();
      await run(page);

      await waitForAlarm(page);
      const alarms = page.locator(".rail .count");
      assert.ok(await alarms.first().isVisible(), "the rail counts what nobody has acknowledged");
      await view(page, "alarms");
      const card = page.locator(".alarm:not(.seen)").first();
      const id = await card.getAttribute("data-alarm");
      for (const part of ["page.alarm.cause", "page.alarm.consequence", "page.alarm.action"]) assert.ok(await card.getByText(t(part), { exact: true }).count(), part);
      await card.locator('[data-do="acknowledge"]').click();
      await page.locator(`.alarm[data-alarm="${id}"].seen, main:not(:has(.alarm[data-alarm="${id}"]))`).first().waitFor({ timeout: LINE_MS });

      await view(page, "line");
      await command(page, "hold");
      await reach(page, "held");
      await page.locator('.lot-card [data-do="close-lot"]').click();
      await confirm(page);
      await page.locator("article.report").waitFor();
      assert.ok(await page.locator(".report h1", { hasText: number }).count(), "the report is that of the lot");
      await reportAddsUp(page, t);
      assert.deepEqual(browser.faults, []);
    } finally {
      await browser.close();
    }
  });
}

test("a command that the state does not allow is refused with a reason", { skip }, async () => {
  const t = await words("zh");
  const browser = await launch();
  const { page } = browser;
  try {
    await view(page, "line");
    await logIn(page, t);
    await run(page);
    await page.locator('.dock [data-command="start"][aria-disabled="true"]').click({ force: true });
    const told = page.locator(".toast.bad");
    await told.waitFor();
    assert.ok((await told.innerText()).length > 5, "a reason is told");
    assert.deepEqual(browser.faults, []);
  } finally {
    await browser.close();
  }
});

test("a wrong password is told, and the page stays usable", { skip }, async () => {
  const t = await words("zh");
  const browser = await launch();
  const { page } = browser;
  try {
    await view(page, "line");
    await page.locator(".top .tool").last().click();
    const dialog = page.locator("dialog[open]");
    await dialog.locator('input[name="user"]').fill("nobody");
    await dialog.locator('input[name="password"]').fill("not the password");
    await dialog.getByRole("button", { name: t("page.session.login") }).click();
    await dialog.locator(".wrong").waitFor();
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    assert.ok(await page.locator("main.line-view.ready").count());
  } finally {
    await browser.close();
  }
});

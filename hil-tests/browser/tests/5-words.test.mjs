// One catalogue: every word that the page asks for is in it, in both languages, with the same places to fill in; and the page's
// part of it holds no word that the page does not ask for.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { base, skip } from "../page.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "../../../src/cold/hmi/page/js");

/** All but `words.js`, which only looks up what others ask for. */
function sources(folder) {
  return readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.name !== "words.js").flatMap((entry) => (entry.isDirectory() ? sources(join(folder, entry.name)) : [readFileSync(join(folder, entry.name), "utf8")]));
}

/** Keys that the sources name whole, and beginnings of those that end in a code. */
function asked() {
  const whole = new Set();
  const begun = new Set();
  for (const text of sources(root)) {
    for (const [, call, key] of text.matchAll(/\b(t|word)\("([a-z_.0-9]+)"/g)) whole.add(call === "t" ? `page.${key}` : key);
    for (const [, call, key] of text.matchAll(/\b(t|word)\(`([a-z_.]+)\$\{/g)) begun.add(call === "t" ? `page.${key}` : key);
  }
  return { whole, begun };
}

test("the catalogue and the page agree", { skip }, async () => {
  const [zh, en] = await Promise.all(["zh", "en"].map(async (language) => (await fetch(`${base}/words/${language}.json`)).json()));
  const { whole, begun } = asked();
  assert.ok(whole.size > 150, `${whole.size} keys are asked for`);
  assert.deepEqual(Object.keys(zh).sort(), Object.keys(en).sort(), "both languages have the same keys");
  for (const key of whole) assert.ok(key in zh, `${key} is not in the catalogue`);
  for (const key of begun) assert.ok(Object.keys(zh).some((each) => each.startsWith(key)), `no ${key}... in the catalogue`);
  const idle = Object.keys(zh).filter((key) => key.startsWith("page.") && !whole.has(key) && ![...begun].some((each) => key.startsWith(each)));
  assert.deepEqual(idle, [], "words that the page does not ask for");
  const places = (text) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();
  for (const key of Object.keys(zh)) assert.deepEqual(places(zh[key]), places(en[key]), `${key} has the same places in both`);
});

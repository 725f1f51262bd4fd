// The README's pictures: a lot is opened, the line runs, and each view is taken to docs/pictures, small enough for a page.
// PEARLSORT_PAGE, PEARLSORT_USER and PEARLSORT_PASSWORD as for the tests.

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { crc32, deflateSync } from "node:zlib";
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

/** The pixels of a picture, red, green, blue and opacity each a byte. */
async function pixels(page, picture) {
  const desk = await page.context().newPage();
  try {
    const { width, height, data } = await desk.evaluate(async (base64) => {
      const image = new Image();
      image.src = `data:image/png;base64,${base64}`;
      await image.decode();
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [image.width, image.height];
      const pen = canvas.getContext("2d");
      pen.drawImage(image, 0, 0);
      const bytes = pen.getImageData(0, 0, canvas.width, canvas.height).data;
      let text = "";
      for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
      return { width: canvas.width, height: canvas.height, data: btoa(text) };
    }, picture.toString("base64"));
    return { width, height, data: Buffer.from(data, "base64") };
  } finally {
    await desk.close();
  }
}

function chunk(kind, data) {
  const body = Buffer.concat([Buffer.from(kind, "latin1"), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

/** A PNG with a palette of the 256 most frequent colours, each other pixel the nearest of them: a third of the size. */
function indexed({ width, height, data }) {
  const counts = new Map();
  const key = (at) => (data[at] << 16) | (data[at + 1] << 8) | data[at + 2];
  for (let at = 0; at < data.length; at += 4) counts.set(key(at), (counts.get(key(at)) ?? 0) + 1);
  const palette = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 256).map(([colour]) => colour);
  const places = new Map(palette.map((colour, index) => [colour, index]));
  const part = (colour, shift) => (colour >> shift) & 255;
  const nearest = (colour) => {
    let best = 0;
    let least = Infinity;
    palette.forEach((other, index) => {
      const far = [16, 8, 0].reduce((sum, shift) => sum + (part(colour, shift) - part(other, shift)) ** 2, 0);
      if (far < least) [best, least] = [index, far];
    });
    return best;
  };
  const rows = Buffer.alloc((width + 1) * height);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const colour = key((y * width + x) * 4);
      if (!places.has(colour)) places.set(colour, nearest(colour));
      rows[y * (width + 1) + x + 1] = places.get(colour);
    }
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 3, 0, 0, 0], 8);
  const colours = Buffer.from(palette.flatMap((colour) => [part(colour, 16), part(colour, 8), part(colour, 0)]));
  return Buffer.concat([Buffer.from("89504e470d0a1a0a", "hex"), chunk("IHDR", head), chunk("PLTE", colours), chunk("IDAT", deflateSync(rows, { level: 9 })), chunk("IEND", Buffer.alloc(0))]);
}

async function take(page, name) {
  // The faces of text and pictures are there, and nothing passes over the page.
  await page.evaluate(() => Promise.all([document.fonts.ready, ...[...document.images].map((each) => each.decode().catch(() => {}))]));
  await page.locator(".toast").first().waitFor({ state: "detached", timeout: LINE_MS });
  const path = join(folder, `${name}.png`);
  const picture = indexed(await pixels(page, await page.screenshot()));
  const size = picture.length;
  writeFileSync(path, picture);
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
  { size: "tablet", language: "zh", theme: "light", width: 1280, height: 800, views: { line: ["line"], alarms: ["alarms"], valves: ["health", "valves"] } },
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
      } else if (name === "valves") {
        await page.locator(".valve").first().waitFor();
      }
      await take(page, `${size}-${name}-${language}-${theme}`);
    }
  } finally {
    await browser.close();
  }
}

// Figures as people read them: grouped, with their unit, the same width while they count. Masses come in milligrams, lengths
// in millimetres, times in microseconds or in milliseconds since 1970, as the names of the API say.

import { locale, languageNow, t } from "./words.js";

const formats = new Map();

function format(decimals) {
  const key = `${locale()} ${decimals}`;
  if (!formats.has(key)) {
    formats.set(key, new Intl.NumberFormat(locale(), { minimumFractionDigits: decimals, maximumFractionDigits: decimals }));
  }
  return formats.get(key);
}

const absent = "–";
const there = (value) => value !== null && value !== undefined && Number.isFinite(Number(value));
/** Between a figure and its unit: a narrow space that does not break. */
const gap = "\u202f";

/** 31,197 */
export const count = (value) => (there(value) ? format(0).format(value) : absent);
/** 12.30 */
export const fixed = (value, decimals) => (there(value) ? format(decimals).format(value) : absent);
/** A figure with its unit. */
export const measure = (value, decimals, unit) => (there(value) ? `${fixed(value, decimals)}${gap}${unit}` : absent);

/** A share of one as per cent: 0.274 is "27.4 %", in Chinese "27.4%". */
export function percent(share, decimals = 1) {
  if (!there(share)) return absent;
  return `${fixed(share * 100, decimals)}${languageNow() === "en" ? gap : ""}%`;
}

/** A mass in milligrams, in g from one gram, in kg from one kilogram. */
export function mass(mg) {
  if (!there(mg)) return absent;
  if (Math.abs(mg) >= 1e6) return measure(mg / 1e6, 3, "kg");
  if (Math.abs(mg) >= 1000) return measure(mg / 1000, 1, "g");
  return measure(mg, 1, "mg");
}

/** A time in microseconds: us below a millisecond, ms above. */
export function micros(us) {
  if (!there(us)) return absent;
  return Math.abs(us) < 1000 ? measure(us, 0, "µs") : measure(us / 1000, us < 100000 ? 1 : 0, "ms");
}

const two = (value) => String(value).padStart(2, "0");

/** 2026-11-24 */
export function date(ms) {
  if (!there(ms)) return absent;
  const d = new Date(Number(ms));
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
}

/** 14:05:09 */
export function clock(ms, seconds = true) {
  if (!there(ms)) return absent;
  const d = new Date(Number(ms));
  return `${two(d.getHours())}:${two(d.getMinutes())}${seconds ? `:${two(d.getSeconds())}` : ""}`;
}

/** 2026-11-24 14:05:09; the date is left out for today. */
export function moment(ms, always = false) {
  if (!there(ms)) return absent;
  const today = date(Date.now()) === date(ms);
  return today && !always ? clock(ms) : `${date(ms)} ${clock(ms)}`;
}

/** A length of time as a clock counts it: 0:41, 12:07, 3:12:07; days in front where there are any. */
export function lasted(ms) {
  if (!there(ms)) return absent;
  const whole = Math.max(0, Math.floor(ms / 1000));
  const [days, hours, minutes, seconds] = [Math.floor(whole / 86400), Math.floor(whole / 3600) % 24, Math.floor(whole / 60) % 60, whole % 60];
  const tail = hours || days ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
  return days ? `${t("unit.days", { n: days })} ${tail}` : tail;
}

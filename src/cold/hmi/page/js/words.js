// The page's language. Every word comes from the program's one catalogue (`/words/zh.json`); here is only the look-up.
// Words: a "key" is a path in the catalogue, a "code" is what the API sends for a state, a cause, an alarm...

let language = document.documentElement.lang.startsWith("en") ? "en" : "zh";
let catalogue = {};

export const languageNow = () => language;
/** For Intl and the `lang` attribute. */
export const locale = () => (language === "en" ? "en-GB" : "zh-CN");

/** Loads the catalogue of the language in force. */
export async function loadWords() {
  const response = await fetch(`/words/${language}.json`);
  if (!response.ok) throw new Error(`words: ${response.status}`);
  catalogue = await response.json();
}

/** Changes the language, remembers it, and loads its words. */
export async function useLanguage(wanted) {
  language = wanted;
  document.documentElement.lang = locale();
  try { localStorage.setItem("pearlsort.language", wanted); } catch { /* private window: not remembered */ }
  await loadWords();
}

function filled(sentence, values) {
  return sentence.replace(/\{(\w+)\}/g, (whole, name) => (values && name in values ? String(values[name]) : whole));
}

/** Whether the catalogue has the key. */
export const known = (key) => key in catalogue;

/** A word of any group of the catalogue; an unknown key shows itself rather than nothing. */
export function word(key, values) {
  return key in catalogue ? filled(catalogue[key], values) : key;
}

/** A word of the page's own group. */
export const t = (key, values) => word(`page.${key}`, values);

/** The name of a code: `code("state", "execute")`; an unknown code shows itself. */
export function code(group, value, values) {
  const key = `${group}.${value}`;
  return key in catalogue ? filled(catalogue[key], values) : String(value);
}

/** Of a text in both languages `{zh, en}` the one in force; a plain string as it is. */
export function either(both) {
  if (both === null || both === undefined) return "";
  return typeof both === "string" ? both : (both[language] ?? both.zh ?? both.en ?? "");
}

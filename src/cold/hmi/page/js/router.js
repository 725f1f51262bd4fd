// Which view is shown: the address's fragment, `#/lots/12/report`. Views are modules of `js/views`, loaded when first wanted.

let changed = () => {};

/** The fragment as parts; the line when there is none. */
export function place() {
  const parts = location.hash.replace(/^#\/?/, "").split("/").filter(Boolean).map((part) => {
    try { return decodeURIComponent(part); } catch { return part; }
  });
  return parts.length ? parts : ["line"];
}

/** The address of a place. */
export const address = (...parts) => `#/${parts.map(encodeURIComponent).join("/")}`;

/** Goes to a place. */
export const go = (...parts) => { location.hash = address(...parts).slice(1); };

/** Calls `listener` now and whenever the place changes. */
export function watch(listener) {
  changed = listener;
  addEventListener("hashchange", () => changed());
}

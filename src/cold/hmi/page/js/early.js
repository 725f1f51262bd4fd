// Sets theme and language on <html> before the first paint, so that a dark page never flashes white. A plain script, not a
// module: it must run before the style sheets are applied.
(function () {
  "use strict";
  function kept(key) {
    try { return localStorage.getItem(key); } catch (_) { return null; }
  }
  var root = document.documentElement;
  var theme = kept("pearlsort.theme");
  var dark = window.matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = theme === "dark" || theme === "light" ? theme : dark ? "dark" : "light";
  root.lang = kept("pearlsort.language") === "en" ? "en-GB" : "zh-CN";
})();

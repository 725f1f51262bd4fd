// Icons as paths on a 24 x 24 grid, drawn by one pen. They stand beside words and say nothing to a screen reader.

import { s } from "./dom.js";

const strokes = {
  line: "M2 9h20M2 15h20M6 6v12M18 6v12M10.5 12a1.5 1.5 0 1 0 3 0a1.5 1.5 0 1 0-3 0",
  lots: "M4 7l8-4 8 4v10l-8 4-8-4zM4 7l8 4 8-4M12 11v10",
  alarms: "M12 3a6 6 0 0 0-6 6v4l-2 4h16l-2-4V9a6 6 0 0 0-6-6zM10 20a2 2 0 0 0 4 0",
  health: "M2 12h5l2-6 4 13 3-9 1.5 2H22",
  recipes: "M6 3h9l4 4v14H6zM15 3v4h4M9 12h7M9 16h7",
  calibration: "M3 17L17 3l4 4L7 21zM7 13l2 2M10 10l2.5 2.5M13 7l2 2",
  doubts: "M10.5 4a6.5 6.5 0 1 0 0 13a6.5 6.5 0 0 0 0-13zM15.5 15.5L21 21M10.5 12.2v-.6c0-1.5 2-1.6 2-3.1a2 2 0 0 0-4-.2M10.5 14v.4",
  admin: "M12 3l8 3v6c0 5-3.5 8-8 9-4.500-1-8-4-8-9V6zM9 12l2 2 4-4",
  play: "M7 4l13 8-13 8z",
  pause: "M8 4v16M16 4v16",
  stop: "M5 5h14v14H5z",
  reset: "M4 12a8 8 0 1 0 2.500-5.800M4 4v4.500h4.500",
  clear: "M4 20l9-9M14 3l7 7-4 4-7-7zM3 21h8",
  abort: "M8 2h8l6 6v8l-6 6H8l-6-6V8zM8 8l8 8M16 8l-8 8",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  finish: "M5 21V4h13l-3 4 3 4H5",
  wait: "M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18zM12 7v5l3 3",
  idle: "M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18zM8 12h8",
  tick: "M4 12.500l5 5L20 6.500",
  cross: "M5 5l14 14M19 5L5 19",
  full: "M4 6h16l-2 14H6zM4.500 10h15M5 14h14",
  inhibited: "M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18zM5.600 5.600l12.800 12.800",
  quarantined: "M12 2.500L22 20H2zM12 9v5M12 17v.01",
  missing: "M4 7h16M4 7l2 13h12l2-13M9 11l6 6M15 11l-6 6",
  shelved: "M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18zM9 9h6l-6 6h6",
  first: "M6 21V3l12 5-12 5",
  sun: "M12 8a4 4 0 1 0 0 8a4 4 0 0 0 0-8zM12 2v3M12 19v3M2 12h3M19 12h3M5 5l2 2M17 17l2 2M19 5l-2 2M7 17l-2 2",
  moon: "M20 14.500A8.500 8.500 0 0 1 9.500 4a8.500 8.500 0 1 0 10.500 10.500z",
  user: "M12 4a4 4 0 1 0 0 8a4 4 0 0 0 0-8zM4 21c0-4.500 3.500-7 8-7s8 2.500 8 7",
  print: "M7 8V3h10v5M7 17H4V8h16v9h-3M7 14h10v7H7z",
  plus: "M12 4v16M4 12h16",
  up: "M12 20V4M5 11l7-7 7 7",
  down: "M12 4v16M5 13l7 7 7-7",
  back: "M20 12H4M11 5l-7 7 7 7",
  next: "M4 12h16M13 5l7 7-7 7",
  unplugged: "M4 20l4-4M14 4l-3 3 6 6 3-3M13 17l-3 3-6-6 3-3M2 2l20 20",
  info: "M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18zM12 11v6M12 7.500v.01",
  motion: "M3 8h11M3 16h7M17 5v14M21 5v14",
  save: "M12 3v12M6 10l6 6 6-6M4 21h16",
};

/** The icon of that name. */
export function icon(name, extra = {}) {
  return s("svg.icon", { viewBox: "0 0 24 24", width: 24, height: 24, "aria-hidden": "true", focusable: "false", ...extra },
    s("path", { d: strokes[name] ?? strokes.info, fill: "none", stroke: "currentColor", "stroke-width": 1.8, "stroke-linecap": "round", "stroke-linejoin": "round" }));
}

const shapes = {
  1: "M3 3h28v28H3z",
  2: "M17 2.500L32.500 30.500H1.500z",
  3: "M17 1.500L32.500 17 17 32.500 1.500 17z",
  4: "M17 2.500a14.500 14.500 0 1 0 0 29a14.500 14.500 0 0 0 0-29z",
};

/** An alarm's priority: its own shape and number. Filled while nobody has seen it. */
export function priority(level, seen, label) {
  return s(`svg.priority.p${level}${seen ? ".seen" : ""}`, { viewBox: "0 0 34 34", role: "img", "aria-label": label },
    s("path", { d: shapes[level] ?? shapes[4] }), s("text", { x: 17, y: level === 2 ? 25.5 : 22 }, level));
}

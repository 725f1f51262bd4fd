// The pearl itself: a radial gradient of nacre, and marks that several drawings share. Drawings are SVG made of parts that stay
// in place; only what changes is changed.

import { s } from "../dom.js";

let number = 0;

/** Definitions with the pearl's gradient and a hatching; gives them with their ids. */
export function definitions() {
  number += 1;
  const pearl = `pearl-${number}`;
  const hatch = `hatch-${number}`;
  const element = s("defs",
    s("radialGradient", { id: pearl, cx: 0.36, cy: 0.3, r: 0.8 },
      s("stop", { offset: 0, "stop-color": "#ffffff" }), s("stop", { offset: 0.36, "stop-color": "#fbf4f0" }), s("stop", { offset: 0.64, "stop-color": "#e4d8de" }),
      s("stop", { offset: 0.86, "stop-color": "#b4bfcb" }), s("stop", { offset: 1, "stop-color": "#8593a0" })),
    s("pattern", { id: hatch, width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
      s("rect.hatch-ground", { width: 6, height: 6 }), s("line.hatch-line", { x1: 0, y1: 0, x2: 0, y2: 6 })));
  return { element, pearl: `url(#${pearl})`, hatch: `url(#${hatch})` };
}

/** Numbers between 0 and 1 that look like chance and are the same each time (a Weyl sequence, mixed). */
export function chance(seed) {
  let state = (seed * 0x9e3779b9) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** Fill of a bin's colour; further bins take the colours again, their numbers stay apart. */
export const grade = (bin) => `g${((bin - 1) % 8) + 1}`;

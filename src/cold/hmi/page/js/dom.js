// Making and changing elements. Text goes in as text nodes only: nothing in this page turns a string into markup, so that a
// script in a lot's name stays text. Words: a "spec" is `tag.class.class`.

const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else if (name === "data") {
      Object.assign(element.dataset, value);
    } else if (name === "value" || name === "checked" || name === "disabled" || name === "selected") {
      element[name] = value;
    } else {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  put(element, children);
  return element;
}

/** Adds children: elements, strings, numbers, nested arrays; absent ones are passed over. */
export function put(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === undefined || child === null || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return element;
}

function attributesAndChildren(rest) {
  const [first] = rest;
  const plain = first !== null && typeof first === "object" && !(first instanceof Node) && !Array.isArray(first);
  return plain ? [first, rest.slice(1)] : [{}, rest];
}

/** An HTML element: `h("p.note", { id: "x", on: { click } }, "text", child)`. */
export function h(spec, ...rest) {
  const [tag, ...classes] = spec.split(".");
  const element = document.createElement(tag || "div");
  if (classes.length) element.className = classes.join(" ");
  const [attributes, children] = attributesAndChildren(rest);
  return fill(element, attributes, children);
}

/** An SVG element, otherwise as `h`. */
export function s(spec, ...rest) {
  const [tag, ...classes] = spec.split(".");
  const element = document.createElementNS(SVG, tag);
  if (classes.length) element.setAttribute("class", classes.join(" "));
  const [attributes, children] = attributesAndChildren(rest);
  return fill(element, attributes, children);
}

/** Sets text only when it changed: a screen reader and the layout are left alone otherwise. */
export function text(element, value) {
  const wanted = String(value);
  if (element.textContent !== wanted) element.textContent = wanted;
}

/** Sets or removes an attribute only when it changed. */
export function attribute(element, name, value) {
  if (value === undefined || value === null || value === false) {
    if (element.hasAttribute(name)) element.removeAttribute(name);
  } else {
    const wanted = value === true ? "" : String(value);
    if (element.getAttribute(name) !== wanted) element.setAttribute(name, wanted);
  }
}

/** Replaces everything inside. */
export function replace(element, ...children) {
  element.replaceChildren();
  return put(element, children);
}

/** Replaces what is inside only when `key` changed since the last time: lists keep focus and scroll while nothing happens. */
export function replaceWhen(element, key, make) {
  const wanted = typeof key === "string" ? key : JSON.stringify(key);
  if (element.shown === wanted) return;
  element.shown = wanted;
  replace(element, make());
}

/** A style sheet that only one view needs, loaded once. */
export function useStyle(name) {
  const href = `/css/${name}.css`;
  if (document.querySelector(`link[href="${href}"]`)) return;
  document.head.append(h("link", { rel: "stylesheet", href }));
}

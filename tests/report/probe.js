// Measures the page in each frame, and leaves the result where the test finds it. It runs around the page and not in it.
const shown = (element) => element.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: true })
  && !element.closest(".unseen, title, desc");

// All texts that a person sees, each with its element.
function texts(page) {
  const walker = page.createTreeWalker(page.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (walker.currentNode.data.trim() && shown(element)) found.push([walker.currentNode, element]);
  }
  return found;
}

const channels = (colour) => colour.match(/[\d.]+/g).map(Number);

function luminance(colour) {
  const [r, g, b] = channels(colour).map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

// What is painted behind an element: the first colour outwards that lets nothing through.
function behind(window, element) {
  for (let at = element; at; at = at.parentElement) {
    const colour = window.getComputedStyle(at).backgroundColor;
    if (channels(colour)[3] !== 0) return colour;
  }
  return "rgb(255, 255, 255)";
}

function contrast(window, element) {
  const style = window.getComputedStyle(element);
  const front = element.closest("svg") ? style.fill : style.color;
  const [one, other] = [luminance(front), luminance(behind(window, element))].sort((a, b) => b - a);
  return (one + 0.05) / (other + 0.05);
}

// How far a text stands out of the page or of its cell. What a box scrolls is not out of the page.
function out(window, node, element) {
  const range = element.ownerDocument.createRange();
  range.selectNodeContents(node);
  const text = range.getBoundingClientRect();
  const cell = element.closest("td, th");
  if (cell) {
    const box = cell.getBoundingClientRect();
    return Math.max(box.left - text.left, text.right - box.right);
  }
  return Math.max(-text.left, text.right - window.innerWidth);
}

function measure(window) {
  const page = window.document;
  const style = (element) => window.getComputedStyle(element);
  const found = texts(page);
  const short = (node) => node.data.trim().slice(0, 60);
  const where = (list) => [...new Set(list.map(([node]) => short(node)))].slice(0, 5);
  const numbers = page.querySelectorAll(".totals text, .axis text");
  const boxes = [...numbers].map((text) => text.getBoundingClientRect());
  const touch = (a, b) => a.left < b.right && b.left < a.right && a.top + 2 < b.bottom && b.top + 2 < a.bottom;
  return {
    width: window.innerWidth,
    scrolls: page.scrollingElement.scrollWidth,
    dark: window.matchMedia("(prefers-color-scheme: dark)").matches,
    paper: style(page.body).backgroundColor,
    texts: found.length,
    small: where(found.filter(([, element]) => parseFloat(style(element).fontSize) < 11)),
    faint: where(found.filter(([, element]) => contrast(window, element) < 4.5)),
    out: where(found.filter(([node, element]) => out(window, node, element) > 1)),
    touching: boxes.filter((a, n) => boxes.slice(n + 1).some((b) => touch(a, b))).length,
  };
}

addEventListener("load", () => {
  const results = [];
  for (const frame of document.querySelectorAll("iframe")) {
    const { contentWindow: window, contentDocument: page } = frame;
    results.push({ open: false, ...measure(window) });
    page.querySelectorAll("details").forEach((part) => { part.open = true; });
    results.push({ open: true, ...measure(window) });
  }
  const found = document.createElement("pre");
  found.id = "found";
  found.textContent = JSON.stringify(results);
  document.body.replaceChildren(found);
});

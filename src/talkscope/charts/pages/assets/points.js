// What a drawing shows, as a list to walk through: each mark that has a tooltip, once, where it is drawn.

const PATHS = new Set(["line", "area", "trail"]);
/** What Vega-Lite calls the group of a panel; it makes other groups too, for lines and for stacked bars. */
const PANEL = /(^|_)(concat_\d+_group|cell)$/;

/** The points of a view in reading order: by panel, then line by line, row by row, or from left to right. */
function pointsOf(view) {
  const found = [];
  let series = 0;
  const visit = (mark, x, y, panel) => {
    if (/^(axis|legend|title)/.test(mark.role ?? "")) return;
    if (mark.marktype === "group") {
      for (const group of mark.items) {
        const inner = PANEL.test(mark.name ?? "") ? group : panel;
        for (const each of group.items) visit(each, x + (group.x ?? 0), y + (group.y ?? 0), inner);
      }
      return;
    }
    const path = PATHS.has(mark.marktype) ? (series += 1) : 0;
    for (const item of mark.items) {
      if (item.tooltip === null || item.tooltip === undefined || item.defined === false) continue;
      found.push({ panel, path, kind: mark.marktype, tooltip: item.tooltip, ...boxOf(item, path, x, y) });
    }
  };
  visit(view.scenegraph().root, 0, 0, null);
  const panels = [...new Set(found.map((each) => each.panel))];
  return panels.flatMap((panel) => inOrder(distinct(found.filter((each) => each.panel === panel))));
}

/** Where an item is, in the drawing's own units. */
function boxOf(item, path, x, y) {
  const own = path || !item.bounds ? { x1: item.x, y1: item.y, x2: item.x, y2: item.y } : item.bounds;
  const box = { x1: own.x1 + x, y1: own.y1 + y, x2: own.x2 + x, y2: own.y2 + y };
  return { ...box, x: (box.x1 + box.x2) / 2, y: (box.y1 + box.y2) / 2 };
}

/** A line's dots, and an area under a line, say again what the line says. */
function distinct(points) {
  const seen = new Set();
  const lines = points.some((each) => each.kind === "line");
  return points.filter((each) => {
    if (lines && each.kind !== "line" && (each.path || each.kind === "symbol")) return false;
    const key = `${Math.round(each.x)} ${Math.round(each.y)} ${JSON.stringify(each.tooltip)}`;
    return !seen.has(key) && seen.add(key);
  });
}

function inOrder(points) {
  const bars = points.filter((each) => each.kind === "rect");
  const rows = bars.length > points.length / 2 && bars.some((each) => Math.abs(each.y2 - bars[0].y2) > 2);
  const byRow = (a, b) => a.y - b.y || a.x - b.x;
  const byColumn = (a, b) => a.x - b.x || a.y - b.y;
  return points.sort((a, b) => a.path - b.path || (rows ? byRow(a, b) : byColumn(a, b)));
}

/** The point that a key leads to from the one at `index`; `undefined` for keys that lead nowhere. */
function step(points, index, key) {
  const last = points.length - 1;
  if (key === "Home") return 0;
  if (key === "End") return last;
  if (!key.startsWith("Arrow")) return undefined;
  if (index < 0) return 0;
  if (key === "ArrowRight") return Math.min(last, index + 1);
  if (key === "ArrowLeft") return Math.max(0, index - 1);
  return above(points, index, key === "ArrowUp" ? -1 : 1);
}

/** The nearest point above or below, straight before aslant; with lines, a point of another line. */
function above(points, index, way) {
  const from = points[index];
  let best = index;
  let least = Infinity;
  points.forEach((to, i) => {
    const away = way * (to.y - from.y);
    if (away < 0.5 || (from.path && to.path === from.path)) return;
    const aside = Math.max(0, to.x1 - from.x2, from.x1 - to.x2);
    if (away + 10 * aside < least) [best, least] = [i, away + 10 * aside];
  });
  return best;
}

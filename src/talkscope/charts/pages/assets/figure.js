// One chart: its words as HTML, so that they wrap and can be read aloud, its marks drawn by Vega as SVG.

const refuse = () => Promise.reject(new Error("A chart loads nothing from elsewhere."));
const NOTHING = { load: refuse, sanitize: refuse, http: refuse, file: refuse };
const LEAST_WIDTH = 440;
const LEAST_HEIGHT = 160;
let figures = 0;

function element(tag, className, attributes = {}) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

/** The lines of a title's text; null where it is no plain text. */
function linesOf(text) {
  if (text === undefined || text === null) return [];
  const lines = Array.isArray(text) ? text : [text];
  return lines.every((each) => typeof each === "string") ? lines : null;
}

/** A spec's title and subtitle as lines, when both are plain text. */
function wordsOf(spec) {
  const title = typeof spec.title === "object" && !Array.isArray(spec.title) ? spec.title : { text: spec.title };
  const [text, subtitle] = [linesOf(title?.text), linesOf(title?.subtitle)];
  return text && subtitle ? { text, subtitle } : null;
}

/** The spec as wide as there is room, and as high where a height is asked; sizes by step stay what they are. */
function fitted(spec, width, height, margin) {
  const sized = (each, by) => (typeof each.width === "number" ? { ...each, width: Math.max(80, width - by) } : each);
  for (const key of ["vconcat", "concat"]) {
    if (Array.isArray(spec[key])) return { ...spec, [key]: spec[key].map((each) => sized(each, margin)) };
  }
  if (spec.hconcat || spec.facet || spec.repeat || spec.encoding?.row || spec.encoding?.column) return spec;
  if (typeof spec.width === "object") return spec;
  // Vega-Lite fits no chart whose rows have a height each, and says so on the console.
  if (typeof spec.height === "object") return sized(spec, margin);
  const high = height && typeof spec.height === "number";
  const autosize = { type: high ? "fit" : "fit-x", contains: "padding" };
  return { ...spec, width, ...(high ? { height: Math.max(LEAST_HEIGHT, height) } : {}), autosize };
}

const EXPRESSIONS = new Set(["signal", "expr", "test", "update", "init"]);

/** Vega's interpreter takes a lone number in `datetime` for a year; a text it reads as what it is (vega/vega#3632). */
function withTextDates(part, name) {
  if (typeof part === "string" && EXPRESSIONS.has(name)) {
    return part.replace(/\bdatetime\((-?\d+(?:\.\d+)?)\)/g, (_, ms) => `datetime("${new Date(Number(ms)).toISOString()}")`);
  }
  if (typeof part !== "object" || part === null || name === "values") return part;
  if (Array.isArray(part)) return part.map((each) => withTextDates(each));
  return Object.fromEntries(Object.entries(part).map(([key, each]) => [key, withTextDates(each, key)]));
}

class Figure {
  constructor() {
    const id = `chart-${(figures += 1)}`;
    this.heading = element("h2");
    this.about = element("p", "about");
    this.drawing = element("div", "drawing");
    this.ring = element("div", "ring", { hidden: "" });
    this.paper = element("div", "for-print", { "aria-hidden": "true" });
    this.plot = element("div", "plot", {
      tabindex: "0", role: "img", "aria-roledescription": "chart", "aria-describedby": id,
    });
    this.plot.append(this.drawing, this.ring);
    this.summary = element("p", "unseen summary", { id });
    this.said = element("p", "unseen said", { "aria-live": "polite" });
    this.data = element("details", "data");
    this.data.append(Object.assign(element("summary"), { textContent: "Data as a table" }), element("div"));
    const caption = element("figcaption");
    caption.append(this.heading, this.about);
    this.root = element("figure", "chart");
    this.root.append(caption, this.plot, this.paper, this.summary, this.said, this.data);
    this.plot.addEventListener("keydown", (event) => this.walk(event));
    this.plot.addEventListener("blur", () => this.leave());
    this.data.addEventListener("toggle", () => this.tabulate());
    this.turn = 0;
  }

  /** Take a spec; `draw` shows it. */
  show(spec, summary) {
    const words = wordsOf(spec);
    this.spec = { ...spec, usermeta: undefined, ...(words ? { title: undefined } : {}) };
    this.heading.textContent = words?.text.join(" ") ?? "";
    this.about.replaceChildren(
      ...(words?.subtitle ?? []).map((line) => Object.assign(element("span"), { textContent: line })),
    );
    const text = summary || spec.description || "";
    this.plot.setAttribute("aria-label", [this.heading.textContent || "Chart", ...(words?.subtitle ?? [])].join(", "));
    this.summary.textContent = `${text} Arrow keys walk through what the chart shows.`.trim();
    this.data.open = false;
  }

  /** Draw for this shade into this room; a later call outruns an earlier one. */
  async draw(shade, width, height) {
    const turn = (this.turn += 1);
    const asked = Math.max(LEAST_WIDTH, Math.round(width));
    let margin = 78;
    let drawn = await this.embed(shade, asked, height, { margin });
    const { x1, x2 } = drawn.result.view.scenegraph().root.bounds;
    const over = Math.ceil(x2 - x1) - asked;
    if (over > 6 || (over < -6 && !drawn.result.vgSpec.autosize?.type?.startsWith("fit"))) {
      drawn.result.finalize();
      margin += over;
      drawn = await this.embed(shade, asked, height, { margin, columns: Math.max(1, Math.floor(asked / 190)) });
    }
    if (turn !== this.turn) return drawn.result.finalize();
    this.finish();
    this.result = drawn.result;
    this.drawing.replaceChildren(drawn.place);
    this.points = pointsOf(this.result.view);
    this.index = -1;
    this.data.hidden = !this.points.length;
    this.tabulate();
  }

  async embed(shade, width, height, { margin, columns }) {
    const base = SHADES[shade];
    const legend = columns ? { ...base.legend, columns } : base.legend;
    const font = getComputedStyle(document.body).fontFamily || base.font;
    const config = { ...base, legend, font, background: "transparent", padding: 2 };
    const place = element("div");
    const result = await window.vegaEmbed(place, fitted({ ...this.spec, config, background: undefined }, width, height, margin), {
      mode: "vega-lite", ast: true, actions: false, renderer: "svg", defaultStyle: false,
      patch: (compiled) => withTextDates(compiled), loader: NOTHING, tooltip: tooltipHandler, logLevel: 1,
    });
    return { place, result };
  }

  /** Keep a picture in light colours for paper, where dark ones do not read. */
  async print(width) {
    const { place, result } = await this.embed("light", Math.max(LEAST_WIDTH, width), undefined, { margin: 78 });
    result.finalize();
    this.paper.replaceChildren(place);
    this.root.classList.add("has-print");
  }

  walk(event) {
    if (event.key === "Escape") return this.leave();
    const next = this.points?.length ? step(this.points, this.index, event.key) : undefined;
    if (next === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.index = next;
    const point = this.points[next];
    const told = facts(point.tooltip).map(([name, text]) => (name ? `${name}: ${text}` : text));
    this.said.textContent = `${told.join(", ")} (${next + 1} of ${this.points.length})`;
    this.point(point);
  }

  /** The ring around a point, and its tip. */
  point(point) {
    const matrix = this.drawing.querySelector("svg g").getScreenCTM();
    const from = new DOMPoint(point.x1, point.y1).matrixTransform(matrix);
    const to = new DOMPoint(point.x2, point.y2).matrixTransform(matrix);
    const around = this.plot.getBoundingClientRect();
    const room = point.x1 === point.x2 && point.y1 === point.y2 ? 7 : 3;
    Object.assign(this.ring.style, {
      left: `${from.x - around.x - room}px`, top: `${from.y - around.y - room}px`,
      width: `${to.x - from.x + 2 * room}px`, height: `${to.y - from.y + 2 * room}px`,
    });
    this.ring.hidden = false;
    showTip(point.tooltip, (from.x + to.x) / 2, (from.y + to.y) / 2);
  }

  leave() {
    this.ring.hidden = true;
    hideTip();
  }

  /** The points as tables, one for each set of columns, made when it is opened. */
  tabulate() {
    const sheets = new Map();
    for (const point of this.data.open ? this.points ?? [] : []) {
      const row = facts(point.tooltip);
      const names = JSON.stringify(row.map(([name]) => name));
      sheets.set(names, [...(sheets.get(names) ?? []), row.map(([, text]) => text)]);
    }
    this.data.lastChild.replaceChildren(...[...sheets].map(([names, rows]) => sheetOf(JSON.parse(names), rows)));
  }

  finish() {
    this.leave();
    this.result?.finalize();
    this.result = undefined;
  }
}

function sheetOf(names, rows) {
  const numeric = names.map((_, i) => rows.every((row) => /^([-−–]|US?\$|[\d.,\s%])+(ms|s|%)?$/.test(row[i])));
  const line = (tag, cells) => {
    const row = element("tr");
    row.append(...cells.map((text, i) => Object.assign(element(tag, numeric[i] ? "number" : ""), { textContent: text })));
    return row;
  };
  const [head, body, table, sheet] = ["thead", "tbody", "table", "div"].map((tag) => element(tag));
  head.append(line("th", names));
  body.append(...rows.map((row) => line("td", row)));
  table.append(head, body);
  sheet.className = "sheet";
  sheet.tabIndex = 0;
  sheet.append(table);
  return sheet;
}

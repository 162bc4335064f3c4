// The view's side of MCP Apps 2026-01-26 (SEP-1865): JSON-RPC 2.0 with the window that holds this page.

const PROTOCOL = "2026-01-26";
const main = document.getElementById("charts");
const figure = new Figure();
const note = element("p", "note", { role: "status" });
note.textContent = "Waiting for the chart…";
figure.root.hidden = true;
main.append(note, figure.root);

let context = {};
let reported = "";
const waiting = new Map();
let lastId = 0;

function post(message) {
  window.parent.postMessage({ jsonrpc: "2.0", ...message }, "*");
}

function request(method, params) {
  const id = (lastId += 1);
  post({ id, method, params });
  return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
}

/** Words in place of the chart. */
function say(text, failed = false) {
  figure.turn += 1;
  figure.finish();
  figure.root.hidden = true;
  note.hidden = false;
  note.classList.toggle("failed", failed);
  note.setAttribute("role", failed ? "alert" : "status");
  note.textContent = text;
}

async function redraw() {
  const shade = context.theme === "dark" || context.theme === "light" ? context.theme : preferred();
  paint(shade);
  if (!figure.spec || figure.root.hidden) return;
  try {
    await figure.draw(shade, roomAcross(), roomDown());
  } catch (error) {
    say(`The chart could not be drawn: ${error.message}`, true);
  }
}

/** Pixels that a chart may fill from top to bottom, where the host fixes the height; else a chart has its own. */
function roomDown() {
  const fixed = context.containerDimensions?.height;
  if (!fixed) return undefined;
  const others = document.body.getBoundingClientRect().height - figure.drawing.getBoundingClientRect().height;
  return Math.max(LEAST_HEIGHT, fixed - others);
}

/** Take what the host says of itself; a part that it leaves out stays as it was. */
function adopt(part) {
  const before = context;
  context = { ...context, ...part };
  for (const [name, value] of Object.entries(part.styles?.variables ?? {})) {
    if (name === "--font-sans" && typeof value === "string") document.documentElement.style.setProperty(name, value);
  }
  const inset = context.safeAreaInsets;
  if (inset) main.style.margin = `${inset.top}px ${inset.right}px ${inset.bottom}px ${inset.left}px`;
  const seen = ["theme", "displayMode", "containerDimensions", "styles", "safeAreaInsets"];
  if (seen.some((each) => JSON.stringify(before[each]) !== JSON.stringify(context[each]))) redraw();
}

function textOf(result) {
  const blocks = Array.isArray(result.content) ? result.content : [];
  return blocks.filter((each) => each?.type === "text").map((each) => each.text).join("\n");
}

/** A tool's result: its spec drawn, with words for whoever sees no picture; without a spec, its text. */
function take(result) {
  const text = textOf(result);
  const spec = result.structuredContent?.spec ?? result._meta?.["talkscope/spec"];
  if (result.isError) return say(text || "The tool failed and did not say why.", true);
  if (typeof spec !== "object" || spec === null) return say(text || "This result has no chart.");
  figure.show(spec, result.structuredContent?.summary ?? text);
  figure.root.hidden = false;
  note.hidden = true;
  return redraw();
}

const notified = {
  "ui/notifications/tool-input": () => figure.spec || say("Drawing the chart…"),
  "ui/notifications/tool-result": take,
  "ui/notifications/tool-cancelled": ({ reason }) => say(reason ? `Cancelled: ${reason}` : "Cancelled."),
  "ui/notifications/host-context-changed": adopt,
};

const answered = {
  ping: () => ({}),
  "ui/resource-teardown": () => {
    sizes.disconnect();
    figure.turn += 1;
    figure.finish();
    return {};
  },
};

function answer({ id, method }) {
  const own = Object.hasOwn(answered, method) ? answered[method] : undefined;
  if (own) post({ id, result: own() });
  else post({ id, error: { code: -32601, message: `Method not found: ${method}` } });
}

window.addEventListener("message", ({ source, data }) => {
  if (source !== window.parent || data?.jsonrpc !== "2.0") return;
  if (typeof data.method !== "string") {
    const asked = waiting.get(data.id);
    waiting.delete(data.id);
    if (data.error) asked?.reject(new Error(data.error.message));
    else asked?.resolve(data.result ?? {});
  } else if (data.id !== undefined) answer(data);
  else if (Object.hasOwn(notified, data.method)) notified[data.method](data.params ?? {});
});

const sizes = new ResizeObserver(() => {
  const height = Math.ceil(document.body.getBoundingClientRect().height);
  const size = { width: window.innerWidth, height };
  if (JSON.stringify(size) === reported) return;
  reported = JSON.stringify(size);
  post({ method: "ui/notifications/size-changed", params: size });
});

async function connect() {
  paint(preferred());
  const host = await request("ui/initialize", {
    protocolVersion: PROTOCOL,
    appInfo: { name: "talkscope-chart", title: "Talkscope chart", version: "1.0.0" },
    appCapabilities: { availableDisplayModes: ["inline", "fullscreen"] },
  });
  adopt(host.hostContext ?? {});
  post({ method: "ui/notifications/initialized", params: {} });
  sizes.observe(document.body);
}

prefersDark.addEventListener("change", redraw);
whenResized(redraw);
connect().catch((error) => say(`The host did not take this page: ${error.message}`, true));

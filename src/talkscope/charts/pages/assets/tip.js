// The box beside a mark, for the pointer and for the keyboard. What stands in it is text, never markup.

const tip = document.createElement("div");
tip.className = "tip";
tip.hidden = true;

/** A cell as people read it; what is not known is a dash. */
function readable(value) {
  if (value === null || value === undefined || /^(null|undefined|NaN)$/.test(value)) return "–";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** A tooltip's names and texts; one without a name where it is plain text. */
function facts(value) {
  if (typeof value !== "object" || value === null) return [["", readable(value)]];
  return Object.entries(value).map(([name, each]) => [name, readable(each)]);
}

function showTip(value, x, y) {
  const list = document.createElement("dl");
  for (const [name, text] of facts(value)) {
    list.append(Object.assign(document.createElement("dt"), { textContent: name }));
    list.append(Object.assign(document.createElement("dd"), { textContent: text }));
  }
  tip.replaceChildren(list);
  if (!tip.isConnected) document.body.append(tip);
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect();
  const right = x + 14 + width < window.innerWidth;
  const below = y + 14 + height < window.innerHeight;
  tip.style.left = `${Math.max(4, right ? x + 14 : x - 14 - width)}px`;
  tip.style.top = `${Math.max(4, below ? y + 14 : y - 14 - height)}px`;
}

function hideTip() {
  tip.hidden = true;
}

/** What Vega calls when the pointer comes to a mark, and when it leaves. */
function tooltipHandler(_handler, event, _item, value) {
  if (value === null || value === undefined || value === "") hideTip();
  else showTip(value, event.clientX, event.clientY);
}

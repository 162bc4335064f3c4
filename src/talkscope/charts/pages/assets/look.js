// Light and dark, and how much room there is.

const prefersDark = window.matchMedia("(prefers-color-scheme: dark)");

function preferred() {
  return prefersDark.matches ? "dark" : "light";
}

function paint(shade) {
  document.documentElement.dataset.shade = shade;
}

/** How much room a chart has from side to side. */
function roomAcross() {
  const main = document.getElementById("charts");
  return Math.min(1100, main.getBoundingClientRect().width);
}

/** Call back when the page's width changed by more than a scroll bar, once it holds still. */
function whenResized(redraw) {
  let known = window.innerWidth;
  let waiting;
  window.addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      if (Math.abs(window.innerWidth - known) < 4) return;
      known = window.innerWidth;
      redraw();
    }, 120);
  });
}

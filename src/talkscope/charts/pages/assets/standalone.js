// A page of charts without a host: all that it shows stands in it.

const specs = JSON.parse(document.getElementById("specs").textContent);
const charts = specs.map((spec) => {
  const figure = new Figure();
  figure.show(spec, "");
  document.getElementById("charts").append(figure.root);
  return figure;
});
document.body.classList.add("offline");

async function redraw() {
  const shade = preferred();
  paint(shade);
  for (const figure of charts) {
    await figure.draw(shade, roomAcross());
    if (shade === "dark") await figure.print(680);
  }
}

prefersDark.addEventListener("change", redraw);
whenResized(redraw);
redraw();

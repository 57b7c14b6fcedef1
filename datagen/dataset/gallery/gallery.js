"use strict";
const samples = JSON.parse(document.getElementById("samples").textContent);
const byId = (id) => document.getElementById(id);
const LAYERS = ["synthetic", "natural", "ignore", "regions"];
const grid = byId("grid");
const viewer = byId("viewer");
let shown = [];
let open = -1;

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

const percent = (value) => `${(100 * value).toFixed(1)} %`;

// A picture under its overlays; all are the same size, so the browser scales them alike.
function picture(sample) {
  const box = element("div", { class: "picture", style: `--ratio: ${sample.width} / ${sample.height}` });
  box.append(element("img", { src: sample.picture, alt: "", decoding: "async" }));
  for (const name of LAYERS) {
    if (sample.layers[name]) box.append(element("img", { class: `layer ${name}`, src: sample.layers[name], alt: "" }));
  }
  return box;
}

function shares(sample) {
  const text = ["synthetic", "natural", "ignore"].map((name) => `${name} ${percent(sample.shares[name])}`).join(", ");
  const bar = element("div", { class: "share", role: "img", "aria-label": text, title: text });
  for (const name of ["synthetic", "natural", "ignore"]) {
    bar.append(element("i", { class: name, style: `flex: ${sample.shares[name]} 0 0` }));
  }
  return bar;
}

function card(sample) {
  const box = picture(sample);
  // The well is 16:10.
  box.classList.add(sample.width / sample.height >= 1.6 ? "wide" : "tall");
  const button = element("button", { type: "button" }, element("div", { class: "thumb" }, box));
  const size = `${sample.width}x${sample.height}`;
  button.setAttribute("aria-label", `${sample.key}: ${sample.scene}, ${sample.split}, ${size}; open`);
  button.addEventListener("click", () => show(shown.indexOf(sample)));
  const caption = element("figcaption", {},
    element("div", { class: "line" }, element("b", {}, sample.key), element("span", {}, size)),
    element("div", { class: "line" }, element("span", {}, sample.scene.replaceAll("_", " ")), element("span", {}, sample.split)),
    shares(sample));
  sample.button = button;
  sample.card = element("figure", { class: "card" }, button, caption);
  return sample.card;
}

const ORDERS = {
  scene: (a, b) => a.scene.localeCompare(b.scene) || a.key.localeCompare(b.key),
  key: (a, b) => a.key.localeCompare(b.key),
  natural: (a, b) => b.shares.natural - a.shares.natural,
  ignore: (a, b) => b.shares.ignore - a.shares.ignore,
  regions: (a, b) => b.num_regions - a.num_regions,
};

function refresh() {
  const wanted = { scene: byId("scene").value, split: byId("split").value, size: byId("size").value };
  const text = byId("search").value.trim().toLowerCase();
  const fits = (sample) =>
    (!wanted.scene || sample.scene === wanted.scene) && (!wanted.split || sample.split === wanted.split) &&
    (!wanted.size || `${sample.width}x${sample.height}` === wanted.size) && sample.key.toLowerCase().includes(text);
  shown = samples.filter(fits).sort(ORDERS[byId("sort").value]);
  for (const sample of samples) sample.card.hidden = true;
  for (const sample of shown) {
    sample.card.hidden = false;
    grid.append(sample.card);
  }
  byId("count").textContent = `${shown.length} of ${samples.length}`;
  byId("nothing").hidden = shown.length > 0;
}

function setLayer(name, on) {
  document.body.classList.toggle(`on-${name}`, on);
  for (const button of document.querySelectorAll(`.toggle[data-layer="${name}"]`)) button.setAttribute("aria-pressed", on);
}

const isOn = (name) => document.body.classList.contains(`on-${name}`);

function allLabels() {
  const labels = LAYERS.slice(0, 3);
  const on = !labels.every(isOn);
  for (const name of labels) setLayer(name, on);
}

function term(list, name, value) {
  if (value === null || value === undefined || value === "") return;
  list.append(element("dt", {}, name), element("dd", {}, typeof value === "object" ? JSON.stringify(value) : String(value)));
}

function facts(sample) {
  const box = byId("facts");
  const main = element("dl"), drawn = element("dl"), origin = element("dl");
  for (const name of ["synthetic", "natural", "ignore"]) term(main, name, percent(sample.shares[name]));
  term(main, "regions", sample.num_regions);
  term(main, "size", `${sample.width} x ${sample.height} pixels`);
  term(main, "shown at", `${sample.shown[0]} x ${sample.shown[1]}`);
  term(main, "labelled", sample.how_labelled);
  term(main, "confidence", sample.confidence === null ? null : sample.confidence.toFixed(3));
  term(main, "masked", sample.how_masked);
  term(main, "bytes", sample.bytes.toLocaleString("en"));
  for (const [name, value] of Object.entries(sample.details)) term(drawn, name, value);
  term(origin, "seed", sample.seed);
  term(origin, "shard", sample.shard);
  for (const [name, value] of Object.entries(sample.versions)) term(origin, name, value);
  const sources = element("ul");
  for (const source of sample.sources) {
    sources.append(element("li", {}, `${source.kind} ${source.name}`,
      element("small", {}, `${source.licence}; ${source.origin}`), element("code", {}, source.sha256.slice(0, 32))));
  }
  box.replaceChildren(shares(sample), main);
  if (drawn.children.length) box.append(element("h3", {}, "Details"), drawn);
  box.append(element("h3", {}, `Sources (${sample.sources.length})`), sources, element("h3", {}, "Origin"), origin);
  box.scrollTop = 0;
}

// The largest width at which the whole picture fits the scroller.
function fit() {
  const stage = byId("stage"), box = stage.firstElementChild;
  if (!box || open < 0) return;
  const sample = shown[open], room = stage.getBoundingClientRect();
  box.style.setProperty("--fit", `${Math.floor(room.height * sample.width / sample.height)}px`);
}

function show(place) {
  if (place < 0 || place >= shown.length) return;
  open = place;
  const sample = shown[place], box = picture(sample);
  box.style.setProperty("--actual", `${sample.width}px`);
  byId("viewer-title").textContent = sample.key;
  byId("viewer-place").textContent = `${sample.scene.replaceAll("_", " ")}, ${sample.split}: ${place + 1} of ${shown.length}`;
  byId("stage").replaceChildren(box);
  byId("previous").disabled = place === 0;
  byId("next").disabled = place === shown.length - 1;
  facts(sample);
  if (!viewer.open) viewer.showModal();
  fit();
}

function zoom() {
  const on = viewer.classList.toggle("actual");
  byId("zoom").setAttribute("aria-pressed", on);
  fit();
}

function step(direction) {
  const cards = shown.map((sample) => sample.button);
  const here = cards.indexOf(document.activeElement);
  const columns = getComputedStyle(grid).gridTemplateColumns.split(" ").length;
  const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[direction];
  const next = here < 0 ? 0 : here + by;
  if (cards[next]) cards[next].focus();
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.closest("select, input");
  if (typing) return;
  const key = event.key.toLowerCase();
  const layer = { s: "synthetic", n: "natural", i: "ignore", r: "regions" }[key];
  if (layer) setLayer(layer, !isOn(layer));
  else if (key === "l") allLabels();
  else if (key === "z" && viewer.open) zoom();
  else if (viewer.open && (event.key === "ArrowLeft" || event.key === "ArrowRight")) show(open + (event.key === "ArrowLeft" ? -1 : 1));
  else if (!viewer.open && event.key.startsWith("Arrow")) step(event.key);
  else return;
  event.preventDefault();
}

function start() {
  const choices = { scene: (s) => s.scene, split: (s) => s.split, size: (s) => `${s.width}x${s.height}` };
  for (const [id, value] of Object.entries(choices)) {
    const counts = new Map();
    for (const sample of samples) counts.set(value(sample), (counts.get(value(sample)) || 0) + 1);
    for (const [name, count] of [...counts].sort()) byId(id).append(element("option", { value: name }, `${name.replaceAll("_", " ")} (${count})`));
    byId(id).addEventListener("change", refresh);
  }
  byId("sort").addEventListener("change", refresh);
  byId("search").addEventListener("input", refresh);
  for (const sample of samples) grid.append(card(sample));
  // The same overlay buttons stand in the viewer too, which covers the page.
  const overlays = document.querySelector(".group").cloneNode(true);
  for (const label of overlays.querySelectorAll("label")) label.remove();
  byId("zoom").before(overlays);
  for (const button of document.querySelectorAll(".toggle")) {
    button.addEventListener("click", () => setLayer(button.dataset.layer, !isOn(button.dataset.layer)));
  }
  byId("opacity").addEventListener("input", (event) => {
    document.documentElement.style.setProperty("--opacity", event.target.value / 100);
    byId("opacity-value").textContent = `${event.target.value} %`;
  });
  byId("theme").addEventListener("click", () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });
  byId("previous").addEventListener("click", () => show(open - 1));
  byId("next").addEventListener("click", () => show(open + 1));
  byId("zoom").addEventListener("click", zoom);
  byId("close").addEventListener("click", () => viewer.close());
  viewer.addEventListener("close", () => { if (shown[open]) shown[open].button.focus(); open = -1; });
  document.addEventListener("keydown", onKey);
  addEventListener("resize", fit);
  refresh();
}

start();

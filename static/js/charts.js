// Disk use over time, drawn from the table that says the same in words.
import uPlot from "../vendor/uplot-1.6.32/uPlot.esm.js";

const HEIGHT = 150;
const DAY_SECONDS = 86400;
const UNITS = ["B", "kB", "MB", "GB", "TB"];

function bytes(value) {
  if (value === null) return "";
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value.toLocaleString(document.documentElement.lang, { maximumFractionDigits: 1 })} ${UNITS[unit]}`;
}

function count(value) {
  return Number.isInteger(value) ? value.toLocaleString(document.documentElement.lang) : "";
}

/** Return how an axis tells the time: hours within one day, days for more, and no day twice. */
function times(days) {
  const wish = days > 1 ? { day: "numeric", month: "short" } : { hour: "2-digit", minute: "2-digit" };
  const format = new Intl.DateTimeFormat(document.documentElement.lang, wish);
  const steps = days > 1 ? { incrs: [1, 2, 3, 7, 14, 30].map((step) => step * DAY_SECONDS) } : {};
  return { ...steps, values: (_, marks) => marks.map((mark) => format.format(mark * 1000)) };
}

/** Return the columns of the table, oldest row first. */
function columns(table) {
  const rows = [...table.tBodies[0].rows].reverse().map((row) => row.dataset);
  return Object.fromEntries(
    ["at", "originals", "thumbnails", "free", "owed"].map((name) => [name, rows.map((row) => Number(row[name]))]),
  );
}

function colours() {
  const style = getComputedStyle(document.body);
  // Custom properties may hold light-dark(); only a painted element tells which of the two it is.
  const probe = document.createElement("span");
  document.body.append(probe);
  const colour = (name) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const found = { ink: colour("--ink-soft"), line: colour("--line"), first: colour("--accent"), second: colour("--line-strong") };
  probe.remove();
  return { ...found, font: `12px ${style.fontFamily}` };
}

function title(words, keys) {
  const line = document.createElement("p");
  line.className = "chart__title";
  line.append(words);
  keys.forEach((key, index) => {
    const label = document.createElement("span");
    label.className = index ? "chart__key chart__key--second" : "chart__key";
    label.textContent = key;
    line.append(label);
  });
  return line;
}

function draw(place, { words, keys = [], series, values, at, days }, look) {
  const box = document.createElement("div");
  box.className = "chart";
  box.append(title(words, keys));
  place.append(box);
  const axis = { stroke: look.ink, font: look.font, grid: { stroke: look.line, width: 1 }, ticks: { show: false } };
  const lines = series.map((_, index) => ({
    stroke: index ? look.second : look.first,
    width: 2,
    points: { show: at.length < 3 },
  }));
  const options = {
    width: box.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    scales: {
      // The whole stretch that was chosen: a new server has measured only the end of it.
      x: { range: () => [at.at(-1) - days * DAY_SECONDS, at.at(-1)] },
      y: { range: (_, low, high) => [0, Math.max(high * 1.08, 1)] },
    },
    axes: [{ ...axis, space: 80, ...times(days) }, { ...axis, size: 76, values: (_, marks) => marks.map(values) }],
    series: [{}, ...lines],
  };
  return new uPlot(options, [at, ...series], box);
}

function drawAll(place, data) {
  const { stored, originals, thumbnails, free, owed } = place.dataset;
  const look = colours();
  const { at } = data;
  place.replaceChildren();
  const kinds = [
    { words: stored, keys: [originals, thumbnails], series: [data.originals, data.thumbnails], values: bytes, at },
    { words: free, series: [data.free], values: bytes, at },
    { words: owed, series: [data.owed], values: count, at },
  ];
  const days = Number(place.dataset.days);
  return kinds.map((kind) => draw(place, { ...kind, days }, look));
}

function start(place, table) {
  const data = columns(table);
  place.hidden = false;
  let charts = [];
  const again = () => {
    charts.forEach((chart) => chart.destroy());
    charts = drawAll(place, data);
  };
  again();
  new ResizeObserver(() => {
    for (const chart of charts) chart.setSize({ width: place.clientWidth, height: HEIGHT });
  }).observe(place);
  new MutationObserver(again).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
}

const place = document.getElementById("charts");
if (place) start(place, document.getElementById("disk-table"));

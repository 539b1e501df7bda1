// The one chart of every page (rnnviz/ui/chart.py). Served with a first line `const PALETTE = {...}`, see
// rnnviz/figures/theme.py. Streamlit calls `chart` again, with the same parent element, whenever the data or the theme
// has changed; Plotly.react then changes the drawn figure in place, so zoom, camera and hover live on.

// Streamlit (1.67) makes an entry in the history for every bound value that code sets, so a preset needed nine presses of
// "back", through states nobody chose. Entries of one address that come within one breath are one. And on the way to
// another page it first makes an entry of the page it leaves, without its query: "back" would lose all settings there.
if (!window.rnnvizHistory) {
  const push = history.pushState.bind(history);
  let last = -Infinity;
  let emptied = -Infinity;
  window.rnnvizHistory = true;
  history.pushState = (state, title, url) => {
    const target = new URL(url ?? "", location.href);
    const now = performance.now();
    const here = target.pathname === location.pathname;
    const soon = now - (here ? last : emptied) < 500;
    last = here ? now : -Infinity;
    emptied = here && !target.search && location.search ? now : -Infinity;
    if (soon) history.replaceState(state, title, url);
    else push(state, title, url);
  };
}

// On the window, since a server that was updated behind an open page serves this module under a new address: the second
// instance must find the charts of the first rather than draw its own beside them.
// charts: parent element -> Chart. cursors: group -> {step, unit}, where a chart that mounts later finds its cursor.
const { charts, cursors } = (window.rnnvizCharts ??= { charts: new Map(), cursors: new Map() });
const HEATMAPS = new Set(["heatmap", "contour"]);
const HOVER_INTERVAL = 120; // ms; each hover sent to Python is a rerun
const CONFIG = { displayModeBar: false, displaylogo: false, showTips: false, showSendToCloud: false, plotlyServerURL: "" };

export async function chart(component) {
  const parent = component.parentElement;
  let instance = charts.get(parent);
  if (!instance) charts.set(parent, (instance = new Chart(parent)));
  const { mark } = component.data;
  if (mark) follow(mark);
  await instance.update(component);
  // Streamlit also calls this when a newer change overtook the present one: only a parent that left the page is over.
  return () => parent.isConnected || instance.destroy();
}

const STEPPED = ["stButtonGroup", "stCheckbox", "stButton"].map((name) => `[data-testid="${name}"]`).join();

// A click leaves the focus on what was clicked, and a focused pill or switch swallows the arrows and the space bar: the
// keys that step through time would be dead until the next click on empty page. Someone who came by keyboard (a click
// without a pointer has detail 0) keeps the focus.
function freeKeys(event) {
  const control = event.detail > 0 && event.target.closest?.(STEPPED);
  if (control) requestAnimationFrame(() => control.contains(document.activeElement) && document.activeElement.blur());
}

function follow({ group, step, unit }) {
  document.addEventListener("click", freeKeys, true); // added once; captured, since the controls stop it on its way up
  moveCursor(group, step, unit);
}

export function cursor({ data, parentElement }) {
  parentElement.classList.add("rv-cursor");
  follow(data);
  return () => parentElement.isConnected || moveCursor(data.group, null);
}

export function moveCursor(group, step, unit = null) {
  if (step === null) cursors.delete(group);
  else cursors.set(group, { step, unit });
  for (const one of charts.values()) if (one.meta.cursor?.group === group) one.mark();
  document.dispatchEvent(new CustomEvent("rnnviz-cursor", { detail: { group, step } }));
}

// ---- one chart ------------------------------------------------------------------------------------------------------

class Chart {
  constructor(parent) {
    this.root = element("div", "rv-chart", { role: "figure", tabindex: "0" });
    this.plot = element("div", "rv-plot");
    this.marks = element("div", "rv-marks", { "aria-hidden": "true" });
    this.tools = element("div", "rv-tools", { role: "toolbar" });
    this.summary = element("p", "rv-hidden", { id: `rv-summary-${crypto.getRandomValues(new Uint32Array(1))[0]}` });
    this.spoken = element("p", "rv-hidden", { "aria-live": "polite" });
    this.root.setAttribute("aria-describedby", this.summary.id);
    this.root.append(this.plot, this.marks, this.tools, this.summary, this.spoken);
    this.grips = null; // handles on its bars (assets/grips.js), for the few charts that have them
    for (const [text, label, act] of [
      ["⟲", "Reset the view", () => this.reset()],
      ["SVG", "Save the picture as SVG", () => this.savePicture("svg")],
      ["PNG", "Save the picture as PNG", () => this.savePicture("png")],
      ["CSV", "Save the data as CSV", () => save(toCsv(this.plot), "text/csv", `${this.fileName}.csv`)],
    ]) {
      const button = element("button", "", { type: "button", title: label });
      button.textContent = text;
      button.addEventListener("click", act);
      this.tools.append(button);
    }
    this.draws = 0;
    this.resets = 0;
    this.meta = {};
    this.root.addEventListener("pointerdown", () => (this.byPointer = true));
    this.root.addEventListener("focusout", (event) => {
      if (!this.root.contains(event.relatedTarget)) this.byPointer = false;
      this.leaveCells();
    });
    this.root.addEventListener("keydown", (event) => this.onKey(event));
    this.root.addEventListener("pointerleave", () => (this.hovered = null));
    this.resize = new ResizeObserver(() => {
      if (this.width && this.root.clientWidth && this.root.clientWidth !== this.width) this.update(this.current);
    });
    this.resize.observe(this.root);
    parent.append(this.root);
  }

  // Changes that arrive while one is being drawn are not queued: only the newest is drawn next.
  async update(component) {
    this.next = component;
    this.busy ??= this.drain();
    return this.busy;
  }

  async drain() {
    try {
      // What somebody holds is not taken out of their hand: the newest change is drawn when they let go.
      while (this.next && !this.grips?.busy) {
        const component = this.next;
        this.next = null;
        const { urls } = component.data;
        await Promise.all([loadOnce("script", urls.plotly), loadOnce("link", urls.style)]);
        if (urls.grips && !this.grips) await this.addGrips(urls.grips);
        if (!this.gone && this.root.isConnected) await this.draw(component);
      }
    } finally {
      this.busy = null; // in the same breath as the loop's last look, so that no change falls between
    }
  }

  async draw(component) {
    const { figure, name, summary, height } = component.data;
    figure.layout.height = height;
    this.current = component;
    this.theme = readTheme(this.root);
    this.meta = figure.layout.meta ?? {};
    this.fileName = fileName(name);
    this.root.setAttribute("aria-label", name);
    this.tools.setAttribute("aria-label", `Save ${name}`);
    for (const button of this.tools.children) button.setAttribute("aria-label", `${button.title}: ${name}`);
    const cells = figure.data.some((trace) => HEATMAPS.has(trace.type));
    this.summary.textContent = cells ? `${summary} Arrow keys walk over the cells, Enter chooses one.` : summary;
    this.root.style.height = `${figure.layout.height}px`;
    this.width = this.root.clientWidth;

    const layout = painted(figure.layout, this.theme);
    layout.template = painted(PALETTE.template, this.theme);
    layout.template.layout.font.family = this.theme.css("--st-font") || layout.template.layout.font.family;
    layout.width = this.width;
    layout.uirevision = `${layout.uirevision ?? ""}/${this.resets}`;
    // On a touch screen a drag must scroll the page rather than draw a zoom box.
    if (matchMedia("(pointer: coarse)").matches && !layout.scene) layout.dragmode = false;
    const data = painted(figure.data, this.theme);
    this.fitLabels(data, layout);
    this.fitNumbers(data, layout);
    this.fitTexts(layout);

    await Plotly.react(this.plot, data, layout, CONFIG);
    if (this.gone) return;
    if (this.draws === 0) this.listen();
    this.root.dataset.draws = ++this.draws;
    this.mark();
    // A figure that changes under a resting pointer must not lose its label; the last flag keeps this from being sent.
    if (this.hovered) Plotly.Fx.hover(this.plot, this.hovered.event, this.hovered.subplot, true);
  }

  async addGrips(address) {
    const { Grips } = await import(new URL(address, document.baseURI).href);
    this.grips = new Grips(this.plot, (event, index, value) => {
      if (this.next) this.busy ??= this.drain();
      const curve = this.meta.grips.trace;
      this.send(event, payload({ curveNumber: curve, pointNumber: index, x: index, y: value }));
    });
    this.marks.after(this.grips.layer);
  }

  listen() {
    this.plot.on("plotly_click", ({ points, event }) => points?.[0] && this.choose(this.cellUnder(event) ?? points[0]));
    this.plot.on("plotly_hover", ({ event, points }) => {
      const [first] = points;
      this.hovered = event && { event, subplot: first.xaxis ? first.xaxis._id + first.yaxis._id : "scene" };
      this.sendHover(payload(first));
    });
    this.plot.on("plotly_unhover", () => this.sendHover({ left: true }));
    this.plot.on("plotly_relayout", () => this.meta.labels && this.update(this.current));
    for (const event of ["plotly_afterplot", "plotly_relayouting"]) this.plot.on(event, () => this.mark());
  }

  // Plotly reports what was hovered up to 50 ms before the click, which after a quick move is another cell.
  cellUnder(event) {
    if (event?.clientX === undefined) return null;
    const box = this.plot.getBoundingClientRect();
    for (const trace of this.heatmaps()) {
      const index = [["y", event.clientY - box.top], ["x", event.clientX - box.left]].map(([letter, pixel]) => {
        const axis = this.plot._fullLayout[axisName(trace[`${letter}axis`])];
        const inside = pixel - axis._offset;
        if (inside < 0 || inside > axis._length) return -1;
        const [value, first] = [axis.p2l(inside), coordinate(trace, letter, 0)];
        return Math.round((value - first) / (coordinate(trace, letter, 1) - first || 1));
      });
      const [row, column] = index;
      if (row >= 0 && column >= 0 && Number.isFinite(trace.z[row]?.[column])) return this.pointAt(trace, row, column);
    }
    return null;
  }

  heatmaps() {
    return (this.plot._fullData ?? []).filter((trace) => HEATMAPS.has(trace.type) && isData(trace));
  }

  // The same as Plotly's own events carry for this cell.
  pointAt(trace, row, column) {
    const layout = this.plot._fullLayout;
    return {
      curveNumber: trace.index,
      pointNumber: [row, column],
      x: coordinate(trace, "x", column),
      y: coordinate(trace, "y", row),
      z: trace.z[row][column],
      text: trace.text?.[row]?.[column],
      customdata: trace.customdata?.[row]?.[column],
      xaxis: layout[axisName(trace.xaxis)],
      yaxis: layout[axisName(trace.yaxis)],
    };
  }

  choose(point) {
    const { cursor: own } = this.meta;
    if (own?.axes.some(([x, y]) => x === point.xaxis?._id && y === point.yaxis?._id)) {
      const units = own.axes.some(([, y, units]) => y === point.yaxis._id && units !== false);
      const unit = units ? Math.round(point.y) : (cursors.get(own.group)?.unit ?? null);
      moveCursor(own.group, Math.round(point.x), own.unit === false ? null : unit);
    }
    this.send("click", payload(point));
  }

  send(event, value) {
    const { data, setTriggerValue } = this.current;
    if (data.events.includes(event)) setTriggerValue(event, value);
  }

  sendHover(value) {
    if (!this.current.data.events.includes("hover")) return;
    this.pendingHover = value;
    this.hoverTimer ??= setTimeout(() => {
      this.hoverTimer = null;
      if (!this.gone) this.send("hover", this.pendingHover);
    }, HOVER_INTERVAL);
  }

  // As many token labels as fit the visible part of the axis; every token in the hover text.
  fitLabels(data, layout) {
    for (const [id, texts] of Object.entries(this.meta.labels ?? {})) {
      const axis = (layout[axisName(id)] ??= {});
      const drawn = this.plot._fullLayout?.[axisName(id)];
      const [from, to] = drawn?.range ?? axis.range ?? [0, texts.length];
      const [start, end] = axis.domain ?? [0, 1];
      const { t, b } = layout.margin ?? {};
      const high = b === undefined ? layout.height * 0.8 : layout.height - (t ?? 0) - b;
      const along = (id[0] === "x" ? this.width * 0.8 : high) * (end - start);
      const each = id[0] === "x" && texts.every((text) => bare(text).length < 2) ? 13 : 20; // pixels of a label
      const room = Math.max(1, Math.floor(((drawn?._length ?? along) || 1) / each));
      const stride = Math.max(1, Math.ceil(Math.min(texts.length, Math.abs(to - from)) / room));
      axis.tickmode = "array";
      axis.tickvals = texts.map((_, i) => i).filter((i) => i % stride === 0);
      axis.ticktext = axis.tickvals.map((i) => cut(texts[i], 10));
      for (const trace of data) {
        if (!HEATMAPS.has(trace.type) || (trace[`${id[0]}axis`] ?? id[0]) !== id) continue;
        if (id[0] === "y") {
          // Labels that do not fit are in the hover text all the same: a row's label for each of its cells.
          if (trace.customdata || !trace.hovertemplate?.includes("%{y}")) continue;
          const columns = trace.z?.shape ? Number(String(trace.z.shape).split(",")[1]) : (trace.z[0]?.length ?? 0);
          trace.customdata = texts.map((text) => new Array(columns).fill(text));
          trace.hovertemplate = trace.hovertemplate.replaceAll("%{y}", "%{customdata}");
          continue;
        }
        if (trace.text) continue;
        const rows = trace.z?.shape ? Number(String(trace.z.shape).split(",")[0]) : trace.z.length;
        trace.text = new Array(rows).fill(texts); // one array for all rows: nothing is copied
        trace.hovertemplate = trace.hovertemplate?.replaceAll("%{x}", "%{text}");
      }
    }
  }

  // Numbers in the cells of a heatmap that says how wide a cell must be for them (`meta: {"numbers": 28}`, pixels).
  fitNumbers(data, layout) {
    for (const trace of data) {
      const least = trace.texttemplate && trace.meta?.numbers;
      if (!least) continue;
      const [start, end] = layout[axisName(trace.xaxis ?? "x")]?.domain ?? [0, 1];
      const columns = trace.z?.shape ? Number(trace.z.shape.split(",")[1]) : (trace.z[0]?.length ?? 1);
      const { l = 0, r = 0 } = layout.margin ?? {};
      if (((this.width - l - r) * (end - start)) / columns < least) delete trace.texttemplate;
    }
  }

  // Texts of a drawing that was laid out for at least so many pixels (`meta: {"least": 560}`) get smaller with it.
  fitTexts(layout) {
    const scale = Math.max(0.78, this.width / (this.meta.least ?? 1));
    if (scale >= 1) return;
    for (const text of layout.annotations ?? []) {
      text.font = { ...text.font, size: (text.font?.size ?? layout.template.layout.font.size) * scale };
    }
  }

  reset() {
    this.resets += 1;
    this.update(this.current);
  }

  async savePicture(format) {
    const background = this.theme.css("--st-background-color");
    const layout = { ...this.plot.layout, paper_bgcolor: background, plot_bgcolor: background };
    const size = { width: this.width, height: layout.height, scale: format === "png" ? 2 : 1 };
    const url = await Plotly.toImage({ data: this.plot.data, layout, config: CONFIG }, { format, ...size });
    const body = url.slice(url.indexOf(",") + 1);
    if (format === "svg") save(decodeURIComponent(body), "image/svg+xml", `${this.fileName}.svg`);
    else save(Uint8Array.from(atob(body), (byte) => byte.charCodeAt(0)), "image/png", `${this.fileName}.png`);
  }

  // ---- marks over the plot: the cursor of the group, the cell under the keyboard --------------------------------------

  mark() {
    if (!this.plot._fullLayout) return;
    const boxes = [];
    const { cursor: own } = this.meta;
    const at = own && cursors.get(own.group);
    for (const [x, y, units = true] of (at && own.axes) || []) {
      if (own.unread) boxes.push(["rv-unread", x, y, [at.step + 1, 1e9], null]);
      // Over an axis of numbers (`line`) the mark is a line at the value, not the cell around it.
      const where = own.line ? [at.step + 0.5, at.step - 0.5] : at.step;
      boxes.push([own.line ? "rv-line" : own.unit === false ? "rv-band" : "rv-step", x, y, where, null]);
      if (at.unit !== null && own.unit !== false && units) boxes.push(["rv-cell", x, y, at.step, at.unit]);
    }
    if (this.cell) boxes.push(["rv-focus", this.cell.trace.xaxis, this.cell.trace.yaxis, this.cell.x, this.cell.y]);
    this.marks.replaceChildren(...boxes.map((box) => this.box(...box)).filter(Boolean));
    if (this.grips && this.meta.grips) {
      const { xaxis } = this.plot._fullData[this.meta.grips.trace] ?? {};
      this.grips.place(this.meta.grips, (index) => bare(labelAt(this.plot._fullLayout, xaxis, index)));
    }
  }

  box(className, xId, yId, x, y) {
    const horizontal = this.span(xId, x);
    const vertical = this.span(yId, y);
    if (!horizontal || !vertical) return null;
    const box = element("div", className);
    [box.style.left, box.style.width] = horizontal;
    [box.style.top, box.style.height] = vertical;
    return box;
  }

  // Pixels [start, length] of the unit-wide cells from one value to another (or of the cell of a single value), cut to
  // the axis; the whole axis for null.
  span(id, value) {
    const axis = this.plot._fullLayout[axisName(id ?? "x")];
    if (!axis?._length) return null;
    const [from, to] = Array.isArray(value) ? value : [value, value];
    const ends = value === null ? [0, axis._length] : [axis.l2p(from - 0.5), axis.l2p(to + 0.5)];
    const [low, high] = [Math.max(0, Math.min(...ends)), Math.min(axis._length, Math.max(...ends))];
    return high < low || (high === low && !Array.isArray(value)) ? null : [`${axis._offset + low}px`, `${high - low}px`];
  }

  // ---- keyboard: arrows walk over heatmap cells, Enter chooses ----------------------------------------------------------

  onKey(event) {
    // After a click with the mouse the page's own shortcuts (arrows step through time) go first.
    if (event.target !== this.root || this.byPointer || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const maps = this.heatmaps();
    if (!maps.length || !(step || (this.cell && ["Enter", " ", "Escape"].includes(event.key)))) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Escape") this.leaveCells();
    else if (!step) this.choose(this.cell.point);
    else this.walk(maps, step);
  }

  walk(maps, [right, down]) {
    let { map = 0, row = 0, column = 0 } = this.cell ?? {};
    if (this.cell) {
      const last = maps[Math.min(map, maps.length - 1)];
      column += right * this.direction(last.xaxis, 1);
      row += down * this.direction(last.yaxis, -1);
      // Leaving a heatmap up or down enters the next one at the same column.
      const beyond = row < 0 || row >= last.z.length;
      const other = map + (beyond ? down : 0);
      if (beyond && maps[other]) {
        map = other;
        row = down * this.direction(maps[map].yaxis, -1) > 0 ? 0 : maps[map].z.length - 1;
      }
    }
    const trace = maps[Math.min(map, maps.length - 1)];
    row = Math.max(0, Math.min(row, trace.z.length - 1));
    column = Math.max(0, Math.min(column, trace.z[row].length - 1));
    const point = this.pointAt(trace, row, column);
    const { x, y, z } = point;
    this.cell = { map, row, column, trace, x, y, point };
    const value = Number.isFinite(z) ? Number(z).toPrecision(4) : "no value";
    const layout = this.plot._fullLayout;
    const where = [trace.name, labelAt(layout, trace.xaxis, x), labelAt(layout, trace.yaxis, y)];
    this.spoken.textContent = `${where.map(bare).join(", ")}: ${value}`;
    Plotly.Fx.hover(this.plot, { xval: x, yval: y }, trace.xaxis + trace.yaxis);
    this.mark();
  }

  // Whether the next index lies to the right (or above): 1 or -1, reversed axes included.
  direction(id, sign) {
    const { range } = this.plot._fullLayout[axisName(id)];
    return range[1] > range[0] ? sign : -sign;
  }

  leaveCells() {
    if (!this.cell) return;
    this.cell = null;
    this.spoken.textContent = "";
    Plotly.Fx.unhover(this.plot);
    this.mark();
  }

  destroy() {
    if (this.gone) return;
    this.gone = true;
    clearTimeout(this.hoverTimer);
    this.resize.disconnect();
    if (window.Plotly) Plotly.purge(this.plot);
    for (const [parent, one] of charts) if (one === this) charts.delete(parent);
    this.root.remove();
  }
}

// ---- theme ------------------------------------------------------------------------------------------------------------

function readTheme(node) {
  const style = getComputedStyle(node);
  const css = (name) => style.getPropertyValue(name).trim();
  const pen = document.createElement("canvas").getContext("2d");
  pen.fillStyle = css("--st-background-color") || "#ffffff"; // reads back as #rrggbb, however it was written
  const [red, green, blue] = [1, 3, 5].map((i) => parseInt(pen.fillStyle.slice(i, i + 2), 16));
  return { css, dark: 0.2126 * red + 0.7152 * green + 0.0722 * blue < 128 };
}

// A copy of a figure's part in which every light colour has become the theme's. Arrays of data are shared, not copied.
function painted(part, theme, isColour = false) {
  if (typeof part === "string") return isColour ? paint(part, theme) : part;
  if (Array.isArray(part)) {
    const skip = !isColour && (typeof part[0] !== "object" || Array.isArray(part[0]));
    // Plotly writes a zoom into the range it was given; the figure is drawn from again, so short arrays are copied.
    if (skip) return part.length > 8 ? part : part.slice();
    return part.map((item) => painted(item, theme, isColour));
  }
  if (part === null || typeof part !== "object" || part.bdata) return part;
  const copy = {};
  for (const [key, value] of Object.entries(part)) {
    copy[key] = key === "meta" ? value : painted(value, theme, isColour || /colou?r(s|scale|way)?$/i.test(key));
  }
  return copy;
}

function paint(colour, theme) {
  const own = PALETTE.follow[colour];
  return (own && theme.css(own)) || (theme.dark && PALETTE.dark[colour]) || colour;
}

// ---- data -------------------------------------------------------------------------------------------------------------

function payload(point) {
  const index = point.pointNumber ?? point.pointIndex ?? [];
  const custom = point.customdata ?? [];
  return {
    curve: point.curveNumber,
    index: [].concat(index),
    x: point.x ?? null,
    y: point.y ?? null,
    z: point.z ?? null,
    text: point.text === undefined ? "" : String(point.text),
    custom: Array.from([].concat(custom)),
  };
}

// The figure's data as one table: a row for each point or cell, with the label of its position where the axis has one.
function toCsv(plot) {
  const rows = [["trace", "x", "x_label", "y", "y_label", "z"]];
  for (const trace of plot._fullData) {
    if (!isData(trace)) continue;
    const add = (x, y, z) => {
      const [xText, yText] = [labelAt(plot._fullLayout, trace.xaxis, x), labelAt(plot._fullLayout, trace.yaxis, y)];
      rows.push([bare(trace.name ?? ""), x, xText === x ? "" : bare(xText), y, yText === y ? "" : bare(yText), z]);
    };
    if (HEATMAPS.has(trace.type)) {
      trace.z.forEach((row, i) => row.forEach((z, j) => add(coordinate(trace, "x", j), coordinate(trace, "y", i), z)));
    } else {
      const length = Math.max(trace.x?.length ?? 0, trace.y?.length ?? 0);
      for (let i = 0; i < length; i++) add(coordinate(trace, "x", i), coordinate(trace, "y", i), trace.z?.[i]);
    }
  }
  const kept = rows[0].map((_, column) => rows.slice(1).some((row) => (row[column] ?? "") !== ""));
  return rows.map((row) => row.filter((_, i) => kept[i]).map(csvField).join(",")).join("\r\n") + "\r\n";
}

function csvField(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return Number.isFinite(value) ? shortest(value) : "";
  // A spreadsheet would run a token that starts like a formula.
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

// float32 values arrive as doubles; 0.1 must not be written as 0.10000000149011612.
function shortest(value) {
  if (Math.fround(value) !== value) return String(value);
  for (let digits = 6; digits < 9; digits++) {
    const rounded = Number(value.toPrecision(digits));
    if (Math.fround(rounded) === value) return String(rounded);
  }
  return String(Number(value.toPrecision(9)));
}

// A trace that is seen, and is not mere decoration by its own word (`meta: {"decoration": true}`).
function isData(trace) {
  return trace.visible === true && !trace._input.meta?.decoration;
}

function coordinate(trace, letter, i) {
  return trace[letter] ? trace[letter][i] : (trace[`${letter}0`] ?? 0) + i * (trace[`d${letter}`] ?? 1);
}

function labelAt(layout, id, value) {
  const known = layout.meta?.labels?.[id]?.[value];
  if (known !== undefined) return known;
  const axis = layout[axisName(id ?? "")];
  const place = axis?.tickmode === "array" && axis.ticktext ? Array.from(axis.tickvals).indexOf(value) : -1;
  return place < 0 ? value : axis.ticktext[place];
}

function axisName(id) {
  return `${id[0]}axis${id.slice(1)}`;
}

// Text without Plotly's mark-up: "h<sub>t</sub>" is "ht", and "&lt;" a "<" again.
function bare(text) {
  const named = { "&lt;": "<", "&gt;": ">", "&amp;": "&" };
  return String(text).replace(/<[^>]*>/g, "").replace(/&(lt|gt|amp);/g, (entity) => named[entity]);
}

function cut(text, limit) {
  const characters = Array.from(bare(text));
  if (characters.length <= limit) return text;
  const kept = `${characters.slice(0, limit - 1).join("")}…`;
  return kept.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

// ---- the document -----------------------------------------------------------------------------------------------------

function element(tag, className, attributes = {}) {
  const node = document.createElement(tag);
  node.className = className;
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

const loading = new Map();

// plotly.js is a classic script that sets window.Plotly; each file is fetched once for the life of the document.
function loadOnce(tag, address) {
  const url = new URL(address, document.baseURI).href;
  if (!loading.has(url)) {
    const node = document.createElement(tag);
    const done = new Promise((resolve, reject) => {
      node.onload = resolve;
      node.onerror = () => {
        loading.delete(url); // the next change tries again
        node.remove();
        reject(new Error(`could not load ${url}`));
      };
    });
    if (tag === "script") node.src = url;
    else Object.assign(node, { rel: "stylesheet", href: url });
    loading.set(url, done);
    document.head.append(node);
  }
  return loading.get(url);
}

function save(content, type, name) {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const link = element("a", "", { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

function fileName(name) {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-+|-+$/g, "").slice(0, 60) || "figure";
}

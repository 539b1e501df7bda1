// Handles on the bars of a chart (rnnviz/ui/chart.py, `on_drag`), whose heights are shares of 1: one moved by hand or by
// the arrow keys takes from the others or gives to them. The picture follows at once, the server hears of the last place.
//
// The figure says which trace: `meta.grips = {trace: 0, fixed: [2]}`, fixed being bars that stay.

const STEP = 0.05; // of an arrow key
const BREATH = 400; // ms without a key until a bar counts as moved
const HALF = 7; // pixels: half of a handle's height
const NARROW = 14; // pixels: a bar that is no wider has a handle of twice the height, to be hit at all

export class Grips {
  // `chosen(event, index, value)` is told what was done: "drag" with the new height, or "click" where nothing moved.
  constructor(plot, chosen) {
    this.plot = plot;
    this.chosen = chosen;
    this.layer = document.createElement("div");
    this.layer.className = "rv-grips";
    this.layer.setAttribute("role", "group");
    this.layer.addEventListener("pointerdown", (event) => this.take(event));
    this.layer.addEventListener("pointermove", (event) => this.move(event));
    this.layer.addEventListener("pointerup", (event) => this.drop(event));
    this.layer.addEventListener("pointercancel", () => this.back());
    this.layer.addEventListener("keydown", (event) => this.onKey(event));
    this.layer.addEventListener("focusout", () => this.settle());
    this.held = null; // {index, row, from, moved}: the bar that is moved, all heights before, where the pointer began
    this.timer = null;
  }

  get busy() {
    return this.held !== null;
  }

  // Puts a handle on each bar as it is drawn now; those that are there are moved, so that the focus stays.
  place({ trace: number, fixed = [] }, words) {
    const trace = this.plot._fullData?.[number];
    if (!trace?.y || !trace.xaxis) return this.layer.replaceChildren();
    const layout = this.plot._fullLayout;
    const axis = (id) => layout[`${id[0]}axis${id.slice(1)}`];
    [this.x, this.y] = [axis(trace.xaxis), axis(trace.yaxis)];
    this.number = number;
    this.fixed = new Set(fixed);
    this.layer.setAttribute("aria-label", trace.name ?? "");
    const free = Array.from(trace.y, (_, i) => i).filter((i) => !this.fixed.has(i));
    const wanted = free.length > 1 ? free : [];
    const known = new Map([...this.layer.children].map((grip) => [Number(grip.dataset.index), grip]));
    for (const [index, grip] of known) if (!wanted.includes(index)) grip.remove();
    const largest = wanted.reduce((best, i) => (trace.y[i] > trace.y[best] ? i : best), wanted[0]);
    const open = wanted.includes(this.open) ? this.open : largest; // the one that Tab reaches
    for (const index of wanted) {
      const grip = known.get(index) ?? this.made(index);
      const value = trace.y[index];
      const [left, right] = [this.x.l2p(index - 0.5), this.x.l2p(index + 0.5)];
      grip.style.left = `${this.x._offset + left}px`;
      grip.style.width = `${right - left}px`;
      const half = right - left <= NARROW ? 2 * HALF : HALF;
      grip.style.height = `${2 * half}px`;
      grip.style.top = `${this.y._offset + this.y.l2p(value) - half}px`;
      grip.tabIndex = index === open ? 0 : -1;
      grip.setAttribute("aria-valuenow", value.toFixed(3));
      grip.setAttribute("aria-label", `${words(index)}, position ${index}`);
    }
  }

  made(index) {
    const grip = document.createElement("div");
    grip.className = "rv-grip";
    grip.dataset.index = index;
    const fixed = { role: "slider", "aria-orientation": "vertical", "aria-valuemin": "0", "aria-valuemax": "1" };
    for (const [name, value] of Object.entries(fixed)) grip.setAttribute(name, value);
    this.layer.append(grip);
    return grip;
  }

  heights() {
    return Array.from(this.plot._fullData[this.number].y);
  }

  // ---- by pointer ---------------------------------------------------------------------------------------------------

  take(event) {
    const grip = event.target.closest(".rv-grip");
    if (!grip || event.button !== 0) return;
    event.preventDefault();
    event.stopPropagation();
    this.settle();
    grip.focus({ preventScroll: true });
    grip.setPointerCapture(event.pointerId);
    this.held = { index: Number(grip.dataset.index), row: this.heights(), from: event.clientY, moved: false };
  }

  move(event) {
    if (!this.held || this.timer !== null) return;
    const { held } = this;
    if (!held.moved && Math.abs(event.clientY - held.from) < 3) return;
    held.moved = true;
    const start = this.y.l2p(held.row[held.index]);
    this.draw(this.y.p2l(start + event.clientY - held.from));
  }

  drop() {
    if (!this.held || this.timer !== null) return;
    const { index, moved } = this.held;
    this.held = null;
    this.chosen(moved ? "drag" : "click", index, this.heights()[index]);
  }

  back() {
    if (!this.held) return;
    const { row } = this.held;
    clearTimeout(this.timer);
    this.held = this.timer = null;
    this.show(row);
  }

  // ---- by keyboard --------------------------------------------------------------------------------------------------

  onKey(event) {
    const grip = event.target.closest(".rv-grip");
    if (!grip || event.ctrlKey || event.metaKey || event.altKey) return;
    const index = Number(grip.dataset.index);
    const now = this.heights()[index];
    const to = { ArrowUp: now + STEP, ArrowDown: now - STEP, Home: 0, End: 1 }[event.key];
    const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (to === undefined && !way && !["Enter", "Escape"].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation(); // the page's own shortcuts step through time with these keys
    if (way) this.walk(index, way);
    else if (event.key === "Escape") this.back();
    else if (event.key === "Enter") this.settle();
    else {
      this.held ??= { index, row: this.heights(), from: 0, moved: true };
      this.draw(to);
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.settle(), BREATH);
    }
  }

  walk(index, way) {
    const grips = [...this.layer.children].sort((a, b) => a.dataset.index - b.dataset.index);
    const next = grips[grips.findIndex((grip) => Number(grip.dataset.index) === index) + way];
    if (!next) return;
    this.open = Number(next.dataset.index);
    for (const grip of grips) grip.tabIndex = grip === next ? 0 : -1;
    next.focus();
  }

  // What the keys moved is where it shall stay.
  settle() {
    if (this.timer === null) return;
    clearTimeout(this.timer);
    this.timer = null;
    const { index } = this.held;
    this.held = null;
    this.chosen("drag", index, this.heights()[index]);
  }

  // ---- the picture --------------------------------------------------------------------------------------------------

  draw(height) {
    const { index, row } = this.held;
    this.open = index;
    this.show(shared(row, index, Math.min(1, Math.max(0, height)), this.fixed));
  }

  show(row) {
    window.Plotly.restyle(this.plot, { y: [row] }, [this.number]);
  }
}

// The heights with another one at `index`; the others keep their proportions, and the sum stays 1.
function shared(row, index, height, fixed) {
  const others = row.map((_, i) => i).filter((i) => i !== index && !fixed.has(i));
  const rest = others.reduce((sum, i) => sum + row[i], 0);
  return row.map((old, i) => {
    if (i === index) return height;
    if (fixed.has(i)) return old;
    return rest > 0 ? ((1 - height) * old) / rest : (1 - height) / others.length;
  });
}

// Home's reader (rnnviz/ui/home.py): moves the cursor of the picture from word to word and says what is seen, all in
// the browser. It plays once, when the sentence is new; a reader who asked for less motion gets the whole picture.

const readers = new Map(); // parent element -> Reader

export default async function reader(component) {
  const { parentElement: parent, data } = component;
  const chart = await import(new URL(data.urls.module, document.baseURI).href);
  let instance = readers.get(parent);
  if (!instance) readers.set(parent, (instance = new Reader(parent, chart)));
  instance.update(data);
  return () => parent.isConnected || instance.destroy();
}

class Reader {
  constructor(parent, chart) {
    this.parent = parent;
    this.chart = chart;
    this.root = document.createElement("div");
    this.root.className = "rv-reader";
    this.button = document.createElement("button");
    this.button.type = "button";
    this.button.addEventListener("click", () => (this.timer ? this.stop() : this.play()));
    this.line = document.createElement("p");
    this.root.append(this.button, this.line);
    parent.append(this.root);
    this.step = 0;
    this.onCursor = ({ detail }) => {
      if (detail.group !== this.data.group || detail.step === null || detail.step === this.step) return;
      this.stop(); // somebody clicked a column
      this.show(detail.step);
    };
    document.addEventListener("rnnviz-cursor", this.onCursor);
  }

  get last() {
    return this.data.lines.length - 1;
  }

  update(data) {
    const fresh = this.data?.sentence !== data.sentence;
    this.data = data;
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.show(fresh ? (still ? this.last : 0) : Math.min(this.step, this.last));
    if (fresh && !still) this.play();
    else this.label();
  }

  play() {
    if (this.step >= this.last) this.show(0);
    clearInterval(this.timer);
    this.timer = setInterval(() => this.tick(), this.data.interval);
    this.label();
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
    this.label();
  }

  tick() {
    // The first word waits until there is a picture to fill, and none is read behind another tab.
    if (document.hidden || !document.querySelector(".rv-chart[data-draws]")) return;
    if (this.step < this.last) this.show(this.step + 1);
    if (this.step >= this.last) this.stop();
  }

  show(step) {
    this.step = step;
    this.line.textContent = this.data.lines[step];
    this.root.dataset.step = step;
    this.chart.moveCursor(this.data.group, step);
  }

  label() {
    const ended = this.step >= this.last;
    this.button.textContent = this.timer ? "❚❚ Pause" : ended ? "▶ Read again" : "▶ Read on";
  }

  destroy() {
    clearInterval(this.timer);
    document.removeEventListener("rnnviz-cursor", this.onCursor);
    this.chart.moveCursor(this.data.group, null);
    readers.delete(this.parent);
    this.root.remove();
  }
}

// What the page shows beside the stream, and what its viewer changes.

const SEND_MS = 60;
const HOLD_MS = 800;
const MANY_CLASSES = 12;
const PAUSE = "M4 3h3v10H4zM9 3h3v10H9z";
const PLAY = "M4 2.5v11l9-5.5z";
const STATES = {
  running: ["Live", "live"],
  paused: ["Paused", "wait"],
  starting: ["Opening", "wait"],
  stopping: ["Stopping", "wait"],
  idle: ["Stopped", "trouble"],
  failed: ["Failed", "trouble"],
};
const NMS_NAMES = { none: "None", hard: "Hard", "soft-linear": "Soft, linear", "soft-gaussian": "Soft, Gaussian" };

const byId = (id) => document.getElementById(id);

export class Controls {
  #send;
  #waiting = {};
  #timer = null;
  #heldUntil = {};
  #rows = [];
  #paused = false;

  /** Changes of the viewer go to `send`, a few at a time. */
  constructor(send) {
    this.#send = send;
    for (const name of ["score", "iou"]) {
      byId(name).oninput = (event) => {
        const value = Number(event.target.value);
        byId(`${name}-value`).value = value.toFixed(2);
        this.#change(name, value);
      };
    }
    byId("nms").onchange = (event) => this.#change("nms", event.target.value);
    byId("pause").onclick = () => this.#togglePause();
    byId("all").onclick = () => this.#setAll(true);
    byId("none").onclick = () => this.#setAll(false);
    byId("filter").oninput = () => this.#filter();
    this.#setUpFullscreen();
    document.addEventListener("keydown", (event) => {
      const isFree = event.target === document.body || event.target === null;
      if (event.key === " " && isFree) {
        event.preventDefault();
        this.#togglePause();
      }
    });
  }

  /** Show what stays the same: the model and its classes. */
  greet(hello) {
    byId("model").textContent = hello.model;
    for (const each of document.querySelectorAll(".boxes-only")) each.hidden = !hello.has_boxes;
    byId("nms").replaceChildren(...hello.nms.map((kind) => new Option(NMS_NAMES[kind] ?? kind, kind)));
    if (this.#rows.length !== hello.classes.length) byId("filter").value = ""; // another model
    this.#rows = hello.classes.map((each, id) => this.#row(each, id));
    byId("classes").replaceChildren(...this.#rows.map((row) => row.item));
    byId("filter").hidden = this.#rows.length <= MANY_CLASSES;
    this.#filter(); // the page has connected again
    byId("all-none").hidden = this.#rows.length < 3;
    for (const id of ["score", "iou", "nms", "pause"]) byId(id).disabled = false;
  }

  /** Show a state of the stream. */
  show(state) {
    const name = state.state === "running" && !state.frame ? "starting" : state.state;
    const [text, level] = state.problem ? ["Problem", "trouble"] : STATES[name];
    this.#status(text, level);
    byId("source").textContent = state.source;
    document.title = state.source ? `${state.source} – kpviewer` : "kpviewer";
    byId("problem").textContent = state.problem ?? "";
    byId("problem").hidden = !state.problem;
    byId("waiting").hidden = state.frame > 0 || Boolean(state.problem);
    byId("fps").textContent = state.state === "paused" ? "0" : state.fps.toFixed(state.fps < 10 ? 1 : 0);
    byId("latency").textContent = figure(state.latency_ms);
    byId("model-ms").textContent = figure(state.model_ms);
    byId("viewers").textContent = state.viewers;
    if (state.size_wh) byId("stage").style.setProperty("--ratio", state.size_wh[1] / state.size_wh[0]);
    this.#showThresholds(state);
    this.#showClasses(state);
    if (!this.#isHeld("paused")) this.#showPaused(state.state === "paused");
  }

  /** Show that the service doesn't answer. */
  showLost() {
    this.#status("Reconnecting", "trouble");
    for (const id of ["fps", "latency", "model-ms", "viewers"]) byId(id).textContent = "–";
  }

  /** Show how the video comes. */
  showTransport(name) {
    byId("transport").textContent = name;
    byId("waiting").hidden = true;
  }

  #status(text, level) {
    const status = byId("status");
    if (status.textContent !== text) status.textContent = text; // a screen reader reads each change
    status.dataset.level = level;
  }

  #showThresholds(state) {
    for (const name of ["score", "iou"]) {
      if (this.#isHeld(name)) continue;
      byId(name).value = state[name];
      byId(`${name}-value`).value = state[name].toFixed(2);
    }
    if (!this.#isHeld("nms")) byId("nms").value = state.nms;
  }

  #showClasses(state) {
    const hidden = new Set(state.hidden);
    let total = 0;
    this.#rows.forEach((row, id) => {
      const count = state.counts[id] ?? 0;
      total += count;
      row.count.textContent = count;
      row.item.classList.toggle("some", count > 0);
      if (!this.#isHeld("classes")) row.box.checked = !hidden.has(id);
    });
    byId("total").textContent = total;
  }

  #showPaused(isPaused) {
    this.#paused = isPaused;
    byId("pause").setAttribute("aria-pressed", isPaused);
    byId("pause-text").textContent = isPaused ? "Resume" : "Pause";
    byId("pause-icon").setAttribute("d", isPaused ? PLAY : PAUSE);
  }

  #row({ name, color }, id) {
    const item = document.createElement("li");
    const label = document.createElement("label");
    const box = Object.assign(document.createElement("input"), { type: "checkbox", checked: true });
    const [swatch, text, count] = ["swatch", "name", "count"].map((kind) =>
      Object.assign(document.createElement("span"), { className: kind }),
    );
    swatch.style.setProperty("--swatch", color);
    text.textContent = name;
    text.title = name;
    count.textContent = "0";
    box.onchange = () => this.#change("classes", { ...this.#waiting.classes, [id]: box.checked });
    label.append(box, swatch, text, count);
    item.append(label);
    return { item, box, count, name };
  }

  #setAll(isShown) {
    const classes = {};
    this.#rows.forEach((row, id) => {
      if (row.item.hidden) return;
      row.box.checked = isShown;
      classes[id] = isShown;
    });
    this.#change("classes", classes);
  }

  #filter() {
    const wanted = byId("filter").value.trim().toLowerCase();
    for (const row of this.#rows) row.item.hidden = !row.name.toLowerCase().includes(wanted);
  }

  #togglePause() {
    this.#showPaused(!this.#paused);
    this.#change("paused", this.#paused);
  }

  #setUpFullscreen() {
    const [button, stage] = [byId("fullscreen"), byId("stage")];
    button.hidden = !document.fullscreenEnabled;
    button.onclick = () => (document.fullscreenElement ? document.exitFullscreen() : stage.requestFullscreen());
  }

  // A moved slider stays where the viewer has it until the service has answered.
  #isHeld(name) {
    return performance.now() < (this.#heldUntil[name] ?? 0);
  }

  #change(name, value) {
    this.#heldUntil[name] = performance.now() + HOLD_MS;
    this.#waiting[name] = value;
    this.#timer ??= setTimeout(() => {
      const change = this.#waiting;
      this.#waiting = {};
      this.#timer = null;
      this.#send(change);
    }, SEND_MS);
  }
}

/** Return a time in ms as text; – if there is none. */
function figure(ms) {
  if (ms === null) return "–";
  return ms < 10 ? ms.toFixed(1) : ms.toFixed(0);
}

// The reading form: one line a question, the one in hand opened; letters go to questions, digits answer.
// Nothing is built from HTML text, so whatever a reader types is shown as it was typed.

const forms = new WeakMap();

export default function mount(component) {
  const { data, parentElement } = component;
  let form = forms.get(parentElement);
  if (!form || form.data.read !== data.read) {
    form?.leave();
    form = new Form(component);
    forms.set(parentElement, form);
  } else {
    form.update(component);
  }
  return () => {
    form.leave();
    forms.delete(parentElement);
  };
}

const IDLE_MS = 60_000; // so long without a key or a move, and the reader is taken to be away
const TYPING_MS = 600; // a pause this long in typing and the text is sent
const PATIENCE_MS = 3_000; // so long without a reply, and a message is sent again; then twice as long, …
const PATIENCE_MAX_MS = 30_000;

/** Make an element; `on…` are listeners, everything else attributes. */
function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

class Form {
  constructor(component) {
    this.root = el("div", { class: "form", onkeydown: (e) => this.key(e) });
    component.parentElement.append(this.root);
    this.sent = 0;
    this.patience = PATIENCE_MS;
    this.spent = 0;
    this.seen = performance.now();
    this.awake = () => this.tick(true);
    for (const name of ["pointermove", "keydown", "wheel"]) window.addEventListener(name, this.awake, { passive: true });
    this.toForm = (e) => e.key === "F2" && this.crossOver(e);
    window.addEventListener("keydown", this.toForm);
    this.resized = () => this.fit();
    window.addEventListener("resize", this.resized);
    this.take(component);
    this.answers = this.rescued() ?? structuredClone(this.data.answers);
    this.open = this.data.readOnly ? null : this.asked().find((q) => !(q.id in this.answers))?.id;
    this.draw();
    requestAnimationFrame(() => this.fit());
    window.setTimeout(() => this.fit(), 500);
    this.pending = this.unsaved();
    if (this.pending) this.send(0);
  }

  take(component) {
    this.data = component.data;
    this.trigger = component.setTriggerValue;
  }

  /** Python ran again: what was typed since it was asked stays. */
  update(component) {
    this.take(component);
    const { status } = this.data;
    // What is only held ends with the session, so the tab keeps it too.
    if (!this.pending && this.replied() && (status.state === "saved" || status.state === "held")) {
      this.answers = structuredClone(this.data.answers);
      if (status.state === "saved") sessionStorage.removeItem(this.store);
    }
    if (status.state === "taken" && !this.pending && this.replied()) {
      this.answers = structuredClone(this.data.answers);
      this.sent = 0;
      this.pending = false;
      sessionStorage.removeItem(this.store);
    }
    if (this.replied()) {
      clearTimeout(this.again);
      this.patience = PATIENCE_MS;
    }
    this.followUp();
    if (this.data.goTo && this.data.goTo !== this.wentTo) this.open = this.data.goTo;
    this.wentTo = this.data.goTo;
    this.draw();
    if (this.data.goTo) requestAnimationFrame(() => this.focusOpen());
  }

  /** An answer may open questions that come right after it: go there, unless the reader moved on. */
  followUp() {
    const from = this.cameFrom;
    this.cameFrom = null;
    if (!from || this.open !== from.to) return;
    const asked = this.asked().map((question) => question.id);
    const after = asked[asked.indexOf(from.id) + 1];
    if (after && after !== this.open) {
      this.open = after;
      requestAnimationFrame(() => this.focusOpen());
    }
  }

  leave() {
    if (this.pending && !this.data.readOnly) this.post("answers");
    clearTimeout(this.timer);
    clearTimeout(this.again);
    for (const name of ["pointermove", "keydown", "wheel"]) window.removeEventListener(name, this.awake);
    window.removeEventListener("keydown", this.toForm);
    window.removeEventListener("resize", this.resized);
    this.root.remove();
  }

  /** As high as what is left of the window. */
  fit() {
    if (!this.root.isConnected) return;
    const top = this.root.getBoundingClientRect().top;
    if (top > 0) this.root.style.height = `${Math.max(420, window.innerHeight - top - 8)}px`;
  }

  // Answers, and how they get away from here.

  get store() {
    return `graftsite-${this.data.read}`;
  }

  /** What this tab had not saved when it was closed or reloaded. */
  rescued() {
    const kept = JSON.parse(sessionStorage.getItem(this.store) ?? "null");
    return kept && !this.data.readOnly && kept.revision === this.data.revision ? kept.answers : null;
  }

  unsaved() {
    return sessionStorage.getItem(this.store) !== null && !this.data.readOnly;
  }

  set(id, value) {
    if (this.data.readOnly) return;
    if (value === null || value === "" || (Array.isArray(value) && value.length === 0)) delete this.answers[id];
    else this.answers[id] = value;
    this.pending = true;
    sessionStorage.setItem(this.store, JSON.stringify({ revision: this.data.revision, answers: this.answers }));
  }

  /** Send everything, so that a message that is lost loses nothing. */
  send(afterMs, kind = "answers") {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.post(kind);
      this.waitForReply(kind);
    }, afterMs);
  }

  /** Numbers rise over all forms that this browser shows one after the other: no two are alike. */
  post(kind) {
    this.tick(false);
    this.pending = false;
    this.sent = Math.max(this.sent + 1, this.data.status.echo + 1, Date.now());
    this.trigger(kind, { read: this.data.read, n: this.sent, answers: this.answers, spent_s: this.spent });
    this.spent = 0;
  }

  /** Python may drop a message, when the page is drawn anew just then: it is sent until there is a reply. */
  waitForReply(kind) {
    clearTimeout(this.again);
    this.again = setTimeout(() => this.replied() || this.send(0, kind), this.patience);
    this.patience = Math.min(2 * this.patience, PATIENCE_MAX_MS);
  }

  replied() {
    return this.data.status.echo >= this.sent;
  }

  tick(moved) {
    const now = performance.now();
    if (now - this.seen < IDLE_MS) this.spent += (now - this.seen) / 1000;
    if (moved || now - this.seen < IDLE_MS) this.seen = now;
  }

  // Questions.

  questions() {
    return this.data.sections.flatMap((section) => section.questions);
  }

  asked() {
    const asked = new Set(this.data.asked);
    return this.questions().filter((question) => asked.has(question.id));
  }

  question(id) {
    return this.questions().find((question) => question.id === id);
  }

  choose(question, option) {
    const { id, kind } = question;
    if (kind === "choice") {
      this.set(id, option.id);
      this.onward(id);
    } else {
      const chosen = new Set(this.answers[id] ?? []);
      const alone = new Set(question.options.filter((o) => o.exclusive).map((o) => o.id));
      if (chosen.has(option.id) && !option.exclusive) chosen.delete(option.id);
      else {
        for (const other of [...chosen]) if (option.exclusive || alone.has(other)) chosen.delete(other);
        chosen.add(option.id);
      }
      this.set(id, question.options.filter((o) => chosen.has(o.id)).map((o) => o.id));
      if (option.exclusive && chosen.has(option.id)) this.onward(id);
      else this.draw();
    }
    this.send(0);
  }

  /** Take an answer back. */
  clear(question) {
    if (!question?.options?.length || this.data.readOnly) return;
    this.set(question.id, null);
    this.draw();
    this.send(0);
  }

  go(id) {
    this.cameFrom = null; // the reader chose where to be
    this.open = id;
    this.draw();
    this.focusOpen();
  }

  next(step) {
    const asked = this.asked();
    const at = asked.findIndex((question) => question.id === this.open) + step;
    this.go(asked[Math.min(Math.max(at, 0), asked.length - 1)]?.id ?? null);
  }

  onward(id) {
    this.next(1);
    this.cameFrom = { id, to: this.open };
    // A text box would swallow the next letter, which is more likely meant for a question.
    if (this.question(this.open)?.kind === "text") this.root.querySelector(".question.open .line").focus();
  }

  focusOpen() {
    const row = this.root.querySelector(".question.open");
    row?.scrollIntoView({ block: "nearest" });
    (row?.querySelector("input, textarea, select, [role=radio], [role=checkbox]") ?? row?.querySelector("button"))?.focus({ preventScroll: true });
  }

  key(event) {
    const typing = event.target.closest("input, textarea, select");
    if (event.ctrlKey && event.key === "Enter") {
      event.preventDefault();
      this.finish();
    } else if (event.key === "Escape" && typing) {
      this.root.querySelector(".question.open .line")?.focus();
    } else if (typing?.inputMode === "decimal" && /^[a-z]$/i.test(event.key) && !event.ctrlKey && !event.metaKey) {
      this.letter(event); // no number has a letter
    } else if (typing && !(event.key === "Enter" && typing.tagName === "INPUT" && !typing.closest("table"))) {
      return;
    } else if (event.key === "ArrowDown" || (event.key === "Enter" && event.target.getAttribute("role"))) {
      event.preventDefault();
      this.next(1);
    } else if (event.key === "Enter" && typing) {
      this.next(1);
    } else if (event.key === "ArrowUp") {
      event.preventDefault();
      this.next(-1);
    } else if (event.key === "Delete" || event.key === "Backspace") {
      this.clear(this.question(this.open));
    } else if (event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey) {
      this.letter(event);
    }
  }

  letter(event) {
    const open = this.question(this.open);
    const option = open?.options?.find((o) => o.key === event.key);
    const wanted = this.asked().find((question) => question.key === event.key.toLowerCase());
    if (option && !this.data.readOnly) this.choose(open, option);
    else if (wanted) this.go(wanted.id);
    else return;
    event.preventDefault();
  }

  /** F2 goes from the pictures to the form and back. */
  crossOver(event) {
    event.preventDefault();
    const viewer = [...document.querySelectorAll("*")].map((node) => node.shadowRoot?.querySelector(".viewer")).find(Boolean);
    const inForm = this.root.getRootNode().activeElement && this.root.contains(this.root.getRootNode().activeElement);
    if (inForm) viewer?.focus({ preventScroll: true });
    else if (this.open) this.focusOpen();
    else this.next(1);
  }

  finish() {
    if (this.data.action) this.send(0, "finish");
  }

  // Drawing.

  draw() {
    const focused = this.root.getRootNode().activeElement?.id;
    const scrolled = this.root.querySelector(".questions")?.scrollTop ?? 0;
    const asked = new Set(this.data.asked);
    const list = el("div", { class: "questions", tabindex: -1 });
    for (const section of this.data.sections) {
      const shown = section.questions.filter((question) => asked.has(question.id));
      if (shown.length === 0) continue;
      list.append(el("h3", {}, section.label), ...shown.map((question) => this.row(question)));
    }
    const note = this.data.note ? el("p", { class: "note" }, this.data.note) : null;
    this.root.replaceChildren(...[this.head(), note, list, this.foot()].filter(Boolean));
    list.scrollTop = scrolled;
    if (focused) this.root.querySelector(`#${CSS.escape(focused)}`)?.focus({ preventScroll: true });
  }

  head() {
    const asked = this.asked();
    const done = asked.filter((question) => question.id in this.answers).length;
    return el("header", {}, el("strong", {}, this.data.title), el("span", { class: "count" }, `${done} / ${asked.length} `, el("kbd", { title: this.data.texts.cross_over }, "F2")));
  }

  foot() {
    const { status, texts } = this.data;
    const errors = this.data.problems.filter((problem) => problem.severity === "error").length;
    const button = this.data.action && el("button", { class: "finish", id: "finish", title: "Ctrl+Enter", onclick: () => this.finish() }, this.data.action);
    const left = errors ? el("span", { class: "left" }, texts.left.replace("{count}", errors)) : null;
    return el("footer", {}, el("span", { class: `status ${status.state}`, role: "status" }, status.text), left, button);
  }

  row(question) {
    const open = question.id === this.open;
    const problems = this.data.problems.filter((problem) => problem.at === question.id);
    const worst = problems.some((p) => p.severity === "error") ? "error" : problems.length ? "warning" : "";
    const line = el(
      "button",
      { class: "line", id: `line-${question.id}`, "aria-expanded": String(open), onclick: () => this.go(open ? null : question.id) },
      el("kbd", { "aria-hidden": "true" }, question.key.toUpperCase()),
      el("span", { class: "label" }, question.label),
      el("span", { class: question.id in this.answers ? "answer" : "answer none" }, this.told(question)),
    );
    const body = open ? this.body(question, problems) : null;
    return el("div", { class: `question ${open ? "open" : ""} ${this.answered(question) || open ? worst : ""}` }, line, body);
  }

  answered(question) {
    return question.id in this.answers || this.data.complete;
  }

  told(question) {
    const answer = this.answers[question.id];
    if (answer === undefined) return question.required ? "—" : "";
    const label = (id) => question.options.find((option) => option.id === id)?.label ?? id;
    if (question.kind === "choice") return label(answer);
    if (question.kind === "choices") return answer.map(label).join(", ");
    if (question.kind === "number") return `${answer} ${question.unit}`;
    if (question.kind === "table") return String(answer.length);
    return answer;
  }

  body(question, problems) {
    const made = { choice: () => this.options(question), choices: () => this.options(question), number: () => this.number(question), text: () => this.text(question), table: () => this.table(question) };
    const told = problems.filter(() => this.answered(question));
    const said = told.map((problem) => el("p", { class: problem.severity, role: "note" }, problem.message));
    const help = question.help ? el("p", { class: "help" }, question.help) : null;
    return el("div", { class: "body" }, help, made[question.kind](), ...said);
  }

  options(question) {
    const one = question.kind === "choice";
    const answer = this.answers[question.id];
    const on = (option) => (one ? answer === option.id : (answer ?? []).includes(option.id));
    const buttons = question.options.map((option) =>
      el(
        "button",
        { role: one ? "radio" : "checkbox", id: `option-${question.id}-${option.id}`, "aria-checked": String(on(option)), disabled: this.data.readOnly, onclick: () => this.choose(question, option) },
        option.key ? el("kbd", { "aria-hidden": "true" }, option.key) : null,
        option.label,
      ),
    );
    return el("div", { class: "options", role: one ? "radiogroup" : "group", "aria-label": question.label }, ...buttons);
  }

  number(question) {
    const input = el("input", { id: `input-${question.id}`, inputmode: "decimal", value: this.answers[question.id] ?? "", "aria-label": `${question.label} (${question.unit})`, disabled: this.data.readOnly, size: 8 });
    input.addEventListener("input", () => this.typed(question.id, readNumber(input, question)));
    return el("div", { class: "options" }, input, el("span", {}, question.unit));
  }

  text(question) {
    const box = el("textarea", { id: `input-${question.id}`, rows: 4, maxlength: this.data.textMax, "aria-label": question.label, disabled: this.data.readOnly });
    box.value = this.answers[question.id] ?? "";
    box.addEventListener("input", () => this.typed(question.id, box.value));
    return box;
  }

  typed(id, value) {
    if (value === undefined) return;
    this.set(id, value);
    this.send(TYPING_MS);
  }

  table(question) {
    const rows = this.answers[question.id] ?? [];
    const change = (place, row) => {
      const changed = rows.map((r, n) => (n === place ? row : r));
      this.set(question.id, changed.filter((r) => r !== null));
      this.send(TYPING_MS);
    };
    const head = el("tr", {}, ...question.columns.map((c) => el("th", { scope: "col" }, c.unit && c.unit !== "1" ? `${c.label} (${c.unit})` : c.label)), el("td", {}));
    const body = rows.map((row, place) =>
      el("tr", {}, ...question.columns.map((column) => el("td", {}, this.cell(question, column, row, place, change))), el("td", {}, this.remove(question, place, change))),
    );
    const add = el("button", { class: "add", id: `add-${question.id}`, disabled: this.data.readOnly, onclick: () => this.add(question, rows) }, this.data.texts.add_row);
    return el("div", {}, rows.length ? el("table", {}, head, ...body) : null, add);
  }

  add(question, rows) {
    this.set(question.id, [...rows, {}]);
    this.draw();
    this.root.querySelector(`[id^="cell-${question.id}-${rows.length}-"]`)?.focus();
  }

  remove(question, place, change) {
    const label = this.data.texts.remove_row.replace("{row}", place + 1);
    return el("button", { class: "remove", "aria-label": label, title: label, disabled: this.data.readOnly, onclick: () => { change(place, null); this.draw(); } }, "×");
  }

  cell(question, column, row, place, change) {
    const common = { id: `cell-${question.id}-${place}-${column.id}`, "aria-label": `${column.label} ${place + 1}`, disabled: this.data.readOnly };
    const put = (value) => {
      const { [column.id]: _, ...others } = (this.answers[question.id] ?? [])[place] ?? row;
      change(place, value === null || value === "" ? others : { ...others, [column.id]: value });
    };
    if (column.kind === "number") {
      const input = el("input", { ...common, inputmode: "decimal", value: row[column.id] ?? "", size: 5 });
      input.addEventListener("input", () => { const n = readNumber(input, column); if (n !== undefined) put(n); });
      return input;
    }
    const offered = column.kind === "mark" ? this.data.marks : column.options;
    const select = el("select", common, el("option", { value: "" }, "—"), ...offered.map((o) => el("option", { value: o.id, selected: row[column.id] === o.id }, o.label)));
    select.addEventListener("change", () => put(select.value));
    return select;
  }
}

/** A number within its limits; null for nothing, undefined (and said) for what is none. */
function readNumber(input, { min, max, decimals }) {
  const text = input.value.trim().replace(",", ".");
  const value = Number(text);
  const good = text === "" || (Number.isFinite(value) && value >= min && value <= max);
  input.setAttribute("aria-invalid", String(!good));
  input.title = good ? "" : `${min}–${max}`;
  if (!good) return undefined;
  return text === "" ? null : Number(value.toFixed(decimals));
}

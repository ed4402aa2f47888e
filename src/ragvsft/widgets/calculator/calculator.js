// @ts-check
/* Live calculators. Each model is a function printed from the Python formula; nothing here computes costs. */
(() => {
  "use strict";

  // Numbers as prose.py prints them.

  // toFixed knows at most 100 decimals, and `fixed` needs forty more than it shows.
  const MOST_DECIMALS = 60;

  function fixed(value, decimals) {
    const exact = value.toFixed(decimals + 40);
    const kept = exact.slice(0, exact.length - 40);
    const tie = /^50*$/.test(exact.slice(kept.length));
    if (!tie) return value.toFixed(decimals);
    const digits = kept.replace(/\.$/, "");
    return Number(digits.at(-1)) % 2 ? value.toFixed(decimals) : digits;
  }

  function grouped(text) {
    const [whole, decimals] = text.split(".");
    const parts = whole.replace(/\B(?=(\d{3})+$)/g, ",");
    return decimals ? `${parts}.${decimals}` : parts;
  }

  function number(value) {
    const sign = value < 0 ? "−" : "";
    const size = Math.abs(value);
    if (size >= 100 || Number.isInteger(size)) return sign + grouped(fixed(size, 0));
    let decimals = 2 - Number(Number(size.toPrecision(3)).toExponential().split("e")[1]);
    if (decimals > MOST_DECIMALS) return sign + size.toExponential(2);
    const close = (a, b) => Math.abs(a - b) <= 1e-12 * Math.max(Math.abs(a), Math.abs(b));
    while (decimals > 0 && close(Number(size.toFixed(decimals - 1)), size)) decimals -= 1;
    return sign + grouped(fixed(size, decimals));
  }

  function usd(value) {
    let text = number(Math.abs(value));
    if (value !== 0 && Math.abs(value) < 100) {
      const [whole, decimals = ""] = text.split(".");
      text = Math.abs(value) >= 1 ? fixed(Math.abs(value), 2) : `${whole}.${decimals.padEnd(2, "0")}`;
    }
    return `${value < 0 ? "−" : ""}$${text}`;
  }

  function percent(fraction) {
    const value = 100 * fraction;
    const whole = Number(fixed(value, 0));
    const near = Math.abs(value - whole) <= 1e-12 * Math.abs(value);
    if (value === whole || (near && ![0, 100].includes(whole))) return `${number(whole)}%`;
    if (whole === 0 && Math.abs(value) < 10 ** -MOST_DECIMALS) return `${number(value)}%`;
    let decimals = 1;
    while ([0, 100].includes(Number(value.toFixed(decimals)))) decimals += 1;
    return `${value < 0 ? "−" : ""}${grouped(fixed(Math.abs(value), decimals))}%`;
  }

  const FORMATS = {
    usd,
    percent,
    number,
    count: (value) => grouped(fixed(value, 0)).replace("-", "−"),
    months: (value) => `${number(value)} month${value === 1 ? "" : "s"}`,
    ms: (value) => `${number(value)} ms`,
    gb: (value) => `${number(value)} GB`,
  };

  function cellText(value, format, cases) {
    if (!Number.isFinite(value)) return "–";
    return cases.length ? cases[Math.trunc(value)] ?? "–" : FORMATS[format](value);
  }

  const plain = (value) => value.toLocaleString("en-US", { useGrouping: false, maximumFractionDigits: 20 });

  // The state in the address: #calc:<id>?key=value&key=value;calc:<id>?…

  function readFragment(hash) {
    const states = new Map();
    if (!hash.startsWith("#calc:")) return states;
    for (const part of hash.slice(1).split(";")) {
      const match = /^calc:([a-z0-9-]+)(?:\?(.*))?$/.exec(part);
      if (!match) continue;
      states.set(match[1], new URLSearchParams(match[2] ?? ""));
    }
    return states;
  }

  function writeFragment(states) {
    return [...states]
      .filter(([, state]) => state.toString())
      .map(([id, state]) => `calc:${id}?${state}`)
      .join(";");
  }

  // Every tool of the page, and those of which the address has held a state: a heading in it does not end them.
  const tools = new Map();
  const linked = new Set();

  function remember() {
    for (const id of readFragment(location.hash).keys()) linked.add(id);
  }

  // The page's address with the inputs of every linked tool, as the tools took them: what is unknown stays behind.
  function addressWith(id) {
    linked.add(id);
    const known = [...linked].filter((each) => tools.has(each));
    const fragment = writeFragment(new Map(known.map((each) => [each, tools.get(each).params()])));
    const address = new URL(location.href);
    if (fragment || address.hash.startsWith("#calc:")) address.hash = fragment;
    return address.href;
  }

  // A link may hold any number of faults: each is said once, and only the first few.
  function summary(messages) {
    const said = [...new Set(messages.filter(Boolean))];
    const more = said.length - 3;
    return said.slice(0, 3).join(" ") + (more > 0 ? ` And ${more} more.` : "");
  }

  // What the reader said of their own case, carried from chapter to chapter in this browser until they forget it.

  const WORKLOAD = "workload";

  function workload() {
    try {
      const kept = JSON.parse(localStorage.getItem(WORKLOAD) ?? "{}");
      return kept && typeof kept === "object" ? kept : {};
    } catch {
      return {};
    }
  }

  function keepWorkload(numbers) {
    try {
      if (Object.keys(numbers).length) localStorage.setItem(WORKLOAD, JSON.stringify(numbers));
      else localStorage.removeItem(WORKLOAD);
    } catch { /* storage is off: each calculator keeps to itself */ }
    for (const tool of tools.values()) tool.offer();
  }

  const DAY = 86400000;

  // These two return what to tell the reader.

  async function copyLink(root, link) {
    try {
      await navigator.clipboard.writeText(link);
      return "Link copied: it opens this page with these inputs.";
    } catch {
      const box = root.querySelector(".calculator-link");
      box.hidden = false;
      box.value = link;
      box.focus();
      box.select();
      return "Your browser does not let a page copy: the link is selected below the table.";
    }
  }

  function saveFile(name, text, command) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/toml" }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    return `Saved ${name}: ${command} ${name} gives the same result.`;
  }

  // "100,000", "1e5" and "0.5" are numbers; anything else is not, least of all a decimal comma.

  function parseNumber(text) {
    const cleaned = text.replace(/[\s_$]/g, "");
    const sound = /^[-+−]?(\d{1,3}(,\d{3})+(\.\d*)?|\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(cleaned);
    return sound ? Number(cleaned.replaceAll(",", "").replace("−", "-")) : NaN;
  }

  // A number from outside, held to its input's range: the value, and what to tell the reader if it is another.
  function readNumber({ label, min, max, whole }, raw, kept) {
    const value = typeof raw === "number" ? raw : parseNumber(String(raw));
    const range = `${number(min)} to ${number(max)}`;
    if (!Number.isFinite(value)) {
      const left = typeof kept === "number" ? number(kept) : kept;
      return [kept, `${label}: “${String(raw).slice(0, 40)}” is not a number from ${range}; kept ${left}.`];
    }
    const rounded = whole ? Math.round(value) : value;
    const held = Math.min(max, Math.max(min, rounded));
    return [held, held === rounded ? "" : `${label}: the range is ${range}; set to ${number(held)}.`];
  }

  // What calculators and the decision tool share: to tell the reader, reset, copy a link, keep and follow the address.
  class Tool {
    constructor(root, inLab, id) {
      this.root = root;
      this.inLab = inLab;
      this.id = id;
      this.message = root.querySelector(".calculator-message");
      this.said = root.querySelector(".calculator-said");
    }

    // What each tool does in its own way: take one value from outside, clear all, give them for the address, wire its
    // controls, and show itself after a change in one of them.
    take(_name, _raw) { return ""; }
    clear() {}
    params() { return new URLSearchParams(); }
    bind() {}
    show(_source) {}
    say() {}

    // The last thing that a tool's constructor does: from here on the reader can use it.
    begin(cleared) {
      tools.set(this.id, this);
      this.bind();
      for (const form of this.root.querySelectorAll("form")) {
        form.addEventListener("submit", (event) => event.preventDefault());
        form.hidden = false;
      }
      this.on("reset", () => {
        this.clear();
        this.tell([]);
        this.done(cleared);
        this.settle();
        this.changed();
      });
      this.on("link", async () => this.done(await copyLink(this.root, this.address())));
      this.root.querySelector(".calculator-actions").hidden = false;
      if (this.inLab) {
        this.root.querySelector('[data-action="link"]').hidden = true;
        this.root.addEventListener("keydown", (event) => event.stopPropagation());
      } else {
        this.follow(readFragment(location.hash).get(this.id));
        window.addEventListener("hashchange", () => {
          const params = readFragment(location.hash).get(this.id);
          if (params) this.follow(params);
        });
      }
      if (this.inLab) this.show();
      this.offer();
    }

    /** The reader's date, at midnight UTC; a test may set another. */
    get today() {
      return Date.parse(window.ragvsftToday ?? new Date().toISOString().slice(0, 10));
    }

    // For tools whose numbers go on to others: what they hold now is known, what has changed since is kept, and what
    // others kept is offered.
    settle() {}
    keep() {}
    offer() {}

    // Inputs and results are of one case: what a link asks for is shown whole, or not taken.
    follow(params) {
      this.clear();
      this.open(params);
      try {
        this.show();
      } catch (error) {
        console.error(error);
        this.clear();
        this.show();
        this.tell(["The inputs of this link cannot be shown: every input is at its default."]);
      }
      this.settle();
    }

    on(action, handler) {
      this.root.querySelector(`[data-action="${action}"]`)?.addEventListener("click", handler);
    }

    open(params) {
      if (params) this.tell([...params].map(([name, raw]) => this.take(name, raw)));
    }

    tell(messages) {
      this.message.textContent = summary(messages);
      this.done("");
    }

    // What a button at the foot did is said beside it.
    done(said) {
      const place = this.root.querySelector(".calculator-done") ?? this.message;
      if (said || place !== this.message) place.textContent = said;
    }

    changed(source) {
      this.show(source);
      clearTimeout(this.saying);
      this.saying = setTimeout(() => this.say(), 700);
      if (this.inLab) return;
      clearTimeout(this.saving);
      this.saving = setTimeout(() => {
        history.replaceState(null, "", this.address());
        this.keep();
      }, 300);
    }

    address() {
      return addressWith(this.id);
    }
  }

  class Calculator extends Tool {
    constructor(root, inLab) {
      const data = JSON.parse(root.querySelector(".calculator-data").textContent);
      super(root, inLab, data.id);
      this.data = data;
      this.moved = false;
      this.model = window.ragvsftModels[data.id];
      this.inputs = new Map(this.data.inputs.map((input) => [input.name, input]));
      this.clear();
      this.tableRows = [...root.querySelectorAll(".calculator-result tbody tr")];
      this.priceBox = root.querySelector(".calculator-prices");
      this.begin("Every input is back at its default.");
    }

    clear() {
      this.state = this.defaults();
    }

    defaults() {
      return Object.fromEntries([...this.inputs.values()].map((input) => [input.name, input.default]));
    }

    element(name, selector) {
      return this.root.querySelector(`[data-input="${name}"] ${selector}`);
    }

    parts(input) {
      input.parts ??= input.choices
        ? {
            select: this.element(input.name, "select"),
            notes: this.root.querySelectorAll(
              `[data-input="${input.name}"] [data-choice], [data-select="${input.name}"]`,
            ),
          }
        : { field: this.element(input.name, ".number"), slider: this.element(input.name, ".slider") };
      return input.parts;
    }

    // Take one value from outside; returns what to tell the reader, or nothing.
    take(name, raw) {
      const input = this.inputs.get(name);
      if (!input) return `“${String(name).slice(0, 40)}” is not an input of this calculator and was left out.`;
      if (input.choices) {
        if (Object.hasOwn(input.choices, raw)) {
          this.state[name] = raw;
          return "";
        }
        return `${input.label}: “${String(raw).slice(0, 40)}” is not offered; kept ${this.state[name]}.`;
      }
      const [value, message] = readNumber(input, raw, this.state[name]);
      this.state[name] = value;
      return message;
    }

    values() {
      const values = { ...this.data.fixed };
      for (const input of this.inputs.values()) {
        if (input.choices) Object.assign(values, input.choices[this.state[input.name]].sets);
        else values[input.name] = this.state[input.name];
      }
      return values;
    }

    // Slider positions run from 0 to 1000.
    toSlider({ span: [low, high], log }, value) {
      if (value <= low) return 0;
      return log ? (1000 * Math.log(value / low)) / Math.log(high / low) : (1000 * (value - low)) / (high - low);
    }

    // A round number near the position: two digits on a log scale, else a step of about 1/200 of the span.
    fromSlider({ span: [low, high], log, whole }, position) {
      if (position <= 0) return low;
      if (position >= 1000) return high;
      const t = position / 1000;
      const value = log ? low * (high / low) ** t : low + t * (high - low);
      const step = 10 ** Math.floor(Math.log10(log ? value / 10 : (high - low) / 100));
      const steps = Math.round(value / (whole ? Math.max(1, step) : step));
      const rounded = Number((steps * (whole ? Math.max(1, step) : step)).toPrecision(12));
      return Math.min(high, Math.max(low, rounded));
    }

    // The next round number: several positions may show the same one.
    nextOnSlider(input, position, way) {
      const value = this.state[input.name];
      for (let at = position + way; at >= 0 && at <= 1000; at += way) {
        const next = this.fromSlider(input, at);
        if (way * (next - value) > 0) return next;
      }
      return value;
    }

    bind() {
      for (const input of this.inputs.values()) {
        if (input.choices) {
          this.element(input.name, "select").addEventListener("input", (event) => {
            this.tell([this.take(input.name, event.target.value)]);
            this.changed();
          });
          continue;
        }
        const field = this.element(input.name, ".number");
        field.addEventListener("input", () => {
          const value = parseNumber(field.value);
          if (value >= input.min && value <= input.max) {
            this.take(input.name, value);
            this.tell([]);
            this.changed(field);
          }
        });
        field.addEventListener("change", () => {
          this.tell([this.take(input.name, field.value)]);
          this.changed();
        });
        const slider = this.element(input.name, ".slider");
        slider.addEventListener("input", () => {
          this.tell([this.take(input.name, this.fromSlider(input, Number(slider.value)))]);
          this.changed(slider);
        });
        slider.addEventListener("keydown", (event) => {
          const way = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
          if (!way) return;
          event.preventDefault();
          this.tell([this.take(input.name, this.nextOnSlider(input, Number(slider.value), way))]);
          this.changed();
        });
      }
      this.root.querySelectorAll("[data-preset]").forEach((button) =>
        button.addEventListener("click", () => {
          const before = this.state;
          this.state = { ...this.defaults(), ...this.data.presets[button.dataset.preset] };
          this.tell([this.difference(button.textContent, before)]);
          this.changed();
        }),
      );
      this.on("scenario", () => this.done(saveFile("scenario.toml", this.scenario(), "ragvsft compare")));
      this.on("mine", () => {
        const before = { ...this.state };
        const said = Object.entries(this.yours()).map(([name, value]) => this.take(name, value));
        this.tell([...said, this.difference("Your numbers", before)]);
        this.changed();
        this.offer();
      });
      this.on("forget", () => keepWorkload({}));
      this.greyWhatHasEnded();
      this.watchAnswer();
    }

    // The line at the foot of the screen is for when the answer itself is out of sight.
    watchAnswer() {
      const line = this.root.querySelector(".calculator-line");
      const answer = this.root.querySelector(".matrix-verdict, .calculator-result tbody");
      if (!line || !answer) return;
      new IntersectionObserver(([{ isIntersecting }]) => line.classList.toggle("seen", isIntersecting)).observe(answer);
    }

    shown(name) {
      const input = this.inputs.get(name);
      if (!input) return this.state[name];
      return input.choices ? this.element(name, `option[value="${this.state[name]}"]`).textContent : number(this.state[name]);
    }

    // What a preset, or the reader's own numbers, changed.
    difference(what, before) {
      const changed = [...this.inputs.values()].filter(({ name }) => before[name] !== this.state[name]);
      if (!changed.length) return `${what}: nothing changed.`;
      const said = changed.slice(0, 4).map((input) => `${input.label}: ${this.shown(input.name)}`);
      const more = changed.length - said.length;
      return `${what} set ${said.join("; ")}${more > 0 ? `; and ${more} more` : ""}.`;
    }

    settle() {
      this.settled = { ...this.state };
    }

    keep() {
      const moved = [...this.inputs.values()].filter(({ shared, name }) => shared && this.state[name] !== this.settled[name]);
      this.settle();
      if (!moved.length) return;
      keepWorkload({ ...workload(), ...Object.fromEntries(moved.map(({ name }) => [name, this.state[name]])) });
    }

    // The reader's numbers that this calculator asks for too, and that it does not show already.
    yours() {
      const kept = Object.entries(workload()).filter(([name, value]) => {
        const input = this.inputs.get(name);
        return input?.shared && typeof value === "number" && value >= input.min && value <= input.max;
      });
      return Object.fromEntries(kept.filter(([name, value]) => this.state[name] !== value));
    }

    offer() {
      const place = this.root.querySelector(".calculator-offer");
      if (!place || this.inLab) return;
      const yours = Object.entries(this.yours());
      place.hidden = yours.length === 0;
      const said = yours.slice(0, 3).map(([name, value]) => `${this.inputs.get(name).label}: ${number(value)}`);
      if (yours.length > 3) said.push(`and ${yours.length - 3} more`);
      this.root.querySelector(".calculator-yours").textContent = said.join("; ");
    }

    greyWhatHasEnded() {
      for (const option of this.root.querySelectorAll("option[data-ends]")) {
        if (Date.parse(option.dataset.ends) > this.today) continue;
        option.textContent += ` (ended on ${option.dataset.ends})`;
        option.disabled = !option.selected;
      }
    }

    showAge() {
      const place = this.priceBox?.querySelector(".calculator-age");
      if (!place) return;
      const dates = [...this.priceBox.querySelectorAll("ul:not([hidden]) > li[data-as-of]")].map((item) => Date.parse(item.dataset.asOf));
      const oldest = Math.min(...dates, this.today);
      const days = Math.round((this.today - oldest) / DAY);
      place.textContent = dates.length ? `(the oldest is ${number(days)} day${days === 1 ? "" : "s"} old)` : "";
    }

    params() {
      const params = new URLSearchParams();
      for (const input of this.inputs.values()) {
        const value = this.state[input.name];
        if (value !== input.default) params.set(input.name, typeof value === "number" ? plain(value) : value);
      }
      return params;
    }

    // The model's outputs, and where two of them change order: see `Crossings` in this folder.
    compute(values) {
      const outputs = this.model(values);
      for (const search of this.data.crossings) Object.assign(outputs, this.cross(search, values, outputs));
      return outputs;
    }

    cross(search, values, outputs) {
      const strides = search.strides.map((name) => outputs[name]).filter((stride) => stride > 0);
      const end = Math.min(search.high, ...strides.map((stride) => stride * search.most_steps));
      const moved = { ...values };
      const costs = (x) => {
        moved[search.input] = x;
        const at = this.model(moved);
        return /** @type {[number, number]} */ ([at[search.first[0]], at[search.second[0]]]);
      };
      const bends = search.bends.map((name) => outputs[name]);
      const found = ragvsftCrossings(costs, search.low, end, bends, strides);
      const [a, b] = costs(search.low);
      const ahead = [...Array(found.length + 1).keys()].map((k) => (b < a) !== (k % 2 === 1));
      const lower = ahead.map((second) => outputs[(second ? search.second : search.first)[1]]);
      const added = {
        crossings: found.length,
        lower_end: lower.at(-1),
        low: search.low,
        end,
        overtakes: ahead[0] ? search.low : found[0] ?? end,
      };
      for (let k = 0; k < search.shown; k += 1) added[`crossing_${k + 1}`] = found[k] ?? NaN;
      for (let k = 0; k <= search.shown; k += 1) added[`lower_${k}`] = lower[k] ?? NaN;
      return Object.fromEntries(Object.entries(added).map(([key, value]) => [`${search.name}_${key}`, value]));
    }

    show(source) {
      this.showInputs(source);
      const values = this.values();
      const outputs = this.compute(values);
      this.outputs = outputs;
      this.showTable(outputs);
      this.showChart(values, outputs);
      this.showLine();
    }

    // Only what changed is written: a page may hold fifty inputs.
    showInputs(source) {
      let aged = !this.agesShown;
      this.agesShown = true;
      for (const input of this.inputs.values()) {
        const value = this.state[input.name];
        const parts = this.parts(input);
        const moved = parts.shown !== value;
        parts.shown = value;
        if (input.choices) {
          parts.select.value = value;
          if (moved) {
            parts.notes.forEach((node) => (node.hidden = node.dataset.choice !== value));
            aged = true;
          }
          continue;
        }
        if (moved) {
          parts.text = plain(value);
          parts.slider.setAttribute("aria-valuetext", number(value));
        }
        if (parts.field !== source && parts.field.value !== parts.text) parts.field.value = parts.text;
        if (parts.slider !== source && moved) parts.slider.value = this.toSlider(input, value);
      }
      if (aged) this.showAge();
      this.root.querySelectorAll("[data-preset]").forEach((button) => {
        const preset = { ...this.defaults(), ...this.data.presets[button.dataset.preset] };
        const same = Object.keys(preset).every((name) => preset[name] === this.state[name]);
        button.setAttribute("aria-pressed", String(same));
      });
    }

    // The answer in one line: the lowest row, or else the first.
    line() {
      const line = this.data.lowest ? this.tableRows.find((row) => row.className === "lowest") : this.tableRows[0];
      if (!line) return "";
      const [label, ...cells] = [...line.cells].map((cell) => cell.firstChild?.textContent ?? "");
      const columns = [...this.root.querySelectorAll(".calculator-result thead th")].slice(1);
      return `${label}: ${cells.map((text, k) => `${columns[k].textContent} ${text}`).join(", ")}`;
    }

    // A screen reader hears it once the inputs rest; the eye has it at the foot of the screen.
    say() {
      const line = this.line();
      if (line) this.said.textContent = line;
    }

    showLine() {
      const place = this.root.querySelector(".calculator-line");
      if (!place) return;
      const line = this.line();
      place.hidden = line === "";
      if (place.textContent !== line) place.textContent = line;
    }

    isOpen(row, outputs) {
      return !row.available || Boolean(outputs[row.available]);
    }

    showTable(outputs) {
      const column = this.data.lowest - 1;
      let lowest = -1;
      this.data.rows.forEach((row, k) => {
        if (column < 0 || !this.isOpen(row, outputs) || (row.candidate && !outputs[row.candidate])) return;
        const value = outputs[row.cells[column][0]];
        if (lowest < 0 || value < outputs[this.data.rows[lowest].cells[column][0]]) lowest = k;
      });
      this.data.rows.forEach((row, k) => {
        const line = this.tableRows[k];
        line.className = this.isOpen(row, outputs) ? (k === lowest ? "lowest" : "") : "unavailable";
        row.cells.forEach(([output, format, cases], c) => {
          const text = cellText(outputs[output], format, cases);
          const cell = line.cells[c + 1];
          if (cell.textContent !== text) cell.textContent = text;
        });
      });
    }

    // The outputs that the chart draws, with their labels.
    shownSeries(outputs) {
      const hidden = new Set(
        this.data.rows
          .filter((row) => !this.isOpen(row, outputs))
          .flatMap((row) => row.cells.map(([output]) => output)),
      );
      const { input, outputs: drawn } = this.data.sweep;
      return Object.entries(drawn)
        .filter(([name]) => !hidden.has(name))
        .map(([name, label]) => [name, input ? this.labelled(label) : label]);
    }

    chartRows(values, outputs) {
      const sweep = this.data.sweep;
      if (sweep.ranges) return this.tornadoRows(sweep, values, outputs);
      const series = this.shownSeries(outputs);
      if (!sweep.input) return series.map(([name, label]) => ({ series: label, value: outputs[name] }));
      return sweep.values.flatMap((x) => {
        const at = this.model({ ...values, [sweep.input]: x });
        return series.map(([name, label]) => ({ x, series: label, value: at[name], now: values[sweep.input] }));
      });
    }

    // The chart's title: see `Finding` in this folder.
    finding(inputs, outputs, rows) {
      const { texts, by } = this.data.finding;
      const words = {};
      const figures = { ...inputs, ...outputs };
      for (const { cells } of this.data.rows) {
        for (const [output, format, cases] of cells) {
          if (cases.length) words[output] = cellText(outputs[output], format, cases);
        }
      }
      if (this.data.sweep.ranges) {
        words.widest = rows[0]?.series;
        [figures.from, figures.to] = [rows[0]?.low, rows[0]?.high];
      } else {
        const series = this.shownSeries(outputs);
        const values = series.map(([name]) => outputs[name]);
        const [lowest, highest] = [Math.min(...values), Math.max(...values)];
        [words.lowest, words.highest] = [lowest, highest].map((value) => series[values.indexOf(value)]?.[1]);
        [figures.lowest_value, figures.highest_value] = [lowest, highest];
        figures.times = figures.highest_value / figures.lowest_value;
        figures.share = figures.highest_value / values.reduce((sum, value) => sum + value, 0);
      }
      const text = texts[by ? Math.min(Math.trunc(figures[by]), texts.length - 1) : 0];
      const found = text.replace(/\{(\w+)(?::(\w+))?\}/g, (_, name, format) => {
        if (format) return cellText(figures[name], format, []);
        return words[name] ?? (this.inputs.has(name) ? this.labelled(`{${name}}`) : "–");
      });
      return found.slice(0, 1).toUpperCase() + found.slice(1);
    }

    // "{first}" in a series label is what the select of that name shows.
    labelled(label) {
      return label.replace(/\{(\w+)\}/g, (_, name) => this.element(name, "select").selectedOptions[0].text);
    }

    tornadoRows(sweep, values, outputs) {
      const result = (name, value) => this.compute({ ...values, [name]: value })[sweep.output];
      const rows = Object.entries(sweep.ranges).map(([name, [series, low, high]]) => ({
        series,
        low: result(name, low),
        high: result(name, high),
        now: outputs[sweep.output],
      }));
      const swing = ({ low, high }) =>
        sweep.ratio ? Math.max(low, high) / Math.min(low, high) : Math.abs(high - low);
      return rows
        .filter((row) => row.low !== row.high)
        .sort((a, b) => swing(b) - swing(a))
        .slice(0, sweep.most);
    }

    showChart(values, outputs) {
      const place = this.root.querySelector(".calculator-chart");
      if (!place || !this.data.sweep) return;
      this.pending = { values, outputs };
      this.moved ||= this.params().toString() !== "";
      this.titling ??= requestAnimationFrame(() => {
        this.titling = null;
        this.showFinding(place);
      });
      this.drawing ??= requestAnimationFrame(async () => {
        const view = await this.view(place);
        this.drawing = null;
        if (view) view.data("rows", this.chartRows(this.pending?.values, this.pending?.outputs)).runAsync();
      });
    }

    // The page comes with the title of the defaults.
    showFinding(place) {
      const title = place.querySelector(".chart-title");
      if (!title || !this.moved) return;
      const { values, outputs } = /** @type {{values: object, outputs: object}} */ (this.pending);
      title.textContent = this.finding(values, outputs, this.data.sweep.ranges ? this.chartRows(values, outputs) : []);
    }

    // charts.js on the site, Vega from the cell in JupyterLab: the same face.
    // The drawing in the page shows the defaults: other inputs want the live chart, wherever it stands.
    view(place) {
      const moved = this.params().toString() !== "";
      return window.ragvsftCharts?.view(place, moved);
    }

    scenario() {
      const prices = [...this.data.scenario];
      const lines = ["# Scenario for: ragvsft compare scenario.toml", ""];
      for (const [name, value] of Object.entries(this.data.fixed)) {
        if (!name.includes(".") && !name.startsWith("_")) lines.push(`${name} = ${plain(value)}`);
      }
      for (const input of this.inputs.values()) {
        const value = this.state[input.name];
        if (input.inScenario === false) continue;
        if (input.name === "model") lines.push(`columns = [${JSON.stringify(value)}]`);
        else lines.push(`${input.name} = ${typeof value === "number" ? plain(value) : JSON.stringify(value)}`);
        if (input.choices) prices.push(...input.choices[value].prices);
      }
      for (const price of prices) {
        lines.push("", `[prices."${price.offer}".${price.name}]`, `value = ${plain(price.value)}`);
        lines.push(`as_of = ${price.as_of}`, `source = ${JSON.stringify(price.source)}`);
      }
      return `${lines.join("\n")}\n`;
    }
  }

  const calculators = new Map();
  /** Widgets that extend the calculator, by the class of their section. */
  const kinds = {};

  function start(scope, inLab = false) {
    scope.querySelectorAll("section.calculator:not([data-live])").forEach((root) => {
      if (!root.querySelector(".calculator-data")) return;
      root.dataset.live = "";
      const Kind = root.classList.contains("matrix") ? kinds.matrix : Calculator;
      const calculator = new Kind(root, inLab);
      calculators.set(calculator.data.id, calculator);
    });
    if (inLab) return;
    remember();
    window.addEventListener("hashchange", remember);
    follow([...linked.keys()]);
  }

  function follow(ids) {
    if (ids.length) document.getElementById(`calc-${ids[0]}`)?.scrollIntoView();
    const gone = ids.filter((id) => !document.getElementById(`calc-${id}`));
    const [calculator] = [...ids.filter((id) => calculators.has(id)).map((id) => calculators.get(id)), ...calculators.values()];
    if (!gone.length || !calculator) return;
    const left = gone.map((id) => `“${id.slice(0, 40)}” is no longer on this page.`);
    calculator.tell([calculator.message.textContent, ...left]);
  }

  window.ragvsftCalculators = {
    start, calculators, kinds, Tool, Calculator, readFragment, writeFragment, saveFile,
    parseNumber, readNumber, plain, format: FORMATS,
  };
  if (!document.querySelector("body[data-jp-theme-light], body.jp-ThemedContainer, .jp-Notebook")) {
    // Deferred scripts run in any order before this event; a page that is complete has had it.
    if (document.readyState === "complete") start(document);
    else document.addEventListener("DOMContentLoaded", () => start(document));
  }
})();

// @ts-check
/* Recorded answers, one by one. The records come in pieces, scripts beside the site's data, once a reader opens them. */
(() => {
  "use strict";

  const own = /** @type {HTMLScriptElement | null} */ (document.currentScript);
  const STEP = 20;
  const TIE = 1e-9;
  const pieces = new Map();
  const loading = new Map();

  function load(name) {
    if (pieces.has(name)) return pieces.get(name);
    if (!loading.has(name)) {
      loading.set(name, new Promise((resolve, reject) => {
        const script = document.createElement("script");
        const fail = () => {
          loading.delete(name);
          reject(new Error(`${name}.js could not be loaded`));
        };
        script.onload = () => (pieces.has(name) ? resolve(pieces.get(name)) : fail());
        script.onerror = fail;
        script.src = new URL(`../data/answers/${name}.js`, own?.src).href;
        document.head.append(script);
      }));
    }
    return loading.get(name);
  }

  // Everything that was recorded is put in as text.
  function element(tag, className, ...content) {
    const node = document.createElement(tag);
    node.className = className;
    node.append(...content);
    return node;
  }

  function facts(pairs) {
    const list = element("dl", "answers-facts");
    for (const [name, value] of pairs) {
      if (value != null) list.append(element("dt", "", name), element("dd", "", String(value)));
    }
    return list;
  }

  const many = (n, noun) => `${n.toLocaleString("en-US")} ${noun}${n === 1 ? "" : "s"}`;
  const percent = (part, of) => `${Math.round((100 * part) / of)}%`;

  // What each set of records is, how it is filtered, and what is shown of it.

  const tuning = {
    records: (piece) => piece,
    keeps: (record, { retrieval, seed, mark }) =>
      (!retrieval || record.retrieval === retrieval) && (!seed || record.seed === seed) && (!mark || record.marks.includes(mark)),
    count(found) {
      const right = found.filter(({ marks }) => marks.includes("correct")).length;
      return `${many(found.length, "answer")}, ${right} right${found.length ? ` (${percent(right, found.length)})` : ""}.`;
    },
    summary({ text, output, marks }) {
      const right = marks.includes("correct");
      const mark = element("span", `answers-mark${right ? " good" : ""}`, right ? "right" : "wrong");
      return [mark, text, element("span", "answers-said", output || "(nothing)")];
    },
    body(record, browser) {
      const { condition, questions, retrieval } = record;
      return [
        facts([
          ["Condition", browser.label("condition", condition)],
          ["Questions", browser.label("questions", questions)],
          ["Beside it", browser.label("retrieval", retrieval)],
          ["Seed", record.seed],
          ["Right answer", record.answer ?? "that it is not there"],
          ["Old value", record.former],
          ["Marked", record.marks.map((mark) => browser.data.marks[mark]).join("; ")],
          ["Tokens", `${record.prompt_tokens} in the prompt, ${record.answer_tokens} in the answer`],
        ]),
        element("p", "answers-label", "Prompt, as the model read it"),
        element("pre", "", record.prompt),
        element("p", "answers-label", "Answer"),
        element("pre", "", record.output || " "),
      ];
    },
  };

  const retrieval = {
    records: ({ questions, passages }) => questions.map((question) => ({ ...question, passages })),
    keeps(record, { outcome, method, other }, browser) {
      if (!outcome) return true;
      const [a, b] = [method, other].map((name) => browser.position(name));
      const lead = record.ndcg[a] - record.ndcg[b];
      if (outcome === "tie") return Math.abs(lead) <= TIE;
      if (outcome === "win") return lead > TIE;
      if (outcome === "loss") return lead < -TIE;
      return record.ranked[a].some((passage) => record.gold.includes(passage)) === (outcome === "found");
    },
    count(found, { method, other }, browser) {
      const ahead = (a, b) => found.filter((record) => this.keeps(record, { outcome: "win", method: a, other: b }, browser)).length;
      const said = `${many(found.length, "question")}.`;
      if (method === other) return said;
      return `${said} By nDCG at ten ${browser.label("method", method)} is ahead in ${ahead(method, other)}, ${browser.label("other", other)} in ${ahead(other, method)}.`;
    },
    summary({ title, ndcg }, browser) {
      const scores = [...new Set([browser.state.method, browser.state.other])].map(
        (name) => `${browser.label("method", name)} ${ndcg[browser.position(name)].toFixed(2)}`,
      );
      return [title, element("span", "answers-said", `nDCG at ten: ${scores.join(", ")}`)];
    },
    body(record, browser) {
      const place = (k) => {
        const [project, title, path] = record.passages[k];
        return [title, element("span", "answers-place", `${project}: ${path}`)];
      };
      const first = [browser.state.method, browser.state.other].map((name) => browser.position(name));
      const order = [...new Set([...first, ...browser.data.methods.keys()])];
      const methods = order.map((k) => {
        const list = element("ol", "");
        for (const passage of record.ranked[k]) {
          const gold = record.gold.includes(passage);
          const mark = gold ? [element("span", "answers-mark good", "answers it"), " "] : [];
          list.append(element("li", gold ? "gold" : "", ...mark, ...place(passage)));
        }
        const score = `${browser.data.methods[k]}: ${record.ndcg[k].toFixed(2)}`;
        return element("div", "", element("p", "answers-label", score), list);
      });
      const right = element("ul", "", ...record.gold.map((k) => element("li", "", ...place(k))));
      return [
        element("p", "answers-label", record.gold.length > 1 ? "The passages that answer it" : "The passage that answers it"),
        right,
        element("p", "answers-label", "The first ten of each method, and its nDCG"),
        element("div", "answers-methods", ...methods),
      ];
    },
  };

  const SETS = { tuning, retrieval };

  class Browser {
    constructor(root, inLab) {
      /** @type {any[]} */
      this.found = [];
      this.root = root;
      this.inLab = inLab;
      this.data = JSON.parse(root.querySelector(".answers-data").textContent);
      this.set = SETS[this.data.id];
      this.form = root.querySelector(".answers-form");
      this.selects = [...this.form.querySelectorAll("select")];
      this.list = root.querySelector(".answers-list");
      this.counted = root.querySelector(".answers-count");
      this.message = root.querySelector(".answers-message");
      this.more = root.querySelector(".answers-more button");
      this.only = "";
      this.turn = 0;
      this.form.hidden = false;
      root.querySelector(".answers-without").hidden = true;
      this.form.addEventListener("submit", (event) => event.preventDefault());
      this.form.addEventListener("change", () => this.chosen());
      this.more.addEventListener("click", () => (this.only ? this.chosen() : this.listMore()));
      root.addEventListener("toggle", () => {
        if (root.open && !this.turn) this.show();
      });
      if (inLab) root.addEventListener("keydown", (event) => event.stopPropagation());
      else {
        this.follow();
        window.addEventListener("hashchange", () => this.follow());
      }
    }

    get state() {
      return Object.fromEntries(this.selects.map(({ name, value }) => [name, value]));
    }

    position(method) {
      return [...this.select("method").options].findIndex(({ value }) => value === method);
    }

    select(name) {
      return this.selects.find((select) => select.name === name);
    }

    label(name, value) {
      return [...this.select(name).options].find((option) => option.value === value)?.text ?? value;
    }

    // The state in the address: #answers:<id>?filter=value&filter=value&id=<one record>.

    address(only = "", state = this.state) {
      const params = new URLSearchParams(Object.entries(state).filter(([, value]) => value));
      if (only) params.set("id", only);
      return `#answers:${this.data.id}?${params}`;
    }

    follow() {
      const match = /^#answers:([a-z]+)(?:\?(.*))?$/.exec(location.hash);
      if (!match || match[1] !== this.data.id) return;
      const params = new URLSearchParams(match[2] ?? "");
      const unknown = [];
      for (const select of this.selects) {
        const kept = [...select.options].find(({ defaultSelected }) => defaultSelected) ?? select.options[0];
        const offered = [...select.options].map(({ value }) => value);
        const asked = params.get(select.name) ?? "";
        select.value = offered.includes(asked) ? asked : offered.includes("") ? "" : kept.value;
        if (asked && !offered.includes(asked)) unknown.push(`${select.name} “${asked.slice(0, 40)}”`);
        params.delete(select.name);
      }
      this.only = params.get("id") ?? "";
      params.delete("id");
      unknown.push(...[...params.keys()].map((name) => `“${name.slice(0, 40)}”`));
      this.message.textContent = unknown.length ? `Not offered, and left out: ${unknown.slice(0, 3).join(", ")}.` : "";
      this.root.open = true;
      this.show();
      this.root.scrollIntoView();
    }

    chosen() {
      this.only = "";
      this.message.textContent = "";
      if (!this.inLab) history.replaceState(null, "", this.address());
      this.show();
    }

    async show() {
      const turn = (this.turn += 1);
      const { state } = this;
      const keys = this.data.pieces.filter((key) => this.data.by.every((name, k) => !state[name] || state[name] === key[k]));
      this.counted.textContent = "Loading…";
      try {
        const loaded = await Promise.all(keys.map((key) => load([this.data.id, ...key].join("."))));
        if (turn !== this.turn) return;
        const named = keys.map((key) => Object.fromEntries(this.data.by.map((name, k) => [name, key[k]])));
        const records = loaded.flatMap((piece, k) => this.set.records(piece).map((record) => ({ ...record, ...named[k] })));
        this.found = records.filter((record) => (this.only ? record.id === this.only : this.set.keeps(record, state, this)));
      } catch (error) {
        if (turn !== this.turn) return;
        this.turn = 0;
        this.found = [];
        this.list.replaceChildren();
        this.more.parentElement.hidden = true;
        this.counted.textContent = `${error.message}: choose again to try once more, or take the file above.`;
        return;
      }
      this.list.replaceChildren();
      this.listMore(true);
      const one = this.only && (this.found.length ? "One record." : "The record of this link is not here.");
      this.counted.textContent = one || this.set.count(this.found, state, this);
    }

    // The next records; those that a reader asked for take the focus.
    listMore(fresh = false) {
      const start = this.list.children.length;
      const added = this.found.slice(start, start + STEP).map((record) => this.item(record));
      this.list.append(...added);
      const rest = this.found.length - this.list.children.length;
      this.more.textContent = this.only ? "Show all of this choice" : `Show ${Math.min(rest, STEP)} more of ${rest}`;
      this.more.parentElement.hidden = !this.only && rest === 0;
      if (!fresh) added[0]?.querySelector("summary").focus();
    }

    item(record) {
      const fold = /** @type {HTMLDetailsElement} */ (document.createElement("details"));
      const fill = () => {
        if (fold.querySelector(".answers-body")) return;
        const body = element("div", "answers-body", ...this.set.body(record, this));
        if (!this.inLab) {
          const link = element("a", "", "Link to this one");
          const key = Object.fromEntries(this.data.by.map((name) => [name, record[name]]));
          link.setAttribute("href", this.address(record.id, { ...this.state, ...key }));
          body.append(element("p", "", link));
        }
        fold.append(body);
      };
      fold.append(element("summary", "", ...this.set.summary(record, this)));
      fold.addEventListener("toggle", fill);
      if (this.only) {
        fold.open = true;
        fill();
      }
      return element("li", "", fold);
    }
  }

  function start(scope, inLab = false) {
    for (const root of scope.querySelectorAll("details.answers:not([data-live])")) {
      root.dataset.live = "";
      new Browser(root, inLab);
    }
  }

  window.ragvsftAnswers = { add: (name, piece) => pieces.set(name, piece), start };
  if (!document.querySelector("body[data-jp-theme-light], body.jp-ThemedContainer, .jp-Notebook")) {
    if (document.readyState === "complete") start(document);
    else document.addEventListener("DOMContentLoaded", () => start(document));
  }
})();

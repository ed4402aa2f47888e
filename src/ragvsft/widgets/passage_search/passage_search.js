// @ts-check
// The search box over the book's own passages. All of it runs here: nothing that is typed leaves the page.
(() => {
  "use strict";

  const SHOWN = 3;
  const FIRST = 10;
  const DEPTH = 100;
  const own = /** @type {HTMLScriptElement} */ (document.currentScript);
  const beside = (path) => new URL(path, own.src).href;

  function script(path) {
    return new Promise((resolve, reject) => {
      const node = document.createElement("script");
      node.onload = resolve;
      node.onerror = () => reject(new Error(`${path} could not be loaded`));
      node.src = beside(path);
      document.head.append(node);
    });
  }

  function element(tag, attributes, ...children) {
    const made = Object.assign(document.createElement(tag), attributes);
    made.append(...children.flat().filter(Boolean));
    return made;
  }

  /** The worker that holds the model: one promise for each message, answered in their order. */
  class Model {
    constructor({ model, vectors }, progress) {
      const waiting = [];
      this.worker = new Worker(beside("minilm.js"));
      this.worker.onmessage = ({ data }) => {
        if (data.bytes) progress(data.bytes);
        else if (data.error) waiting.shift().reject(new Error(data.error));
        else waiting.shift().resolve(data);
      };
      this.worker.onerror = () => waiting.shift()?.reject(new Error("the browser could not start the worker"));
      this.send = (message) => new Promise((resolve, reject) => {
        waiting.push({ resolve, reject });
        this.worker.postMessage(message);
      });
      this.loaded = this.send({ load: { model: beside(`../${model}`), vectors: beside(`../${vectors}`) } });
    }
  }

  class PassageSearch {
    /** @type {any[]} */ passages = [];
    /** @type {number[]} */ alive = [];

    constructor(root) {
      this.root = root;
      this.settings = JSON.parse(this.find(".passages-settings").textContent);
      this.field = this.find("#passages-query");
      this.said = this.find(".passages-said");
      this.offer = this.find(".passages-offer");
      this.chapter = this.find("#passages-chapter");
      this.deleted = new Set();
      this.asked = 0;
      const [ask, remove] = root.querySelectorAll("form");
      ask.hidden = false;
      ask.addEventListener("focusin", () => this.open().catch(() => {}));
      ask.addEventListener("submit", (event) => {
        event.preventDefault();
        this.ask();
      });
      for (const button of root.querySelectorAll("[data-question]")) {
        button.addEventListener("click", () => {
          this.field.value = button.textContent;
          this.ask();
        });
      }
      this.find('[data-action="load"]').addEventListener("click", () => this.load());
      remove.addEventListener("submit", (event) => {
        event.preventDefault();
        this.remove(Number(this.chapter.value));
      });
    }

    find(selector) {
      return this.root.querySelector(selector);
    }

    get format() {
      return window.ragvsftCalculators.format;
    }

    /** The passages and the keyword index, loaded once; a failure may be tried again. */
    open() {
      this.opening ??= Promise.all([script("../passages.js"), script("lexical.js")]).then(() => {
        this.book = window.ragvsftPassages;
        this.passages = this.book.passages.map(([chapter, anchor, heading, text, tokens]) => {
          const [address, title] = this.book.chapters[chapter];
          const whole = [...new Set([title, heading, text])].join("\n");
          return { chapter, heading, title, text, tokens, whole, href: beside(`../${address}#${anchor}`) };
        });
        this.index();
        this.listChapters();
        this.showOffer();
      }).catch((error) => {
        this.opening = undefined;
        this.tell(`${error.message}. The search needs it: try again.`);
        throw error;
      });
      return this.opening;
    }

    index() {
      const start = performance.now();
      this.alive = [...this.passages.keys()].filter((k) => !this.deleted.has(this.passages[k].chapter));
      this.bm25 = window.ragvsftLexical.bm25(this.alive.map((k) => this.passages[k].whole));
      this.indexed = performance.now() - start;
    }

    tell(text) {
      this.said.textContent = text;
    }

    // The model.

    showOffer() {
      const { dense } = this.book;
      const [button, note] = [this.find('[data-action="load"]'), this.offer.querySelector(".calculator-help")];
      this.offer.hidden = false;
      button.hidden = !dense || location.protocol === "file:";
      if (!dense) {
        note.textContent = "This copy of the book was built without the model that makes vectors: make demo adds it. The search is by keywords.";
      } else if (button.hidden) {
        note.textContent = "This page was opened from a folder, where a browser lets no page start a worker or read a model’s file: " +
          "the search is by keywords. Open the book by make serve for vectors.";
      } else {
        button.textContent = `Search by vectors too (loads ${this.megabytes(dense.bytes)} MB)`;
        note.textContent = "MiniLM, a small embedding model, then runs in this page. What you ask stays on your machine.";
      }
    }

    megabytes(bytes) {
      return this.format.count(bytes / 1e6);
    }

    async load() {
      const { dense } = this.book;
      const [button, bar] = [this.find('[data-action="load"]'), this.offer.querySelector("progress")];
      button.disabled = true;
      bar.hidden = false;
      try {
        const model = new Model(dense, (bytes) => { bar.value = bytes / dense.bytes; });
        const { ready } = await model.loaded;
        this.model = model;
        this.offer.querySelector(".calculator-help").textContent =
          `MiniLM was loaded and unpacked in ${this.ms(ready)}. What you ask stays on your machine.`;
        button.hidden = true;
        if (this.field.value.trim()) await this.ask();
        else this.tell("The model is here: ask a question.");
        if (document.activeElement === document.body) this.field.focus();
      } catch (error) {
        this.tell(`The model could not be loaded: ${error.message}. The search by keywords goes on.`);
      }
      button.disabled = false;
      bar.hidden = true;
    }

    // A question.

    async ask() {
      const query = this.field.value.trim();
      const turn = (this.asked += 1);
      const length = this.field.value.length;
      if (!query) return this.refuse("Type a question first.");
      if (length > this.settings.longest) {
        const [most, has] = [this.settings.longest, length].map(this.format.count);
        return this.refuse(`A question may have ${most} characters; this one has ${has}.`);
      }
      try {
        await this.open();
        const found = await this.rank(query);
        if (turn === this.asked) this.show(found);
      } catch (error) {
        this.refuse(`The search failed: ${error.message}.`);
      }
    }

    refuse(message) {
      this.find(".passages-result").hidden = true;
      this.tell(message);
    }

    /** What each search ranks, as positions of passages, best first, with each stage's milliseconds. */
    async rank(query) {
      const { best, fuse } = window.ragvsftLexical;
      const clock = () => performance.now();
      const start = clock();
      const keywords = best(this.bm25.scores(query), DEPTH, 0).map((k) => this.alive[k]);
      const ms = { keywords: clock() - start };
      const tokens = query.split(/\s+/).length;
      if (!this.model) return { query, keywords, tokens, ms };
      const near = await this.model.send({ query });
      for (const [k, { chapter }] of this.passages.entries()) if (this.deleted.has(chapter)) near.scores[k] = -Infinity;
      const sorting = clock();
      const vectors = best(near.scores, DEPTH);
      const fusing = clock();
      const fused = fuse([keywords, vectors]);
      Object.assign(ms, near.ms, { search: near.ms.search + fusing - sorting, fuse: clock() - fusing });
      return { query, keywords, vectors, fused, cosines: near.scores, tokens: near.tokens, ms };
    }

    show(found) {
      this.found = found;
      const { keywords, vectors, fused } = found;
      const columns = vectors ? { Keywords: keywords, Vectors: vectors, Fused: fused } : { Keywords: keywords };
      const first = new Set(Object.values(columns).flatMap((ranking) => ranking.slice(0, SHOWN)));
      const rows = (fused ?? keywords).filter((k) => first.has(k));
      const head = ["Passage", ...Object.keys(columns)].map((name) => element("th", { scope: "col" }, name));
      const table = element("table", {},
        element("thead", {}, element("tr", {}, head)),
        element("tbody", {}, rows.map((k) => this.row(k, columns, found))));
      this.find(".passages-table").replaceChildren(...(rows.length ? [table] : []));
      this.find(".passages-times").textContent = this.times(found.ms);
      this.showPrompt();
      this.find(".passages-result").hidden = false;
      this.tell(this.verdict(found));
    }

    row(k, columns, { keywords, vectors, cosines }) {
      const passage = this.passages[k];
      const sides = vectors && [keywords, vectors].map((ranking) => ranking.indexOf(k));
      const among = sides?.map((at) => at >= 0 && at < FIRST);
      const apart = among && among[0] !== among[1];
      const mark = apart && element("p", { className: "passages-mark" },
        `Only ${among[0] ? "keywords" : "vectors"} put it among their first ${this.format.number(FIRST)}.`);
      const cells = Object.entries(columns).map(([name, ranking]) => {
        const at = ranking.indexOf(k);
        const missing = at < 0 ? "missing" : "";
        const cell = element("td", { className: apart && name !== "Fused" ? `apart ${missing}` : missing },
          at < 0 ? "–" : this.format.number(at + 1),
          name === "Vectors" && at >= 0 && element("small", {}, `cosine ${cosines[k].toFixed(2)}`));
        cell.dataset.label = name;
        return cell;
      });
      return element("tr", {},
        element("td", {},
          element("a", { href: passage.href }, passage.heading), " ",
          passage.heading !== passage.title && element("span", { className: "passages-where" }, passage.title),
          element("p", { className: "passages-text" }, passage.text),
          mark),
        cells);
    }

    /** What a screen reader hears, and the eye reads first. */
    verdict({ keywords, vectors, cosines }) {
      const of = this.deleted.size ? ` ${this.format.count(this.alive.length)} of ${this.format.count(this.passages.length)} passages are in the index.` : "";
      if (!this.alive.length) return "The index is empty: put a chapter back.";
      if (!vectors) {
        return (keywords.length
          ? `${keywords.length === DEPTH ? "At least " : ""}${this.format.count(keywords.length)} of ${this.format.count(this.alive.length)} passages share a word with the question.`
          : "No passage shares a word with the question: keywords find nothing.") + of;
      }
      if (!keywords.length) {
        return `No passage shares a word with the question. Vectors always find a nearest one, here at cosine ${cosines[vectors[0]].toFixed(2)}.${of}`;
      }
      const near = new Set(vectors.slice(0, FIRST));
      const both = keywords.slice(0, FIRST).filter((k) => near.has(k)).length;
      const agree = keywords[0] === vectors[0] ? "agree on the first passage" : "put different passages first";
      return `Keywords and vectors ${agree}; their first ${this.format.number(FIRST)} have ${this.format.number(both)} in common.${of}`;
    }

    ms(value) {
      if (value < 0.1) return "under 0.1 ms";
      return `${this.format.number(Number(value.toPrecision(2)))} ms`;
    }

    times(ms) {
      const names = {
        keywords: "keywords", tokenise: "cutting the question into tokens", embed: "embedding it", search: "nearest vectors", fuse: "fusing",
      };
      const said = Object.entries(ms).map(([name, value]) => `${names[name]} ${this.ms(value)}`);
      return `On your machine: ${said.join(", ")}. The keyword index was made in ${this.ms(this.indexed)}.`;
    }

    // The prompt that would be sent, and its price by the page's own calculator.

    showPrompt() {
      const { query, keywords, fused, tokens } = this.found;
      const used = (fused ?? keywords).slice(0, this.settings.inPrompt).map((k) => this.passages[k]);
      const listed = used.map(({ whole }, k) => `[${k + 1}] ${whole}`).join("\n\n");
      this.find(".passages-prompt pre").textContent = `${this.book.rules}\n\n${listed}\n\nQuestion: ${query}`;
      this.promptTokens = used.reduce((sum, passage) => sum + passage.tokens, this.book.rules_tokens + tokens);
      const calculator = window.ragvsftCalculators.calculators.get(this.settings.price);
      calculator.take("prompt_tokens", this.promptTokens);
      calculator.show();
      if (!this.priced) {
        this.priced = true;
        for (const event of ["input", "change", "click"]) calculator.root.addEventListener(event, () => this.showPrice(calculator));
      }
      this.showPrice(calculator);
    }

    showPrice(calculator) {
      const { count, usd } = this.format;
      const { query } = calculator.model({ ...calculator.values(), prompt_tokens: this.promptTokens });
      this.find(".passages-prompt summary").textContent =
        `The prompt that would be sent: about ${count(this.promptTokens)} tokens, with an answer of ${count(calculator.state.output_tokens)} it costs ` +
        `${usd(query)} on ${calculator.shown("model").trim()}`;
    }

    // Deletion.

    listChapters() {
      const left = this.book.chapters.map(([, title], k) => [k, title]).filter(([k]) => !this.deleted.has(k));
      this.chapter.replaceChildren(...left.map(([k, title]) => element("option", { value: String(k) }, title)));
      this.find(".passages-delete [type=submit]").disabled = left.length === 0;
      const gone = this.find(".passages-deleted");
      gone.hidden = this.deleted.size === 0;
      gone.replaceChildren(...[...this.deleted].map((k) => {
        const back = element("button", { type: "button" }, `Put back: ${this.book.chapters[k][1]}`);
        back.addEventListener("click", () => {
          this.deleted.delete(k);
          this.again();
        });
        return back;
      }));
    }

    remove(chapter) {
      this.deleted.add(chapter);
      return this.again();
    }

    again() {
      this.index();
      this.listChapters();
      if (!this.root.contains(document.activeElement)) this.chapter.focus();
      return this.ask();
    }
  }

  const root = document.querySelector("section.passages");
  if (root) window.ragvsftPassageSearch = new PassageSearch(root);
})();

// @ts-check
/* The matrix: methods by models. Costs come from the functions printed from Python; hosts from costs/columns.py's rules. */
(() => {
  "use strict";

  const { Calculator, format } = window.ragvsftCalculators;
  const AUTO = "auto";
  const MINE = "mine";
  const OK = { reason: "" };
  const DAY = 86400000;
  const SLICE_MS = 8;

  const rounded = (value) => format.usd(Number(value.toPrecision(3)));

  function text(parent, selector, said) {
    const node = parent.querySelector(selector);
    if (node && node.textContent !== said) node.textContent = said;
    return node;
  }

  function element(tag, className, said = "") {
    const node = document.createElement(tag);
    node.className = className;
    node.textContent = said;
    return node;
  }

  function quantile(sorted, share) {
    const position = (sorted.length - 1) * share;
    const below = Math.floor(position);
    const above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (sorted[above] - sorted[below]) * (position - below);
  }

  class Matrix extends Calculator {
    get spec() {
      return this.data.matrix;
    }

    defaults() {
      return { ...super.defaults(), columns: this.spec.defaults };
    }

    take(name, raw) {
      if (name !== "columns") return super.take(name, raw);
      const known = new Map(this.spec.columns.map((column) => [column.id, column]));
      const asked = String(raw).split(",").filter(Boolean).slice(0, 12);
      const found = [...new Set(asked)].filter((id) => known.has(id));
      if (found.length) this.state.columns = found.join(",");
      const gone = asked.filter((id) => !known.has(id)).map((id) => `“${id.slice(0, 40)}”`);
      return gone.length ? `Models that are not offered were left out: ${gone.slice(0, 3).join(", ")}.` : "";
    }

    params() {
      const params = super.params();
      if (this.state.columns !== this.spec.defaults) params.set("columns", this.state.columns);
      return params;
    }

    get columns() {
      return this.state.columns.split(",").map((id) => this.spec.columns.find((column) => column.id === id));
    }

    bind() {
      super.bind();
      this.cells = new Map();
      this.prices = this.root.querySelector(".matrix-prices");
      this.head = this.root.querySelector(".matrix-table thead tr");
      this.body = [...this.root.querySelectorAll(".matrix-table tbody tr")];
      this.picker = this.root.querySelector(".matrix-columns");
      this.picker.hidden = false;
      this.own = this.root.querySelector(".matrix-own");
      this.own.hidden = false;
      this.own.querySelector("input").addEventListener("change", (event) => this.openEvaluation(event.target.files[0]));
      this.picker.addEventListener("change", (event) => this.pick(event.target));
      this.picker.addEventListener("click", (event) => {
        if (event.target.dataset.remove !== undefined) this.remove(Number(event.target.dataset.remove));
        if (event.target.dataset.add !== undefined) this.add();
      });
    }

    // The reader's own evaluation.json: it is read here and goes nowhere. A file with a fault changes nothing.

    async openEvaluation(file) {
      if (!file) return;
      const said = this.own.querySelector(".matrix-own-said");
      const limits = this.spec.evaluation;
      try {
        if (file.size > limits.largestBytes) {
          throw new Error(`size = ${format.count(file.size)} bytes: must be at most ${format.count(limits.largestBytes)}`);
        }
        this.evaluation = window.ragvsftEvaluation.read(await file.text(), limits);
        const n = this.evaluation.questions;
        said.textContent = `${file.name}: ${format.count(n)} questions, ${this.evaluation.methods.map(({ method }) => method).join(", ")}.`;
        this.showEvaluation(this.now);
      } catch (error) {
        said.textContent = `${file.name}: ${error.message}. ${this.evaluation ? "The evaluation opened before is kept." : "Nothing was changed."}`;
      }
    }

    // One line of the table: the label, and for each column USD and its ends, or why there is none.
    evaluationLines(cells) {
      const { methods, judged, questions } = this.evaluation;
      const rag = cells.filter(({ method }) => method.name === "rag");
      const found = methods.map((row) => [
        `${row.method}: passage found in ${row.times} of ${questions}`,
        rag.map((cell) => this.perSuccess(cell, row)),
      ]);
      const correct = methods
        .map(({ method }) => [method, judged.filter((row) => row.method === method)])
        .filter(([, rows]) => rows.length)
        .map(([method, rows]) => [`${method}: answer correct`, rag.map((cell) => this.perCorrect(cell, rows))]);
      return [...found, ...correct];
    }

    perCorrect(cell, rows) {
      const { model, id } = cell.hosted.column;
      const names = [model, id].map((name) => name.toLowerCase());
      const row = rows.find((each) => names.includes(each.model.toLowerCase()));
      return row ? this.perSuccess(cell, row) : `judged answers are of ${rows[0].model}`;
    }

    perSuccess(cell, row) {
      if (cell.reason) return cell.reason;
      if (!row.times) return "none";
      const { figures, hosted } = cell;
      const unused = this.spec.evaluation.notPaid[row.method].reduce((sum, stage) => sum + figures[`rag_stage_${stage}_usd`], 0);
      const { figure, questions } = this.figureOfQuestions();
      const usd = (share) =>
        this.model.success({ figure_usd: figures[`rag_${figure}`], questions, unused_usd: unused, share }).usd;
      return { hosted, usd: usd(row.share), low: usd(row.high), high: usd(row.low) };
    }

    // What the reader has chosen to see, where it can be divided by questions; else the total.
    figureOfQuestions() {
      const { show, queries_per_month: perMonth, horizon_months: months } = this.state;
      if (show === "per_query_usd") return { figure: show, questions: 1 };
      return { figure: show === "vendor_horizon_usd" ? show : "horizon_usd", questions: perMonth * months };
    }

    showEvaluation(cells) {
      if (!this.evaluation) return;
      const table = this.own.querySelector("table");
      table.closest("[role=region]").hidden = false;
      const named = { per_query_usd: "one more query", vendor_horizon_usd: "what vendors invoice", horizon_usd: "all costs of the horizon" };
      table.querySelector("caption").textContent =
        `US dollars for each success: RAG by ${named[this.figureOfQuestions().figure]}, less the stages that the method does not pay. ` +
        `Small print: by the 95% interval of the share alone. Found means among the first ${this.evaluation.k} passages; ` +
        `the prompt above holds ${format.number(this.state.chunks_in_prompt)}.`;
      const columns = this.columns.map(({ label }) => {
        const head = element("th", "", label);
        head.scope = "col";
        return head;
      });
      const first = element("th", "", "Retrieval");
      first.scope = "col";
      table.querySelector("thead tr").replaceChildren(first, ...columns);
      table.querySelector("tbody").replaceChildren(...this.evaluationLines(cells).map(([label, found]) => {
        const row = document.createElement("tr");
        const head = element("th", "", label);
        head.scope = "row";
        row.append(head, ...found.map((cell, k) => this.evaluationCell(cell, this.columns[k].label)));
        return row;
      }));
      const known = this.evaluation.judged.length > 0;
      const notes = known ? [] : ["USD per correct answer is not known: the file holds no judged answers."];
      this.own.querySelector("ul").replaceChildren(...[...notes, ...this.evaluation.warnings].map((note) => element("li", "", note)));
    }

    evaluationCell(found, label) {
      const cell = element("td", typeof found === "string" ? "unavailable" : "");
      cell.dataset.label = label;
      if (typeof found === "string") cell.append(element("span", "matrix-reason", found));
      else {
        cell.append(
          element("span", "matrix-usd", rounded(found.usd)),
          element("span", "matrix-range", `${rounded(found.low)} to ${rounded(found.high)}`),
        );
      }
      return cell;
    }

    pick(select) {
      const ids = this.state.columns.split(",");
      ids[Number(select.dataset.column)] = select.value;
      this.setColumns(ids);
    }

    remove(at) {
      this.setColumns(this.state.columns.split(",").filter((_, k) => k !== at));
      this.picker.querySelector("select")?.focus();
    }

    add() {
      const ids = this.state.columns.split(",");
      const next = this.spec.columns.find((column) => !ids.includes(column.id));
      if (!next) return;
      this.setColumns([...ids, next.id]);
      this.picker.querySelector(`select[data-column="${ids.length}"]`)?.focus();
    }

    setColumns(ids) {
      this.state.columns = [...new Set(ids)].join(",");
      this.tell([]);
      this.changed();
    }

    // Hosts: the same rules as costs/columns.py and prices/offers.py.

    offerStatus(id) {
      if (id === MINE) return OK;
      const offer = this.spec.offers[id];
      const because = (why) => ({ reason: `${offer.label}: ${offer.note ? `${why}. ${offer.note}` : why}` });
      if (offer.closed) return because("closed to new customers");
      if (offer.ends) {
        const end = Date.parse(offer.ends);
        const horizon = Math.floor(this.state.horizon_months * this.spec.daysPerMonth) * DAY;
        if (end <= this.today + horizon) {
          const past = end <= this.today;
          return because(past ? `ended on ${offer.ends}` : `ends on ${offer.ends}, inside the horizon`);
        }
      }
      const plainly = (why) => ({ reason: `${offer.label}: ${why}` });
      if (!offer.places.includes(this.state.text_may_go)) {
        return plainly(`not known to keep text ${this.spec.places[this.state.text_may_go]}`);
      }
      if (offer.missing) return plainly(`no published price (${offer.missing})`);
      if (offer.oldest && this.today - Date.parse(offer.oldest) > this.spec.maxAgeDays * DAY) {
        return plainly(`its price of ${offer.oldest} is over ${this.spec.maxAgeDays} days old`);
      }
      return OK;
    }

    offerOf(column, name) {
      const role = this.spec.roles[name];
      if (!role.ofColumn && this.state[name] !== AUTO) return this.state[name];
      if (role.ofColumn && column.id === MINE) return name === "answer_llm" ? MINE : null;
      const offered = role.offers.filter((id) => !role.ofColumn || this.spec.offers[id].model === column.model);
      return offered.find((id) => !this.offerStatus(id).reason) ?? offered[0] ?? null;
    }

    mineValues() {
      const { items, ifAbsent } = this.spec.mine;
      const found = Object.fromEntries(items.map((item) => [item, this.state[`mine_${item}`]]));
      const value = (item) =>
        item in found ? found[item] : typeof ifAbsent[item] === "string" ? value(ifAbsent[item]) : ifAbsent[item];
      for (const item of Object.keys(ifAbsent)) found[item] = value(item);
      return found;
    }

    resolve(column) {
      const offers = {};
      const values = {};
      for (const name of Object.keys(this.spec.roles)) {
        const id = this.offerOf(column, name);
        offers[name] = id;
        if (id === null) continue;
        const priced = id === MINE ? this.mineValues() : this.spec.offers[id].values;
        for (const [item, value] of Object.entries(priced)) values[`${name}.${item}`] = value;
      }
      return { column, offers, values };
    }

    provider(id) {
      return id === null ? "nobody" : id === MINE ? "You" : this.spec.offers[id].provider;
    }

    host(hosted, tuned) {
      if (hosted.column.serving === "self_hosted") return this.provider(hosted.offers.gpu);
      return this.provider(hosted.offers[tuned ? "tuned_llm" : "answer_llm"]);
    }

    nobody(column, name) {
      if (name !== "tuned_llm") return `no offer of ${this.spec.roles[name].label} is known`;
      if (column.id === MINE) return "your own prices name no fine-tuned model";
      return `nobody sells ${column.model} fine-tuned by the token`;
    }

    unavailable(hosted, method) {
      for (const name of method.roles[hosted.column.serving]) {
        const id = hosted.offers[name];
        if (id === null) return this.nobody(hosted.column, name);
        const { reason } = this.offerStatus(id);
        if (reason) return reason;
      }
      return "";
    }

    confirm(hosted, method) {
      return method.roles[hosted.column.serving].some((name) => this.spec.offers[hosted.offers[name]]?.confirm);
    }

    priced(hosted, method) {
      return method.roles[hosted.column.serving].every((name) => {
        const id = hosted.offers[name];
        return id === MINE || (id !== null && Object.keys(this.spec.offers[id].values).length > 0);
      });
    }

    // The model, once a column.

    assumptions() {
      const values = {};
      for (const input of this.inputs.values()) {
        if (!input.choices && !input.name.startsWith("mine_")) values[input.name] = this.state[input.name];
      }
      return values;
    }

    compute() {
      const assumptions = this.assumptions();
      const found = [];
      for (const column of this.columns) {
        const hosted = this.resolve(column);
        const values = { ...assumptions, ...hosted.values };
        const outputs = this.model[column.serving](values);
        for (const method of this.spec.methods) found.push(this.cell(hosted, values, outputs, method));
      }
      return found;
    }

    cell(hosted, values, outputs, method) {
      const usd = (figure) => (this.priced(hosted, method) ? outputs[`${method.name}_${figure}`] : NaN);
      let reason = this.unavailable(hosted, method);
      if (!reason && !outputs[`${method.name}_fits`]) reason = this.tooLong(hosted, outputs, method);
      if (!reason && this.state.needs_documents === "yes" && !method.knows) reason = "knows none of your documents";
      return {
        hosted, method, values, reason, figures: outputs,
        confirm: this.priced(hosted, method) && this.confirm(hosted, method),
        shown: usd(this.state.show),
        total: usd("horizon_usd"),
        label: `${method.label} on ${hosted.column.label}`,
      };
    }

    tooLong(hosted, outputs, method) {
      const role = hosted.column.serving === "self_hosted" ? "weights" : method.tuned ? "tuned_llm" : "answer_llm";
      const tokens = format.count(outputs[`${method.name}_call_tokens`]);
      const window = format.count(hosted.values[`${role}.context_window_tokens`]);
      return `one call needs ${tokens} tokens; ${hosted.column.model} takes ${window}`;
    }

    cheapest(cells) {
      return cells
        .filter((cell) => !cell.reason && !cell.confirm)
        .reduce((best, cell) => (!best || cell.total < best.total ? cell : best), null);
    }

    runnerUp(cells, winner) {
      const far = (cell) => Math.abs(cell.total - winner.total) > this.spec.tie * winner.total;
      return this.cheapest(cells.filter((cell) => cell !== winner && far(cell)));
    }

    // What the reader sees.

    show(source) {
      this.showInputs(source);
      const cells = this.compute();
      this.now = cells;
      this.winner = this.cheapest(cells);
      this.showTable(cells);
      this.showSteps(cells);
      this.showPrices(cells);
      this.verdict(cells, null);
      this.showEvaluation(cells);
      clearTimeout(this.drawing);
      this.drawing = setTimeout(() => this.draw(cells), 60);
    }

    showTable(cells) {
      this.showHead();
      const figure = this.element("show", "select").selectedOptions[0].text;
      text(this.root, ".matrix-figure", figure.charAt(0).toLowerCase() + figure.slice(1));
      for (const row of this.body ?? []) {
        const mine = cells.filter((cell) => cell.method.name === row.dataset.method);
        while (row.cells.length > mine.length + 1) row.deleteCell(-1);
        mine.forEach((cell, k) => this.showCell(row.cells[k + 1] ?? this.newCell(row), cell));
      }
    }

    newCell(row) {
      const cell = row.insertCell();
      cell.append(element("span", "matrix-usd"), element("span", "matrix-range"), element("span", "matrix-reason"));
      return cell;
    }

    showCell(node, cell) {
      const lowest = cell === this.winner;
      node.className = cell.reason ? "unavailable" : lowest ? "lowest" : "";
      node.dataset.label = cell.hosted.column.label;
      text(node, ".matrix-usd", Number.isFinite(cell.shown) ? format.usd(cell.shown) : "–");
      const known = node.querySelector(".matrix-range") ?? node.insertBefore(element("span", "matrix-range"), node.children[1]);
      known.textContent = "";
      cell.node = known;
      text(node, ".matrix-reason", cell.reason || (cell.confirm ? "confirm first" : ""));
      const mark = node.querySelector(".matrix-mark");
      if (lowest && !mark) node.append(element("span", "matrix-mark", "costs least"));
      if (!lowest && mark) mark.remove();
    }

    showHead() {
      const columns = this.columns;
      const key = `${this.state.columns} ${this.state.text_may_go} ${this.state.gpu}`;
      if (this.headShown === key) return;
      this.headShown = key;
      while (this.head.cells.length > columns.length + 1) this.head.deleteCell(-1);
      columns.forEach((column, k) => {
        let cell = this.head.cells[k + 1];
        if (!cell) {
          cell = document.createElement("th");
          cell.scope = "col";
          cell.append(element("span", "matrix-model"), " ", element("span", "matrix-host"));
          this.head.append(cell);
        }
        cell.dataset.column = column.id;
        const hosted = this.resolve(column);
        const [plain, tuned] = [this.host(hosted, false), this.host(hosted, true)];
        const apart = tuned !== plain && tuned !== "nobody";
        text(cell, ".matrix-model", column.label);
        text(cell, ".matrix-host", apart ? `${plain}; tuned: ${tuned}` : plain);
      });
      this.showPicker(columns);
    }

    showPicker(columns) {
      const active = document.activeElement;
      const focused = active instanceof HTMLElement ? active.dataset.column : undefined;
      this.picker.replaceChildren(
        ...columns.map((column, k) => {
          const label = element("label", "", `Model ${k + 1}`);
          const select = document.createElement("select");
          select.dataset.column = String(k);
          for (const other of this.spec.columns) {
            const option = new Option(other.label, other.id, false, other.id === column.id);
            option.disabled = other.id !== column.id && columns.includes(other);
            select.append(option);
          }
          label.append(select);
          if (columns.length > 1) {
            const button = element("button", "", "Remove");
            button.type = "button";
            button.dataset.remove = String(k);
            button.setAttribute("aria-label", `Remove ${column.label}`);
            label.append(button);
          }
          return label;
        }),
      );
      if (columns.length < this.spec.columns.length) {
        const button = element("button", "", "Add a model");
        button.type = "button";
        button.dataset.add = "";
        this.picker.append(button);
      }
      if (focused !== undefined) this.picker.querySelector(`select[data-column="${focused}"]`)?.focus();
    }

    showSteps(cells) {
      const list = this.root.querySelector(".matrix-steps ul");
      const columns = this.columns;
      const at = (method, column) =>
        cells.find((cell) => cell.method.name === method && cell.hosted.column === column);
      const [before, after] = this.spec.stepMethods;
      const pairs = columns.slice(0, 2).map((column) => [at(before, column), at(after, column)]);
      if (columns.length > 1) {
        for (const name of this.spec.stepMethods) pairs.push([at(name, columns[0]), at(name, columns[1])]);
      }
      list.replaceChildren(
        ...pairs.map(([a, b]) => {
          const sameColumn = a.hosted.column === b.hosted.column;
          const item = element("li", "", sameColumn
            ? `${a.method.label} to ${b.method.label} on ${a.hosted.column.label}: `
            : `${a.hosted.column.label} to ${b.hosted.column.label} with ${a.method.label}: `);
          const blocked = [a, b].find((cell) => cell.reason);
          item.append(element("b", "", blocked ? `${blocked.label}: ${blocked.reason}` : format.usd(b.total - a.total)));
          return item;
        }),
      );
    }

    showPrices(cells) {
      const used = new Set();
      for (const cell of cells) {
        for (const name of cell.method.roles[cell.hosted.column.serving]) {
          const id = cell.hosted.offers[name];
          if (id && id !== MINE) used.add(id);
        }
      }
      const key = [...used].join();
      if (this.pricesShown === key) return;
      this.pricesShown = key;
      const prices = [...used].flatMap((id) => this.spec.offers[id].prices);
      this.prices.replaceChildren(
        ...prices.map(({ label, value, unit, as_of: asOf, source }) => {
          const item = element("li", "", `${label}: ${format.number(value)} ${unit}, ${asOf}, `);
          item.dataset.asOf = asOf;
          if (source.startsWith("https://")) {
            const link = document.createElement("a");
            link.href = source;
            link.rel = "noopener";
            link.textContent = source.split("/")[2];
            item.append(link);
          } else item.append(source);
          return item;
        }),
      );
      this.showAge();
    }

    line() {
      const { winner } = this;
      return winner ? `${format.usd(winner.total)}: ${winner.label} costs least` : this.root.querySelector(".matrix-verdict").textContent;
    }

    say() {
      this.said.textContent = this.root.querySelector(".matrix-verdict").textContent;
    }

    verdict(cells, lead) {
      const winner = this.winner;
      const other = winner && this.runnerUp(cells, winner);
      text(this.root, ".matrix-verdict", this.verdictText(cells, winner, other, lead));
      this.showLine();
    }

    verdictText(cells, winner, other, lead) {
      if (!winner) {
        return cells.some((cell) => !cell.reason)
          ? "Nothing that does the job could be confirmed at its seller: ask before you choose."
          : "No cell of the matrix does the job.";
      }
      if (!other) return `${winner.label} is the only one that does the job.`;
      if (!lead) return `${winner.label} costs least.`;
      const whole = (value) => format.count(Math.round(value));
      const settled = lead.low > 0 ? "costs least." : "costs least at the base values, but the ranges do not settle it.";
      return (
        `${winner.label} ${settled} Its lead over ${other.label} is ${whole(lead.low)} to ${whole(lead.high)} USD ` +
        `(10th to 90th percentile); it wins ${Math.round(100 * lead.won)}% of the draws.`
      );
    }

    // Ranges, when nothing else is to be done: the same draws as Python's.

    drawNumber(k) {
      this.drawn ??= [];
      this.drawn[k] ??= this.model.draw({ k });
      return this.drawn[k];
    }

    async draw(cells) {
      const totals = new Map(cells.map((cell) => [cell, []]));
      const fixed = this.typed();
      let until = performance.now() + SLICE_MS;
      for (const column of this.columns) {
        const mine = cells.filter((cell) => cell.hosted.column === column);
        const { values } = mine[0];
        const model = this.model[`${column.serving}_totals`];
        for (let k = 0; k < this.spec.draws; k += 1) {
          const outputs = model({ ...values, ...this.drawNumber(k), ...fixed });
          for (const cell of mine) totals.get(cell).push(outputs[`${cell.method.name}_horizon_usd`]);
          if (performance.now() > until) {
            await new Promise((go) => setTimeout(go));
            if (this.now !== cells) return;
            until = performance.now() + SLICE_MS;
          }
        }
      }
      for (const [cell, drawn] of totals) {
        if (cell.reason || this.state.show !== "horizon_usd") continue;
        const sorted = Float64Array.from(drawn).sort();
        cell.range = [quantile(sorted, 0.1), quantile(sorted, 0.9)];
        cell.node.textContent = `${rounded(cell.range[0])} to ${rounded(cell.range[1])}`;
      }
      const other = this.winner && this.runnerUp(cells, this.winner);
      if (other) this.verdict(cells, this.lead(totals.get(this.winner), totals.get(other)));
      this.root.dataset.drawn = String(Number(this.root.dataset.drawn ?? 0) + 1);
    }

    /** Values that the reader gave are known: no range is drawn for them. */
    typed() {
      const found = {};
      for (const name of this.spec.uncertain) {
        if (this.state[name] !== this.inputs.get(name).default) found[name] = this.state[name];
      }
      return found;
    }

    lead(a, b) {
      const differences = Float64Array.from(a, (value, k) => b[k] - value);
      const won = a.filter((value, k) => b[k] - value > this.spec.tie * Math.max(Math.abs(value), Math.abs(b[k])));
      differences.sort();
      return {
        low: quantile(differences, 0.1),
        high: quantile(differences, 0.9),
        won: won.length / a.length,
      };
    }

    scenario() {
      const lines = ["# Scenario for: ragvsft compare scenario.toml", ""];
      lines.push(`columns = ${JSON.stringify(this.state.columns.split(","))}`);
      for (const input of this.inputs.values()) {
        const value = this.state[input.name];
        if (input.inScenario === false || input.name.startsWith("mine_") || value === input.default) continue;
        lines.push(`${input.name} = ${typeof value === "number" ? this.plain(value) : JSON.stringify(value)}`);
      }
      if (this.state.columns.split(",").includes(MINE)) {
        lines.push("", "[mine]");
        for (const item of this.spec.mine.items) lines.push(`${item} = ${this.plain(this.state[`mine_${item}`])}`);
      }
      return `${lines.join("\n")}\n`;
    }

    plain(value) {
      return value.toLocaleString("en-US", { useGrouping: false, maximumFractionDigits: 20 });
    }
  }

  window.ragvsftCalculators.kinds.matrix = Matrix;
})();

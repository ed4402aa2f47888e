/* The decision tool. The rules come with the page, from data/decision_*.csv; decisions.py evaluates the same ones. */
(() => {
  "use strict";

  const { Tool, saveFile } = window.ragvsftCalculators;
  const UNKNOWN = "unknown";

  // The engine. `codes` holds the position of each answer; sets of answers and of steps are bit masks.

  const holds = (when, codes) => when.every(([question, allowed]) => (allowed >> codes[question]) & 1);

  function evaluate({ questions, rules, steps }, codes) {
    const points = steps.map(() => 0);
    const fired = rules.filter((rule) => holds(rule.when, codes));
    for (const rule of fired) for (const step of rule.steps) points[step] += rule.points;
    const done = codes.reduce((mask, code, question) => mask | questions[question].answers[code].done, 0);
    const plan = steps.filter((step, k) => points[k] >= step.needs && !((done >> k) & 1));
    return { fired, plan };
  }

  function recommend(tables, answers) {
    const { questions, rules, steps, matrix, columns } = tables;
    const known = (question) => question.answers.findIndex((answer) => answer.id === answers[question.id]);
    const given = questions.filter((question) => known(question) >= 0);
    const codes = questions.map((question) => (known(question) < 0 ? question.unknown : known(question)));
    const { fired, plan } = evaluate(tables, codes);
    const first = plan[0];
    const flips = [];
    questions.forEach((question, q) => {
      question.answers.forEach((answer, code) => {
        const other = evaluate(tables, codes.with(q, code)).plan[0];
        if (other === first) return;
        const same = flips.find((flip) => flip.question === question && flip.step === other);
        if (same) same.answers.push(answer);
        else flips.push({ question, answers: [answer], step: other });
      });
    });
    const index = steps.indexOf(first);
    const brought = fired.filter((rule) => rule.steps.includes(index) && rule.points > 0);
    const deciding = new Set(brought.flatMap((rule) => rule.when.map(([question]) => questions[question])));
    for (const flip of flips) deciding.add(flip.question);
    const about = (step) => fired.filter((rule) => rule.steps.includes(steps.indexOf(step)));
    const ticked = matrix.filter((row) => holds(row.when, codes));
    return {
      steps: plan,
      refused: steps.filter((step) => !plan.includes(step) && about(step).some((rule) => rule.points < 0)),
      about,
      notes: fired.filter((rule) => !rule.steps.length),
      flips,
      decidedBy: questions.filter((question) => deciding.has(question)),
      counted: new Map(questions.map((question, q) => [question, question.answers[codes[q]]])),
      assumed: questions.filter((question) => !given.includes(question)),
      sourceMatrix: Object.keys(columns).map((column) => [column, ticked.filter((row) => row.tick === column)]),
      scenario: Object.assign({}, ...given.map((question) => question.answers[known(question)].scenario)),
    };
  }

  // The page. Text only ever enters it as text.

  function element(tag, attributes, ...children) {
    const made = Object.assign(document.createElement(tag), attributes);
    made.append(...children.flat(Infinity).filter(Boolean));
    return made;
  }

  const labels = (answers) => answers.map((answer) => `“${answer.label}”`).join(" or ");
  const list = (items, attributes = {}) => element("ul", attributes, items.map((item) => element("li", {}, item)));

  class Decision extends Tool {
    constructor(root, inLab) {
      super(root, inLab, "decide");
      this.tables = JSON.parse(root.querySelector(".decision-data").textContent);
      this.questions = new Map(this.tables.questions.map((question) => [question.id, question]));
      this.clear();
      this.begin("Every question is back at “Don’t know”.");
    }

    clear() {
      this.answers = {};
    }

    controls(id) {
      return [...this.root.querySelectorAll(`[data-question="${id}"] :is(input, select)`)];
    }

    // Take one answer from outside; returns what to tell the reader, or nothing.
    take(id, answer) {
      const question = this.questions.get(id);
      if (!question) return `“${id.slice(0, 40)}” is not a question of this page and was left out.`;
      if (answer === UNKNOWN) delete this.answers[id];
      else if (question.answers.some((known) => known.id === answer)) this.answers[id] = answer;
      else return `${question.title} “${answer.slice(0, 40)}” is not an answer and was left out.`;
      return "";
    }

    bind() {
      for (const id of this.questions.keys()) {
        for (const control of this.controls(id)) {
          control.addEventListener("change", () => {
            this.tell([this.take(id, control.value)]);
            this.changed();
          });
        }
      }
      this.root.querySelectorAll("[data-workload]").forEach((button) => {
        button.addEventListener("click", () => {
          this.answers = { ...this.tables.workloads[button.dataset.workload] };
          this.tell([]);
          this.changed();
        });
      });
      this.on("answers", () => this.tell([saveFile("answers.toml", this.file(), "ragvsft decide")]));
    }

    params() {
      const params = new URLSearchParams();
      for (const id of this.questions.keys()) if (this.answers[id]) params.set(id, this.answers[id]);
      return params;
    }

    file() {
      const lines = [...this.questions].map(([id, { title }]) => `# ${title}\n${id} = "${this.answers[id] ?? UNKNOWN}"\n`);
      return `# Answers for: ragvsft decide answers.toml\n\n${lines.join("\n")}`;
    }

    show() {
      this.advice = recommend(this.tables, this.answers);
      this.showForm();
      this.root.querySelector(".decision-headline").replaceChildren(...this.headline());
      this.root.querySelector(".decision-result").replaceChildren(...this.result());
      const ticked = this.advice.sourceMatrix.flatMap(([, rows]) => rows.map((row) => row.id));
      this.root.querySelectorAll(".decision-matrix [data-row]").forEach((line) => {
        line.classList.toggle("ticked", ticked.includes(line.dataset.row));
      });
    }

    showForm() {
      for (const id of this.questions.keys()) {
        const answer = this.answers[id] ?? UNKNOWN;
        for (const control of this.controls(id)) {
          if (control.type === "radio") control.checked = control.value === answer;
          else control.value = answer;
        }
      }
      this.root.querySelectorAll("[data-workload]").forEach((button) => {
        const workload = this.tables.workloads[button.dataset.workload];
        const same = [...this.questions.keys()].every((id) => workload[id] === this.answers[id]);
        button.setAttribute("aria-pressed", String(same));
      });
    }

    headline() {
      const [first, ...then] = this.advice.steps;
      const rest = then.slice(0, -1).map((step) => step.title);
      const more = rest.length ? ` If that falls short: ${rest.join(", then ")}.` : "";
      return [first.needs ? "Start with: " : "", element("strong", {}, first.title), ".", more];
    }

    result() {
      const { advice } = this;
      return [
        element("ol", { className: "decision-plan" }, advice.steps.map((step) => element("li", {}, this.step(step)))),
        advice.notes.map((rule) => element("p", { className: "decision-reasons" }, this.reason(rule))),
        element("p", { className: "decision-caption" }, "What decided it"),
        list(advice.decidedBy.map((question) => this.answer(question))),
        element("p", { className: "decision-caption" }, "What would change the first step"),
        advice.flips.length
          ? list(advice.flips.map((flip) => {
            const open = advice.assumed.includes(flip.question) ? ". Worth finding out." : "";
            return `${flip.question.title} ${labels(flip.answers)}: ${flip.step.title}${open}`;
          }))
          : element("p", {}, "No single answer."),
        advice.refused.length && element("details", {},
          element("summary", {}, "Why not the other steps"),
          advice.refused.map((step) => [element("p", { className: "decision-step" }, step.title), this.reasons(step)])),
        this.allAnswers(),
        element("p", {}, this.matrixVerdict()),
        element("p", {}, element("a", { className: "decision-costs", href: this.costs() }, "Price this workload")),
      ].flat().filter(Boolean);
    }

    step(step) {
      const chapter = this.tables.chapters[step.chapter];
      return [
        element("p", { className: "decision-step" }, step.title),
        element("p", {}, step.action, " ", element("a", { href: chapter.href }, chapter.title)),
        element("details", { open: step === this.advice.steps[0] },
          element("summary", {}, "Why, and what to mind"),
          this.reasons(step)),
        element("p", { className: "decision-stop" }, step.stop),
      ];
    }

    reasons(step) {
      return list(this.advice.about(step).map((rule) => this.reason(rule)), { className: "decision-reasons" });
    }

    reason(rule) {
      const claim = this.tables.claims[rule.claim];
      const chapter = this.tables.chapters[rule.chapter];
      const sign = rule.points > 0 ? "For: " : rule.points < 0 ? "Against: " : "Mind: ";
      return [
        element("span", { className: "decision-sign" }, sign),
        rule.reason,
        " ",
        element("a", { href: chapter.href }, chapter.title),
        element("small", {}, `The ledger on “${claim.statement}” `, element("a", { href: claim.href }, claim.verdict)),
      ];
    }

    allAnswers() {
      const { assumed, counted } = this.advice;
      const given = counted.size - assumed.length;
      return element("details", {},
        element("summary", {}, `Every answer: ${given} given, ${assumed.length} assumed for “Don’t know”`),
        list([...counted.keys()].map((question) => this.answer(question))));
    }

    answer(question) {
      const assumed = this.advice.assumed.includes(question) ? ", assumed" : "";
      return `${question.title} “${this.advice.counted.get(question).label}”${assumed}`;
    }

    matrixVerdict() {
      const ticks = this.advice.sourceMatrix.filter(([, rows]) => rows.length);
      if (!ticks.length) return "The source’s matrix has no row for these answers.";
      const says = ticks.length > 1 ? "Both" : this.tables.columns[ticks[0][0]];
      const counts = ticks.map(([column, rows]) => `${this.tables.columns[column]} ${rows.length}`).join(", ");
      return `The source’s matrix says: ${says} (ticks: ${counts}).`;
    }

    costs() {
      const workload = new URLSearchParams(this.advice.scenario).toString();
      return this.tables.costs + (workload && `#calc:cost-comparison?${workload}`);
    }
  }

  function start(scope, inLab = false) {
    const root = scope.querySelector("#calc-decide:not([data-live])");
    if (!root) return;
    root.dataset.live = "";
    window.ragvsftDecisions.tool = new Decision(root, inLab);
  }

  window.ragvsftDecisions = { start, evaluate, recommend };
  if (!document.querySelector("body[data-jp-theme-light], body.jp-ThemedContainer, .jp-Notebook")) start(document);
})();

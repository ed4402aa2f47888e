// @ts-check
/* The decision tool. Rules and thresholds come with the page, from data/decision_*.csv; Python evaluates the same. */
(() => {
  "use strict";

  const { Tool, saveFile, parseNumber, readNumber, plain, format } = window.ragvsftCalculators;
  const UNKNOWN = "unknown";

  // The engine. `codes` holds the position of each criterion's answer; sets of answers and of steps are bit masks.

  const holds = (when, codes) => when.every(([criterion, allowed]) => (allowed >> codes[criterion]) & 1);

  function evaluate({ criteria, rules, steps }, codes) {
    const points = steps.map(() => 0);
    const fired = rules.filter((rule) => holds(rule.when, codes));
    for (const rule of fired) for (const step of rule.steps) points[step] += rule.points;
    const done = codes.reduce((mask, code, criterion) => mask | criteria[criterion].answers[code].done, 0);
    const plan = steps.filter((step, k) => points[k] >= step.needs && !((done >> k) & 1));
    return { fired, plan };
  }

  // A question about documents that is left open where answers need none does not apply.
  const applies = (question, answers) => question.without === null || answers.needs_documents !== "no";

  function counted(question, answers) {
    if (Object.hasOwn(answers, question.id)) return answers[question.id];
    return applies(question, answers) ? question.unknown : question.without;
  }

  function codesOf({ questions, criteria, classes }, answers) {
    const values = Object.fromEntries(questions.map((question) => [question.id, counted(question, answers)]));
    const numbers = Object.entries(values).map(([id, value]) => [
      id,
      typeof value === "number" ? value : Number(value === "yes"),
    ]);
    const derived = classes(Object.fromEntries(numbers));
    return criteria.map(({ id, answers: known }) =>
      Object.hasOwn(derived, id) ? derived[id] : known.findIndex((answer) => answer.id === values[id]),
    );
  }

  // What every open question may turn out to be: the criterion's answer, and the plan that it would bring.
  function foundOut(tables, answers, assumed) {
    return assumed.flatMap((question) =>
      question.candidates.map((candidate) => {
        const codes = codesOf(tables, { ...answers, [question.id]: candidate });
        const criterion = tables.criteria[question.criterion];
        const answer = criterion.answers[codes[question.criterion]];
        return { question, criterion, answer, plan: evaluate(tables, codes).plan };
      }),
    );
  }

  // Those of them that change the plan, with the steps that come and go.
  function changesOf(found, plan) {
    const same = (one, other) => one.length === other.length && one.every((step, k) => step === other[k]);
    const changes = [];
    for (const { question, criterion, answer, plan: other } of found) {
      if (same(other, plan)) continue;
      const alike = changes.find((change) => change.question === question && same(change.plan, other));
      if (alike) alike.answers.add(answer);
      else changes.push({ question, criterion, plan: other, answers: new Set([answer]) });
    }
    return changes.map(({ question, criterion, plan: other, answers }) => ({
      question,
      criterion,
      answers: [...answers],
      adds: other.filter((step) => !plan.includes(step)),
      drops: plan.filter((step) => !other.includes(step)),
    }));
  }

  function findFlips(tables, codes, first, couldBe) {
    const flips = [];
    tables.criteria.forEach((criterion, c) => {
      criterion.answers.forEach((answer, code) => {
        if (code === codes[c]) return;
        const step = evaluate(tables, codes.with(c, code)).plan[0];
        if (step === first) return;
        const same = flips.find((flip) => flip.criterion === criterion && flip.step === step);
        if (same) same.answers.push(answer);
        else flips.push({ criterion, answers: [answer], step });
      });
    });
    return flips.map((flip) => ({ ...flip, open: flip.answers.some((answer) => couldBe.has(answer)) }));
  }

  const isHandedOn = ({ handed }, answer) => handed !== null && (handed === true || answer >= handed);

  function recommend(tables, answers) {
    const { questions, criteria, steps, matrix, columns } = tables;
    const given = questions.filter((question) => Object.hasOwn(answers, question.id));
    const assumed = questions.filter((question) => !given.includes(question) && applies(question, answers));
    const codes = codesOf(tables, answers);
    const { fired, plan } = evaluate(tables, codes);
    const first = plan[0];
    const found = foundOut(tables, answers, assumed);
    const flips = findFlips(tables, codes, first, new Set(found.map(({ answer }) => answer)));
    const index = steps.indexOf(first);
    const brought = fired.filter((rule) => rule.steps.includes(index) && rule.points > 0);
    const deciding = new Set(brought.flatMap((rule) => rule.when.map(([criterion]) => criteria[criterion])));
    for (const flip of flips) deciding.add(flip.criterion);
    const about = (step) => fired.filter((rule) => rule.steps.includes(steps.indexOf(step)));
    const ticked = matrix.filter((row) => holds(row.when, codes));
    const handed = given.filter((question) => isHandedOn(question, answers[question.id]));
    return {
      steps: plan,
      refused: steps.filter((step) => !plan.includes(step) && about(step).some((rule) => rule.points < 0)),
      about,
      notes: fired.filter((rule) => !rule.steps.length),
      flips,
      decidedBy: criteria.filter((criterion) => deciding.has(criterion)),
      classes: new Map(criteria.map((criterion, c) => [criterion, criterion.answers[codes[c]]])),
      given,
      assumed,
      findingOut: changesOf(found, plan),
      sourceMatrix: Object.keys(columns).map((column) => [column, ticked.filter((row) => row.tick === column)]),
      scenario: Object.fromEntries(handed.map((question) => [question.id, answers[question.id]])),
    };
  }

  // First-edition answers among `params`: what they are read as, a line for each, and the `rest` of the params.
  function translate({ old, questions }, params) {
    const short = new Map(questions.map((question) => [question.id, question.short]));
    const isOld = ([id, answer]) =>
      Object.hasOwn(old, id) && (answer === UNKNOWN || Object.hasOwn(old[id], answer));
    const rest = params.filter((param) => !isOld(param));
    const answers = {};
    const lines = [];
    for (const [id, answer] of params.filter(isOld)) {
      if (answer === UNKNOWN) continue;
      const taken = Object.entries(old[id][answer]).filter(([question]) => !rest.some(([other]) => other === question));
      Object.assign(answers, Object.fromEntries(taken));
      const said = taken.map(([question, value]) => `${short.get(question)} ${sayAnswer(value)}`).join(", ");
      lines.push(`${id} ${answer}: ${said ? `read as ${said}` : "dropped for the newer answer"}`);
    }
    return { answers, lines, rest };
  }

  const sayAnswer = (value) => (typeof value === "number" ? format.number(value) : value.replaceAll("_", " "));

  // The page. Text only ever enters it as text.

  function element(tag, attributes, ...children) {
    const made = Object.assign(document.createElement(tag), attributes);
    made.append(...children.flat(Infinity).filter(Boolean));
    return made;
  }

  const labels = (answers) => answers.map((answer) => `“${answer.label}”`).join(" or ");
  const titles = (steps) => steps.map((step) => step.title).join(", ");
  const list = (items, attributes = {}) => element("ul", attributes, items.map((item) => element("li", {}, item)));

  class Decision extends Tool {
    constructor(root, inLab) {
      super(root, inLab, "decide");
      this.tables = JSON.parse(root.querySelector(".decision-data").textContent);
      this.tables.classes = window.ragvsftModels.decide;
      for (const question of this.tables.questions) {
        if (question.range) [question.min, question.max] = question.range;
        else question.answers ??= this.tables.criteria[question.criterion].answers;
      }
      this.questions = new Map(this.tables.questions.map((question) => [question.id, question]));
      this.clear();
      this.advice = recommend(this.tables, this.answers);
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
      if (answer === UNKNOWN || (question.range && String(answer).trim() === "")) {
        delete this.answers[id];
        return "";
      }
      if (question.range) {
        const kept = this.answers[id] ?? "“don’t know”";
        const [value, message] = readNumber({ ...question, label: question.short }, answer, kept);
        if (typeof value === "number") this.answers[id] = value;
        return message;
      }
      if (!question.answers.some((known) => known.id === answer)) {
        return `${question.title} “${answer.slice(0, 40)}” is not an answer and was left out.`;
      }
      this.answers[id] = answer;
      return "";
    }

    open(params) {
      if (!params) return;
      const { answers, lines, rest } = translate(this.tables, [...params]);
      Object.assign(this.answers, answers);
      const faults = rest.map(([id, answer]) => this.take(id, answer));
      this.tell([lines.length && `Old answers were translated. ${lines.join("; ")}.`, ...faults]);
    }

    bind() {
      for (const question of this.questions.values()) {
        for (const control of this.controls(question.id)) {
          control.addEventListener("change", () => {
            this.tell([this.take(question.id, control.value)]);
            this.changed();
          });
          if (question.range) control.addEventListener("input", () => this.typed(question, control));
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

    // While a number is being typed only what is sound already counts; the rest is said when the field is left.
    typed(question, field) {
      const value = parseNumber(field.value);
      if (field.value.trim() !== "" && !(value >= question.min && value <= question.max)) return;
      this.tell([this.take(question.id, field.value)]);
      this.changed(field);
    }

    // A screen reader hears one line once the answers rest.
    say() {
      this.said.textContent = [...this.headline(), this.restsOn()].map((part) => part.textContent ?? part).join("");
    }

    params() {
      const params = new URLSearchParams();
      for (const id of this.questions.keys()) {
        const answer = this.answers[id];
        if (answer !== undefined) params.set(id, typeof answer === "number" ? plain(answer) : answer);
      }
      return params;
    }

    file() {
      const lines = [...this.questions].map(([id, { title }]) => {
        const answer = this.answers[id] ?? UNKNOWN;
        return `# ${title}\n${id} = ${typeof answer === "number" ? plain(answer) : `"${answer}"`}\n`;
      });
      return `# Answers for: ragvsft decide answers.toml\n\n${lines.join("\n")}`;
    }

    show(source) {
      this.advice = recommend(this.tables, this.answers);
      this.showForm(source);
      const assumed = this.restsOn();
      this.root.querySelector(".decision-headline").replaceChildren(
        ...this.headline(),
        ...(assumed ? [element("small", {}, assumed)] : []),
      );
      this.root.querySelector(".decision-result").replaceChildren(...this.result());
      const ticked = this.advice.sourceMatrix.flatMap(([, rows]) => rows.map((row) => row.id));
      this.root.querySelectorAll(".decision-matrix [data-row]").forEach((line) => {
        line.classList.toggle("ticked", ticked.includes(line.dataset.row));
      });
    }

    showForm(source) {
      for (const [id, question] of this.questions) {
        const answer = this.answers[id] ?? UNKNOWN;
        for (const control of this.controls(id)) {
          if (control.type === "radio") control.checked = control.value === answer;
          else if (!question.range) control.value = answer;
          else {
            const text = answer === UNKNOWN ? "" : plain(answer);
            if (control !== source && control.value !== text) control.value = text;
            control.placeholder = applies(question, this.answers) ? `${this.label(question, question.unknown)}?` : "";
          }
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

    // The open answers that could change the plan, beside the advice: the first few here, each with its effect below.
    restsOn() {
      const open = [...new Set(this.advice.findingOut.map((change) => change.question))];
      if (!open.length) return "";
      const more = open.length > 3 ? `; and ${open.length - 3} more` : "";
      return ` Taken for “don’t know”: ${open.slice(0, 3).map((question) => this.taken(question)).join("; ")}${more}.`;
    }

    taken(question) {
      return `${question.short}: ${this.label(question, question.unknown)}`;
    }

    label(question, answer) {
      return question.range ? format.number(answer) : question.answers.find((known) => known.id === answer).label;
    }

    result() {
      const { advice } = this;
      return [
        this.takenFor(),
        element("ol", { className: "decision-plan" }, advice.steps.map((step) => element("li", {}, this.step(step)))),
        advice.notes.map((rule) => element("p", { className: "decision-reasons" }, this.reason(rule))),
        element("p", { className: "decision-caption" }, "What decided it"),
        list(advice.decidedBy.map((criterion) => this.answer(criterion))),
        element("p", { className: "decision-caption" }, "What would change the first step"),
        advice.flips.length
          ? list(advice.flips.map((flip) => {
            const open = flip.open ? ". Worth finding out." : "";
            return `${flip.criterion.title} ${labels(flip.answers)}: ${flip.step.title}${open}`;
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

    // What every open answer was taken for, and what finding out would change in the plan.
    takenFor() {
      const { assumed, findingOut } = this.advice;
      if (!assumed.length) return [];
      const effect = ({ answers, adds, drops }) => {
        const parts = [adds.length && `adds ${titles(adds)}`, drops.length && `drops ${titles(drops)}`];
        return ` ${labels(answers)} ${parts.filter(Boolean).join(" and ")}.`;
      };
      const lines = assumed.flatMap((question) => {
        const changes = findingOut.filter((change) => change.question === question);
        return changes.length ? [[`${this.taken(question)}.`, changes.map(effect)]] : [];
      });
      const idle = assumed.filter((question) => !findingOut.some((change) => change.question === question));
      if (idle.length) lines.push(`No say in this plan: ${idle.map((question) => this.taken(question)).join("; ")}.`);
      return [
        element("p", { className: "decision-caption" }, "Taken for “don’t know”, and what finding out would change"),
        list(lines, { className: "decision-taken" }),
      ];
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
      const { given, assumed, classes } = this.advice;
      return element("details", {},
        element("summary", {}, `Every answer: ${given.length} given, ${assumed.length} assumed for “Don’t know”`),
        list([
          ...given.map((question) => `${question.title} “${this.label(question, this.answers[question.id])}”`),
          ...assumed.map((question) => `${question.title} “${this.label(question, question.unknown)}”, assumed`),
        ]),
        element("p", {}, "The rules heard:"),
        list([...classes.keys()].map((criterion) => this.answer(criterion))));
    }

    answer(criterion) {
      const c = this.tables.criteria.indexOf(criterion);
      const assumed = this.advice.assumed.some((question) => question.criterion === c) ? ", assumed" : "";
      return `${criterion.title} “${this.advice.classes.get(criterion).label}”${assumed}`;
    }

    matrixVerdict() {
      const ticks = this.advice.sourceMatrix.filter(([, rows]) => rows.length);
      if (!ticks.length) return "The source’s matrix has no row for these answers.";
      const says = ticks.length > 1 ? "Both" : this.tables.columns[ticks[0][0]];
      const counts = ticks.map(([column, rows]) => `${this.tables.columns[column]} ${rows.length}`).join(", ");
      return `The source’s matrix says: ${says} (ticks: ${counts}).`;
    }

    // Exactly the reader's own numbers go on, and whether and where their text may go.
    costs() {
      const handed = Object.entries(this.advice.scenario);
      const workload = new URLSearchParams(
        handed.map(([name, value]) => [name, typeof value === "number" ? plain(value) : value]),
      ).toString();
      return this.tables.costs + (workload && `#calc:cost-comparison?${workload}`);
    }
  }

  function start(scope, inLab = false) {
    const root = scope.querySelector("#calc-decide:not([data-live])");
    if (!root) return;
    root.dataset.live = "";
    window.ragvsftDecisions.tool = new Decision(root, inLab);
  }

  window.ragvsftDecisions = { start, evaluate, recommend, translate };
  if (!document.querySelector("body[data-jp-theme-light], body.jp-ThemedContainer, .jp-Notebook")) start(document);
})();

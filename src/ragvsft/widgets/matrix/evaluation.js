// @ts-check
/* Reads evaluation.json by the rules of retrieval/evaluated.py. The first fault is thrown: field, value, what it must be. */
(() => {
  "use strict";

  const cut = (text) => (text.length > 80 ? `${text.slice(0, 40)}…${text.slice(-40)}` : text);
  const shown = (value) => cut(value === undefined ? "nothing" : JSON.stringify(value));

  function fail(path, value, must) {
    throw new Error(`${path} = ${shown(value)}: must be ${must}`);
  }

  function number(path, value, low, high, whole = false) {
    const sound = typeof value === "number" && value >= low && value <= high && (!whole || Number.isInteger(value));
    const range = high === Infinity ? `${low} or more` : `from ${low} to ${high}`;
    if (!sound) fail(path, value, `a ${whole ? "whole " : ""}number ${range}`);
    return value;
  }

  function text(path, value, longest, shortest = 1) {
    const sound = typeof value === "string" && value.length >= shortest && value.length <= longest;
    return sound ? value : fail(path, value, `text of ${shortest} to ${longest} characters`);
  }

  function list(path, value, fewest, most) {
    if (!Array.isArray(value) || value.length < fewest || value.length > most) fail(path, value, `a list of ${fewest} to ${most}`);
    return /** @type {any[]} */ (value);
  }

  function object(path, value) {
    if (!value || typeof value !== "object" || Array.isArray(value)) fail(path, value, "an object");
    return value;
  }

  function oneOf(path, value, choices) {
    if (!choices.includes(value)) fail(path, value, `one of ${choices.join(", ")}`);
    return value;
  }

  // How many of n went well, their share, and its interval around it.
  function share(path, row, count, part, n) {
    const times = number(`${path}.${count}`, row[count], 0, n, true);
    const value = number(`${path}.${part}`, row[part], 0, 1);
    if (Math.abs(value - times / n) > 1e-6) fail(`${path}.${part}`, value, `${count} / ${n} = ${times / n}`);
    const low = number(`${path}.low`, row.low, 0, value);
    if (times && !low) fail(`${path}.low`, low, `above 0, for ${count} = ${times}`);
    return { times, n, share: value, low, high: number(`${path}.high`, row.high, value, 1) };
  }

  function parsed(source) {
    try {
      return JSON.parse(source);
    } catch (error) {
      throw new Error(`the file is not JSON (${cut(error.message)}): must be what ragvsft evaluate wrote`, { cause: error });
    }
  }

  function read(source, limits) {
    const given = parsed(source);
    if (given?.schema !== limits.schema) fail("schema", given?.schema, `"${limits.schema}"`);
    const names = Object.keys(limits.notPaid);
    const questions = number("questions", given.questions, 1, Infinity, true);
    const seen = new Set();
    const methods = list("methods", given.methods, 1, limits.mostMethods).map((row, k) => {
      const path = `methods[${k}]`;
      const method = oneOf(`${path}.method`, object(path, row).method, names);
      if (seen.has(method)) fail(`${path}.method`, method, "there once");
      seen.add(method);
      return { method, ...share(path, row, "found", "found_share", questions) };
    });
    const judged = list("judged_answers", given.judged_answers ?? [], 0, limits.mostJudged).map((row, k) => {
      const path = `judged_answers[${k}]`;
      const answers = number(`${path}.answers`, object(path, row).answers, 1, Infinity, true);
      return {
        method: oneOf(`${path}.method`, row.method, names),
        model: text(`${path}.model`, row.model, limits.longestName),
        judge: text(`${path}.judge`, row.judge, limits.longestName),
        ...share(path, row, "correct", "correct_share", answers),
      };
    });
    const warnings = list("warnings", given.warnings, 0, limits.mostWarnings).map((warning, k) =>
      text(`warnings[${k}]`, warning, limits.longestWarning, 0),
    );
    return { questions, k: number("k", given.k, 1, Infinity, true), methods, judged, warnings };
  }

  window.ragvsftEvaluation = { read };
})();

// @ts-check
// Keyword search: BM25 over Porter's stems, and the fusion of two rankings. retrieval/pipeline computes the same in Python.
(() => {
  "use strict";

  const K1 = 1.5;
  const B = 0.75;
  const RRF_CONSTANT = 60;
  const STOP = new Set(
    ("a an and are as at be but by can do does for from had has have how i if in into is it its me my no not of on or our " +
      "so such that the their then there these they this to was we were what when where which who why will with you your").split(" "),
  );

  /** Lower-case words of letters and digits, accents removed. */
  const words = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().match(/[a-z0-9]+/g) ?? [];

  // Porter's stemmer in its Snowball form: `Y` is a y that is a consonant; a suffix counts in R1 or R2 only.

  const DOUBLE = /(bb|dd|ff|gg|mm|nn|pp|rr|tt)$/;
  const SHORT = /[^aeiouy][aeiouy][^aeiouywxY]$/;
  const STEP_2 = [
    ["ational", "ate"], ["ization", "ize"], ["fulness", "ful"], ["ousness", "ous"], ["iveness", "ive"], ["tional", "tion"],
    ["biliti", "ble"], ["entli", "ent"], ["ation", "ate"], ["alism", "al"], ["aliti", "al"], ["ousli", "ous"], ["iviti", "ive"],
    ["enci", "ence"], ["anci", "ance"], ["abli", "able"], ["izer", "ize"], ["ator", "ate"], ["alli", "al"], ["eli", "e"],
  ];
  const STEP_3 = [["icate", "ic"], ["ative", ""], ["alize", "al"], ["iciti", "ic"], ["ical", "ic"], ["ness", ""], ["ful", ""]];
  const STEP_4 = ["ement", "ance", "ence", "able", "ible", "ment", "ant", "ent", "ism", "ate", "iti", "ous", "ive", "ize", "ion", "al", "er", "ic", "ou"];

  function region(word, from) {
    const found = /[aeiouy][^aeiouy]/.exec(word.slice(from));
    return found ? from + found.index + 2 : word.length;
  }

  function stem(plain) {
    let word = plain.replace(/^y/, "Y").replace(/([aeiouy])y/g, "$1Y");
    const r1 = region(word, 0);
    const r2 = region(word, r1);
    const swap = (suffix, by, from = 0) => {
      if (word.length - suffix.length >= from) word = word.slice(0, word.length - suffix.length) + by;
    };
    const longest = (pairs, from) => {
      const pair = pairs.find(([suffix]) => word.endsWith(suffix));
      if (pair) swap(pair[0], pair[1], from);
    };

    longest([["sses", "ss"], ["ies", "i"], ["ss", "ss"], ["s", ""]], 0);

    if (word.endsWith("eed")) swap("eed", "ee", r1);
    else {
      const [suffix] = /(ed|ing)$/.exec(word) ?? [""];
      if (suffix && /[aeiouy]/.test(word.slice(0, -suffix.length))) {
        word = word.slice(0, -suffix.length);
        if (/(at|bl|iz)$/.test(word)) word += "e";
        else if (DOUBLE.test(word)) word = word.slice(0, -1);
        else if (word.length === r1 && SHORT.test(word)) word += "e";
      }
    }

    if (/[aeiouy].*[yY]$/.test(word)) word = `${word.slice(0, -1)}i`;
    longest(STEP_2, r1);
    longest(STEP_3, r1);

    const fourth = STEP_4.find((suffix) => word.endsWith(suffix));
    if (fourth && (fourth !== "ion" || /[st]ion$/.test(word))) swap(fourth, "", r2);

    const before = word.slice(0, -1);
    if (word.endsWith("e") && (before.length >= r2 || (before.length >= r1 && !SHORT.test(before)))) word = before;
    if (word.endsWith("ll") && word.length - 1 >= r2) word = word.slice(0, -1);
    return word.replaceAll("Y", "y");
  }

  const stems = new Map();

  function stemmed(word) {
    if (!stems.has(word)) stems.set(word, stem(word));
    return stems.get(word);
  }

  /** What BM25 counts: the words without stop words, cut to their stems. */
  const terms = (text) => words(text).filter((word) => !STOP.has(word)).map(stemmed);

  /** An index of texts: `scores(query)` gives each text a score, 0 for no common term. Sums are in single precision. */
  function bm25(texts) {
    const counted = texts.map(terms);
    const mean = counted.reduce((sum, found) => sum + found.length, 0) / counted.length;
    const postings = new Map();
    counted.forEach((found, text) => {
      const counts = new Map();
      for (const term of found) counts.set(term, (counts.get(term) ?? 0) + 1);
      for (const [term, count] of counts) {
        if (!postings.has(term)) postings.set(term, []);
        postings.get(term).push([text, count / (K1 * (1 - B + (B * found.length) / mean) + count)]);
      }
    });
    for (const list of postings.values()) {
      const rarity = Math.log(1 + (texts.length - list.length + 0.5) / (list.length + 0.5));
      for (const posting of list) posting[1] = Math.fround(rarity * posting[1]);
    }
    return {
      scores(query) {
        const scores = new Float32Array(texts.length);
        for (const term of terms(query)) for (const [text, score] of postings.get(term) ?? []) scores[text] += score;
        return scores;
      },
    };
  }

  /** The positions of the `depth` highest scores above `least`, best first, equal ones in their order. */
  function best(scores, depth, least = -Infinity) {
    const order = [...scores.keys()].filter((text) => scores[text] > least);
    return order.sort((a, b) => scores[b] - scores[a] || a - b).slice(0, depth);
  }

  /** Reciprocal rank fusion: every position in a ranking, best first, equal ones in their order. */
  function fuse(rankings) {
    const scores = new Map();
    for (const ranking of rankings) {
      ranking.forEach((text, k) => scores.set(text, (scores.get(text) ?? 0) + 1 / (RRF_CONSTANT + k + 1)));
    }
    return [...scores.keys()].sort((a, b) => scores.get(b) - scores.get(a) || a - b);
  }

  globalThis.ragvsftLexical = { terms, bm25, best, fuse };
})();

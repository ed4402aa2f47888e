// @ts-check
// The search page. MiniSearch ranks the entries of searchindex.js; this file says what a word is, and shows what was found.
(() => {
  "use strict";

  const STOP = new Set(
    ("a an and are as at be by can do does for from has have how i if in is it its my of on or should that the their " +
      "them this to use was we what where which who will with you your").split(" "),
  );
  const ONE_WORD = [
    [/retrieval[\s-]+augmented[\s-]+generation/g, "rag"],
    [/fine[\s-]*tun/g, "finetun"],
    [/break[\s-]+even/g, "breakeven"],
    [/self[\s-]+host/g, "selfhost"],
    [/pre[\s-]+train/g, "pretrain"],
    [/re[\s-]+rank/g, "rerank"],
    [/per\s?cent\b/g, "%"],
  ];
  const MOST = 20;
  const EXCERPT = 220;

  /** Words and numbers of a text: "fine tuning" is one word, "$0.032" and "1,300" are numbers. */
  function words(text) {
    const plain = ONE_WORD.reduce((said, [from, to]) => said.replace(from, /** @type {string} */ (to)), text.toLowerCase());
    return plain.match(/\d+(?:[.,]\d+)*|[\p{L}][\p{L}\p{N}]*/gu) ?? [];
  }

  /**
   * A word as the index keeps it: no plural, no ending of a verb, no thousands mark; nothing for a word that says nothing.
   * What doubled before the ending is single again, as in Porter's stemmer: "embedding" is "embed", "tunning" is "tuning".
   */
  function term(word) {
    if (/^\d/.test(word)) return word.replace(/,(?=\d{3})/g, "");
    if (STOP.has(word)) return null;
    if (word.length > 6 && word.endsWith("ing")) return single(word.slice(0, -3));
    if (word.length > 4 && word.endsWith("ies")) return `${word.slice(0, -3)}y`;
    if (word.length > 5 && word.endsWith("ed")) return single(word.slice(0, -2));
    if (word.length > 3 && word.endsWith("s") && !/(ss|us|is)$/.test(word)) return word.slice(0, -1);
    return word;
  }

  function single(stem) {
    return stem.replace(/([bdgmnprt])\1$/, "$1");
  }

  const SEARCHED = { tokenize: words, processTerm: term };

  function build({ pages, entries, synonyms }) {
    const search = new window.ragvsftMiniSearch.MiniSearch({
      ...SEARCHED,
      fields: ["heading", "title", "text"],
      storeFields: [],
      searchOptions: SEARCHED,
    });
    search.addAll(
      entries.map(([page, , kind, heading, text], id) => ({
        id, heading, title: kind === "page" ? heading : pages[page][1], text,
      })),
    );
    const like = new Map();
    for (const group of synonyms) {
      const terms = group.map(term);
      for (const word of terms) like.set(word, terms.filter((other) => other !== word));
    }
    return { search, like };
  }

  const WEIGHTS = { page: 2, section: 1, term: 0.5, claim: 0.35 };
  const EVERY_CHAPTER_HAS = new Set(["where-this-fails", "key-takeaways"]);

  /** How much a place counts: a page more than its sections, the title page and the parts of every chapter less. */
  function weight([page, anchor, kind], pages) {
    if (EVERY_CHAPTER_HAS.has(anchor)) return 0.4;
    return kind === "page" && pages[page][0] === "index.html" ? 0.5 : WEIGHTS[kind];
  }

  /** The places that answer a query, best first: page and section, address, text, and the terms that matched. */
  function find(query, index, built = build(index)) {
    const asked = [...new Set(words(query).map(term).filter((word) => word !== null))];
    if (!asked.length) return [];
    const options = {
      boost: { heading: 6, title: 2, text: 1 },
      prefix: (word) => word.length > 2 && !/^\d/.test(word),
      fuzzy: (word) => (word.length > 4 && !/^\d/.test(word) ? 0.2 : false),
      boostDocument: (id) => weight(index.entries[id], index.pages),
    };
    const one = (word) => ({
      combineWith: "OR",
      queries: [word, ...(built.like.get(word) ?? []).map((other) => ({
        queries: [other], prefix: false, fuzzy: false, boost: { heading: 1.5, title: 0.5, text: 0.25 },
      }))],
    });
    const queries = asked.map(one);
    let hits = built.search.search({ combineWith: "AND", queries }, options);
    if (!hits.length) hits = built.search.search({ combineWith: "OR", queries }, options);
    return hits.slice(0, MOST).map(({ id, terms, score }) => {
      const [page, anchor, kind, heading, text] = index.entries[id];
      const [address, title] = index.pages[page];
      return { address: kind === "page" ? address : `${address}#${anchor}`, title, heading, kind, text, terms, score };
    });
  }

  /** A readable piece of a text about the first word that matched, and where in it the matches stand. */
  function excerpt(text, terms) {
    const wanted = new Set(terms);
    const spots = [...text.matchAll(/\d+(?:[.,]\d+)*|[\p{L}][\p{L}\p{N}]*(?:-[\p{L}][\p{L}\p{N}]*)*/gu)]
      .filter(([word]) => words(word).some((part) => wanted.has(term(part) ?? "")))
      .map((match) => [match.index, match.index + match[0].length]);
    const at = spots.length ? Math.max(0, spots[0][0] - 60) : 0;
    const from = at === 0 ? 0 : text.indexOf(" ", at) + 1;
    const end = from + EXCERPT >= text.length ? text.length : text.lastIndexOf(" ", from + EXCERPT);
    return { from, end, spots: spots.filter(([start, stop]) => start >= from && stop <= end) };
  }

  window.ragvsftSearch = { find, build, excerpt };
  if (typeof document === "undefined" || !document.getElementById("search-results")) return;

  const field = /** @type {HTMLInputElement} */ (document.getElementById("query"));
  const [list, said] = ["search-results", "search-progress"].map((id) => /** @type {HTMLElement} */ (document.getElementById(id)));
  const own = /** @type {HTMLScriptElement} */ (document.currentScript);
  let index;

  // The index is loaded for the first word: a page that was only opened has not sent for it.
  function loaded() {
    index ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.onload = () => resolve({ index: window.ragvsftSearchIndex, built: build(window.ragvsftSearchIndex) });
      script.onerror = () => reject(new Error(`cannot load ${script.src}`));
      script.src = new URL("../searchindex.js", own.src).href;
      document.head.append(script);
    });
    return index;
  }

  function marked(text, terms) {
    const { from, end, spots } = excerpt(text, terms);
    const context = Object.assign(document.createElement("p"), { className: "context" });
    let at = from;
    if (from > 0) context.append("… ");
    for (const [start, stop] of spots) {
      const mark = Object.assign(document.createElement("mark"), { textContent: text.slice(start, stop) });
      context.append(text.slice(at, start), mark);
      at = stop;
    }
    context.append(text.slice(at, end), end < text.length ? " …" : "");
    return context;
  }

  function shown({ address, title, heading, kind, text, terms }) {
    const item = document.createElement("li");
    item.className = `kind-${kind}`;
    const link = Object.assign(document.createElement("a"), { href: address, textContent: heading });
    item.append(link);
    if (kind !== "page") item.append(Object.assign(document.createElement("span"), { className: "where", textContent: title }));
    if (text) item.append(marked(text, terms));
    return item;
  }

  async function answer() {
    const query = field.value.trim();
    const address = new URL(location.href);
    if (query) address.searchParams.set("q", query);
    else address.searchParams.delete("q");
    try { history.replaceState(null, "", address); } catch { /* a page from a folder may not */ }
    if (!query) {
      list.replaceChildren();
      said.textContent = "";
      return;
    }
    const { index: known, built } = await loaded();
    if (field.value.trim() !== query) return;
    const found = find(query, known, built);
    const results = document.createElement("ul");
    results.append(...found.map(shown));
    list.replaceChildren(results);
    said.textContent = found.length
      ? `${found.length === MOST ? `The best ${MOST}` : found.length} place${found.length === 1 ? "" : "s"}`
      : `Nothing holds “${query.slice(0, 60)}”. Try one word of it.`;
  }

  let waiting;
  field.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(answer, 120);
  });
  field.form?.addEventListener("submit", (event) => {
    event.preventDefault();
    answer();
  });
  field.value = new URLSearchParams(location.search).get("q") ?? "";
  if (field.value) answer();
  else field.focus();
})();

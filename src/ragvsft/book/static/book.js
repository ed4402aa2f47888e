// @ts-check
// Theme and "Show code", kept for the next page; the way back to the top; terms that define themselves; copy buttons.
// The page reads without this script.
(() => {
  "use strict";

  const root = document.documentElement;
  const [button, label] = ["theme", "theme-name"].map((id) => /** @type {HTMLElement} */ (document.getElementById(id)));
  const modes = ["", "light", "dark"];

  function kept(name, value) {
    try {
      if (value === undefined) return localStorage.getItem(name);
      localStorage.setItem(name, value);
    } catch { /* storage is off: the choice lasts a page */ }
    return value;
  }

  const show = () => { label.textContent = root.dataset.theme || "auto"; };
  button.addEventListener("click", () => {
    const mode = modes[(modes.indexOf(root.dataset.theme ?? "") + 1) % modes.length];
    root.dataset.theme = mode;
    kept("theme", mode);
    show();
  });
  show();
  root.classList.add("scripted");

  const codeButton = /** @type {HTMLElement} */ (document.getElementById("code"));
  const folds = /** @type {NodeListOf<HTMLDetailsElement>} */ (document.querySelectorAll("details.code"));
  codeButton.hidden = folds.length === 0;
  function showCode(shown) {
    codeButton.setAttribute("aria-pressed", String(shown));
    for (const fold of folds) fold.open = shown;
  }
  if (kept("code") === "shown") showCode(true);
  codeButton.addEventListener("click", () => {
    const shown = codeButton.getAttribute("aria-pressed") !== "true";
    showCode(shown);
    kept("code", shown ? "shown" : "folded");
  });

  const here = document.querySelector("#contents [aria-current]");
  const contents = document.getElementById("contents");
  if (here && contents) {
    const below = here.getBoundingClientRect().bottom - contents.getBoundingClientRect().bottom;
    if (below > 0) contents.scrollTop += below + contents.clientHeight / 2;
  }

  const toTop = /** @type {HTMLElement} */ (document.getElementById("to-top"));
  const first = document.querySelector("main h1");
  if (first) new IntersectionObserver(([{ isIntersecting }]) => { toTop.hidden = isIntersecting; }).observe(first);

  // A term's definition comes with its link, as its title; here it opens by mouse, keyboard and touch.
  const definition = document.createElement("div");
  definition.id = "definition";
  definition.popover = "auto";
  definition.role = "tooltip";
  document.body.append(definition);
  let touched;

  function define(term) {
    if (definition.dataset.of === term.hash && definition.matches(":popover-open")) return;
    definition.dataset.of = term.hash;
    const word = Object.assign(document.createElement("b"), { textContent: term.textContent });
    definition.replaceChildren(word, `: ${term.dataset.definition}`);
    definition.showPopover();
    const { left, top, bottom } = term.getBoundingClientRect();
    const { width, height } = definition.getBoundingClientRect();
    const x = Math.max(8, Math.min(left, document.documentElement.clientWidth - width - 8));
    const y = bottom + height + 8 > window.innerHeight ? top - height - 6 : bottom + 6;
    definition.style.translate = `${Math.round(x)}px ${Math.round(y)}px`;
  }

  for (const term of /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll("a.term[title]"))) {
    term.dataset.definition = term.title;
    term.removeAttribute("title");
    term.setAttribute("aria-describedby", "definition");
    const close = () => definition.hidePopover();
    term.addEventListener("pointerenter", ({ pointerType }) => { if (pointerType === "mouse") define(term); });
    term.addEventListener("pointerleave", ({ pointerType }) => { if (pointerType === "mouse") close(); });
    term.addEventListener("focus", () => define(term));
    term.addEventListener("blur", close);
    term.addEventListener("pointerdown", ({ pointerType }) => {
      touched = pointerType !== "mouse" && definition.dataset.of !== term.hash ? term : null;
    });
    // The first touch defines; the second follows the link.
    term.addEventListener("click", (event) => {
      if (touched !== term) return;
      event.preventDefault();
      touched = null;
      define(term);
    });
  }
  document.addEventListener("scroll", () => definition.hidePopover(), { passive: true });

  if (!navigator.clipboard) return;
  for (const code of document.querySelectorAll("div.highlight")) {
    const copy = document.createElement("button");
    copy.type = "button";
    copy.className = "copy";
    copy.textContent = "Copy";
    copy.addEventListener("click", async () => {
      await navigator.clipboard.writeText(code.querySelector("pre")?.textContent ?? "");
      copy.textContent = "Copied";
      setTimeout(() => { copy.textContent = "Copy"; }, 1500);
    });
    code.append(copy);
  }
})();

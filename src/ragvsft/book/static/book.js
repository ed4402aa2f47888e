// @ts-check
// Theme: auto, light or dark, kept for the next page. Copy buttons on code. The page reads without this script.
(() => {
  "use strict";

  const root = document.documentElement;
  const [button, label] = ["theme", "theme-name"].map((id) => /** @type {HTMLElement} */ (document.getElementById(id)));
  const modes = ["", "light", "dark"];

  const show = () => { label.textContent = root.dataset.theme || "auto"; };
  button.addEventListener("click", () => {
    const mode = modes[(modes.indexOf(root.dataset.theme ?? "") + 1) % modes.length];
    root.dataset.theme = mode;
    try { localStorage.setItem("theme", mode); } catch { /* storage is off: the choice lasts a page */ }
    show();
  });
  show();
  root.classList.add("scripted");

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

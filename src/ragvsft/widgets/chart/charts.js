// @ts-check
/* Makes the drawings of charts live when they come near the screen. Vega is loaded once, and only then. */
(() => {
  "use strict";

  const own = /** @type {HTMLScriptElement} */ (document.currentScript);
  const bundle = new URL("vendor/vega.min.js", own.src).href;
  const views = new Map();
  let vega;

  function loadVega() {
    vega ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.onload = () => resolve(window.ragvsftVega);
      script.onerror = () => reject(new Error(`cannot load ${bundle}`));
      script.src = bundle;
      document.head.append(script);
    });
    return vega;
  }

  // One tooltip for the page, and a ring about the mark that it tells of.
  const [tooltip, ring] = ["chart-tooltip", "chart-ring"].map((name) => {
    const part = document.createElement("div");
    part.className = name;
    part.hidden = true;
    return part;
  });
  /** @type {any} */
  let told = null;

  function hideTooltip() {
    tooltip.hidden = ring.hidden = true;
    told = null;
  }
  document.addEventListener("keydown", ({ key }) => { if (key === "Escape") hideTooltip(); });
  document.addEventListener("scroll", hideTooltip, { passive: true });
  document.addEventListener("click", ({ target }) => {
    if (!(target instanceof Element && target.closest(".chart-live"))) hideTooltip();
  });

  const held = (value, one, other) => Math.min(Math.max(one, other), Math.max(Math.min(one, other), value));
  const OF_SPOTS = new Set(["line", "trail", "symbol", "area"]);

  // The spot of an item of the scene graph that is closest to a point: each datum of a line is a spot, a bar is a box.
  function closest({ x, y, width = 0, height = 0, bounds }, marktype, at) {
    const { x1, x2, y1, y2 } = OF_SPOTS.has(marktype) ? { x1: x, x2: x + width, y1: y, y2: y + height } : bounds;
    return { x: held(at.x, x1, x2), y: held(at.y, y1, y2) };
  }

  // The items with a tooltip below a mark, with the spot of each that is closest to a point, in the drawing's pixels.
  function* spots(mark, at, group = { width: Infinity, height: Infinity }) {
    if (mark.marktype === "group") {
      for (const inner of mark.items) {
        const { x = 0, y = 0 } = inner;
        for (const child of inner.items) {
          for (const found of spots(child, { x: at.x - x, y: at.y - y }, inner)) {
            yield { ...found, x: found.x + x, y: found.y + y };
          }
        }
      }
      return;
    }
    for (const item of mark.items) {
      if (item.tooltip == null || item.tooltip === "" || item.defined === false) continue;
      const spot = closest(item, mark.marktype, at);
      const cut = mark.clip && (spot.x < 0 || spot.y < 0 || spot.x > group.width || spot.y > group.height);
      if (!cut) yield { item, ...spot, distance: Math.hypot(spot.x - at.x, spot.y - at.y) };
    }
  }

  // Of two items at the same distance the later is drawn above the other.
  function nearest(view, at) {
    /** @type {any} */
    let best = null;
    for (const spot of spots(view.scenegraph().root, at)) {
      if (!best || spot.distance <= best.distance) best = spot;
    }
    return best;
  }

  function showTooltip(view, drawing, { clientX, clientY, pointerType }) {
    const toScreen = /** @type {SVGGElement} */ (drawing.querySelector("svg > g")).getScreenCTM();
    if (!toScreen) return;
    const found = nearest(view, new DOMPoint(clientX, clientY).matrixTransform(toScreen.inverse()));
    if (!found) return hideTooltip();
    const spot = new DOMPoint(found.x, found.y).matrixTransform(toScreen);
    if (told !== found.item) {
      told = found.item;
      const value = told.tooltip;
      const list = document.createElement("dl");
      for (const [name, text] of typeof value === "object" ? Object.entries(value) : [["", value]]) {
        for (const [tag, content] of [["dt", name], ["dd", text]]) {
          list.append(Object.assign(document.createElement(tag), { textContent: content }));
        }
      }
      tooltip.replaceChildren(list);
      document.body.append(ring, tooltip);
    }
    tooltip.hidden = ring.hidden = false;
    ring.style.transform = `translate(${spot.x}px, ${spot.y}px)`;
    const gap = 14;
    const { width, height } = tooltip.getBoundingClientRect();
    const x = Math.max(gap / 2, Math.min(spot.x + gap, document.documentElement.clientWidth - width - gap / 2));
    const below = spot.y + gap + height <= window.innerHeight;
    const finger = pointerType === "touch" && spot.y - gap - height >= 0;
    const y = below && !finger ? spot.y + gap : spot.y - gap - height;
    tooltip.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px)`;
  }

  // A mouse tells by moving, a finger by a tap: a finger that moves scrolls the page.
  function listen(view, drawing) {
    drawing.addEventListener("pointermove", (event) => { if (event.pointerType === "mouse") showTooltip(view, drawing, event); });
    drawing.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") hideTooltip(); });
    drawing.addEventListener("click", (event) => showTooltip(view, drawing, event));
  }

  // Text is measured in the font that the page gives it.
  function fonts(place) {
    const font = getComputedStyle(place).fontFamily;
    const styles = ["guide-label", "guide-title", "group-title", "group-subtitle", "group-label"];
    return { text: { font }, style: Object.fromEntries(styles.map((style) => [style, { font }])) };
  }

  async function draw(figure) {
    const { parse, View, expressionInterpreter } = await loadVega();
    const place = figure.querySelector(".chart-view");
    const spec = JSON.parse(figure.querySelector(".chart-spec").textContent);
    const fluid = place.classList.contains("chart-fluid");
    if (fluid) spec.width = place.clientWidth;
    const drawing = document.createElement("div");
    const view = new View(parse(spec, fonts(place), { ast: true }), {
      expr: expressionInterpreter,
      renderer: "svg",
      hover: true,
      tooltip: () => {},
    });
    await view.initialize(drawing).runAsync();
    // A point of recorded answers opens them; the list beneath the chart does the same for every other way to point.
    view.addEventListener("click", (_event, item) => {
      if (item?.datum?.answers) location.assign(new URL(item.datum.answers, location.href));
    });
    for (const { name } of [...drawing.attributes]) drawing.removeAttribute(name);
    drawing.className = "chart-live";
    const svg = /** @type {SVGElement} */ (drawing.querySelector("svg"));
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", place.querySelector("svg").getAttribute("aria-label"));
    svg.querySelector("g")?.setAttribute("aria-hidden", "true");
    place.replaceChildren(drawing);
    listen(view, drawing);
    if (fluid) {
      let width = spec.width;
      new ResizeObserver(() => {
        if (!place.clientWidth || place.clientWidth === width) return;
        width = place.clientWidth;
        view.width(width).runAsync();
      }).observe(place);
    }
    return view;
  }

  function start(figure) {
    watcher.unobserve(figure);
    const entry = views.get(figure);
    entry.drawing ??= draw(figure);
    entry.resolve(entry.drawing);
  }

  // The rows that a chart holds, in full: each inline data set, or a calculator's rows as they stand.
  async function rows(figure) {
    const sets = JSON.parse(figure.querySelector(".chart-spec").textContent).data.filter(({ values }) => values);
    if (!figure.closest(".calculator")) return sets.map(({ values }) => values);
    const view = await window.ragvsftCharts?.view(figure, true);
    return sets.map(({ name }) => view.data(name));
  }

  function csv(sets, fields) {
    const quoted = (value) => {
      const text = String(value ?? "");
      return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    };
    const table = (values) => {
      const columns = Object.keys(fields).filter((field) => field in (values[0] ?? {}));
      const lines = [columns.map((field) => fields[field]), ...values.map((row) => columns.map((field) => row[field]))];
      return columns.length ? lines.map((line) => line.map(quoted).join(",")).join("\n") : "";
    };
    return `${sets.map(table).filter(Boolean).join("\n\n")}\n`;
  }

  document.addEventListener("click", async ({ target }) => {
    if (!(target instanceof HTMLElement) || !target.matches(".chart-download")) return;
    const figure = /** @type {HTMLElement} */ (target.closest("figure.chart"));
    const text = csv(await rows(figure), JSON.parse(target.dataset.fields ?? "{}"));
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
    const name = figure.querySelector(".chart-number")?.textContent ?? figure.id;
    link.download = `${name.toLowerCase().replace(/[^a-z0-9]+/g, "-")}.csv`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });

  const watcher = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      start(target);
    }
  }, { rootMargin: "600px 0px" });

  for (const figure of document.querySelectorAll("figure.chart")) {
    const entry = {};
    entry.view = new Promise((resolve) => { entry.resolve = resolve; });
    views.set(figure, entry);
    watcher.observe(figure);
  }

  window.ragvsftCharts = {
    // The Vega view of the chart in, or around, an element: a promise, kept once the chart is near the screen,
    // or at once if it must not wait for that.
    view(element, now = false) {
      const figure = element.closest("figure.chart") ?? element.querySelector("figure.chart");
      if (now && figure) start(figure);
      return views.get(figure)?.view;
    },
  };
})();

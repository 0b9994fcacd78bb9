/* lanebook: what the pages can do beyond being read. Every page is whole without this file.
   No inline styles, no inline handlers, no other host. */
(function () {
  "use strict";

  const HERE = document.currentScript.src;
  const LEVELS = ["refuted", "claimed", "crosschecked", "recomputed"];

  function make(tag, className, text) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text) element.textContent = text;
    return element;
  }

  /** Name a table by its caption, and put each column's heading on its cells for narrow screens. */
  function label(region) {
    const table = region.querySelector("table");
    if (!table) return;
    const caption = region.getAttribute("aria-labelledby");
    if (caption) table.setAttribute("aria-labelledby", caption);
    const heads = Array.from(table.querySelectorAll("thead th"), (head) => head.textContent.trim());
    // Rows shown as blocks would lose their part in the table, so the part is stated.
    table.setAttribute("role", "table");
    table.querySelectorAll("thead, tbody").forEach((group) => group.setAttribute("role", "rowgroup"));
    table.querySelectorAll("tr").forEach((row) => row.setAttribute("role", "row"));
    table.querySelectorAll("th").forEach((head) => head.setAttribute("role", "columnheader"));
    table.querySelectorAll("tbody tr").forEach((row) => {
      Array.from(row.cells).forEach((cell, column) => {
        cell.setAttribute("role", column === 0 ? "rowheader" : "cell");
        cell.dataset.label = heads[column] || "";
        const box = make("div", "lb-cell");
        box.append(...cell.childNodes);
        cell.append(box);
      });
    });
    region.classList.add("lb-labelled");
  }
  window.lanebookLabel = label; // for tables that are made later

  /** A region that does not scroll needs no place in the tab order. */
  function tabOrder(region) {
    if (region.scrollWidth > region.clientWidth) region.setAttribute("tabindex", "0");
    else region.removeAttribute("tabindex");
  }

  /** Counts such as "2 refuted" lead to the rows; with this they also show only those rows. */
  function filter(counts) {
    const region = document.getElementById(counts.dataset.for);
    if (!region) return;
    const rows = Array.from(region.querySelectorAll("tbody tr"));
    const links = Array.from(counts.querySelectorAll('a[href*="#"]'));
    const bar = make("div", "lb-search");
    const name = make("label", "", "Search these claims");
    const input = make("input");
    const shown = make("output");
    input.type = "search";
    input.id = counts.dataset.for + "-search";
    name.htmlFor = input.id;
    bar.append(name, input, shown);
    counts.after(bar);

    let level = "";
    function apply() {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      let count = 0;
      rows.forEach((row) => {
        const text = row.textContent.toLowerCase() + " " +
          Array.from(row.querySelectorAll("[data-whole]"), (hash) => hash.dataset.whole).join(" ");
        const fits = (!level || row.querySelector(".lb-" + level)) && words.every((word) => text.includes(word));
        row.hidden = !fits;
        if (fits) count += 1;
      });
      shown.textContent = `${count} of ${rows.length} shown`;
      links.forEach((link) => {
        const target = link.hash.slice(1);
        if ((LEVELS.includes(target) ? target : "") === level) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
      });
    }
    function fromFragment() {
      const target = location.hash.slice(1);
      if (LEVELS.includes(target)) level = target;
      else if (target === counts.dataset.for) level = "";
      else {
        // A link to one row must never lead to a hidden row.
        const place = target && document.getElementById(target);
        if (place && region.contains(place)) { level = ""; input.value = ""; }
      }
      apply();
    }
    input.addEventListener("input", apply);
    links.forEach((link) => link.addEventListener("click", (event) => {
      event.preventDefault();
      history.replaceState(null, "", link.hash);
      fromFragment();
    }));
    window.addEventListener("hashchange", fromFragment);
    fromFragment();
  }

  /** A short hash becomes a button which copies the whole one. */
  function copyable(code, said) {
    const whole = code.getAttribute("title");
    if (!whole || code.closest("a, button")) return;
    const button = make("button", "lb-copy");
    button.type = "button";
    button.dataset.whole = whole;
    button.title = "Copy " + whole;
    code.removeAttribute("title");
    code.before(button);
    button.append(code, make("span", "lb-quiet", " copy the whole hash"));
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(whole);
        said.textContent = "Copied " + whole;
      } catch {
        // No clipboard (an old browser, or not allowed): show it whole, selected, to copy by hand.
        code.textContent = whole;
        code.classList.replace("lb-hash", "lb-whole");
        getSelection().selectAllChildren(code);
        said.textContent = "The whole hash is shown and selected";
      }
      code.classList.add("lb-copied");
    });
  }

  /** Open every fold around the element that the address points to. */
  function unfold() {
    let id = location.hash.slice(1);
    try { id = decodeURIComponent(id); } catch { /* a stray % is taken as it stands */ }
    const target = id && document.getElementById(id);
    if (!target) return;
    let folded = false;
    for (let fold = target.closest("details"); fold; fold = fold.parentElement.closest("details")) {
      folded = folded || !fold.open;
      fold.open = true;
    }
    if (folded) target.scrollIntoView();
  }

  /** The page that compares lanes needs more than the others. */
  function load(...names) {
    names.forEach((name) => {
      const script = document.createElement("script");
      script.src = new URL(name, HERE).href;
      script.async = false;
      document.head.append(script);
    });
  }

  /** The theme leaves some of its own parts without a name. */
  function nameThemeParts() {
    document.querySelectorAll('[role="dialog"]:not([aria-label])').forEach((part) => part.setAttribute("aria-label", "Search"));
  }

  function start() {
    const said = make("div", "lb-quiet");
    said.setAttribute("role", "status");
    document.querySelector(".md-content__inner, main, body").append(said);
    const regions = document.querySelectorAll(".lb-table");
    nameThemeParts();
    regions.forEach(label);
    document.querySelectorAll("code.lb-hash").forEach((code) => copyable(code, said));
    document.querySelectorAll(".lb-counts[data-for]").forEach(filter);
    unfold();
    if (document.getElementById("lb-compare")) load("lanebook-compare.js", "lanebook-sections.js");
    window.addEventListener("hashchange", unfold);
    const order = () => regions.forEach(tabOrder);
    order();
    window.addEventListener("resize", order);
    window.addEventListener("beforeprint", () => {
      document.querySelectorAll("details.lb-fold").forEach((fold) => { fold.dataset.was = fold.open ? "open" : ""; fold.open = true; });
    });
    window.addEventListener("afterprint", () => {
      document.querySelectorAll("details.lb-fold").forEach((fold) => { fold.open = fold.dataset.was === "open"; });
    });
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();

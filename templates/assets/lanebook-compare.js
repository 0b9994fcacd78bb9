/* lanebook: what changed between two lanes that a reader picks, from their portraits alone.
   The same as generator/comparing/difference.py, which says why; a test holds both together.
   Texts of packets are only ever set as text. No inline styles, no inline handlers, no other host. */
(function () {
  "use strict";

  const PARTS = [[-1, "▲", "What got worse"], [1, "●", "What got better"], [0, "·", "The rest"]];
  const waiting = new Map();
  let sections = [];

  // --- the comparison ---

  const has = (facts, key) => Object.prototype.hasOwnProperty.call(facts, key);
  const label = (facts, key) => facts[key].label ?? key;

  /** Compare as people count, PER-2 before PER-10: digits as numbers, the rest by code points. */
  function natural(one, other) {
    const [a, b] = [one, other].map(runs);
    for (let at = 0; at < Math.min(a.length, b.length); at += 1) {
      const [x, y] = [a[at], b[at]];
      if (x.number !== y.number) return x.number ? -1 : 1;
      if (x.number) {
        const [m, n] = [BigInt(x.text), BigInt(y.text)];
        if (m !== n) return m < n ? -1 : 1;
      } else if (x.text !== y.text) return points(x.text, y.text);
    }
    return a.length - b.length || points(one, other);
  }

  function runs(key) {
    return key.split(/([0-9]+)/)
      .map((text, at) => ({ text, number: at % 2 === 1 }))
      .filter((run) => run.text || run.number);
  }

  function points(one, other) {
    const [a, b] = [Array.from(one), Array.from(other)];
    for (let at = 0; at < Math.min(a.length, b.length); at += 1) {
      if (a[at] !== b[at]) return a[at].codePointAt(0) - b[at].codePointAt(0);
    }
    return a.length - b.length;
  }

  function direction(before, after) {
    const [old, now] = [before.rank ?? null, after.rank ?? null];
    if (old !== null && now !== null && old !== now) return now > old ? 1 : -1;
    return after.changed ?? 0;
  }

  function change(section, what, kind, towards, before, after) {
    return {
      section, what, kind, towards,
      before: before?.says ?? "", after: after?.says ?? "",
      whereBefore: before?.where ?? "", whereAfter: after?.where ?? "",
    };
  }

  function byKin(facts) {
    const found = new Map();
    for (const [key, fact] of Object.entries(facts)) {
      if (fact.kin) found.set(fact.kin, [...(found.get(fact.kin) ?? []), key]);
    }
    return found;
  }

  /** Where one of a kin went and one came that is as good, the fact only has another name. */
  function renamed(went, came) {
    const after = byKin(came);
    const found = new Map();
    for (const [kin, keys] of byKin(went)) {
      const others = after.get(kin) ?? [];
      if (keys.length !== 1 || others.length !== 1) continue;
      const [old, now] = [went[keys[0]].rank ?? null, came[others[0]].rank ?? null];
      if (old === now) found.set(keys[0], others[0]);
    }
    return found;
  }

  function inSection(section, one, other) {
    const [olds, news] = [Object.keys(one), Object.keys(other)];
    const named = !olds.length && Object.values(other).some((fact) => fact.new === -1);
    if (section.together && olds.length + news.length > 1 && !(olds.length && news.length) && !named) {
      const facts = Object.values(olds.length ? one : other);
      const weights = facts.map((fact) => fact[olds.length ? "gone" : "new"] ?? 0);
      const says = `${facts.length} fact` + (facts.length > 1 ? "s" : "");
      return [change(
        section, `all of ${section.title.toLowerCase()}`, olds.length ? section.gone : section.new,
        weights.includes(-1) ? -1 : Math.max(...weights),
        olds.length ? { says } : null, news.length ? { says } : null,
      )];
    }
    const pick = (from, keys) => Object.fromEntries(keys.map((key) => [key, from[key]]));
    const came = news.filter((key) => !has(one, key));
    const names = renamed(pick(one, olds.filter((key) => !has(other, key))), pick(other, came));
    const taken = new Set(names.values());
    const found = new Map();
    for (const key of olds) {
      const fact = one[key];
      if (has(other, key)) {
        if (fact.says === other[key].says) continue;
        found.set(key, change(section, label(other, key), "changed", direction(fact, other[key]), fact, other[key]));
      } else if (names.has(key)) {
        const now = other[names.get(key)];
        const what = `${label(one, key)} → ${label(other, names.get(key))}`;
        found.set(key, change(section, what, section.moved, direction(fact, now), fact, now));
      } else {
        found.set(key, change(section, label(one, key), section.gone, fact.gone ?? 0, fact, null));
      }
    }
    for (const key of came) {
      if (!taken.has(key)) {
        found.set(key, change(section, label(other, key), section.new, other[key].new ?? 0, null, other[key]));
      }
    }
    return Array.from(found.keys()).sort(natural).map((key) => found.get(key));
  }

  function difference(before, after) {
    const changes = [];
    const leads = [];
    let same = 0;
    for (const section of sections) {
      const [one, other] = [before.facts[section.id], after.facts[section.id]];
      changes.push(...inSection(section, one, other));
      for (const key of Object.keys(one)) same += has(other, key) && other[key].says === one[key].says ? 1 : 0;
      for (const [key, fact] of Object.entries(other)) {
        if (fact.lead) leads[fact.lead] = [label(other, key), has(one, key) ? one[key].says : "unknown", fact.says];
      }
    }
    return { changes, same, leads: leads.filter(Boolean) };
  }

  function counted(changes, what) {
    if (!changes.length) return `nothing ${what}`;
    const parts = sections
      .map((section) => [changes.filter((each) => each.section === section).length, section.title.toLowerCase()])
      .filter(([count]) => count)
      .map(([count, title]) => `${count} in ${title}`);
    return `${changes.length} ${changes.length === 1 ? "fact" : "facts"} ${what} (${parts.join(", ")})`;
  }

  function headline(found) {
    const towards = (way) => found.changes.filter((each) => each.towards === way);
    return upper(`${counted(towards(-1), "got worse")}, ${counted(towards(1), "got better")}.`);
  }

  function standing(found) {
    const leads = found.leads
      .map(([what, was, is]) => `${what}: ${is}` + (was === is ? ", as before" : `, was ${was}`))
      .join("; ");
    return `${upper(leads)}.`;
  }

  const upper = (text) => text.slice(0, 1).toUpperCase() + text.slice(1);

  // --- the portraits ---

  // called by the script that comes behind this one
  window.lanebookSections = (told) => { sections = told; start(); };
  window.lanebookPortrait = (lane, text) => {
    waiting.get(lane)?.resolve(JSON.parse(text));
  };

  /** A server gives the JSON twin; from disk, only a script can be read. */
  function portrait(lane) {
    if (!waiting.has(lane)) {
      const wait = {};
      wait.promise = new Promise((resolve, reject) => { wait.resolve = resolve; wait.reject = reject; });
      waiting.set(lane, wait);
      const failed = () => { waiting.delete(lane); wait.reject(new Error(`${lane} cannot be read`)); };
      if (location.protocol === "file:") {
        const script = document.createElement("script");
        script.src = `portraits/${lane}.js`;
        script.addEventListener("error", failed);
        document.head.append(script);
      } else {
        fetch(`portraits/${lane}.json`)
          .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(answer.status))))
          .then(wait.resolve, failed);
      }
    }
    return waiting.get(lane).promise;
  }

  // --- the page ---

  function make(tag, className, ...content) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    element.append(...content);
    return element;
  }

  function value(text, where, lane, links) {
    const cell = make("td", "");
    cell.append(text ? make("code", "", text) : "–");
    if (where) {
      const target = has(links, where) ? links[where] : "";
      const place = make(target ? "a" : "span", "", where);
      if (target) place.href = `lanes/${lane}/${target}`;
      cell.append(" (", place, ")");
    }
    return cell;
  }

  function table(id, heading, sign, changes, one, other) {
    const head = make("tr", "", ...["what", "before", "after", "became"].map((text) => make("th", "", text)));
    const rows = changes.map((each) => make(
      "tr", "",
      make("td", "", `${sign} ${each.section.title}: ${each.what}`),
      value(each.before, each.whereBefore, one.lane.id, one.links),
      value(each.after, each.whereAfter, other.lane.id, other.links),
      make("td", "", each.kind),
    ));
    const caption = make("p", "lb-caption", `${heading} (${changes.length})`);
    caption.id = `${id}-caption`;
    const whole = make("table", "", make("thead", "", head), make("tbody", "", ...rows));
    whole.setAttribute("aria-labelledby", caption.id);
    const region = make("div", "lb-table", caption, whole);
    region.id = id;
    region.setAttribute("role", "region");
    region.setAttribute("aria-labelledby", caption.id);
    region.tabIndex = 0;
    if (window.lanebookLabel) window.lanebookLabel(region);
    return region;
  }

  function show(place, one, other) {
    const found = difference(one, other);
    const worse = found.changes.some((each) => each.towards === -1);
    const verdict = make("div", worse ? "lb-verdict lb-refuted" : "lb-verdict",
      make("p", "lb-headline", headline(found)), make("p", "", standing(found)), make("p", "", `${found.same} fact${found.same === 1 ? "" : "s"} of which both lanes say the same.`));
    verdict.setAttribute("role", "region");
    verdict.setAttribute("aria-label", "What changed");
    const parts = PARTS.map(([way, sign, heading]) => {
      const changes = found.changes.filter((each) => each.towards === way);
      if (!changes.length) return make("p", "", `${heading}: nothing.`);
      const told = table(`compared-${way}`, heading, sign, changes, one, other);
      if (way !== 0) return told;
      return make("details", "lb-fold", make("summary", "", `${heading} (${changes.length})`), told);
    });
    place.replaceChildren(verdict, ...parts);
  }

  function asked() {
    const words = new URLSearchParams(location.hash.slice(1));
    return [words.get("a"), words.get("b")];
  }

  function start() {
    const box = document.getElementById("lb-compare");
    const ids = Array.from(document.querySelectorAll("#compare-lanes tbody tr"),
      (row) => row.cells[0].textContent.trim());
    if (!box || ids.length < 2) return;
    const choose = (name, text) => {
      const select = make("select", "", ...ids.map((id) => new Option(id, id)));
      select.id = `lb-compare-${name}`;
      const words = make("label", "", text);
      words.htmlFor = select.id;
      return [make("p", "", words, " ", select), select];
    };
    const [first, from] = choose("a", "Earlier lane");
    const [second, to] = choose("b", "Later lane");
    const swap = make("button", "", "Swap them");
    swap.type = "button";
    const said = make("p", "lb-quiet");
    said.setAttribute("role", "status");
    const result = make("div", "");
    result.id = "lb-compared";
    box.replaceChildren(make("div", "lb-search lb-compare", first, second, swap), said, result);

    let turn = 0;
    async function read() {
      const [a, b] = asked();
      // the address of a place on this page names no lanes, and says nothing against those shown
      if (location.hash.length > 1 && a === null && b === null && result.hasAttribute("data-shown")) return;
      from.value = ids.includes(a) ? a : ids[b === ids[1] ? 0 : 1];
      to.value = ids.includes(b) ? b : ids[from.value === ids[0] ? 1 : 0];
      const unknown = [a, b].filter((id) => id && !ids.includes(id));
      turn += 1;
      const mine = turn;
      result.removeAttribute("data-shown");
      if (unknown.length || from.value === to.value) {
        result.replaceChildren();
        said.textContent = unknown.length ? "The address names a lane that is not here." : "Pick two different lanes.";
        said.classList.remove("lb-quiet");
        return;
      }
      try {
        const both = await Promise.all([portrait(from.value), portrait(to.value)]);
        if (mine !== turn) return; // another pair was picked meanwhile
        show(result, ...both);
        said.classList.add("lb-quiet");
        said.textContent = `Compared ${from.value} with ${to.value}`;
        result.setAttribute("data-shown", `${from.value} ${to.value}`);
      } catch (error) {
        result.replaceChildren();
        said.classList.remove("lb-quiet");
        said.textContent = `Not compared: ${error.message}`;
      }
    }
    const pick = () => { location.hash = new URLSearchParams({ a: from.value, b: to.value }).toString(); };
    from.addEventListener("change", pick);
    to.addEventListener("change", pick);
    swap.addEventListener("click", () => {
      [from.value, to.value] = [to.value, from.value];
      pick();
    });
    window.addEventListener("hashchange", read);
    read();
  }
})();

"use strict";
// Light or dark, tables that can be sorted and filtered, and details that are open on paper. Without it all is readable.
(() => {
  const say = (text) => { document.getElementById("said").textContent = text; };

  // --- light and dark: as the system has it, until somebody chooses
  const root = document.documentElement, theme = document.getElementById("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const kept = { get: () => { try { return localStorage.getItem("theme"); } catch { return null; } },
    set: (value) => { try { localStorage.setItem("theme", value); } catch { /* a file may keep nothing */ } } };
  const isDark = () => (root.dataset.theme || (system.matches ? "dark" : "light")) === "dark";
  const name = () => { theme.textContent = isDark() ? "Light" : "Dark";
    theme.setAttribute("aria-label", isDark() ? "Show in light colors" : "Show in dark colors"); };
  if (["light", "dark"].includes(kept.get())) root.dataset.theme = kept.get();
  theme.hidden = false;
  theme.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; kept.set(root.dataset.theme); name(); });
  system.addEventListener("change", name);
  name();

  // --- sorting: <table class="sortable">; a cell's data-key goes before its text
  const key = (row, place) => { const cell = row.cells[place]; return cell ? cell.dataset.key ?? cell.textContent.trim() : ""; };
  const number = (text) => { const found = /^(-?[\d,]*\.?\d+)(?: (?:%|ms))?$/.exec(text); // 1,204  0.083 %  45 ms
    return text === "–" ? -1 : found ? Number(found[1].replaceAll(",", "")) : NaN; };
  const compare = (a, b) => { const x = number(a), y = number(b);
    return Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b, "en", { numeric: true }) : x - y; };
  const sort = (table, place, head) => {
    const down = head.getAttribute("aria-sort") === "ascending", body = table.tBodies[0];
    for (const each of table.tHead.rows[0].cells) each.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const rows = [...body.rows].map((row, at) => [key(row, place), at, row]);
    rows.sort((a, b) => (compare(a[0], b[0]) || a[1] - b[1]) * (down ? -1 : 1));
    body.append(...rows.map((each) => each[2]));
    say(`sorted by ${head.textContent.trim()}, ${down ? "descending" : "ascending"}`);
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    [...table.tHead.rows[0].cells].forEach((head, place) => {
      if (!head.textContent.trim() || "unsorted" in head.dataset) return;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      button.addEventListener("click", () => sort(table, place, head));
      head.append(button);
    });
  }

  // --- filtering: <table data-filter="items">, every word must be in the row
  document.querySelectorAll("table[data-filter]").forEach((table, number) => {
    const bar = document.createElement("div"), label = document.createElement("label"), input = document.createElement("input");
    const count = document.createElement("span"), rows = [...table.tBodies[0].rows];
    const texts = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));
    bar.className = "filter";
    input.type = "search";
    input.id = `filter-${number}`;
    label.htmlFor = input.id;
    label.textContent = `Filter ${table.dataset.filter}`;
    input.addEventListener("input", () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const row of rows) { row.hidden = !words.every((word) => texts.get(row).includes(word)); shown += !row.hidden; }
      count.textContent = words.length ? `${shown} of ${rows.length}` : "";
      say(words.length ? `${shown} of ${rows.length} ${table.dataset.filter}` : "");
    });
    bar.append(label, input, count);
    (table.closest(".scroll") || table).before(bar);
  });

  // --- paper: what is folded is opened, and folded again
  let folded = [];
  addEventListener("beforeprint", () => { folded = [...document.querySelectorAll("details:not([open])")]; for (const each of folded) each.open = true; });
  addEventListener("afterprint", () => { for (const each of folded) each.open = false; });
})();

// What the page can do beyond being read: sort, filter, hide and copy. Without it nothing is missing but that.
(() => {
  const all = (query, top = document) => [...top.querySelectorAll(query)];
  const made = (tag, properties) => Object.assign(document.createElement(tag), properties);
  const board = document.querySelector("table.board");
  const rows = board ? all("tbody tr", board) : [];
  const place = `report ${location.pathname}`;
  const kept = { words: "", hidden: [], sorted: null, open: [], scroll: 0 };
  try { Object.assign(kept, JSON.parse(sessionStorage.getItem(place))); } catch { /* no storage, or an odd one */ }
  const keep = () => { try { sessionStorage.setItem(place, JSON.stringify(kept)); } catch { /* then not */ } };

  // Sorting: by data-v where a cell has one, as numbers where all are numbers, what is missing last.
  const key = (row, column) => row.cells[column].dataset.v ?? row.cells[column].textContent.trim();
  const sort = (table, column, down) => {
    const body = table.tBodies[0];
    const lines = [...body.rows].map((row) => [key(row, column), row]);
    const absent = (value) => value === "" || value === "-";
    const numeric = lines.every(([value]) => absent(value) || Number.isFinite(Number(value)));
    const order = (a, b) => numeric ? Number(a) - Number(b) : a.localeCompare(b, "en", { numeric: true });
    lines.sort(([a], [b]) => absent(a) || absent(b) ? absent(a) - absent(b) : down ? order(b, a) : order(a, b));
    body.append(...lines.map(([, row]) => row));
    all("th", table).forEach((head, i) => {
      if (i === column) head.setAttribute("aria-sort", down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
  };
  for (const table of all("table.sortable")) all("th", table).forEach((head, column) => {
    const button = made("button", { type: "button", textContent: head.textContent });
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const first = head.classList.contains("number") ? "descending" : "ascending";
      const down = (head.getAttribute("aria-sort") ?? (first === "descending" ? "ascending" : "descending")) === "ascending";
      sort(table, column, down);
      if (table === board) { kept.sorted = [head.textContent, down]; keep(); }
    });
  });

  // Hiding: whatever belongs to a configuration that is hidden or filtered away goes with it.
  const show = () => {
    const words = kept.words.toLowerCase().split(/\s+/).filter(Boolean);
    const away = new Set();
    for (const row of rows) {
      const fits = words.every((word) => row.dataset.key.toLowerCase().includes(word));
      const hidden = kept.hidden.includes(row.dataset.key);
      row.classList.toggle("off", !fits);
      row.classList.toggle("hidden", hidden);
      if (!fits || hidden) away.add(row.dataset.c);
    }
    for (const part of all("[data-c]")) {
      if (!rows.includes(part)) part.classList.toggle("off", part.dataset.c.split(" ").some((c) => away.has(c)));
    }
    const left = rows.length - away.size;
    count.textContent = left === rows.length ? `${left} configurations` : `${left} of ${rows.length} configurations`;
  };
  const count = made("span", { id: "count" });
  if (rows.length > 1) {
    const search = made("input", { type: "search", placeholder: "filter: resnet dice", value: kept.words });
    search.setAttribute("aria-label", "show only configurations with these words");
    search.addEventListener("input", () => { kept.words = search.value; keep(); show(); });
    const back = made("button", { type: "button", textContent: "show all" });
    back.addEventListener("click", () => {
      Object.assign(kept, { words: "", hidden: [] });
      search.value = "";
      for (const box of all("input[type=checkbox]", board)) box.checked = true;
      keep(); show();
    });
    const tools = made("div", { className: "tools" });
    tools.append(search, count, back);
    board.parentElement.before(tools);
    for (const row of rows) {
      const box = made("input", { type: "checkbox", checked: !kept.hidden.includes(row.dataset.key) });
      box.setAttribute("aria-label", `show ${row.dataset.key}`);
      box.addEventListener("change", () => {
        kept.hidden = kept.hidden.filter((name) => name !== row.dataset.key);
        if (!box.checked) kept.hidden.push(row.dataset.key);
        keep(); show();
      });
      row.cells[0].prepend(box);
    }
    const heads = all("th", board);
    const column = kept.sorted ? heads.findIndex((head) => head.textContent === kept.sorted[0]) : -1;
    if (column >= 0) sort(board, column, kept.sorted[1]);
    show();
  }

  // Copying: the clipboard where the browser gives it to a file, the selection where it does not.
  const copy = async (code) => {
    try { await navigator.clipboard.writeText(code.textContent); } catch {
      getSelection().selectAllChildren(code);
      document.execCommand("copy");
    }
  };
  for (const code of all(".command code")) {
    const button = made("button", { type: "button", textContent: "copy", title: code.textContent });
    button.addEventListener("click", () => copy(code).then(() => {
      button.textContent = "copied";
      setTimeout(() => { button.textContent = "copy"; }, 1500);
    }));
    code.after(" ", button);
  }

  // A page that loads itself again comes back to where it was read.
  if (document.querySelector("meta[http-equiv=refresh]")) {
    all("details").forEach((part, i) => { part.open = kept.open.includes(i); });
    scrollTo(0, kept.scroll);
    addEventListener("pagehide", () => {
      kept.open = all("details").flatMap((part, i) => part.open ? [i] : []);
      kept.scroll = scrollY;
      keep();
    });
  }
})();

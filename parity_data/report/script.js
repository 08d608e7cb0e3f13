"use strict";
(() => {
  const one = (id) => document.getElementById(id);
  const all = (query, within = document) => [...within.querySelectorAll(query)];
  const find = one("find"), only = one("only"), found = one("found");
  const tables = all("[data-t]"), lines = all(".lines:not(.mk) > tbody > tr"), groups = all("[data-g]");
  const text = new Map(), opened = new Map(groups.map((g) => [g, g.open]));
  const has = (item, needle) => {
    if (!needle) return true;
    if (!text.has(item)) text.set(item, item.textContent.toLowerCase());
    return text.get(item).includes(needle);
  };
  const apply = () => {
    const needle = find.value.trim().toLowerCase(), flagged = only.checked;
    let shownTables = 0, shownLines = 0;
    for (const item of tables) {
      item.hidden = (flagged && !("w" in item.dataset)) || !has(item, needle);
      shownTables += item.hidden ? 0 : 1;
    }
    for (const item of lines) {
      const group = item.closest("[data-g]");
      const quiet = group ? group.classList.contains("pass") : item.closest(".fk") && !("w" in item.dataset);
      const named = group && needle && has(group.firstElementChild, needle);
      item.hidden = (flagged && quiet) || !(named || has(item, needle));
      shownLines += item.hidden ? 0 : 1;
    }
    for (const group of groups) {
      const count = all("tbody > tr:not([hidden])", group).length;
      group.hidden = count === 0;
      group.open = needle ? count > 0 && count <= 50 : opened.get(group);
    }
    found.textContent = needle || flagged
      ? `${shownTables} of ${tables.length} tables, ${shownLines} of ${lines.length} other lines` : "";
  };
  let timer = 0;
  find.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(apply, 120); });
  only.addEventListener("change", apply);
  const setAll = (open) => { for (const d of all("details")) d.open = open; };
  one("open").addEventListener("click", () => setAll(true));
  one("close").addEventListener("click", () => setAll(false));
  one("tools").addEventListener("submit", (event) => event.preventDefault());
  one("tools").hidden = false;
})();

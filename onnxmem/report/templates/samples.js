"use strict";
(() => {
  const table = document.getElementById("samples-table");
  if (!table) return;
  const body = table.tBodies[0];
  const find = document.querySelector("[data-find]");
  const state = document.querySelector("select[data-state]");
  const count = document.getElementById("samples-count");

  function value(row, column) {
    const cell = row.cells[column];
    const text = cell.dataset.value ?? cell.textContent.trim();
    const number = text === "never" ? Infinity : Number(text);
    return Number.isNaN(number) ? text : number;
  }

  function compare(one, other) {
    if (typeof one === "number" && typeof other === "number") return one === other ? 0 : one - other;
    return String(one).localeCompare(String(other));
  }

  function sort(button) {
    const column = Number(button.dataset.sort);
    const head = button.closest("th");
    const up = head.getAttribute("aria-sort") !== "ascending";
    for (const other of table.tHead.querySelectorAll("th")) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const rows = [...body.rows].map((row) => [value(row, column), row]);
    rows.sort((a, b) => (up ? 1 : -1) * compare(a[0], b[0]));
    body.append(...rows.map(([, row]) => row));
  }

  function filter() {
    const words = find.value.toLowerCase();
    let shown = 0;
    for (const row of body.rows) {
      const texts = [0, 1, 2].map((column) => row.cells[column].textContent.toLowerCase());
      const wanted = !state.value || row.dataset.state === state.value;
      row.hidden = !(wanted && texts.some((text) => text.includes(words)));
      shown += row.hidden ? 0 : 1;
    }
    count.textContent = `${shown} of ${body.rows.length} shown`;
  }

  for (const button of table.querySelectorAll("button[data-sort]")) {
    button.addEventListener("click", () => sort(button));
  }
  find.addEventListener("input", filter);
  state.addEventListener("change", filter);
  filter();
})();

"use strict";
// The page is complete without scripts: this one sorts the tables and searches the campaigns.

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

// a cell's value; null, where there is none, sorts last in either order
function valueOf(row, column, kind) {
  const cell = row.cells[column];
  if (kind === "text") return cell.textContent;
  const value = cell.dataset.value;
  return value === "" ? null : Number(value.replace("inf", "Infinity"));
}

function compare(a, b, direction) {
  if (a === null || b === null) return (a === null) - (b === null);
  if (a === b) return 0;
  const order = typeof a === "string" ? collator.compare(a, b) : a < b ? -1 : 1;
  return order * direction;
}

function sortBy(table, heading) {
  const kind = heading.dataset.kind;
  const before = heading.getAttribute("aria-sort");
  const first = kind === "text" ? "ascending" : "descending";
  const other = first === "ascending" ? "descending" : "ascending";
  const order = before === first ? other : first;
  for (const each of heading.parentNode.cells) each.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", order);
  const direction = order === "ascending" ? 1 : -1;
  const rows = Array.from(table.tBodies[0].rows, (row) => ({
    row,
    value: valueOf(row, heading.cellIndex, kind),
  }));
  rows.sort((a, b) => compare(a.value, b.value, direction));
  table.tBodies[0].append(...rows.map((entry) => entry.row));
}

for (const table of document.querySelectorAll("table[data-sortable]")) {
  for (const heading of table.tHead.rows[0].cells) {
    const button = heading.querySelector("button");
    button.addEventListener("click", () => sortBy(table, heading));
    button.disabled = false;
  }
}

const search = document.getElementById("search");
if (search) {
  const rows = Array.from(document.getElementById("campaigns-table").tBodies[0].rows);
  const names = (row) => Array.from(row.cells).slice(0, 3).map((cell) => cell.textContent);
  const texts = new Map(rows.map((row) => [row, names(row).join("\n").toLowerCase()]));
  const found = document.getElementById("found");
  search.addEventListener("input", () => {
    const wanted = search.value.trim().toLowerCase();
    let count = 0;
    for (const row of rows) {
      row.hidden = !texts.get(row).includes(wanted);
      count += !row.hidden;
    }
    found.textContent = wanted ? `${count} of ${rows.length} found` : "";
  });
  document.getElementById("search-bar").hidden = false;
}

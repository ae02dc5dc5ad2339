// The tables of campaigns and stuck orders: sorted, searched, shown bit by bit, saved as CSV.

const ROWS_AT_ONCE = 40;
const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

/**
 * @typedef {object} TableColumn
 * @property {(row: any) => string | number | null} value what is sorted by and saved
 * @property {(value: any) => string} [shown]
 * @property {(row: any) => void} [click]
 * @property {string} [hint] what a click does
 */

class DataTable {
  /**
   * @param {HTMLElement} section with a table, a search field and a button for more rows
   * @param {TableColumn[]} columns as many as the table has headings
   * @param {number} sortedBy
   */
  constructor(section, columns, sortedBy) {
    this.table = /** @type {HTMLTableElement} */ (section.querySelector("table"));
    this.more = /** @type {HTMLButtonElement} */ (section.querySelector(".more"));
    this.search = /** @type {HTMLInputElement | null} */ (
      section.querySelector("input[type=search]")
    );
    this.columns = columns;
    this.heads = Array.from(this.table.tHead?.rows[0].cells ?? []);
    this.names = this.heads.map((head) => head.textContent);
    this.sortedBy = sortedBy;
    this.descending = true;
    /** @type {any[]} */
    this.rows = [];
    this.limit = ROWS_AT_ONCE;
    this.heads.forEach((head, n) => this.makeSortable(head, n));
    this.more.addEventListener("click", () => this.draw(this.limit + 10 * ROWS_AT_ONCE));
    this.search?.addEventListener("input", () => this.draw());
  }

  /**
   * @param {HTMLElement} head
   * @param {number} n
   */
  makeSortable(head, n) {
    const button = element("button", { type: "button" }, this.names[n]);
    button.addEventListener("click", () => {
      const values = this.rows.map(this.columns[n].value);
      const text = typeof values.find((value) => value !== null) === "string";
      this.descending = this.sortedBy === n ? !this.descending : !text;
      this.sortedBy = n;
      this.draw();
    });
    head.replaceChildren(button);
  }

  /** @param {any[]} rows */
  fill(rows) {
    this.rows = rows;
    this.draw();
  }

  /** The rows that are searched for, in order. */
  chosen() {
    const wanted = this.search?.value.trim().toLowerCase() ?? "";
    const texts = (/** @type {any} */ row) => this.columns.map((column) => column.value(row));
    const rows = wanted
      ? this.rows.filter((row) =>
          texts(row).some((text) => String(text).toLowerCase().includes(wanted)),
        )
      : [...this.rows];
    const { value } = this.columns[this.sortedBy];
    const direction = this.descending ? -1 : 1;
    const sorted = rows.map((row) => ({ row, key: value(row) }));
    sorted.sort(({ key: x }, { key: y }) => {
      // what is not known stands last either way
      if (x === null || y === null) return Number(x === null) - Number(y === null);
      if (typeof x === "string") return direction * collator.compare(x, String(y));
      return x === y ? 0 : direction * (x < Number(y) ? -1 : 1);
    });
    return sorted.map(({ row }) => row);
  }

  draw(limit = ROWS_AT_ONCE) {
    this.limit = limit;
    const rows = this.chosen();
    this.heads.forEach((head, n) => {
      if (n === this.sortedBy)
        head.setAttribute("aria-sort", this.descending ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
    this.table.tBodies[0].replaceChildren(...rows.slice(0, limit).map((row) => this.row(row)));
    this.more.hidden = rows.length <= limit;
    this.more.textContent = `Show more of ${counted(rows.length, "row")}`;
  }

  /** @param {any} row */
  row(row) {
    const cells = this.columns.map((column, n) => {
      const value = column.value(row);
      const text = column.shown ? column.shown(value) : String(value ?? "–");
      const cell = element(n ? "td" : "th", n ? {} : { scope: "row" }, column.click ? "" : text);
      if (typeof value !== "string") cell.className = "number";
      if (column.click) {
        const button = element("button", { type: "button", title: column.hint ?? "" }, text);
        button.addEventListener("click", () => column.click?.(row));
        cell.append(button);
      }
      return cell;
    });
    const line = element("tr", {});
    line.append(...cells);
    return line;
  }

  csv() {
    const lines = this.chosen().map((row) => this.columns.map((column) => column.value(row)));
    return csv([this.names, ...lines]);
  }
}

/** @template {keyof HTMLElementTagNameMap} K
 * @param {K} name
 * @param {Record<string, string>} attributes
 * @param {string} [text]
 * @returns {HTMLElementTagNameMap[K]} */
function element(name, attributes, text = "") {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return made;
}

/** Lines as CSV; a spreadsheet must not take a name for a formula.
 * @param {(string | number | null | undefined)[][]} lines */
function csv(lines) {
  const cell = (/** @type {string | number | null | undefined} */ value) => {
    if (typeof value !== "string") return value === Infinity ? "" : String(value ?? "");
    // a telephone number is no formula
    const isFormula = /^[=+\-@\t\r]/.test(value) && !/^\+\d+$/.test(value);
    const safe = isFormula ? `'${value}` : value;
    return /[",\r\n']/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  return lines.map((line) => `${line.map(cell).join(",")}\r\n`).join("");
}

/** @param {string} name
 * @param {string} url */
function save(name, url) {
  element("a", { href: url, download: name }).click();
}

/** @param {string} name
 * @param {string} text */
function saveText(name, text) {
  const url = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  save(name, url);
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

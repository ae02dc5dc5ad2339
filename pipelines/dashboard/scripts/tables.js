// The tables: sorted, searched, shown bit by bit, saved as CSV. Their columns are in queries.py.

const ROWS_AT_ONCE = 40;
const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
/** How columns are shown by their kind, where that is not a text.
 * @type {Record<string, (value: any) => string>} */
const SHOWN = {
  count: number,
  hours: (value) => duration(value),
  endless: (value) => duration(value, "not yet"),
  share: percent,
  places: (value) => (value === null ? "no limit" : number(value)),
};

class DataTable {
  /** @type {Row[]} */
  rows = [];
  limit = ROWS_AT_ONCE;
  descending = true;

  /** @param {HTMLElement} section with a table, a search field and a button for more rows
   * @param {Record<string, {hint: string, run: (row: Row) => void}>} clicks by the kind of a column */
  constructor(section, clicks) {
    this.clicks = clicks;
    this.name = /** @type {keyof Found['tables']} */ (section.id);
    this.columns = context.columns[section.id].map((key) => {
      const [heading, kind] = context.headings[key];
      return { key, heading, kind };
    });
    this.sortedBy = context.columns[section.id].indexOf(String(section.dataset.sorted));
    this.table = /** @type {HTMLTableElement} */ (section.querySelector("table"));
    this.more = /** @type {HTMLElement} */ (section.querySelector(".more"));
    this.search = /** @type {HTMLInputElement} */ (section.querySelector("input"));
    this.heads = this.columns.map(({ heading }, n) => {
      const button = element("button", { type: "button" }, heading);
      button.addEventListener("click", () => this.sort(n));
      return element("th", { scope: "col" }, button);
    });
    this.table.tHead?.rows[0].replaceChildren(...this.heads);
    this.more.addEventListener("click", () => this.draw(this.limit + 10 * ROWS_AT_ONCE));
    this.search.addEventListener("input", () => this.draw());
  }

  /** @param {number} n */
  sort(n) {
    const isText = !(this.columns[n].kind in SHOWN);
    this.descending = this.sortedBy === n ? !this.descending : !isText;
    this.sortedBy = n;
    this.draw();
  }

  /** @param {Row[]} rows */
  fill(rows) {
    this.rows = rows;
    this.draw();
  }

  /** The rows that are searched for, in order. */
  chosen() {
    const wanted = this.search.value.trim().toLowerCase();
    const isWanted = (/** @type {any} */ value) => String(value).toLowerCase().includes(wanted);
    const rows = this.rows.filter(
      (row) => !wanted || this.columns.some(({ key }) => isWanted(row[key])),
    );
    const { key, kind } = this.columns[this.sortedBy];
    // not known yet, or without a limit, is more than anything that is known
    const unknown = kind === "endless" || kind === "places" ? Infinity : null;
    const direction = this.descending ? -1 : 1;
    return rows.sort((first, second) => {
      const [x, y] = [first[key] ?? unknown, second[key] ?? unknown];
      // what is not known stands last either way
      if (x === null || y === null) return Number(x === null) - Number(y === null);
      if (typeof x === "string") return direction * collator.compare(x, y);
      return x === y ? 0 : direction * (x < y ? -1 : 1);
    });
  }

  draw(limit = ROWS_AT_ONCE) {
    this.limit = limit;
    const rows = this.chosen();
    for (const head of this.heads) head.removeAttribute("aria-sort");
    this.heads[this.sortedBy].ariaSort = this.descending ? "descending" : "ascending";
    const lines = rows.slice(0, limit).map((row) => element("tr", {}, ...this.cells(row)));
    this.table.tBodies[0].replaceChildren(...lines);
    this.more.hidden = rows.length <= limit;
    this.more.textContent = `Show more of ${counted(rows.length, "row")}`;
  }

  /** @param {Row} row */
  cells(row) {
    return this.columns.map(({ key, kind }, n) => {
      const text = SHOWN[kind] ? SHOWN[kind](row[key]) : String(row[key] ?? "–");
      const cell = n ? element("td", {}) : element("th", { scope: "row" });
      if (SHOWN[kind]) cell.className = "number";
      const click = this.clicks[kind];
      const button = click && element("button", { type: "button", title: click.hint }, text);
      button?.addEventListener("click", () => click.run(row));
      cell.append(button ?? text);
      return cell;
    });
  }

  csv() {
    const lines = this.chosen().map((row) => this.columns.map(({ key }) => row[key]));
    return csv([this.columns.map(({ heading }) => heading), ...lines]);
  }
}

/** @template {keyof HTMLElementTagNameMap} K
 * @param {K} name
 * @param {Record<string, string>} attributes
 * @param {(string | Node)[]} content */
function element(name, attributes, ...content) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...content);
  return made;
}

/** Lines as CSV; a spreadsheet must not take a name for a formula.
 * @param {any[][]} lines */
function csv(lines) {
  const cell = (/** @type {any} */ value) => {
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

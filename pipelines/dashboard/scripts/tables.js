// The tables: sorted, searched, shown bit by bit, saved as CSV. Their columns are in queries.py.

const ROWS_AT_ONCE = 40;
const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
/** @type {Record<string, (value: any) => string>} how columns are shown, by kind; else as texts */
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

  /** @param {Element} section with a table, a search field and a button for more rows */
  constructor(section) {
    this.columns = context.columns[section.id];
    const sorted = section.getAttribute("data-sorted");
    this.sortedBy = this.columns.findIndex(([key]) => key === sorted);
    this.body = /** @type {Element} */ (section.querySelector("tbody"));
    this.more = /** @type {HTMLElement} */ (section.querySelector(".more"));
    this.search = /** @type {HTMLInputElement} */ (section.querySelector("input"));
    this.heads = this.columns.map(([, heading], n) => {
      const button = element("button", { type: "button" }, heading);
      button.addEventListener("click", () => this.sort(n));
      return element("th", { scope: "col" }, button);
    });
    section.querySelector("thead tr")?.replaceChildren(...this.heads);
    this.more.addEventListener("click", () => this.draw(this.rows, this.limit + 10 * ROWS_AT_ONCE));
    this.search.addEventListener("input", () => this.draw());
  }

  /** @param {number} n */
  sort(n) {
    const [, , kind] = this.columns[n];
    this.descending = this.sortedBy === n ? !this.descending : kind in SHOWN;
    this.sortedBy = n;
    this.draw();
  }

  /** The rows that are searched for, in order. */
  chosen() {
    const wanted = this.search.value.trim().toLowerCase();
    const isWanted = (/** @type {any} */ value) => String(value).toLowerCase().includes(wanted);
    const rows = this.rows.filter(
      (row) => !wanted || this.columns.some(([key]) => isWanted(row[key])),
    );
    const [key, , kind] = this.columns[this.sortedBy];
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

  draw(rows = this.rows, limit = ROWS_AT_ONCE) {
    this.rows = rows;
    this.limit = limit;
    const chosen = this.chosen();
    for (const head of this.heads) head.removeAttribute("aria-sort");
    this.heads[this.sortedBy].ariaSort = this.descending ? "descending" : "ascending";
    const lines = chosen.slice(0, limit).map((row) => element("tr", {}, ...this.cells(row)));
    this.body.replaceChildren(...lines);
    this.more.hidden = chosen.length <= limit;
    this.more.textContent = `Show more of ${counted(chosen.length, "row")}`;
  }

  /** @param {Row} row */
  cells(row) {
    return this.columns.map(([key, , kind], n) => {
      const value = row[key];
      const cell = n ? element("td", {}) : element("th", { scope: "row" });
      if (SHOWN[kind]) cell.className = "number";
      cell.append(SHOWN[kind] ? SHOWN[kind](value) : clickable(kind, String(value ?? "–"), row));
      return cell;
    });
  }

  /** The lines of a file. */
  lines() {
    const lines = this.chosen().map((row) => this.columns.map(([key]) => row[key]));
    return [this.columns.map(([, heading]) => heading), ...lines];
  }
}

/** A text whose click filters by it or copies it, where its column is of such a kind; see page.js.
 * @type {(kind: string, text: string, row: Row) => string | Node} */
function clickable(kind, text, { campaign_id }) {
  const button = (/** @type {Attributes} */ attributes) =>
    element("button", { type: "button", ...attributes }, text);
  if (kind === "copied") return button({ title: "Copy it", "data-copied": text });
  const title = `Show this ${kind.replace("_", " ")} only, or all again`;
  return kind in FIELDS
    ? button({ title, "data-filter": kind, "data-campaign": campaign_id })
    : text;
}

/** @param {any[][]} lines of a file; a spreadsheet must not take a name for a formula */
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

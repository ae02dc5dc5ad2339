// Wires the page: the address and the form say what to show, and everything follows.

// fields of a chart's rows that only serve to draw it
const DRAWN_ONLY = ["begin", "end", "day", "length"];

class Page {
  /** @type {Record<string, any>} Vega's, of each chart that is drawn */
  views = {};
  /** @type {Record<string, Row[]>} of each chart */
  rows = {};
  /** @type {Record<string, DataTable>} */
  tables = {};
  form = /** @type {HTMLFormElement} */ (byId("filters"));
  context = context;
  found = /** @type {Found | null} */ (null);

  constructor() {
    for (const section of document.querySelectorAll("section[data-sorted]")) {
      this.tables[section.id] = new DataTable(section);
    }
    for (const [name, id] of Object.entries(FIELDS)) {
      // a brand's name is beside its id, a use case is both
      const label = id.replace("_id", "_name");
      const pair = (/** @type {Row} */ row) => /** @type {const} */ ([row[id], row[label]]);
      const choices = [...new Map(context.all_campaigns.map(pair))];
      choices.sort((a, b) => collator.compare(a[1], b[1]));
      byId(name).append(...choices.map(([value, text]) => element("option", { value }, text)));
    }
    this.listen();
  }

  listen() {
    document.addEventListener("click", ({ target }) => {
      const button = /** @type {Element} */ (target).closest("button");
      if (button) this.click(button);
    });
    this.form.addEventListener("change", () => this.go(this.formFilters()));
    addEventListener("hashchange", () => this.show());
    // it does not bubble
    addEventListener("toggle", () => this.fillNumbers(), true);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      for (const view of Object.values(this.views)) view.finalize();
      this.views = {};
      this.show();
    });
  }

  /** @param {HTMLButtonElement} button */
  click(button) {
    const { days, save, copied, filter, campaign } = button.dataset;
    if (button.id === "clear") this.go(filtersOf({}));
    if (days) this.go({ ...this.formFilters(), from: firstDay(days), to: "" });
    if (save) this.save(String(button.closest("figure, section")?.id), save);
    if (copied) this.copy(copied);
    const found = context.all_campaigns.find((each) => each.campaign_id === campaign);
    if (filter) this.toggle({ [filter]: found?.[FIELDS[filter]] });
  }

  formFilters() {
    return filtersOf(/** @type {any} */ (Object.fromEntries(new FormData(this.form))));
  }

  /** @param {Record<string, string>} wanted filters, which are taken back if they are set */
  toggle(wanted) {
    const filters = this.formFilters();
    const names = Object.keys(wanted);
    const isSet = names.every((name) => filters[name] === wanted[name]);
    for (const name of names) filters[name] = isSet ? "" : wanted[name];
    this.go(filters);
  }

  /** @param {Filters} filters */
  go(filters) {
    history.pushState(null, "", addressOf(filters));
    this.show();
  }

  /** Shows what the address asks for; resolves when all charts are drawn. */
  async show() {
    const filters = filtersFromAddress();
    const found = measure(viewOf(filters));
    this.found = found;
    for (const name of FILTERS) /** @type {HTMLInputElement} */ (byId(name)).value = filters[name];
    byId("clear").hidden = !FILTERS.some((name) => filters[name]);
    for (const button of this.form.querySelectorAll("button[data-days]")) {
      const first = firstDay(button.getAttribute("data-days"));
      button.ariaPressed = String(!filters.to && filters.from === first);
    }
    for (const [place, text] of Object.entries(texts(found, filters))) {
      document.querySelector(place)?.replaceChildren(text);
    }
    for (const [name, rows] of Object.entries(found.tables)) this.tables[name]?.draw(rows);
    for (const [name, rows] of Object.entries(ROWS)) this.rows[name] = rows(found);
    this.fillNumbers();
    await Promise.all(Object.keys(ROWS).map((name) => this.draw(name)));
  }

  /** @param {string} name of a chart, which gets its new rows if it is drawn already */
  async draw(name) {
    const figure = byId(name);
    const rows = this.rows[name];
    figure.classList.toggle("empty", !rows.length);
    // scales of a chart without rows would have no limits, and one that is hidden has no width
    if (!rows.length) {
      this.views[name]?.finalize();
      delete this.views[name];
      return;
    }
    if (this.views[name]) return void (await this.views[name].data("rows", rows).runAsync());
    const place = /** @type {HTMLElement} */ (figure.querySelector(".chart"));
    const spec = { ...specOf(name), data: { name: "rows", values: rows } };
    const { view } = await vegaEmbed(place, spec, OPTIONS);
    this.views[name] = view;
    view.addEventListener("click", (/** @type {Event} */ _, /** @type {any} */ item) => {
      const { day, length } = item?.datum ?? {};
      if (day === undefined) return;
      const first = context.first_day + day;
      this.toggle({ from: isoDay(first), to: isoDay(first + length - 1) });
    });
  }

  /** The numbers that a chart is drawn from, below their names.
   * @type {(name: string) => any[][]} */
  numbers(name) {
    const rows = this.rows[name];
    const heads = Object.keys(rows[0] ?? {}).filter((key) => !DRAWN_ONLY.includes(key));
    const rounded = (/** @type {any} */ x) =>
      typeof x === "number" ? Number(x.toPrecision(6)) : x;
    return [heads, ...rows.map((row) => heads.map((key) => rounded(row[key])))];
  }

  /** Fills the tables of numbers that are open. */
  fillNumbers() {
    for (const name of Object.keys(ROWS)) {
      const table = byId(name).querySelector("details[open] table");
      if (!table) continue;
      const [heads, ...lines] = this.numbers(name);
      const head = heads.map((each) => element("th", { scope: "col" }, each));
      const rows = lines.slice(0, 500).map((cells) => {
        return element("tr", {}, ...cells.map((cell) => element("td", {}, String(cell ?? "–"))));
      });
      table.querySelector("thead")?.replaceChildren(element("tr", {}, ...head));
      table.querySelector("tbody")?.replaceChildren(...rows);
    }
  }

  /** Saves a chart, or what it or a table holds.
   * @type {(name: string, kind: string) => Promise<void>} */
  async save(name, kind) {
    const lines = () => this.tables[name]?.lines() ?? this.numbers(name);
    const href =
      kind === "csv"
        ? `data:text/csv;charset=utf-8,${encodeURIComponent(csv(lines()))}`
        : await this.views[name].toImageURL(kind, 2);
    const download = `${name === "stuck" ? "stuck_orders" : name}.${kind}`;
    element("a", { href, download }).click();
  }

  /** @param {string} id */
  async copy(id) {
    try {
      await navigator.clipboard.writeText(id);
      byId("shown").textContent = `${id} is copied`;
    } catch {
      // a page from disk may not write to the clipboard everywhere: select it instead
      prompt("Copy it:", id);
    }
  }
}

/** The first of the last days until now that a preset chooses; empty for all.
 * @param {string | null} days */
const firstDay = (days) => (Number(days) ? isoDay(context.today - Number(days) + 1) : "");

async function start() {
  await unpack();
  const page = new Page();
  // so that more can be asked from the browser's console
  Object.assign(globalThis, { page });
  document.body.classList.add("live");
  await page.show();
  document.body.dataset.ready = "";
}

start();

// Wires the page: the address and the form say what to show, and everything follows.

/** @param {string} id */
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

// fields of a chart's rows that only serve to draw it
const DRAWN_ONLY = new Set([
  "begin",
  "end",
  "day",
  "length",
  "shown",
  "open_shown",
  "after",
  "low",
  "high",
]);

class Page {
  /** @param {Context} context
   * @param {Orders} orders */
  constructor(context, orders) {
    this.context = context;
    this.orders = orders;
    /** @type {Results | null} what is shown */
    this.found = null;
    /** @type {Record<string, any>} */
    this.views = {};
    /** @type {Record<string, Record<string, unknown>[]>} */
    this.rows = {};
    this.form = byId("filters");
    this.tables = this.makeTables();
    this.fillForm();
    this.listen();
  }

  /** The tables that the page has, by the ids of their sections.
   * @returns {Record<string, DataTable>} */
  makeTables() {
    const columns = this.columns();
    const there = Object.entries(columns).filter(([name]) => document.getElementById(name));
    return Object.fromEntries(
      there.map(([name, [sortedBy, each]]) => [name, new DataTable(byId(name), each, sortedBy)]),
    );
  }

  /** By which column each table is sorted at first, and its columns.
   * @returns {Record<string, [number, TableColumn[]]>} */
  columns() {
    const of = (/** @type {any} */ row) => this.context.campaigns[row.campaign];
    const filter = (
      /** @type {keyof Filters} */ name,
      /** @type {"id" | "brand_id" | "use_case"} */ id,
      /** @type {"name" | "brand" | "use_case"} */ label,
    ) => ({
      value: (/** @type {any} */ row) => of(row)[label],
      click: (/** @type {any} */ row) => this.toggle(name, of(row)[id]),
      hint: `Show this ${name.replace("_", " ")} only, or all again`,
    });
    const filters = [
      filter("campaign", "id", "name"),
      filter("brand", "brand_id", "brand"),
      filter("use_case", "use_case", "use_case"),
    ];
    const plain = (/** @type {string} */ key) => ({ value: (/** @type {any} */ row) => row[key] });
    const measure = (/** @type {string} */ key) => ({ ...plain(key), shown: duration });
    const share = { ...plain("share"), shown: percent };
    // not known yet, or without a limit, is more than anything that is known
    const endless = (
      /** @type {string} */ key,
      text = "not yet",
      shown = /** @type {(value: number) => string} */ (duration),
    ) => ({
      value: (/** @type {any} */ row) => row[key] ?? Infinity,
      shown: (/** @type {number} */ value) => (value === Infinity ? text : shown(value)),
    });
    const count = (/** @type {string} */ key) => ({ ...plain(key), shown: number });
    const names = [
      { value: (/** @type {any} */ row) => of(row).name },
      { value: (/** @type {any} */ row) => of(row).brand },
    ];
    const copied = (/** @type {string} */ key, /** @type {string} */ hint) => ({
      ...plain(key),
      click: (/** @type {any} */ row) => this.copy(row[key]),
      hint,
    });
    return {
      campaigns: [
        6,
        [
          ...filters,
          ...["count", "open", "failed"].map(count),
          ...["medianAll", "p90All"].map((key) => endless(key)),
          ...["median", "p90"].map(measure),
          share,
        ],
      ],
      stuck: [
        5,
        [
          copied("id", "Copy the order's id"),
          ...names,
          ...["state", "created"].map(plain),
          ...["age", "limit"].map(measure),
          plain("limit_is"),
        ],
      ],
      numbers: [
        5,
        [
          ...filters,
          ...["numbers", "completed", "waiting", "failed"].map(count),
          share,
          ...["median_all", "p90_all"].map((key) => endless(key)),
          endless("left", "no limit", number),
        ],
      ],
      failed_numbers: [
        3,
        [copied("number", "Copy the number"), ...names, plain("failed_at"), count("retries")],
      ],
    };
  }

  fillForm() {
    const { campaigns, statuses } = this.context;
    const options = (/** @type {string} */ id, /** @type {[string, string][]} */ entries) => {
      const sorted = entries.sort((a, b) => collator.compare(a[1], b[1]));
      byId(id).append(...sorted.map(([value, text]) => element("option", { value }, text)));
    };
    const distinct = (/** @type {[string, string][]} */ pairs) => [...new Map(pairs)];
    options("brand", distinct(campaigns.map((c) => [c.brand_id, c.brand])));
    options(
      "campaign",
      campaigns.map((c) => [c.id, c.name]),
    );
    options("use_case", distinct(campaigns.map((c) => [c.use_case, c.use_case])));
    options(
      "status",
      statuses.map((status) => [status, status]),
    );
  }

  listen() {
    this.form.addEventListener("change", () => this.go(this.formFilters()));
    for (const button of this.form.querySelectorAll("button[data-days]")) {
      button.addEventListener("click", () => this.preset(Number(button.getAttribute("data-days"))));
    }
    byId("clear").addEventListener("click", () => this.go(filtersOf({})));
    addEventListener("hashchange", () => this.show());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.drawAll());
    let width = innerWidth;
    addEventListener("resize", () => {
      if (innerWidth !== width) this.drawAll();
      width = innerWidth;
    });
    for (const button of document.querySelectorAll("button[data-save]")) {
      button.addEventListener("click", () => this.save(/** @type {HTMLElement} */ (button)));
    }
    for (const details of document.querySelectorAll("figure details")) {
      details.addEventListener("toggle", () =>
        this.fillNumbers(/** @type {HTMLElement} */ (details)),
      );
    }
  }

  /** @returns {Filters} */
  formFilters() {
    return filtersOf(Object.fromEntries(new FormData(/** @type {HTMLFormElement} */ (this.form))));
  }

  /** Shows the last days until now, or all with 0.
   * @param {number} days */
  preset(days) {
    const from = days ? isoDay(this.context.today - days + 1) : "";
    this.go({ ...this.formFilters(), from, to: "" });
  }

  /** Filters by a value, or takes the filter back if it is set.
   * @param {keyof Filters} name
   * @param {string} value */
  toggle(name, value) {
    const filters = this.formFilters();
    this.go({ ...filters, [name]: filters[name] === value ? "" : value });
  }

  /** @param {Filters} filters */
  go(filters) {
    history.pushState(null, "", addressOf(filters));
    this.show();
  }

  /** Shows what the address asks for; resolves when all charts are drawn. */
  async show() {
    const filters = filtersFromAddress();
    for (const name of FILTERS) {
      /** @type {HTMLInputElement} */ (byId(name)).value = filters[name];
    }
    const view = viewOf(filters, this.context);
    const found = results(this.orders, this.context, view);
    this.found = found;
    for (const [name, [value, note]] of Object.entries(tiles(found))) {
      const tile = byId(`tile-${name}`);
      tile.querySelector(".value")?.replaceChildren(value);
      tile.querySelector(".note")?.replaceChildren(note);
    }
    for (const [name, table] of Object.entries(this.tables)) {
      table.fill(/** @type {Record<string, any>} */ (found)[name]);
    }
    this.mark(filters, found);
    for (const name of Object.keys(CHARTS)) {
      this.rows[name] = ROWS[name](found, this.context);
      byId(name).querySelector("figcaption")?.replaceChildren(SENTENCES[name](found));
    }
    await Promise.all(Object.keys(CHARTS).map((name) => this.update(name)));
  }

  /** Says what is shown, to eyes and to screen readers.
   * @param {Filters} filters
   * @param {Results} found */
  mark(filters, found) {
    byId("clear").hidden = !FILTERS.some((name) => filters[name]);
    const days = Number(this.context.today - (dayOf(filters.from) ?? NaN) + 1);
    for (const button of this.form.querySelectorAll("button[data-days]")) {
      const preset = Number(button.getAttribute("data-days"));
      const pressed = filters.to ? false : preset ? preset === days : !filters.from;
      button.setAttribute("aria-pressed", String(pressed));
    }
    const stuck = found.now.stuck;
    const shown = found.stuck.length;
    byId("stuck-note").textContent =
      `${counted(stuck, "open order has", "open orders have")} waited longer than usual.` +
      (shown < stuck ? ` The ${number(shown)} oldest that this page carries are listed.` : "");
    if (this.tables.numbers)
      byId("numbers-note").textContent = numbersSentence(found, filters, this.context);
    byId("shown").textContent =
      `${number(found.now.count)} of ${counted(this.context.orders, "order")} in` +
      ` ${counted(found.campaigns.length, "campaign")}` +
      (found.earlier
        ? `, compared with ${counted(found.earlier.count, "order")} of the period before`
        : "");
  }

  /** @param {string} name */
  async update(name) {
    const figure = byId(name);
    figure.classList.toggle("empty", !this.rows[name].length);
    const details = figure.querySelector("details");
    if (details?.open) this.fillNumbers(details);
    const view = this.rows[name].length ? this.views[name] : undefined;
    if (view) await view.data("rows", this.rows[name]).runAsync();
    else await this.draw(name);
  }

  async drawAll() {
    await Promise.all(Object.keys(CHARTS).map((name) => this.draw(name)));
  }

  /** @param {string} name */
  async draw(name) {
    this.views[name]?.finalize();
    delete this.views[name];
    // scales of a chart without rows would have no limits
    if (!this.rows[name].length) return;
    const figure = byId(name);
    const title = figure.querySelector("h2")?.textContent ?? "";
    const place = /** @type {HTMLElement} */ (figure.querySelector(".chart"));
    const spec = specOf(CHARTS[name], title, place.clientWidth, colours(), this.rows[name]);
    const { view } = await vegaEmbed(place, spec, {
      ast: true,
      actions: false,
      renderer: "svg",
      defaultStyle: false,
      tooltip: { disableDefaultStyle: true },
    });
    this.views[name] = view;
    view.addEventListener("click", (/** @type {Event} */ _, /** @type {any} */ item) => {
      const { day, length } = item?.datum ?? {};
      if (day !== undefined) this.togglePeriod(this.context.first_day + day, length);
    });
  }

  /** @param {number} day
   * @param {number} length */
  togglePeriod(day, length) {
    const filters = this.formFilters();
    const [from, to] = [isoDay(day), isoDay(day + length - 1)];
    const isSet = filters.from === from && filters.to === to;
    this.go({ ...filters, from: isSet ? "" : from, to: isSet ? "" : to });
  }

  /** @param {HTMLElement} details */
  fillNumbers(details) {
    const figure = /** @type {HTMLElement} */ (details.closest("figure"));
    const [heads, ...lines] = this.numbers(figure.id);
    const line = (/** @type {any[]} */ cells, /** @type {"th" | "td"} */ kind) => {
      const row = element("tr", {});
      /** @type {Record<string, string>} */
      const scope = kind === "th" ? { scope: "col" } : {};
      row.append(...cells.map((cell) => element(kind, scope, String(cell ?? "–"))));
      return row;
    };
    const table = /** @type {HTMLTableElement} */ (details.querySelector("table"));
    table.tHead?.replaceChildren(line(heads, "th"));
    table.tBodies[0].replaceChildren(...lines.slice(0, 500).map((cells) => line(cells, "td")));
  }

  /** @param {string} name
   * @returns {any[][]} */
  numbers(name) {
    const rows = this.rows[name];
    const heads = Object.keys(rows[0] ?? {}).filter((key) => !DRAWN_ONLY.has(key));
    const rounded = (/** @type {unknown} */ x) =>
      typeof x === "number" ? Number(x.toPrecision(6)) : x;
    return [heads, ...rows.map((row) => heads.map((key) => rounded(row[key])))];
  }

  /** @param {HTMLElement} button */
  async save(button) {
    const kind = /** @type {string} */ (button.dataset.save);
    const name = /** @type {HTMLElement} */ (button.closest("figure, section")).id;
    const file = name === "stuck" ? "stuck_orders" : name;
    if (this.tables[name]) saveText(`${file}.csv`, this.tables[name].csv());
    else if (kind === "csv") saveText(`${name}.csv`, csv(this.numbers(name)));
    else save(`${name}.${kind}`, await this.views[name].toImageURL(kind, 2));
  }

  /** @param {string} id */
  async copy(id) {
    try {
      await navigator.clipboard.writeText(id);
      byId("shown").textContent = `${id} is copied`;
    } catch {
      // a page from disk may not write to the clipboard everywhere: select it instead
      prompt("Copy the id:", id);
    }
  }
}

/** @param {Record<string, unknown>} given
 * @returns {Filters} */
function filtersOf(given) {
  const entries = FILTERS.map((name) => [name, String(given[name] ?? "")]);
  return /** @type {Filters} */ (Object.fromEntries(entries));
}

/** The colours of the page, which follow its light or dark scheme. */
function colours() {
  const style = getComputedStyle(document.documentElement);
  const names = ["card", "ink", "soft", "grid", "first", "second", "third", "bar"];
  return Object.fromEntries(
    names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]),
  );
}

async function start() {
  const carried = (/** @type {string} */ id) => decompress(byId(id).textContent ?? "");
  const context = JSON.parse(new TextDecoder().decode(await carried("context-packed")));
  const orders = unpack(await carried("orders-packed"), context);
  const page = new Page(context, orders);
  // so that more can be asked from the browser's console
  Object.assign(globalThis, { page });
  document.body.classList.add("live");
  await page.show();
  document.body.dataset.ready = "";
}

start();

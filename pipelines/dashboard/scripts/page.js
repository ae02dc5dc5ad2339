// Wires the page: the address and the form say what to show, and everything follows.

// fields of a chart's rows that only serve to draw it
const DRAWN_ONLY = ["begin", "end", "day", "length"];

class Page {
  /** @type {Record<string, any>} Vega's, of each chart that is drawn */
  views = {};
  /** @type {Record<string, Row[]>} of each chart */
  rows = {};
  form = /** @type {HTMLFormElement} */ (byId("filters"));
  context = context;
  found = /** @type {Found | null} */ (null);

  constructor() {
    const sections = [...document.querySelectorAll("section[data-sorted]")];
    const clicks = this.clicks();
    this.tables = sections.map((section) => {
      return new DataTable(/** @type {HTMLElement} */ (section), clicks);
    });
    this.fillForm();
    this.listen();
  }

  /** What a click does in a column of a table, by its kind. */
  clicks() {
    const filter = (/** @type {string} */ name, /** @type {string} */ id) => ({
      hint: `Show this ${name.replace("_", " ")} only, or all again`,
      run: (/** @type {Row} */ { campaign_id }) => {
        const campaign = context.campaigns.find((each) => each.campaign_id === campaign_id);
        this.toggle({ [name]: campaign?.[id] });
      },
    });
    return {
      campaign: filter("campaign", "campaign_id"),
      brand: filter("brand", "brand_id"),
      use_case: filter("use_case", "use_case"),
      copied: {
        hint: "Copy it",
        run: (/** @type {Row} */ row) => this.copy(row.order_id ?? row.phone_number),
      },
    };
  }

  fillForm() {
    /** @type {Record<string, [string, string][]>} */
    const choices = {
      brand: context.campaigns.map((each) => [each.brand_id, each.brand_name]),
      campaign: context.campaigns.map((each) => [each.campaign_id, each.campaign_name]),
      use_case: context.campaigns.map((each) => [each.use_case, each.use_case]),
      status: context.statuses.map((each) => [each, each]),
    };
    for (const [id, entries] of Object.entries(choices)) {
      const distinct = [...new Map(entries)].sort((a, b) => collator.compare(a[1], b[1]));
      byId(id).append(...distinct.map(([value, text]) => element("option", { value }, text)));
    }
  }

  listen() {
    const click = (/** @type {string} */ selector, /** @type {(button: any) => void} */ run) => {
      for (const button of document.querySelectorAll(selector)) {
        button.addEventListener("click", () => run(button));
      }
    };
    click("#clear", () => this.go(filtersOf({})));
    click("button[data-save]", (button) => this.save(button));
    click("button[data-days]", (button) => {
      this.go({ ...this.formFilters(), from: firstDay(button), to: "" });
    });
    this.form.addEventListener("change", () => this.go(this.formFilters()));
    addEventListener("hashchange", () => this.show());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw());
    let width = innerWidth;
    addEventListener("resize", () => {
      if (innerWidth !== width) this.redraw();
      width = innerWidth;
    });
    for (const name of Object.keys(ROWS)) {
      byId(name)
        .querySelector("details")
        ?.addEventListener("toggle", () => this.fillNumbers(name));
    }
  }

  formFilters() {
    return filtersOf(Object.fromEntries(new FormData(this.form)));
  }

  /** Filters by some values, or takes these filters back if they are set.
   * @param {Partial<Filters>} wanted */
  toggle(wanted) {
    const filters = this.formFilters();
    const names = FILTERS.filter((name) => name in wanted);
    const isSet = names.every((name) => filters[name] === wanted[name]);
    for (const name of names) filters[name] = isSet ? "" : String(wanted[name]);
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
      button.ariaPressed = String(!filters.to && filters.from === firstDay(button));
    }
    for (const [place, text] of Object.entries(texts(found, filters))) {
      document.querySelector(place)?.replaceChildren(text);
    }
    for (const table of this.tables) table.fill(found.tables[table.name]);
    for (const [name, rows] of Object.entries(ROWS)) this.rows[name] = rows(found);
    await this.draw();
  }

  /** Draws all charts: those that are drawn already get their new rows. */
  async draw() {
    await Promise.all(Object.keys(ROWS).map((name) => this.drawOne(name)));
  }

  redraw() {
    for (const view of Object.values(this.views)) view.finalize();
    this.views = {};
    this.draw();
  }

  /** @param {string} name */
  async drawOne(name) {
    const figure = byId(name);
    const rows = this.rows[name];
    figure.classList.toggle("empty", !rows.length);
    this.fillNumbers(name);
    // scales of a chart without rows would have no limits
    if (!rows.length) return;
    if (this.views[name]) return void (await this.views[name].data("rows", rows).runAsync());
    const place = /** @type {HTMLElement} */ (figure.querySelector(".chart"));
    const view = await drawn(place, name, rows);
    this.views[name] = view;
    view.addEventListener("click", (/** @type {Event} */ _, /** @type {any} */ item) => {
      const { day, length } = item?.datum ?? {};
      if (day === undefined) return;
      const first = context.first_day + day;
      this.toggle({ from: isoDay(first), to: isoDay(first + length - 1) });
    });
  }

  /** The numbers that a chart is drawn from, below their names.
   * @param {string} name
   * @returns {any[][]} */
  numbers(name) {
    const rows = this.rows[name];
    const heads = Object.keys(rows[0] ?? {}).filter((key) => !DRAWN_ONLY.includes(key));
    const rounded = (/** @type {any} */ x) =>
      typeof x === "number" ? Number(x.toPrecision(6)) : x;
    return [heads, ...rows.map((row) => heads.map((key) => rounded(row[key])))];
  }

  /** @param {string} name */
  fillNumbers(name) {
    const details = byId(name).querySelector("details");
    if (!details?.open) return;
    const [heads, ...lines] = this.numbers(name);
    const head = heads.map((each) => element("th", { scope: "col" }, each));
    const rows = lines.slice(0, 500).map((cells) => {
      return element("tr", {}, ...cells.map((cell) => element("td", {}, String(cell ?? "–"))));
    });
    details.querySelector("thead")?.replaceChildren(element("tr", {}, ...head));
    details.querySelector("tbody")?.replaceChildren(...rows);
  }

  /** @param {HTMLElement} button */
  async save(button) {
    const kind = String(button.dataset.save);
    const name = /** @type {HTMLElement} */ (button.closest("figure, section")).id;
    const table = this.tables.find((each) => each.name === name);
    if (table) saveText(name === "stuck" ? "stuck_orders.csv" : `${name}.csv`, table.csv());
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
      prompt("Copy it:", id);
    }
  }
}

/** The first of the last days until now that a preset chooses; empty for all.
 * @param {Element} button */
function firstDay(button) {
  const days = Number(button.getAttribute("data-days"));
  return days ? isoDay(context.today - days + 1) : "";
}

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

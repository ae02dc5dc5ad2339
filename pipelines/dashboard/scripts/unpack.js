// Unpacks what the page carries; see packing.py for what is in the arrays.

/**
 * @typedef {Record<string, any>} Row of a table or a chart
 * @typedef {{orders: number, cells: number, first_day: number, since: number | null, today: number,
 *   statuses: string[], campaigns: Row[], targets: {hours: number, is_main: boolean}[],
 *   promises: number, backlog_hours: number[], bar_hours: number[], number_times: Row[],
 *   tables: Record<string, Row[]>, columns: Record<string, string[]>,
 *   headings: Record<string, [string, string]>,
 *   drawing: {shared: object, charts: Record<string, object>}}} Context see page.py
 * @typedef {object} Orders
 * @property {Float64Array} upper the upper border of each cell, in hours
 * @property {Float64Array} hours the duration that a cell stands for
 * @property {Uint32Array} starts where each campaign's orders begin, and the last one's end
 * @property {Uint16Array} created days of creation, from `first_day` on, sorted within a campaign
 * @property {Uint16Array} openFor days from creation until an order stopped being open
 * @property {Uint16Array} codes cell, status, whether an order is stuck, and late
 */

const NO_DAY = 0xffff;
const NO_CELL = 0xfff;
const PROCESSED = 0;
const OPEN = 1;
// Python's alphabet of base 85, with a comma for the character that is markup
const DIGITS =
  "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;,=>?@^_`{|}~";

/** @type {Context} what the page carries beside the orders */
let context;
/** @type {Orders} */
let orders;

/** @param {number} code */
const statusOf = (code) => (code >> 12) & 3;

/** @param {string} id of an element with the length of a gzip file, and the file in base 85 */
async function carried(id) {
  const [length, text] = byId(id).textContent.split(":");
  const digits = new Uint8Array(128);
  [...DIGITS].forEach((character, n) => (digits[character.charCodeAt(0)] = n));
  const packed = new DataView(new ArrayBuffer((text.length / 5) * 4));
  for (let n = 0; n < text.length; n += 5) {
    let word = 0;
    for (let m = n; m < n + 5; m++) word = word * 85 + digits[text.charCodeAt(m)];
    packed.setUint32((n / 5) * 4, word);
  }
  const file = new Blob([packed.buffer]).slice(0, Number(length));
  return new Response(file.stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

async function unpack() {
  context = JSON.parse(new TextDecoder().decode(await carried("context-packed")));
  const buffer = await carried("orders-packed");
  const count = context.orders;
  const upper = new Float64Array(buffer, 0, context.cells);
  const starts = new Uint32Array(buffer, upper.byteLength, context.campaigns.length + 1);
  const bytes = new Uint8Array(buffer, upper.byteLength + starts.byteLength);
  const [created, openFor, codes] = [0, 1, 2].map((place) => {
    const low = bytes.subarray(2 * place * count);
    return Uint16Array.from({ length: count }, (_, n) => low[n] | (low[n + count] << 8));
  });
  // as packed, days are differences: from the order before, and from what the cell says
  for (let n = 1; n < count; n++) created[n] += created[n - 1];
  const days = Uint16Array.from(upper, (_, cell) => (cell ? Math.floor(upper[cell - 1] / 24) : 0));
  for (let n = 0; n < count; n++) {
    const cell = codes[n] & NO_CELL;
    const isTimed = statusOf(codes[n]) === PROCESSED && cell !== NO_CELL && openFor[n] !== NO_DAY;
    if (isTimed) openFor[n] += days[cell];
  }
  // the middle of each cell
  const middle = (/** @type {number} */ border, /** @type {number} */ cell) =>
    cell ? Math.sqrt(upper[cell - 1] * border) : border / 2;
  orders = { upper, hours: upper.map(middle), starts, created, openFor, codes };
}

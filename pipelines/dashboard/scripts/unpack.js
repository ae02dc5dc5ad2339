// Unpacks the orders that the page carries; see packing.py for what is in the arrays.

/**
 * @typedef {object} Orders
 * @property {Float64Array} upper the upper border of each cell, in hours
 * @property {Float64Array} hours the duration that a cell stands for
 * @property {Uint32Array} starts where each campaign's orders begin, and the last one's end
 * @property {Uint16Array} created days of creation, from `firstDay` on, sorted within a campaign
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

/** @param {string} carried the length of a gzip file, and the file in base 85 */
async function decompress(carried) {
  const [length, text] = carried.split(":");
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

/**
 * @param {ArrayBuffer} buffer
 * @param {{orders: number, cells: number, campaigns: unknown[]}} sizes
 * @returns {Orders}
 */
function unpack(buffer, { orders, cells, campaigns }) {
  const upper = new Float64Array(buffer, 0, cells);
  const starts = new Uint32Array(buffer, upper.byteLength, campaigns.length + 1);
  const bytes = new Uint8Array(buffer, upper.byteLength + starts.byteLength);
  const [created, openFor, codes] = [0, 1, 2].map((place) => {
    const low = bytes.subarray(2 * place * orders);
    const high = low.subarray(orders);
    const values = new Uint16Array(orders);
    for (let n = 0; n < orders; n++) values[n] = low[n] | (high[n] << 8);
    return values;
  });
  // as packed, days are differences: from the order before, and from what the cell says
  for (let n = 1; n < orders; n++) created[n] += created[n - 1];
  const days = Uint16Array.from(upper, (_, cell) => (cell ? Math.floor(upper[cell - 1] / 24) : 0));
  for (let n = 0; n < orders; n++) {
    const isProcessed = ((codes[n] >> 12) & 3) === PROCESSED;
    if (isProcessed && (codes[n] & NO_CELL) !== NO_CELL && openFor[n] !== NO_DAY) {
      openFor[n] += days[codes[n] & NO_CELL];
    }
  }
  // the middle of each cell
  const hours = upper.map((border, cell) =>
    cell ? Math.sqrt(upper[cell - 1] * border) : border / 2,
  );
  return { upper, hours, starts, created, openFor, codes };
}

// Unpacks what the page carries; see packing.py for what is in the arrays.

const NO_DAY = 0xffff;
const NO_CELL = 0xfff;
const PROCESSED = 0;
const OPEN = 1;

/** @type {Context} */
let context;
/** @type {Orders} */
let orders;

/** @param {number} code */
const statusOf = (code) => (code >> 12) & 3;

/** @param {string} name of what an element carries: gzip in base 64 */
function carried(name) {
  const text = atob(byId(`${name}-packed`).textContent);
  const file = new Blob([new Uint8Array(text.length).map((_, n) => text.charCodeAt(n))]);
  return new Response(file.stream().pipeThrough(new DecompressionStream("gzip")));
}

async function unpack() {
  // the policy allows this text in any element
  document.head.append(element("script", {}, await carried("library").text()));
  context = await carried("context").json();
  const buffer = await carried("orders").arrayBuffer();
  const [created, openFor, codes] = [0, 1, 2].map(
    (place) => new Uint16Array(buffer, 2 * place * context.orders, context.orders),
  );
  // the middle of each cell
  const hours = Float64Array.from(context.upper, (border, cell) =>
    cell ? Math.sqrt(context.upper[cell - 1] * border) : border / 2,
  );
  orders = { hours, created, openFor, codes };
}

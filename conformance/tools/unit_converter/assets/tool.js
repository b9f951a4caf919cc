// unit_converter: numbers, and fields of records, from one unit to another. QuickJS runs this file;
// the units lie beside it.

import * as std from "qjs:std";

const DIGITS = 10;

class Misfit extends Error {}

const kinds = JSON.parse(std.loadFile("/assets/units.json"));
const units = new Map();
for (const [kind, members] of Object.entries(kinds)) {
  for (const [symbol, unit] of Object.entries(members)) {
    units.set(symbol, { symbol, kind, zero: 0, ...unit });
  }
}

function expect(condition, why) {
  if (!condition) throw new Misfit(why);
}

function expectOnly(object, names) {
  const other = Object.keys(object).find((name) => !names.includes(name));
  expect(other === undefined, `${other} is not an argument`);
}

function unitsOf({ from, to }) {
  expect(typeof from === "string" && typeof to === "string", "from and to are symbols of units");
  for (const symbol of [from, to]) {
    if (!units.has(symbol)) throw new Error(`no unit is called ${symbol}`);
  }
  const [source, target] = [units.get(from), units.get(to)];
  if (source.kind !== target.kind) {
    throw new Error(`${source.name} is a unit of ${source.kind}, ${target.name} one of ${target.kind}`);
  }
  return [source, target];
}

// Ten digits: enough for a trade, and what binary fractions add behind them is gone.
function convertOne(value, source, target) {
  const result = (value * source.factor + source.zero - target.zero) / target.factor;
  if (!Number.isFinite(result)) throw new Error(`${value} ${source.symbol} is too much to convert`);
  return Number(result.toPrecision(DIGITS));
}

const tools = {
  convert(args) {
    expectOnly(args, ["value", "from", "to"]);
    expect(typeof args.value === "number", "value is not a number");
    const [source, target] = unitsOf(args);
    const value = convertOne(args.value, source, target);
    return [`${args.value} ${source.symbol} = ${value} ${target.symbol}`, { value, unit: target.symbol }];
  },

  // Replaces a field such as length_in of each record by one such as length_cm, in its place.
  convert_records(args) {
    expectOnly(args, ["records", "field", "as", "from", "to"]);
    const { records, field, as = field } = args;
    expect(typeof field === "string" && typeof as === "string", "field and as are names");
    expect(Array.isArray(records), "records is not an array");
    const [source, target] = unitsOf(args);
    let converted = 0;
    const rewritten = records.map((record, index) => {
      expect(record !== null && typeof record === "object" && !Array.isArray(record), `record ${index} is not an object`);
      if (!Object.hasOwn(record, field)) return record;
      if (typeof record[field] !== "number") throw new Error(`${field} of record ${index} is not a number`);
      if (as !== field && Object.hasOwn(record, as)) throw new Error(`record ${index} has a field ${as} already`);
      converted += 1;
      const renamed = ([name, value]) => (name === field ? [as, convertOne(value, source, target)] : [name, value]);
      return Object.fromEntries(Object.entries(record).map(renamed));
    });
    return [`converted ${converted} of ${records.length} records`, { records: rewritten, converted }];
  },

  units(args) {
    expectOnly(args, []);
    const list = [...units.values()].map(({ symbol, name, kind }) => ({ symbol, name, kind }));
    return [list.map(({ symbol, name }) => `${symbol} (${name})`).join(", "), { units: list }];
  },
};

function error(id, code, message) {
  return { jsonrpc: "2.0", id, error: { code, message } };
}

function respond(text) {
  let request;
  try {
    request = JSON.parse(text);
  } catch {
    return error(null, -32700, "the request is not JSON");
  }
  const id = request?.id;
  if (request?.jsonrpc !== "2.0" || id === undefined) return error(id ?? null, -32600, "not a request of JSON-RPC 2.0");
  if (request.method !== "tools/call") return error(id, -32601, "tools/call is the one method");
  const { name, arguments: args = {} } = request.params ?? {};
  if (typeof name !== "string" || !Object.hasOwn(tools, name)) return error(id, -32602, "there is no such tool");
  if (args === null || typeof args !== "object" || Array.isArray(args)) return error(id, -32602, "arguments is not an object");
  let result;
  try {
    const [message, structuredContent] = tools[name](args);
    result = { content: [{ type: "text", text: message }], structuredContent, isError: false };
  } catch (failure) {
    if (failure instanceof Misfit) return error(id, -32602, failure.message);
    result = { content: [{ type: "text", text: failure.message }], isError: true };
  }
  return { jsonrpc: "2.0", id, result };
}

std.out.puts(JSON.stringify(respond(std.in.readAsString())) + "\n");

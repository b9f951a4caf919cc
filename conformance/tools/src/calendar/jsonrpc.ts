/* JSON-RPC for a tool in AssemblyScript: one request on stdin, one response on stdout. */

export const NULL = 0, BOOLEAN = 1, NUMBER = 2, STRING = 3, ARRAY = 4, OBJECT = 5;
const DEPTH_MAX = 64;

/* A JSON value. A number keeps its text, so that `id` is answered letter for letter. */
export class Value {
  text: string = "";
  names: string[] = [];
  items: Value[] = [];
  constructor(public kind: i32) {}

  member(name: string): Value | null {
    const at = this.kind == OBJECT ? this.names.indexOf(name) : -1;
    return at < 0 ? null : this.items[at];
  }

  is(text: string): bool {
    return this.kind == STRING && this.text == text;
  }

  has_only(names: string[]): bool {
    for (let i = 0; i < this.names.length; i++) if (!names.includes(this.names[i])) return false;
    return true;
  }
}

/* Reads JSON (RFC 8259). Once something is wrong, `good` is false and what is read means nothing. */
class Reader {
  at: i32 = 0;
  good: bool = true;
  constructor(private text: string) {}

  whole(): Value | null {
    const value = this.value(DEPTH_MAX);
    return this.good && this.at == this.text.length ? value : null;
  }

  private peek(): i32 {
    return this.at < this.text.length ? this.text.charCodeAt(this.at) : -1;
  }

  private fail(): Value {
    this.good = false;
    return new Value(NULL);
  }

  private space(): void {
    for (let c = this.peek(); c == 0x20 || c == 0x0a || c == 0x0d || c == 0x09; c = this.peek()) this.at++;
  }

  private take(c: i32): bool {
    if (this.peek() != c) return false;
    this.at++;
    return true;
  }

  private word(word: string): bool {
    if (this.text.substr(this.at, word.length) != word) return false;
    this.at += word.length;
    return true;
  }

  private value(depth: i32): Value {
    this.space();
    const c = this.peek();
    let value: Value;
    if (c == 0x7b || c == 0x5b) value = depth > 0 ? this.list(c == 0x7b, depth) : this.fail();
    else if (c == 0x22) value = this.quoted();
    else if (this.word("null")) value = new Value(NULL);
    else if (this.word("true") || this.word("false")) value = new Value(BOOLEAN);
    else value = this.number();
    this.space();
    return value;
  }

  private list(object: bool, depth: i32): Value {
    const list = new Value(object ? OBJECT : ARRAY);
    const end = object ? 0x7d : 0x5d;
    this.at++;
    this.space();
    if (this.take(end)) return list;
    do {
      if (object) {
        this.space();
        if (this.peek() != 0x22) return this.fail();
        const name = this.quoted().text;
        this.space();
        if (!this.take(0x3a) || list.names.includes(name)) return this.fail();
        list.names.push(name);
      }
      list.items.push(this.value(depth - 1));
    } while (this.good && this.take(0x2c));
    return this.take(end) ? list : this.fail();
  }

  private quoted(): Value {
    const value = new Value(STRING);
    this.at++;
    let from = this.at;
    while (true) {
      const c = this.peek();
      if (c < 0x20) return this.fail();
      if (c != 0x22 && c != 0x5c) {
        this.at++;
        continue;
      }
      value.text += this.text.substring(from, this.at++);
      if (c == 0x22) return value;
      const escape = this.peek();
      this.at++;
      const plain = "\"\\/bfnrt".indexOf(String.fromCharCode(escape));
      if (escape >= 0 && plain >= 0) {
        value.text += "\"\\/\b\f\n\r\t".charAt(plain);
      } else {
        const hex = this.text.substr(this.at, 4);
        for (let i = 0; i < 4; i++) {
          const digit = i < hex.length ? hex.charCodeAt(i) | 0x20 : 0;
          if (!((digit >= 0x30 && digit <= 0x39) || (digit >= 0x61 && digit <= 0x66))) return this.fail();
        }
        if (escape != 0x75) return this.fail();
        value.text += String.fromCharCode(<i32>parseInt(hex, 16));
        this.at += 4;
      }
      from = this.at;
    }
  }

  private digits(): bool {
    const from = this.at;
    for (let c = this.peek(); c >= 0x30 && c <= 0x39; c = this.peek()) this.at++;
    return this.at > from;
  }

  private number(): Value {
    const value = new Value(NUMBER), from = this.at;
    this.take(0x2d);
    if (!this.take(0x30) && !this.digits()) return this.fail();
    if (this.take(0x2e) && !this.digits()) return this.fail();
    if (this.take(0x65) || this.take(0x45)) {
      if (!this.take(0x2b)) this.take(0x2d);
      if (!this.digits()) return this.fail();
    }
    value.text = this.text.substring(from, this.at);
    return value;
  }
}

export function quote(text: string): string {
  let out = "\"";
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c == 0x22 || c == 0x5c) out += "\\" + text.charAt(i);
    else if (c < 0x20) out += "\\u00" + (c < 0x10 ? "0" : "") + c.toString(16);
    else out += text.charAt(i);
  }
  return out + "\"";
}

/* The protocol. */

let id = "null";

export function error(code: i32, message: string): string {
  return "{\"jsonrpc\":\"2.0\",\"id\":" + id + ",\"error\":{\"code\":" + code.toString() + ",\"message\":" +
    quote(message) + "}}";
}

function answer(text: string, rest: string): string {
  return "{\"jsonrpc\":\"2.0\",\"id\":" + id + ",\"result\":{\"content\":[{\"type\":\"text\",\"text\":" + quote(text) +
    "}]," + rest + "}}";
}

/* What the tool found: a text for people, and a JSON object for programs. */
export function result(text: string, structured: string): string {
  return answer(text, "\"structuredContent\":" + structured + ",\"isError\":false");
}

/* Why it could not. */
export function failure(text: string): string {
  return answer(text, "\"isError\":true");
}

/* Reads the request, lets `call` answer it, and writes the response. */
export function serve(call: (tool: string, args: Value) => string): void {
  process.stdout.write(respond(read_all(), call) + "\n");
}

function respond(text: string, call: (tool: string, args: Value) => string): string {
  const request = new Reader(text).whole();
  if (request == null) return error(-32700, "the request is not JSON");
  const version = request.member("jsonrpc"), given = request.member("id"), method = request.member("method");
  if (version == null || !version.is("2.0") || given == null) return error(-32600, "not a request of JSON-RPC 2.0");
  if (given.kind == NUMBER) id = given.text;
  else if (given.kind == STRING) id = quote(given.text);
  if (method == null || !method.is("tools/call")) return error(-32601, "tools/call is the one method");
  let params = request.member("params");
  if (params == null) params = new Value(OBJECT);
  let args = params.member("arguments");
  if (args == null) args = new Value(OBJECT);
  const tool = params.member("name");
  if (args.kind != OBJECT) return error(-32602, "arguments is not an object");
  return call(tool != null && tool.kind == STRING ? tool.text : "", args);
}

function read_all(): string {
  const block = new ArrayBuffer(65536);
  let bytes = new Uint8Array(0);
  for (let got = process.stdin.read(block); got > 0; got = process.stdin.read(block)) {
    const longer = new Uint8Array(bytes.length + <i32>got);
    longer.set(bytes);
    longer.set(Uint8Array.wrap(block, 0, <i32>got), bytes.length);
    bytes = longer;
  }
  return String.UTF8.decode(bytes.buffer);
}

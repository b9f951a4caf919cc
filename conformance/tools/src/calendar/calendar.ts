/* calendar: days, weeks and working days of the Gregorian calendar, in AssemblyScript. */

const NULL = 0, BOOLEAN = 1, NUMBER = 2, STRING = 3, ARRAY = 4, OBJECT = 5;
const DEPTH_MAX = 64;

/* A JSON value. A number keeps its text, so that `id` is answered letter for letter. */
class Value {
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

function quote(text: string): string {
  let out = "\"";
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c == 0x22 || c == 0x5c) out += "\\" + text.charAt(i);
    else if (c < 0x20) out += "\\u00" + (c < 0x10 ? "0" : "") + c.toString(16);
    else out += text.charAt(i);
  }
  return out + "\"";
}

/* Days. A day is its number, counted from 1970-01-01; years go from 1 to 9999. */

const FIRST_DAY: i32 = -719162, LAST_DAY: i32 = 2932896;
const NAMES = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/* Years are counted from March, so that a leap day is the last of its year; 146,097 days are 400 years. */
function day_of(year: i32, month: i32, day: i32): i32 {
  const y = month > 2 ? year : year - 1, m = month > 2 ? month - 3 : month + 9;
  return y * 365 + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 719469;
}

class Day {
  year: i32 = 0;
  month: i32 = 0;
  date: i32 = 0;
  constructor(public number: i32) {
    const days = number + 719468, era = days / 146097, of_era = days % 146097;
    const of_year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    const left = of_era - (365 * of_year + of_year / 4 - of_year / 100), m = (5 * left + 2) / 153;
    this.date = left - (153 * m + 2) / 5 + 1;
    this.month = m < 10 ? m + 3 : m - 9;
    this.year = of_year + era * 400 + (this.month < 3 ? 1 : 0);
  }

  /* 0 for Monday. 1970 began on a Thursday; the sum keeps the number positive. */
  weekday(): i32 {
    return (this.number + 3 + 7 * 200000) % 7;
  }

  text(): string {
    return this.year.toString().padStart(4, "0") + "-" + this.month.toString().padStart(2, "0") + "-" +
      this.date.toString().padStart(2, "0");
  }

  /* ISO 8601: a week belongs to the year that its Thursday lies in. */
  week(): string {
    const thursday = new Day(this.number - this.weekday() + 3);
    const week = (thursday.number - day_of(thursday.year, 1, 1)) / 7 + 1;
    return thursday.year.toString().padStart(4, "0") + "-W" + week.toString().padStart(2, "0");
  }
}

function read_day(value: Value | null): Day | null {
  if (value == null || value.kind != STRING || value.text.length != 10) return null;
  const text = value.text;
  for (let i = 0; i < 10; i++) {
    const c = text.charCodeAt(i);
    if (i == 4 || i == 7 ? c != 0x2d : c < 0x30 || c > 0x39) return null;
  }
  const year = <i32>parseInt(text.substr(0, 4), 10), month = <i32>parseInt(text.substr(5, 2), 10);
  const date = <i32>parseInt(text.substr(8, 2), 10);
  if (year < 1 || month < 1 || month > 12 || date < 1 || date > 31) return null;
  const day = new Day(day_of(year, month, date));
  /* 31 April would be 1 May. */
  return day.text() == text ? day : null;
}

/* Monday to Friday among the days before this one, since a Monday long ago. */
function workdays_before(number: i32): i32 {
  const since = number + 3 + 7 * 200000, rest = since % 7;
  return since / 7 * 5 + (rest < 5 ? rest : 5);
}

/* The tools. */

let id = "null";

function error(code: i32, message: string): string {
  return "{\"jsonrpc\":\"2.0\",\"id\":" + id + ",\"error\":{\"code\":" + code.toString() + ",\"message\":" +
    quote(message) + "}}";
}

function result(text: string, structured: string): string {
  return "{\"jsonrpc\":\"2.0\",\"id\":" + id + ",\"result\":{\"content\":[{\"type\":\"text\",\"text\":" + quote(text) +
    "}]," + (structured == "" ? "\"isError\":true" : "\"structuredContent\":" + structured + ",\"isError\":false") + "}}";
}

function day(args: Value): string {
  const start = read_day(args.member("date")), plus = args.member("plus_days");
  if (!args.has_only(["date", "plus_days"])) return error(-32602, "day takes only date and plus_days");
  if (start == null) return error(-32602, "date is not a day such as 2026-02-28");
  let days: i64 = 0;
  if (plus != null) {
    if (plus.kind != NUMBER || plus.text.length > 8) return error(-32602, "plus_days is not an integer of at most 7 digits");
    for (let i = 0; i < plus.text.length; i++)
      if (".eE".includes(plus.text.charAt(i))) return error(-32602, "plus_days is not an integer of at most 7 digits");
    days = <i64>parseInt(plus.text, 10);
  }
  const number = <i64>start.number + days;
  if (number < FIRST_DAY || number > LAST_DAY) return result("that day is not in the years 1 to 9999", "");
  const found = new Day(<i32>number), name = NAMES[found.weekday()], of_year = found.number - day_of(found.year, 1, 1) + 1;
  return result(found.text() + " is a " + name + " in week " + found.week(),
    "{\"date\":" + quote(found.text()) + ",\"weekday\":" + quote(name) + ",\"iso_week\":" + quote(found.week()) +
    ",\"day_of_year\":" + of_year.toString() + "}");
}

function between(args: Value): string {
  const from = read_day(args.member("from")), to = read_day(args.member("to"));
  if (!args.has_only(["from", "to"])) return error(-32602, "between takes only from and to");
  if (from == null || to == null) return error(-32602, "from or to is not a day such as 2026-02-28");
  if (to.number < from.number) return result(to.text() + " lies before " + from.text(), "");
  const days = to.number - from.number, workdays = workdays_before(to.number) - workdays_before(from.number);
  return result(days.toString() + " days, " + workdays.toString() + " of them working days",
    "{\"days\":" + days.toString() + ",\"working_days\":" + workdays.toString() + "}");
}

function respond(text: string): string {
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
  if (tool != null && tool.is("day")) return day(args);
  if (tool != null && tool.is("between")) return between(args);
  return error(-32602, "there is no such tool");
}

function read_all(): string {
  const block = new ArrayBuffer(4096);
  let bytes = new Uint8Array(0);
  for (let got = process.stdin.read(block); got > 0; got = process.stdin.read(block)) {
    const longer = new Uint8Array(bytes.length + <i32>got);
    longer.set(bytes);
    longer.set(Uint8Array.wrap(block, 0, <i32>got), bytes.length);
    bytes = longer;
  }
  return String.UTF8.decode(bytes.buffer);
}

process.stdout.write(respond(read_all()) + "\n");

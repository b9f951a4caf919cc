/* calendar: days, weeks and working days of the Gregorian calendar, in AssemblyScript. */

import { NUMBER, STRING, Value, error, failure, quote, result, serve } from "./jsonrpc";

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
  if (number < FIRST_DAY || number > LAST_DAY) return failure("that day is not in the years 1 to 9999");
  const found = new Day(<i32>number), name = NAMES[found.weekday()], of_year = found.number - day_of(found.year, 1, 1) + 1;
  return result(found.text() + " is a " + name + " in week " + found.week(),
    "{\"date\":" + quote(found.text()) + ",\"weekday\":" + quote(name) + ",\"iso_week\":" + quote(found.week()) +
    ",\"day_of_year\":" + of_year.toString() + "}");
}

function between(args: Value): string {
  const from = read_day(args.member("from")), to = read_day(args.member("to"));
  if (!args.has_only(["from", "to"])) return error(-32602, "between takes only from and to");
  if (from == null || to == null) return error(-32602, "from or to is not a day such as 2026-02-28");
  if (to.number < from.number) return failure(to.text() + " lies before " + from.text());
  const days = to.number - from.number, workdays = workdays_before(to.number) - workdays_before(from.number);
  return result(days.toString() + " days, " + workdays.toString() + " of them working days",
    "{\"days\":" + days.toString() + ",\"working_days\":" + workdays.toString() + "}");
}

serve((tool: string, args: Value): string => {
  if (tool == "day") return day(args);
  if (tool == "between") return between(args);
  return error(-32602, "there is no such tool");
});

"""csv_statistics: what the columns of a table say, and how two of them go together.

CPython runs this file; a table to try it on lies beside it.
"""

import csv
import io
import json
import math
import statistics
import sys

SAMPLES = {"weather": "/assets/weather.csv"}
VALUES_MAX = 5


class Misfit(Exception):
    """The arguments do not fit the tool."""


class Failed(Exception):
    """They fit, and it can't be done."""


def expect_only(arguments, names):
    other = sorted(set(arguments) - set(names))
    if other:
        raise Misfit(f"{other[0]} is not an argument")


def text(arguments, name):
    value = arguments.get(name)
    if not isinstance(value, str):
        raise Misfit(f"{name} is not a string")
    return value


def read_table(arguments):
    """The header and the rows of the CSV, or of the sample, that the arguments name."""
    if ("csv" in arguments) == ("sample" in arguments):
        raise Misfit("give either csv or sample")
    if "csv" in arguments:
        source = text(arguments, "csv")
    else:
        sample = text(arguments, "sample")
        if sample not in SAMPLES:
            raise Failed(f"no sample is called {sample}")
        with open(SAMPLES[sample], encoding="utf-8", newline="") as file:
            source = file.read()
    try:
        rows = list(csv.reader(io.StringIO(source, newline=""), strict=True))
    except csv.Error as error:
        raise Failed(f"not CSV: {error}") from error
    rows = [row for row in rows if row]
    if len(rows) < 2:
        raise Failed("a table has a header and at least one row")
    header = rows[0]
    if len(set(header)) < len(header):
        raise Failed("two columns have one name")
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(header):
            raise Failed(f"row {number} has {len(row)} cells, the header {len(header)}")
    return header, rows[1:]


def number(cell):
    """The number that a cell holds, or None."""
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def column(header, rows, name):
    if name not in header:
        raise Failed(f"no column is called {name}")
    at = header.index(name)
    return [row[at].strip() for row in rows]


def rounded(value):
    return float(f"{value:.10g}")


def describe_numbers(numbers):
    low, middle, high = statistics.quantiles(numbers, n=4, method="inclusive") if len(numbers) > 1 else numbers * 3
    return {
        "mean": rounded(statistics.fmean(numbers)),
        "deviation": rounded(statistics.stdev(numbers)) if len(numbers) > 1 else 0.0,
        "min": min(numbers),
        "quartiles": [rounded(low), rounded(middle), rounded(high)],
        "max": max(numbers),
    }


def describe_column(name, cells):
    present = [cell for cell in cells if cell]
    numbers = [number(cell) for cell in present]
    summary = {"name": name, "values": len(present), "missing": len(cells) - len(present)}
    if present and None not in numbers:
        return {**summary, "kind": "number", **describe_numbers(numbers)}
    counts = {}
    for cell in present:
        counts[cell] = counts.get(cell, 0) + 1
    common = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:VALUES_MAX]
    common = [{"value": value, "count": count} for value, count in common]
    return {**summary, "kind": "text", "distinct": len(counts), "common": common}


def describe(arguments):
    expect_only(arguments, ["csv", "sample", "group_by"])
    header, rows = read_table(arguments)
    if "group_by" in arguments:
        keys = column(header, rows, text(arguments, "group_by"))
        groups = {}
        for key, row in zip(keys, rows):
            groups.setdefault(key, []).append(row)
    else:
        groups = {None: rows}
    described = []
    for key in sorted(groups, key=str):
        columns = [describe_column(name, column(header, groups[key], name)) for name in header]
        described.append({**({} if key is None else {"group": key}), "rows": len(groups[key]), "columns": columns})
    names = ", ".join(header)
    return f"{len(rows)} rows of {names}", {"groups": described}


def correlate(arguments):
    expect_only(arguments, ["csv", "sample", "x", "y"])
    header, rows = read_table(arguments)
    x, y = text(arguments, "x"), text(arguments, "y")
    pairs = [(number(a), number(b)) for a, b in zip(column(header, rows, x), column(header, rows, y))]
    pairs = [pair for pair in pairs if None not in pair]
    try:
        xs, ys = zip(*pairs)
        correlation = statistics.correlation(xs, ys)
        slope, intercept = statistics.linear_regression(xs, ys)
    except (ValueError, statistics.StatisticsError) as error:
        raise Failed(f"{x} and {y} can't be correlated: too few numbers, or all equal") from error
    structured = {
        "rows": len(pairs),
        "correlation": rounded(correlation),
        "slope": rounded(slope),
        "intercept": rounded(intercept),
    }
    return f"correlation {structured['correlation']} in {len(pairs)} rows", structured


TOOLS = {"describe": describe, "correlate": correlate}


def refuse(request_id, code, message):
    return {"jsonrpc": "2.0", "id": request_id, "error": {"code": code, "message": message}}


def respond(request_bytes):
    try:
        request = json.loads(request_bytes)
    except (ValueError, RecursionError):
        return refuse(None, -32700, "the request is not JSON")
    if not isinstance(request, dict) or request.get("jsonrpc") != "2.0" or "id" not in request:
        return refuse(None, -32600, "not a request of JSON-RPC 2.0")
    request_id = request["id"]
    if request.get("method") != "tools/call":
        return refuse(request_id, -32601, "tools/call is the one method")
    params = request.get("params")
    tool = TOOLS.get(params.get("name")) if isinstance(params, dict) and isinstance(params.get("name"), str) else None
    if tool is None:
        return refuse(request_id, -32602, "there is no such tool")
    arguments = params.get("arguments", {})
    if not isinstance(arguments, dict):
        return refuse(request_id, -32602, "arguments is not an object")
    try:
        message, structured = tool(arguments)
    except Misfit as why:
        return refuse(request_id, -32602, str(why))
    except Failed as why:
        result = {"content": [{"type": "text", "text": str(why)}], "isError": True}
    else:
        result = {"content": [{"type": "text", "text": message}], "structuredContent": structured, "isError": False}
    return {"jsonrpc": "2.0", "id": request_id, "result": result}


print(json.dumps(respond(sys.stdin.buffer.read()), ensure_ascii=False))

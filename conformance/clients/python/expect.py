"""What every client is asked to see. A client's script makes its calls and hands the texts over."""

import json
import os

SERVER = os.environ["MPP_BIN"]
ARGUMENTS = ["serve"]
ENVIRONMENT = {"MPP_HOME": os.environ["MPP_HOME"], "PATH": os.environ["PATH"]}
TOOLS = sorted(json.loads(os.environ["MPP_TOOLS_INSTALLED"]))

GOOD = ("analyze", {"text": "one two two"})
REDACTED = ("contact", {})
BAD = ("analyze", {"text": 5})
MISSING = ("extract_lines", {"text": "x"})
DENIED = ("erase", {})
ENDLESS = ("forever", {})
SLOW = ("wait", {})


def holds(what, condition, shown=""):
    if not condition:
        raise SystemExit(f"not so: {what}: {str(shown)[:800]}")
    print(f"  {what}")


def listing(names):
    holds("the listing is complete", sorted(names) == TOOLS, sorted(names))


def good_text(text):
    holds("a call is answered", "words: 3" in text, text)


def good_structure(value):
    holds("its structured content is there", value and value["words"] == 3, value)


def redacted(shown):
    shown = str(shown)
    holds("an address is redacted everywhere", "[EMAIL]" in shown and "ann@" not in shown, shown)


def refused(text):
    """A call with bad arguments: the model has to be able to read what was wrong."""
    holds("bad arguments are explained", "INVALID REQUEST" in text and "/text" in text, text)


def denied(text):
    holds("a denial says so", text.lstrip("[{'\"").startswith("DENIED by MPP policy") or
          "DENIED by MPP policy" in text, text)


def progress(values):
    rising = all(one < other for one, other in zip(values, values[1:]))
    holds("progress comes and rises", len(values) >= 1 and rising, values)

"""Purpose: read JSON by spec/json.md, which is stricter than Python's own reader."""

import math
import re
from typing import Any

import limits

NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
PLAIN_TEXT = re.compile(r'[^"\\\x00-\x1f]*')
WHITE_SPACE = re.compile(r"[ \t\n\r]*")
HEX4 = re.compile(r"[0-9A-Fa-f]{4}")
ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
NAMES = {"true": True, "false": False, "null": None}
DEPTH_MAX = 127  # JSON-04, where a format states no limit of its own


class JsonError(ValueError):
    """The text breaks a rule of spec/json.md."""


class _Reader:
    def __init__(self, text: str, depth_max: int) -> None:
        self.text = text
        self.at = 0
        self.depth_max = depth_max
        self.values = 0

    def skip_space(self) -> None:
        match = WHITE_SPACE.match(self.text, self.at)
        if match:
            self.at = match.end()

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def take(self, expected: str) -> None:
        if not self.text.startswith(expected, self.at):
            raise JsonError(f"`{expected}` is missing at character {self.at}")
        self.at += len(expected)

    def count(self, values: int) -> None:
        # JSON-08
        self.values += values
        if self.values > limits.JSON_VALUES_COUNT_MAX:
            raise JsonError("too many values")

    def value(self, depth: int) -> Any:
        first = self.peek()
        if first in ("{", "["):
            # JSON-04
            if depth >= self.depth_max:
                raise JsonError(f"nested deeper than {self.depth_max}")
            return self.object(depth + 1) if first == "{" else self.array(depth + 1)
        if first == '"':
            return self.string()
        for name, value in NAMES.items():
            if self.text.startswith(name, self.at):
                self.at += len(name)
                return value
        return self.number()

    def object(self, depth: int) -> dict[str, Any]:
        self.count(16)
        self.take("{")
        self.skip_space()
        members: dict[str, Any] = {}
        if self.peek() == "}":
            self.at += 1
            return members
        while True:
            self.count(1)
            key = self.string()
            # JSON-02
            if key in members:
                raise JsonError(f"two members have the name {key!r}")
            self.skip_space()
            self.take(":")
            self.skip_space()
            members[key] = self.value(depth)
            self.skip_space()
            if self.peek() == "}":
                self.at += 1
                return members
            self.take(",")
            self.skip_space()

    def array(self, depth: int) -> list[Any]:
        self.take("[")
        self.skip_space()
        items: list[Any] = []
        if self.peek() == "]":
            self.at += 1
            return items
        while True:
            self.count(1)
            items.append(self.value(depth))
            self.skip_space()
            if self.peek() == "]":
                self.at += 1
                return items
            self.take(",")
            self.skip_space()

    def string(self) -> str:
        self.take('"')
        parts: list[str] = []
        while True:
            plain = PLAIN_TEXT.match(self.text, self.at)
            if plain:
                parts.append(plain.group())
                self.at = plain.end()
            if self.peek() == '"':
                self.at += 1
                return "".join(parts)
            # The end of the text and control characters fail here.
            self.take("\\")
            letter = self.peek()
            self.at += 1
            if letter == "u":
                parts.append(self.escaped_character())
            elif letter in ESCAPES:
                parts.append(ESCAPES[letter])
            else:
                raise JsonError(f"unknown escape at character {self.at}")

    def code_unit(self) -> int:
        match = HEX4.match(self.text, self.at)
        if not match:
            raise JsonError(f"four hexadecimal digits are missing at character {self.at}")
        self.at = match.end()
        return int(match.group(), 16)

    def escaped_character(self) -> str:
        unit = self.code_unit()
        # JSON-06
        if 0xDC00 <= unit <= 0xDFFF:
            raise JsonError("a low surrogate without a high one")
        if 0xD800 <= unit <= 0xDBFF:
            self.take("\\u")
            low = self.code_unit()
            if not 0xDC00 <= low <= 0xDFFF:
                raise JsonError("a high surrogate without a low one")
            unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00)
        return chr(unit)

    def number(self) -> int | float:
        match = NUMBER.match(self.text, self.at)
        if not match:
            raise JsonError(f"no JSON value at character {self.at}")
        self.at = match.end()
        text = match.group()
        # JSON-05. 64 bits have at most 20 characters, and Python refuses to convert very long texts to integers.
        digits = match.group(1) is None and match.group(2) is None and text != "-0"
        if digits and len(text) <= 20 and -(2**63) <= int(text) < 2**64:
            return int(text)
        double = float(text)
        if math.isinf(double):
            raise JsonError("a number beyond the largest double")
        return double


def parse(data: bytes, depth_max: int = DEPTH_MAX) -> Any:
    """The value of a JSON text: integers as int, other numbers as float."""
    # JSON-01: Python's strict decoder takes well-formed UTF-8 alone; a byte order mark is no value.
    try:
        text = data.decode("utf-8", "strict")
    except UnicodeDecodeError as error:
        raise JsonError("not UTF-8") from error
    reader = _Reader(text, depth_max)
    reader.skip_space()
    value = reader.value(0)
    reader.skip_space()
    # JSON-03
    if reader.at != len(text):
        raise JsonError(f"more than one value, at character {reader.at}")
    return value

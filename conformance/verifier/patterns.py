"""Purpose: which regular expressions are accepted (spec/patterns.md, Grammar). It matches nothing."""

import re
from dataclasses import dataclass

import limits

SPECIAL = frozenset("^$\\.*+?()[]{}|")
CLASS_ESCAPES = frozenset("dDwWsS")
CHARACTER_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "v": "\v"} | {c: c for c in "^$\\.*+?()[]{}|/"}
COUNTS = re.compile(r"\{([0-9]+)(,([0-9]*))?\}")
GROUP_NAME = re.compile(r"\(\?P?<([A-Za-z_][A-Za-z0-9_]*)>")
FLAGS = re.compile(r"\(\?([ims]*)(-[ims]+)?([:)])")


class PatternError(ValueError):
    """The expression does not follow spec/patterns.md."""


@dataclass
class Part:
    """What a piece of an expression contributes."""

    states: int
    may_be_empty: bool
    """Whether it can match without taking a character."""
    matches_nothing: bool
    """Whether it matches the text that has no character (PRIV-93)."""
    repeatable: bool = True


class _Parser:
    def __init__(self, text: str, privacy: bool) -> None:
        self.text = text
        self.at = 0
        self.privacy = privacy
        self.depth = 0
        self.names: set[str] = set()

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def accept(self, text: str) -> bool:
        found = self.text.startswith(text, self.at)
        self.at += len(text) * found
        return found

    def fail(self, why: str) -> PatternError:
        return PatternError(f"{why} at character {self.at}")

    def alternatives(self) -> Part:
        parts = [self.row()]
        while self.accept("|"):
            parts.append(self.row())
        # PAT-04: an alternative has 1 besides its parts.
        states = sum(part.states + 1 for part in parts)
        return Part(states, any(p.may_be_empty for p in parts), any(p.matches_nothing for p in parts))

    def row(self) -> Part:
        parts = []
        while self.peek() and self.peek() not in "|)":
            parts.append(self.repeated())
        states = sum(part.states for part in parts)
        return Part(states, all(p.may_be_empty for p in parts), all(p.matches_nothing for p in parts))

    def repeated(self) -> Part:
        part = self.single()
        least, most = 1, 1
        if self.accept("*"):
            least = 0
        elif self.accept("+"):
            pass
        elif self.accept("?"):
            least = 0
        elif counts := COUNTS.match(self.text, self.at):
            self.at = counts.end()
            least = int(counts.group(1))
            most = int(counts.group(3)) if counts.group(3) else least
            if most < least:
                raise self.fail("the counts of a repetition are in the wrong order")
        else:
            return part
        self.accept("?")
        # PAT-01: no repetition of what can match the empty text, of an anchor, or of a repetition.
        if not part.repeatable or part.may_be_empty:
            raise self.fail("a repetition of what can be empty")
        # PAT-04
        states = 2 + (part.states + 1) * max(1, most)
        return Part(states, least == 0, least == 0, repeatable=False)

    def single(self) -> Part:
        if self.accept("^") or self.accept("$"):
            return Part(1, True, True, repeatable=False)
        if self.accept("."):
            return Part(1, False, False)
        if self.accept("["):
            return self.character_class()
        if self.peek() == "(":
            return self.group()
        if self.accept("\\"):
            return self.escape()
        # PAT-01: a literal character. Also refuses repetitions of nothing or of a repetition.
        if self.peek() in SPECIAL:
            raise self.fail(f"unexpected {self.peek()!r}")
        self.at += 1
        return Part(1, False, False)

    def escape(self) -> Part:
        letter = self.peek()
        self.at += 1
        # PAT-02
        if self.privacy and letter and letter in "bBAz":
            return Part(1, True, letter != "b", repeatable=False)
        if letter in CLASS_ESCAPES or letter in CHARACTER_ESCAPES or (self.privacy and letter == "-"):
            return Part(1, False, False)
        raise self.fail("unknown escape")

    def group(self) -> Part:
        if name := GROUP_NAME.match(self.text, self.at):
            if not self.privacy or name.group(1) in self.names:
                raise self.fail("a named group")
            self.names.add(name.group(1))
            self.at = name.end()
        elif flags := FLAGS.match(self.text, self.at):
            letters = flags.group(1) + (flags.group(2) or "").replace("-", "")
            alone = flags.group(3) == ")"
            if len(set(letters)) != len(letters) or (letters and not self.privacy) or (alone and not letters):
                raise self.fail("flags")
            self.at = flags.end()
            if alone:
                return Part(0, True, True, repeatable=False)
        else:
            self.accept("(")
            if self.peek() == "?":
                raise self.fail("unknown group")
        # PAT-03
        self.depth += 1
        if self.depth > limits.PATTERN_DEPTH_MAX:
            raise self.fail("groups are nested too deep")
        inside = self.alternatives()
        if not self.accept(")"):
            raise self.fail("a group has no end")
        self.depth -= 1
        # PAT-04
        return Part(inside.states + 2, inside.may_be_empty, inside.matches_nothing)

    def character_class(self) -> Part:
        self.accept("^")
        items = 0
        while not self.accept("]"):
            # PAT-01
            if any(self.text.startswith(pair, self.at) for pair in ("[", "--", "&&", "~~")):
                raise self.fail("not allowed in a class")
            low = self.class_item()
            items += 1
            if self.peek() == "-" and self.text[self.at + 1 : self.at + 2] not in ("]", ""):
                if self.text.startswith("--", self.at):
                    raise self.fail("not allowed in a class")
                self.at += 1
                high = self.class_item()
                if low is None or high is None or low > high:
                    raise self.fail("the ends of a range")
        if items == 0:
            raise self.fail("an empty class")
        # PAT-04
        return Part(1 + items // 8, False, False)

    def class_item(self) -> str | None:
        """The character of one item, or None for an escape of several."""
        letter = self.peek()
        self.at += 1
        if letter == "\\":
            letter = self.peek()
            self.at += 1
            if letter in CLASS_ESCAPES:
                return None
            if letter == "-":
                return letter
            if letter in CHARACTER_ESCAPES:
                return CHARACTER_ESCAPES[letter]
            raise self.fail("unknown escape")
        if not letter or letter == "[":
            raise self.fail("a class has no end, or holds `[`")
        return letter


def check_pattern(text: str, privacy: bool) -> None:
    """PAT-01 to PAT-04, for a schema or for a privacy pattern, which also must not match the empty text (PRIV-93)."""
    parser = _Parser(text, privacy)
    whole = parser.alternatives()
    if parser.at != len(text):
        raise parser.fail("unexpected `)`")
    if whole.states > limits.PATTERN_STATES_MAX:
        raise PatternError(f"{whole.states} states")
    if privacy and whole.matches_nothing:
        raise PatternError("matches the empty text")

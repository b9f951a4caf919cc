"""Purpose: the rules about types, keys and lists that manifest, trust store and policy file share."""

from collections.abc import Iterable
from typing import Any

from refusal import Refusal


def pointer(parent: str, part: str | int) -> str:
    """The JSON pointer (RFC 6901) of a member or item."""
    return f"{parent}/{str(part).replace('~', '~0').replace('/', '~1')}"


class Shape:
    """Reads values of a document, and refuses others with the codes of that document."""

    def __init__(self, unknown_key: str, missing_key: str, wrong_type: str, bad_value: str) -> None:
        self.unknown_key = unknown_key
        self.missing_key = missing_key
        self.wrong_type = wrong_type
        self.bad_value = bad_value

    def bad(self, at: str, text: str) -> Refusal:
        return Refusal(self.bad_value, f"{at or 'the root'}: {text}")

    def wrong(self, at: str, wanted: str) -> Refusal:
        return Refusal(self.wrong_type, f"{at or 'the root'}: must be {wanted}")

    def unknown(self, at: str) -> Refusal:
        return Refusal(self.unknown_key, f"{at}: not a member of this object")

    def missing(self, at: str) -> Refusal:
        return Refusal(self.missing_key, f"{at}: is missing")

    def require(self, condition: bool, at: str, text: str) -> None:
        if not condition:
            raise self.bad(at, text)

    def object(self, value: Any, at: str, required: Iterable[str], optional: Iterable[str] = ()) -> dict[str, Any]:
        required = list(required)
        if not isinstance(value, dict):
            raise self.wrong(at, "an object")
        for key in value:
            if key not in required and key not in optional:
                raise self.unknown(pointer(at, key))
        for key in required:
            if key not in value:
                raise self.missing(pointer(at, key))
        return value

    def array(self, value: Any, at: str, least: int = 0, most: int | None = None) -> list[tuple[Any, str]]:
        """The items, each with its pointer."""
        if not isinstance(value, list):
            raise self.wrong(at, "an array")
        self.require(len(value) >= least, at, f"must have at least {least} items")
        self.require(most is None or len(value) <= most, at, f"must have at most {most} items")
        return [(item, pointer(at, index)) for index, item in enumerate(value)]

    def string(self, value: Any, at: str) -> str:
        if not isinstance(value, str):
            raise self.wrong(at, "a string")
        return value

    def boolean(self, value: Any, at: str) -> bool:
        if not isinstance(value, bool):
            raise self.wrong(at, "a boolean")
        return value

    def integer(self, value: Any, at: str, least: int, most: int) -> int:
        # MAN-06: what JSON-05 reads as an integer.
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.wrong(at, "an integer in digits alone, of at most 64 bits")
        self.require(least <= value <= most, at, f"must be {least} to {most}")
        return value

    def different(self, values: list[Any], at: str, text: str) -> None:
        self.require(len(set(values)) == len(values), at, text)

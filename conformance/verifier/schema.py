"""Purpose: which JSON Schemas a manifest may have (spec/manifest.md, section Schemas). It checks no values."""

from typing import Any

import limits
import patterns
import texts
from refusal import Refusal
from shape import Shape, pointer

UNSUPPORTED = "manifest.schema_unsupported"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")
COUNT_MAX = 2**32 - 1
NUMBER_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
COUNT_BOUNDS = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties")
ONE_SCHEMA = ("items", "additionalProperties", "propertyNames", "not")
SCHEMA_LISTS = ("prefixItems", "allOf", "anyOf", "oneOf")
SCHEMA_MAPS = ("properties", "$defs")
STRING_NOTES = ("title", "description", "format")
BOOLEANS = ("uniqueItems", "deprecated")
# SCH-04: the types that a keyword is about.
ABOUT = {
    ("integer", "number"): (*NUMBER_BOUNDS, "multipleOf"),
    ("string",): ("minLength", "maxLength", "pattern"),
    ("array",): ("items", "prefixItems", "minItems", "maxItems", "uniqueItems"),
    ("object",): ("properties", "additionalProperties", "propertyNames", "required", "minProperties", "maxProperties"),
}
# SCH-04: lower and upper bound, and whether the two may be equal.
BOUND_PAIRS = (
    ("minimum", "maximum", True),
    ("minimum", "exclusiveMaximum", False),
    ("exclusiveMinimum", "maximum", False),
    ("exclusiveMinimum", "exclusiveMaximum", False),
    ("minLength", "maxLength", True),
    ("minItems", "maxItems", True),
    ("minProperties", "maxProperties", True),
)
REFERENCE = "#/$defs/"


def same(value: Any) -> Any:
    """SCH-11: a key that is equal for equal values. Python compares int and float exactly (SCH-10)."""
    if isinstance(value, bool) or value is None:
        return ("name", str(value))
    if isinstance(value, (int, float)):
        return ("number", value)
    if isinstance(value, list):
        return ("array", tuple(map(same, value)))
    if isinstance(value, dict):
        return ("object", frozenset((key, same(item)) for key, item in value.items()))
    return ("string", value)


class SchemaReader:
    """Reads one root schema."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.definitions: dict[str, Any] = {}

    def read_root(self, value: Any, at: str) -> dict[str, Any]:
        # SCH-02
        if not isinstance(value, dict):
            raise self.shape.wrong(at, "an object")
        self.shape.require(value.get("type") == "object", at + "/type", 'must be "object"')
        definitions = value.get("$defs", {})
        if not isinstance(definitions, dict):
            raise self.shape.wrong(at + "/$defs", "an object")
        # SCH-05
        for name in definitions:
            if not texts.COMPONENT.fullmatch(name):
                raise Refusal(UNSUPPORTED, f"{pointer(at + '/$defs', name)}: must be made of A-Z a-z 0-9 . _ -")
        self.definitions = definitions
        self._read(value, at, at_root=True)
        heights: dict[str, int] = {}
        # SCH-07
        if self._height(value, heights, ()) > limits.SCHEMA_DEPTH_MAX:
            raise Refusal(UNSUPPORTED, f"{at}: deeper than {limits.SCHEMA_DEPTH_MAX} with its references")
        return value

    def _read(self, value: Any, at: str, at_root: bool = False) -> None:
        # SCH-01
        if isinstance(value, bool) and not at_root:
            return
        if not isinstance(value, dict):
            raise self.shape.wrong(at, "a schema")
        for keyword, inner in value.items():
            self._read_keyword(keyword, inner, pointer(at, keyword), at_root)
        self._check_contradictions(value, at)

    def _read_keyword(self, keyword: str, value: Any, at: str, at_root: bool) -> None:
        shape = self.shape
        if keyword == "type":
            self._read_type(value, at)
        elif keyword == "enum":
            items = [same(item) for item, _ in shape.array(value, at, least=1)]
            shape.different(items, at, "items must differ")
        elif keyword in NUMBER_BOUNDS:
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise shape.wrong(at, "a number")
        elif keyword == "multipleOf":
            shape.integer(value, at, 1, COUNT_MAX)
        elif keyword in COUNT_BOUNDS:
            shape.integer(value, at, 0, COUNT_MAX)
        elif keyword == "pattern":
            self._read_pattern(shape.string(value, at), at)
        elif keyword in ONE_SCHEMA:
            self._read(value, at)
        elif keyword in SCHEMA_LISTS:
            for item, place in shape.array(value, at, least=1):
                self._read(item, place)
        elif keyword == "properties" or (keyword == "$defs" and at_root):
            if not isinstance(value, dict):
                raise shape.wrong(at, "an object of schemas")
            for name, item in value.items():
                self._read(item, pointer(at, name))
        elif keyword == "required":
            names = [shape.string(item, place) for item, place in shape.array(value, at)]
            shape.different(names, at, "names must differ")
        elif keyword == "$ref":
            self._read_reference(shape.string(value, at), at)
        elif keyword == "$schema" and at_root:
            if shape.string(value, at) != DIALECT:
                raise Refusal(UNSUPPORTED, f"{at}: must be {DIALECT}")
        elif keyword in STRING_NOTES:
            shape.string(value, at)
        elif keyword in BOOLEANS:
            shape.boolean(value, at)
        elif keyword == "examples":
            shape.array(value, at)
        elif keyword not in ("const", "default"):
            # SCH-03
            raise Refusal(UNSUPPORTED, f"{at}: not a supported keyword here")

    def _read_type(self, value: Any, at: str) -> None:
        if isinstance(value, str):
            self.shape.require(value in TYPES, at, "must be a type")
            return
        types = [self.shape.string(item, place) for item, place in self.shape.array(value, at, 1, len(TYPES))]
        self.shape.require(all(item in TYPES for item in types), at, "must be types")
        self.shape.different(types, at, "types must differ")

    def _read_reference(self, value: str, at: str) -> None:
        # SCH-05
        if not value.startswith(REFERENCE):
            raise Refusal(UNSUPPORTED, f"{at}: must begin with {REFERENCE}")
        self.shape.require(value.removeprefix(REFERENCE) in self.definitions, at, "must lead to a definition")

    def _read_pattern(self, value: str, at: str) -> None:
        # SCH-08
        if texts.byte_count(value) > limits.LINE_BYTES_MAX:
            raise Refusal(UNSUPPORTED, f"{at}: too long")
        try:
            patterns.check_pattern(value, privacy=False)
        except patterns.PatternError as error:
            raise Refusal(UNSUPPORTED, f"{at}: {error}") from error

    def _check_contradictions(self, schema: dict[str, Any], at: str) -> None:
        # SCH-04
        for low, high, may_be_equal in BOUND_PAIRS:
            if low in schema and high in schema:
                right = schema[low] < schema[high] or (may_be_equal and schema[low] == schema[high])
                self.shape.require(right, at, f"{low} contradicts {high}")
        if "properties" in schema:
            for name in schema.get("required", []):
                self.shape.require(name in schema["properties"], at, f"required {name!r} is not among properties")
        if "type" in schema:
            own = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
            for types, keywords in ABOUT.items():
                for keyword in keywords:
                    fits = keyword not in schema or any(name in own for name in types)
                    self.shape.require(fits, pointer(at, keyword), "the type excludes this keyword")

    def _height(self, schema: Any, heights: dict[str, int], path: tuple[str, ...]) -> int:
        """How deep the schema is below itself. `heights` holds finished definitions, `path` those being followed."""
        if isinstance(schema, bool):
            return 0
        children: list[Any] = [schema[keyword] for keyword in ONE_SCHEMA if keyword in schema]
        for keyword in SCHEMA_LISTS:
            children += schema.get(keyword, [])
        for keyword in SCHEMA_MAPS:
            children += schema.get(keyword, {}).values()
        deepest = max([1 + self._height(child, heights, path) for child in children], default=0)
        if "$ref" in schema:
            name = schema["$ref"].removeprefix(REFERENCE)
            # SCH-07
            if name in path:
                raise Refusal(UNSUPPORTED, f"$ref to {name} leads back to itself")
            if name not in heights:
                if len(path) > limits.SCHEMA_DEPTH_MAX:
                    raise Refusal(UNSUPPORTED, "too many references in a row")
                heights[name] = self._height(self.definitions[name], heights, (*path, name))
            deepest = max(deepest, 1 + heights[name])
        return deepest

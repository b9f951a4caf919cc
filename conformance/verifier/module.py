"""Purpose: check 7, the module (spec/sandbox.md, section 1), except the bodies of functions."""

from dataclasses import dataclass, field

import limits
import wasi
from refusal import Refusal

PAGES_PER_MB = 16
PAGES_MAX = 65536
FUNCREF, EXTERNREF = 0x70, 0x6F
NUMBER_TYPES = frozenset((0x7F, 0x7E, 0x7D, 0x7C))
REFERENCE_TYPES = frozenset((FUNCREF, EXTERNREF))
FUNCTION, TABLE, MEMORY, GLOBAL = range(4)
# The order of sections in a module: data count (12) comes before code (10).
ORDER = (1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11)


def invalid(why: str) -> Refusal:
    return Refusal("module.invalid", why)


class _Bytes:
    """Reads values of the binary format from a part of the module."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def done(self) -> bool:
        return self.at == len(self.data)

    def byte(self) -> int:
        return self.take(1)[0]

    def take(self, count: int) -> bytes:
        part = self.data[self.at : self.at + count]
        if len(part) != count:
            raise invalid("a section ends early")
        self.at += count
        return part

    def unsigned(self) -> int:
        """LEB128 of 32 bits: at most five bytes, without bits beyond the 32nd."""
        value = 0
        for shift in range(0, 35, 7):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                if value >= 2**32:
                    break
                return value
        raise invalid("a number of more than 32 bits")

    def signed(self, bits: int) -> None:
        """Skips a signed LEB128 whose unused bits repeat the sign."""
        value, shift = 0, 0
        while shift < bits:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                if byte & 0x40:
                    value -= 1 << shift
                if -(2 ** (bits - 1)) <= value < 2 ** (bits - 1):
                    return
                break
        raise invalid(f"a number of more than {bits} bits")

    def count(self, most: int, what: str) -> int:
        """MOD-03: the length of a list."""
        count = self.unsigned()
        if count > most:
            raise Refusal("module.limit", f"{count} {what}, at most {most}")
        return count

    def name(self) -> str:
        try:
            return self.take(self.unsigned()).decode("utf-8")
        except UnicodeDecodeError as error:
            raise invalid("a name is not UTF-8") from error

    def value_type(self) -> int:
        value_type = self.byte()
        if value_type not in NUMBER_TYPES | REFERENCE_TYPES:
            raise invalid(f"the value type {value_type:#04x}")
        return value_type

    def reference_type(self) -> int:
        value_type = self.byte()
        if value_type not in REFERENCE_TYPES:
            raise invalid(f"the reference type {value_type:#04x}")
        return value_type

    def least_size(self, most: int) -> int:
        """The least size of a table or memory."""
        flags = self.byte()
        if flags not in (0, 1):
            raise invalid(f"the flags {flags:#04x} of a table or memory")
        least = self.unsigned()
        upper = self.unsigned() if flags else most
        if not least <= upper <= most:
            raise invalid("the size of a table or memory")
        return least


@dataclass
class Module:
    """What later sections and the rules of the specification refer to."""

    types: list[tuple[tuple[int, ...], tuple[int, ...]]] = field(default_factory=list)
    imports: list[tuple[str, str, int | None]] = field(default_factory=list)
    """Module, name, and the type of a function; None for anything else."""
    functions: list[int] = field(default_factory=list)
    """The types of all functions, those imported first."""
    defined: int = 0
    tables: list[int] = field(default_factory=list)
    memories: list[int] = field(default_factory=list)
    globals: list[tuple[int, bool]] = field(default_factory=list)
    """Value type, and whether the global is mutable."""
    imported_globals: int = 0
    exports: dict[str, tuple[int, int]] = field(default_factory=dict)
    table_elements: int = 0
    data_count: int | None = None
    data_segments: int = 0
    bodies: int = 0


def check_module(data: bytes, memory_limit_mb: int, has_network: bool) -> None:
    """Check 7."""
    # MOD-01
    if len(data) > limits.MODULE_BYTES_MAX:
        raise Refusal("module.too_large", f"{len(data)} bytes")
    module = _read(data)
    _check_imports(module, has_network)
    # MOD-11
    if module.exports.get("memory", (None, 0))[0] != MEMORY:
        raise Refusal("module.missing_export", "memory")
    # MOD-12
    kind, index = module.exports.get("_start", (None, 0))
    if kind != FUNCTION or module.types[module.functions[index]] != ((), ()):
        raise Refusal("module.missing_export", "_start")
    # MOD-13
    if module.memories[0] > memory_limit_mb * PAGES_PER_MB:
        raise Refusal("module.memory", f"{module.memories[0]} pages")


def _read(data: bytes) -> Module:
    # MOD-02
    if data[:8] != b"\0asm\x01\0\0\0":
        raise invalid("no WebAssembly module of version 1")
    reader = _Bytes(data)
    reader.at = 8
    module = Module()
    position = -1
    while not reader.done():
        number = reader.byte()
        section = _Bytes(reader.take(reader.unsigned()))
        if number == 0:
            section.name()
            continue
        # MOD-03, MOD-08
        if number > 12 or number == 8:
            raise invalid(f"a section {number}")
        if ORDER.index(number) <= position:
            raise invalid(f"section {number} is repeated or out of order")
        position = ORDER.index(number)
        if number == 9 and len(section.data) > limits.ELEMENT_SECTION_BYTES_MAX:
            # MOD-15
            raise Refusal("module.limit", "the section of element segments")
        SECTIONS[number](section, module)
        if not section.done():
            raise invalid(f"bytes at the end of section {number}")
    # MOD-07
    if module.bodies != module.defined:
        raise invalid("functions and bodies differ in number")
    if module.data_count is not None and module.data_count != module.data_segments:
        raise invalid("the data count is wrong")
    return module


def _read_types(section: _Bytes, module: Module) -> None:
    for _ in range(section.count(limits.TYPES_COUNT_MAX, "types")):
        # MOD-09
        if section.byte() != 0x60:
            raise invalid("a type that is no function type")
        parameters = section.count(limits.PARAMETERS_COUNT_MAX, "parameters")
        parameter_types = tuple(section.value_type() for _ in range(parameters))
        results = section.count(limits.RESULTS_COUNT_MAX, "results")
        module.types.append((parameter_types, tuple(section.value_type() for _ in range(results))))


def _read_type_index(section: _Bytes, module: Module) -> int:
    index = section.unsigned()
    if index >= len(module.types):
        raise invalid(f"no type {index}")
    return index


def _read_imports(section: _Bytes, module: Module) -> None:
    for _ in range(section.count(limits.IMPORTS_COUNT_MAX, "imports")):
        names = (section.name(), section.name())
        kind = section.byte()
        function_type = None
        if kind == FUNCTION:
            function_type = _read_type_index(section, module)
            module.functions.append(function_type)
        elif kind == TABLE:
            _read_table(section, module)
        elif kind == MEMORY:
            _read_memory(section, module)
        elif kind == GLOBAL:
            _read_global_type(section, module)
            module.imported_globals += 1
        else:
            raise invalid(f"an import of the kind {kind}")
        module.imports.append((*names, function_type))


def _check_imports(module: Module, has_network: bool) -> None:
    # MOD-10, DOOR-02
    allowed = {**wasi.WASI, **(wasi.NETWORK if has_network else {})}
    offenders = [
        f"{source}.{name}"
        for source, name, index in module.imports
        if index is None or allowed.get((source, name)) != module.types[index]
    ]
    if offenders:
        raise Refusal("module.unknown_import", ", ".join(offenders))


def _read_functions(section: _Bytes, module: Module) -> None:
    module.defined = section.count(limits.FUNCTIONS_COUNT_MAX, "functions")
    for _ in range(module.defined):
        module.functions.append(_read_type_index(section, module))


def _read_table(section: _Bytes, module: Module) -> None:
    module.tables.append(section.reference_type())
    module.table_elements += section.least_size(2**32 - 1)
    # MOD-05
    if module.table_elements > limits.TABLE_ELEMENTS_COUNT_MAX:
        raise Refusal("module.limit", f"{module.table_elements} elements of tables")


def _read_tables(section: _Bytes, module: Module) -> None:
    for _ in range(section.count(limits.TABLES_COUNT_MAX, "tables")):
        _read_table(section, module)


def _read_memory(section: _Bytes, module: Module) -> None:
    module.memories.append(section.least_size(PAGES_MAX))
    # MOD-03
    if len(module.memories) > 1:
        raise Refusal("module.limit", "more than one memory")


def _read_memories(section: _Bytes, module: Module) -> None:
    for _ in range(section.count(1, "memories")):
        _read_memory(section, module)


def _read_global_type(section: _Bytes, module: Module) -> None:
    value_type = section.value_type()
    mutable = section.byte()
    if mutable not in (0, 1):
        raise invalid("the mutability of a global")
    module.globals.append((value_type, mutable == 1))


def _read_globals(section: _Bytes, module: Module) -> None:
    for _ in range(section.count(limits.GLOBALS_COUNT_MAX, "globals")):
        _read_global_type(section, module)
        _read_constant(section, module, module.globals[-1][0])


def _read_constant(section: _Bytes, module: Module, expected: int) -> None:
    """A constant expression: one operator and the end. MOD-09 excludes extended ones."""
    operator = section.byte()
    if operator in (0x41, 0x42):
        section.signed(32 if operator == 0x41 else 64)
        found = 0x7F if operator == 0x41 else 0x7E
    elif operator in (0x43, 0x44):
        section.take(4 if operator == 0x43 else 8)
        found = 0x7D if operator == 0x43 else 0x7C
    elif operator == 0x23:
        index = section.unsigned()
        # Only imported immutable globals have a value before others are computed.
        if index >= module.imported_globals or module.globals[index][1]:
            raise invalid("a constant expression reads a global that is not imported and immutable")
        found = module.globals[index][0]
    elif operator == 0xD0:
        found = section.reference_type()
    elif operator == 0xD2:
        _read_function_index(section, module)
        found = FUNCREF
    else:
        raise invalid(f"the operator {operator:#04x} in a constant expression")
    if found != expected or section.byte() != 0x0B:
        raise invalid("a constant expression of another type, or with more than one operator")


def _read_function_index(section: _Bytes, module: Module) -> None:
    if section.unsigned() >= len(module.functions):
        raise invalid("a function that does not exist")


def _read_exports(section: _Bytes, module: Module) -> None:
    for _ in range(section.count(limits.EXPORTS_COUNT_MAX, "exports")):
        name, kind, index = section.name(), section.byte(), section.unsigned()
        if kind > GLOBAL:
            raise invalid(f"an export of the kind {kind}")
        existing = (module.functions, module.tables, module.memories, module.globals)[kind]
        if name in module.exports or index >= len(existing):
            raise invalid(f"the export {name!r} is repeated, or of nothing")
        module.exports[name] = (kind, index)


def _read_elements(section: _Bytes, module: Module) -> None:
    for _ in range(section.count(limits.ELEMENT_SEGMENTS_COUNT_MAX, "element segments")):
        # Bit 0: not active; bit 1: a table index, or declared; bit 2: expressions instead of functions.
        flags = section.unsigned()
        if flags > 7:
            raise invalid(f"the flags {flags} of an element segment")
        table = None
        if not flags & 1:
            table = section.unsigned() if flags & 2 else 0
            if table >= len(module.tables):
                raise invalid("an element segment of a table that does not exist")
            _read_constant(section, module, 0x7F)
        element_type = FUNCREF
        if flags & 3:
            if flags & 4:
                element_type = section.reference_type()
            elif section.byte() != 0:
                raise invalid("the kind of an element segment")
        if table is not None and module.tables[table] != element_type:
            raise invalid("an element segment of another type than its table")
        for _ in range(section.unsigned()):
            if flags & 4:
                _read_constant(section, module, element_type)
            else:
                _read_function_index(section, module)


def _read_data_count(section: _Bytes, module: Module) -> None:
    module.data_count = section.count(limits.DATA_SEGMENTS_COUNT_MAX, "data segments")


def _read_code(section: _Bytes, module: Module) -> None:
    module.bodies = section.unsigned()
    if module.bodies != module.defined:
        raise invalid("functions and bodies differ in number")
    for _ in range(module.bodies):
        size = section.unsigned()
        body = _Bytes(section.take(size))
        # MOD-04
        if size > limits.FUNCTION_BYTES_MAX:
            raise Refusal("module.limit", f"a function of {size} bytes")
        local_count = 0
        for _ in range(body.unsigned()):
            local_count += body.unsigned()
            body.value_type()
            if local_count > limits.LOCALS_COUNT_MAX:
                raise Refusal("module.limit", "the locals of a function")


def _read_data(section: _Bytes, module: Module) -> None:
    module.data_segments = section.count(limits.DATA_SEGMENTS_COUNT_MAX, "data segments")
    for _ in range(module.data_segments):
        flags = section.unsigned()
        if flags > 2:
            raise invalid(f"the flags {flags} of a data segment")
        if flags != 1:
            memory = section.unsigned() if flags == 2 else 0
            if memory >= len(module.memories):
                raise invalid("a data segment of a memory that does not exist")
            _read_constant(section, module, 0x7F)
        section.take(section.unsigned())


SECTIONS = {
    1: _read_types,
    2: _read_imports,
    3: _read_functions,
    4: _read_tables,
    5: _read_memories,
    6: _read_globals,
    7: _read_exports,
    9: _read_elements,
    10: _read_code,
    11: _read_data,
    12: _read_data_count,
}

"""Purpose: check 6, the manifest (spec/manifest.md; spec/package.md, section 4)."""

import re
from typing import Any

import json_strict
import limits
import patterns
import texts
import trust
from refusal import Refusal
from schema import SchemaReader
from shape import Shape, pointer

SHAPE = Shape("manifest.unknown_key", "manifest.missing_key", "manifest.wrong_type", "manifest.bad_value")
PRIVACY_PATTERN = "manifest.privacy_pattern"
# PRIV-01: the names of the built-in kinds, in the order of spec/privacy.md.
KINDS = (
    "private-key", "jwt", "api-key", "credential", "credit-card", "iban",
    "ssn", "itin", "aadhaar", "nhs-number", "npi", "sin", "aba-routing", "cpf", "cnpj", "nino", "codice-fiscale",
    "dni", "nie", "pesel", "bsn", "steuer-id", "personnummer", "india-pan", "nir", "ahv", "hetu",
    "email", "ip-address", "passport", "drivers-license", "date-of-birth", "phone",
)  # fmt: skip
REQUIRED = ("mpp_version", "id", "version", "name", "description", "runtime", "tools")
OPTIONAL = ("authors", "license", "homepage", "capabilities", "privacy_filters", "$schema")
PROTOCOLS = ("json-rpc", "mcp", "command")
LICENSE = re.compile(r"[A-Za-z0-9 .+():-]+")
HOMEPAGE = re.compile(r"https://([^/?#]*)([/?#][!#-;=?-\[\]_a-z~]*)?")
ENTRY = re.compile(r"[A-Za-z0-9._-]+\.wasm")
TOOL_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
CUSTOM_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,31}")
PLACEHOLDER = re.compile(r"\{(\??)([A-Za-z0-9_-]+)\}")
LIMITS = {
    "memory_limit_mb": limits.MEMORY_MB_MAX,
    "timeout_ms": limits.TIMEOUT_MS_MAX,
    "fuel": limits.FUEL_MAX,
    "output_limit_kb": limits.OUTPUT_KB_MAX,
}
ARGUMENT_TYPES = frozenset({"string", "integer", "number", "boolean"})
STDIN_TYPES = ARGUMENT_TYPES | {"array", "object"}


def check_manifest(data: bytes, module_name: str, signers: list[trust.Key], store: trust.TrustStore) -> dict[str, Any]:
    """Check 6: the manifest, and its rules about package and trust store."""
    manifest = read_manifest(data)
    # GATE-03
    entry = manifest["runtime"].get("entry", "tool.wasm")
    if entry != module_name:
        raise Refusal("manifest.entry_missing", f"/runtime/entry: the module is {module_name}")
    # GATE-05
    package_id, version = manifest["id"], manifest["version"]
    if not any(texts.covers(namespace, package_id) for signer in signers for namespace in signer.namespaces):
        raise Refusal("manifest.namespace", f"/id: no namespace of a signer covers {package_id}")
    trust.check_approval(store, signers, package_id)
    # GATE-06
    seen = store.versions.get(package_id)
    if seen is not None and texts.version_order(version) < texts.version_order(seen):
        raise Refusal("manifest.downgrade", f"/version: {seen} was seen")
    return manifest


def read_manifest(data: bytes) -> dict[str, Any]:
    # MAN-01
    if len(data) > limits.MANIFEST_BYTES_MAX:
        raise Refusal("manifest.syntax", "too large")
    try:
        document = json_strict.parse(data, limits.MANIFEST_DEPTH_MAX)
    except json_strict.JsonError as error:
        raise Refusal("manifest.syntax", str(error)) from error
    if not isinstance(document, dict):
        raise SHAPE.wrong("", "an object")
    # MAN-09
    if "mpp_version" not in document:
        raise SHAPE.missing("/mpp_version")
    version = SHAPE.string(document["mpp_version"], "/mpp_version")
    SHAPE.require(version == "1.0", "/mpp_version", 'must be "1.0"')
    # MAN-02, MAN-03
    SHAPE.object(document, "", REQUIRED, OPTIONAL)
    _check_characters(document, "")
    _read_top(document)
    protocol = _read_runtime(document["runtime"], "/runtime")
    _read_capabilities(document.get("capabilities", {}), "/capabilities")
    _read_tools(document["tools"], "/tools", protocol)
    read_privacy_filters(document.get("privacy_filters", {}), "/privacy_filters")
    return document


def _check_characters(value: Any, at: str) -> None:
    # MAN-07
    if isinstance(value, str):
        SHAPE.require(not texts.has_hidden(value, "\n\t"), at, "holds a hidden character")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check_characters(item, pointer(at, index))
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_characters(key, pointer(at, key))
            _check_characters(item, pointer(at, key))


def _read_top(document: dict[str, Any]) -> None:
    package_id = SHAPE.string(document["id"], "/id")
    # MAN-10
    SHAPE.require(texts.is_package_id(package_id), "/id", "must be a reverse domain name")
    # MAN-11
    version = SHAPE.string(document["version"], "/version")
    SHAPE.require(texts.is_version(version), "/version", "must be a version without build metadata")
    read_line(SHAPE, document["name"], "/name")
    _read_text(document["description"], "/description")
    read_list(SHAPE, document.get("authors", []), "/authors", read_line)
    if "license" in document:
        # MAN-13
        spdx = LICENSE.fullmatch(read_line(SHAPE, document["license"], "/license"))
        SHAPE.require(spdx is not None, "/license", "must be an SPDX expression")
    if "homepage" in document:
        # MAN-14
        homepage = SHAPE.string(document["homepage"], "/homepage")
        parts = HOMEPAGE.fullmatch(homepage)
        right = parts is not None and texts.is_host(parts.group(1)) and len(homepage) <= limits.LINE_BYTES_MAX
        SHAPE.require(right, "/homepage", "must be an https address")
    # MAN-45
    SHAPE.string(document.get("$schema", ""), "/$schema")


def read_line(shape: Shape, value: Any, at: str) -> str:
    """MAN-08"""
    line = shape.string(value, at)
    shape.require(texts.is_line(line), at, "must be a line")
    return line


def _read_text(value: Any, at: str) -> None:
    # MAN-08
    SHAPE.require(texts.is_text(SHAPE.string(value, at)), at, "must be a text")


def read_list(shape: Shape, value: Any, at: str, read: Any) -> list[Any]:
    """MAN-12"""
    items = [read(shape, item, place) for item, place in shape.array(value, at, 0, limits.LIST_COUNT_MAX)]
    shape.different(items, at, "items must differ")
    return items


def _read_runtime(value: Any, at: str) -> str:
    runtime = SHAPE.object(value, at, ("target",), ("entry", "protocol", "args", *LIMITS))
    # MAN-15
    target = SHAPE.string(runtime["target"], at + "/target")
    SHAPE.require(target == "wasm32-wasip1", at + "/target", 'must be "wasm32-wasip1"')
    # MAN-16
    entry = SHAPE.string(runtime.get("entry", "tool.wasm"), at + "/entry")
    right = ENTRY.fullmatch(entry) is not None and len(entry) <= limits.NAME_BYTES_MAX
    SHAPE.require(right, at + "/entry", "must be the file name of a module")
    # MAN-17
    protocol = SHAPE.string(runtime.get("protocol", "json-rpc"), at + "/protocol")
    SHAPE.require(protocol in PROTOCOLS, at + "/protocol", "must be a protocol")
    # MAN-27
    for argument, place in SHAPE.array(runtime.get("args", []), at + "/args", 0, limits.LIST_COUNT_MAX):
        _read_word(argument, place)
    # MAN-18, MAN-06
    for name, most in LIMITS.items():
        if name in runtime:
            SHAPE.integer(runtime[name], pointer(at, name), 1, most)
    return protocol


def _read_word(value: Any, at: str) -> str:
    word = SHAPE.string(value, at)
    SHAPE.require(texts.byte_count(word) <= limits.DESCRIPTION_BYTES_MAX, at, "is too long")
    return word


def read_host(shape: Shape, value: Any, at: str) -> str:
    """MAN-20, MAN-21"""
    host = shape.string(value, at)
    shape.require(texts.is_host(host), at, "must be a host")
    return host


def read_variable(shape: Shape, value: Any, at: str) -> str:
    """MAN-25"""
    name = shape.string(value, at)
    shape.require(texts.VARIABLE.fullmatch(name) is not None, at, "must be the name of a variable")
    return name


def read_guest_directory(shape: Shape, value: Any, at: str) -> str:
    """MAN-22, MAN-24"""
    directory = shape.string(value, at)
    shape.require(texts.is_guest_directory(directory), at, "must be a guest directory")
    return directory


def _read_capabilities(value: Any, at: str) -> None:
    SHAPE.object(value, at, (), ("network", "filesystem", "environment", "storage"))
    read_list(SHAPE, value.get("network", []), at + "/network", read_host)
    read_list(SHAPE, value.get("environment", []), at + "/environment", read_variable)
    filesystem = SHAPE.object(value.get("filesystem", {}), at + "/filesystem", (), ("read", "write"))
    directories = []
    for name in ("read", "write"):
        place = f"{at}/filesystem/{name}"
        for item, item_at in SHAPE.array(filesystem.get(name, []), place, 0, limits.LIST_COUNT_MAX):
            directories.append(read_guest_directory(SHAPE, item, item_at))
    # MAN-23. With a slash at the end, a path inside another starts with it.
    ordered = sorted(directory.rstrip("/") + "/" for directory in directories)
    for first, second in zip(ordered, ordered[1:]):
        SHAPE.require(not second.startswith(first), at + "/filesystem", "directories are equal or inside each other")
    if "storage" in value:
        # MAN-26
        storage = SHAPE.object(value["storage"], at + "/storage", ("limit_kb",))
        SHAPE.integer(storage["limit_kb"], at + "/storage/limit_kb", 1, limits.STORAGE_KB_MAX)


def _read_tools(value: Any, at: str, protocol: str) -> None:
    names = []
    # MAN-29
    for tool, place in SHAPE.array(value, at, 1, limits.TOOLS_COUNT_MAX):
        _read_tool(tool, place, protocol)
        names.append(tool["name"].lower())
    # MAN-31
    SHAPE.different(names, at, "names are equal after lower-casing")


def _read_tool(tool: Any, at: str, protocol: str) -> None:
    required = ["name", "description", "parameters", "sensitivity"]
    # MAN-37
    if protocol == "command":
        SHAPE.object(tool, at, [*required, "command"])
    else:
        SHAPE.object(tool, at, required, ("calls", "returns"))
    # MAN-30
    right = TOOL_NAME.fullmatch(SHAPE.string(tool["name"], at + "/name")) is not None
    SHAPE.require(right, at + "/name", "must be the name of a tool")
    # MAN-46
    if "calls" in tool:
        read_line(SHAPE, tool["calls"], at + "/calls")
    _read_text(tool["description"], at + "/description")
    # MAN-34
    sensitivity = SHAPE.string(tool["sensitivity"], at + "/sensitivity")
    SHAPE.require(sensitivity in ("read", "write", "destructive"), at + "/sensitivity", "must be a sensitivity")
    # MAN-32, MAN-33
    parameters = SchemaReader(SHAPE).read_root(tool["parameters"], at + "/parameters")
    if "returns" in tool:
        SchemaReader(SHAPE).read_root(tool["returns"], at + "/returns")
    if "command" in tool:
        _read_command(tool["command"], at + "/command", parameters.get("properties", {}))


def _read_command(command: Any, at: str, properties: dict[str, Any]) -> None:
    # MAN-38
    SHAPE.object(command, at, (), ("args", "stdin", "ok_exit_codes"))
    used: set[str] = set()
    for item, place in SHAPE.array(command.get("args", []), at + "/args", 0, limits.LIST_COUNT_MAX):
        # MAN-39
        if not isinstance(item, list):
            _read_command_word(item, place, properties, used, in_group=False)
            continue
        words = SHAPE.array(item, place, 2, limits.COMMAND_GROUP_COUNT_MAX)
        names = [_read_command_word(word, word_at, properties, used, in_group=True) for word, word_at in words]
        SHAPE.require(any(names), place, "a group must have a placeholder or condition")
    if "stdin" in command:
        # MAN-43
        stdin = SHAPE.string(command["stdin"], at + "/stdin")
        match = PLACEHOLDER.fullmatch(stdin)
        if match is None or match.group(1):
            raise SHAPE.bad(at + "/stdin", "must be one placeholder")
        _check_property(match.group(2), at + "/stdin", properties, STDIN_TYPES)
        used.add(match.group(2))
    if "ok_exit_codes" in command:
        # MAN-47
        codes = SHAPE.array(command["ok_exit_codes"], at + "/ok_exit_codes", 1, 256)
        numbers = [SHAPE.integer(code, place, 0, 255) for code, place in codes]
        SHAPE.different(numbers, at + "/ok_exit_codes", "must differ")
    # MAN-44
    for name in properties:
        SHAPE.require(name in used, at, f"nothing names the property {name!r}")


def _read_command_word(value: Any, at: str, properties: dict[str, Any], used: set[str], in_group: bool) -> bool:
    """Whether the word is a placeholder or condition."""
    # MAN-40
    word = _read_word(value, at)
    if match := PLACEHOLDER.fullmatch(word):
        condition, name = bool(match.group(1)), match.group(2)
        SHAPE.require(in_group or not condition, at, "a condition is allowed only in a group")
        _check_property(name, at, properties, {"boolean"} if condition else ARGUMENT_TYPES)
        used.add(name)
        return True
    # MAN-41
    for match in PLACEHOLDER.finditer(word):
        SHAPE.require(match.group(2) not in properties, at, "a placeholder must be a whole word")
    return False


def _check_property(name: str, at: str, properties: dict[str, Any], allowed: set[str] | frozenset[str]) -> None:
    # MAN-42
    schema = properties.get(name)
    types = schema.get("type") if isinstance(schema, dict) else None
    types = [types] if isinstance(types, str) else types or []
    SHAPE.require(
        bool(types) and set(types) <= allowed,
        at,
        f"the property {name!r} must exist and have a type of {sorted(allowed)}",
    )


def read_privacy_filters(
    value: Any, at: str, shape: Shape = SHAPE, code: str = PRIVACY_PATTERN, more: tuple[str, ...] = ()
) -> None:
    """Also reads those of a policy file, with its codes and its further members."""
    shape.object(value, at, (), ("patterns", "custom", *more))

    # MAN-35, GATE-04
    def read_kind(shape: Shape, item: Any, place: str) -> str:
        kind = read_line(shape, item, place)
        if kind not in KINDS:
            raise Refusal(code, f"{place}: no built-in kind")
        return kind

    read_list(shape, value.get("patterns", []), at + "/patterns", read_kind)
    names = []
    # MAN-36, PRIV-91
    for custom, place in shape.array(value.get("custom", []), at + "/custom", 0, limits.LIST_COUNT_MAX):
        shape.object(custom, place, ("name", "pattern"))
        name = shape.string(custom["name"], place + "/name")
        shape.require(CUSTOM_NAME.fullmatch(name) is not None, place + "/name", "must be a label")
        names.append(name)
        try:
            # PRIV-92, PRIV-93
            patterns.check_pattern(read_line(shape, custom["pattern"], place + "/pattern"), privacy=True)
        except patterns.PatternError as error:
            raise Refusal(code, f"{place}/pattern: {error}") from error
    shape.different(names, at + "/custom", "names must differ")

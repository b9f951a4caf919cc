"""Purpose: read a policy file (spec/policy.md, section The policy file). Decisions are not part of this verifier."""

import ipaddress
import re
from collections.abc import Callable
from typing import Any

import json_strict
import limits
import manifest
import texts
import trust
from refusal import Refusal
from shape import Shape, pointer

FORMAT = "mpp-policy/1"
INVALID = "policy.invalid"
SHAPE = Shape(*[INVALID] * 4)
U32_MAX, U64_MAX = 2**32 - 1, 2**64 - 1
CAPABILITIES = ("network", "filesystem.read", "filesystem.write", "environment", "storage", "destructive")
LEVELS = ("none", "low", "medium", "high", "critical")
REPLACEMENTS = ("label", "numbered", "last-four", "pseudonym")
CEILINGS = {"memory_limit_mb": U32_MAX, "timeout_ms": U32_MAX, "output_limit_kb": U32_MAX, "fuel": U64_MAX}
HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")
RESERVED_HEADERS = (
    "connection", "content-length", "expect", "host", "http2-settings", "keep-alive", "te", "trailer",
    "transfer-encoding", "upgrade", "via",
)  # fmt: skip
PRINTABLE = re.compile(r"[ -~]+")
ABSOLUTE = re.compile(r"/|\\\\|[A-Za-z]:[/\\]")
BITS = re.compile(r"0|[1-9][0-9]{0,2}")

Reader = Callable[[Any, str], None]


def _text(right: Callable[[str], object], what: str) -> Reader:
    """A reader of strings of one form."""

    def read(value: Any, at: str) -> None:
        SHAPE.require(bool(right(SHAPE.string(value, at))), at, f"must be {what}")

    return read


def _integer(least: int, most: int) -> Reader:
    return lambda value, at: (SHAPE.integer(value, at, least, most), None)[1]


def _list(read: Reader, least: int = 0, most: int | None = None) -> Reader:
    def read_list(value: Any, at: str) -> None:
        for item, place in SHAPE.array(value, at, least, most):
            read(item, place)

    return read_list


def _object(required: dict[str, Reader], optional: dict[str, Reader], check: Reader | None = None) -> Reader:
    def read_object(value: Any, at: str) -> None:
        SHAPE.object(value, at, required, optional)
        for name, item in value.items():
            (required.get(name) or optional[name])(item, pointer(at, name))
        if check:
            check(value, at)

    return read_object


def _is_denied_host(text: str) -> bool:
    # POLICY-04: letter case and a final dot do not count. A sign outside ASCII can have a small letter in it.
    name, colon, port = text.partition(":")
    return text.isascii() and texts.is_domain(name.lower().removesuffix(".")) and (not colon or texts.is_port(port))


def _is_network(text: str) -> bool:
    address, slash, bits = text.partition("/")
    if not slash or not BITS.fullmatch(bits) or "%" in address:
        return False
    try:
        ipaddress.ip_network(text, strict=True)
    except ValueError:
        return False
    return True


def _is_header_name(text: str) -> bool:
    # DOOR-32
    return bool(HEADER_NAME.fullmatch(text)) and text not in RESERVED_HEADERS and not text.startswith("proxy-")


def _is_header_value(text: str) -> bool:
    # DOOR-33
    return bool(PRINTABLE.fullmatch(text)) and text.strip(" ") == text


def _is_prefix(text: str) -> bool:
    return bool(PRINTABLE.fullmatch(text)) and text[0] != " " and len(text) <= limits.SECRET_PREFIX_BYTES_MAX


def _is_visible_line(text: str) -> bool:
    return texts.is_line(text) and not texts.has_hidden(text)


def _is_agent_name(text: str) -> bool:
    # POLICY-10: a longer name could never be given (RUN-11).
    return _is_visible_line(text) and len(text) <= limits.AGENT_NAME_CHARS_MAX


def _is_absolute(text: str) -> bool:
    # POLICY-22
    return ABSOLUTE.match(text) is not None and "\0" not in text


def _one_source(value: Any, at: str) -> None:
    # POLICY-14
    SHAPE.require(("value" in value) != ("secret" in value), at, "must have either value or secret")
    SHAPE.require("prefix" not in value or "secret" in value, at, "prefix is only beside secret")


def _command(value: Any, at: str) -> None:
    # SECRET-14
    _list(_text(lambda word: "\0" not in word, "a text without NUL"), 1, 64)(value, at)
    SHAPE.require(_is_absolute(value[0]), at, "the first must be an absolute path")


def _is_tool_rule(text: str) -> bool:
    # POLICY-23
    namespace, slash, tool = text.partition("/")
    return texts.is_namespace(namespace) and (not slash or manifest.TOOL_NAME.fullmatch(tool) is not None)


def _names(value: Any, at: str) -> None:
    # POLICY-24
    SHAPE.require(isinstance(value, dict), at, "must be an object")
    taken = set()
    for tool, name in value.items():
        place = pointer(at, tool)
        package, slash, _ = tool.partition("/")
        SHAPE.require(bool(slash) and texts.is_package_id(package) and _is_tool_rule(tool), place, "must be ID/TOOL")
        SHAPE.require(bool(manifest.TOOL_NAME.fullmatch(SHAPE.string(name, place))), place, "must be a tool's name")
        taken.add(name.lower().replace("-", "_"))
    SHAPE.require(len(taken) == len(value), at, "names two tools alike")


BOOLEAN: Reader = lambda value, at: (SHAPE.boolean(value, at), None)[1]  # noqa: E731
NAMESPACE = _text(texts.is_namespace, "a namespace")
HOST = _text(texts.is_host, "a host")
VARIABLE = _text(lambda text: texts.VARIABLE.fullmatch(text), "the name of a variable")
# POLICY-11
PACKAGES = {"packages": _list(NAMESPACE, least=1)}
KIND = _text(lambda text: text in manifest.KINDS, "a built-in kind")

KEEP = {
    "values": _list(_text(_is_visible_line, "a value on one line")),
    "networks": _list(_text(_is_network, "a network")),
    "mail_domains": _list(_text(lambda text: texts.is_domain(text) and "." in text, "a host name with a dot")),
    "loopback": BOOLEAN,
}


def _privacy_filters(value: Any, at: str) -> None:
    manifest.read_privacy_filters(value, at, SHAPE, INVALID, ("keep", "except"))
    _object({}, KEEP)(value.get("keep", {}), at + "/keep")
    _list(_object({"kinds": _list(KIND, least=1)}, PACKAGES))(value.get("except", []), at + "/except")


# POLICY-10: the table of the page.
TOP = {
    "trusted_packages": _list(_text(texts.is_package_id, "a package id")),
    "trusted_publishers": _list(_text(trust.is_publisher_name, "a publisher's name")),
    "auto_approve_low": BOOLEAN,
    "ask_always": BOOLEAN,
    "non_interactive": BOOLEAN,
    "real_clock": BOOLEAN,
    "real_random": BOOLEAN,
    "signers_required": _integer(1, limits.SIGNATURES_COUNT_MAX),
    "token_lifetime_s": _integer(1, limits.TOKEN_LIFETIME_S_MAX),
    "deny": _object(
        {},
        {
            "packages": _list(NAMESPACE),
            "capabilities": _list(_text(lambda text: text in CAPABILITIES, "a kind of capability")),
            "hosts": _list(_text(_is_denied_host, "a host name with an optional port")),
        },
    ),
    "ceilings": _object({}, {name: _integer(1, most) for name, most in CEILINGS.items()}),
    "directories": _list(
        _object(
            {
                "guest": _text(texts.is_guest_directory, "a guest directory"),
                "host": _text(_is_absolute, "an absolute path"),
            },
            {"read_only": BOOLEAN, **PACKAGES},
        )
    ),
    "secrets_command": _command,
    "environment": _list(
        _object(
            {"name": VARIABLE},
            {"value": _text(lambda text: "\0" not in text, "a text without NUL"), "secret": VARIABLE, **PACKAGES},
            _one_source,
        )
    ),
    "network": _object(
        {},
        {
            "plain_http": _list(_text(lambda text: texts.is_host(text) and ":" in text, "a host with a port")),
            "private_addresses": _list(HOST),
            "headers": _list(
                _object(
                    {"host": HOST, "name": _text(_is_header_name, "the name of a header")},
                    {
                        "value": _text(_is_header_value, "the value of a header"),
                        "secret": VARIABLE,
                        "prefix": _text(_is_prefix, "a prefix"),
                        **PACKAGES,
                    },
                    _one_source,
                )
            ),
        },
    ),
    "privacy_filters": _privacy_filters,
    "privacy_replacement": _text(lambda text: text in REPLACEMENTS, "a replacement"),
    "agents": _list(_object({"names": _list(_text(_is_agent_name, "an agent's name"), least=1)}, PACKAGES)),
    "names": _names,
    "tools": _object(
        {},
        {
            "allow": _list(_text(_is_tool_rule, "a namespace, or with a tool"), least=1),
            "deny": _list(_text(_is_tool_rule, "a namespace, or with a tool")),
        },
    ),
    "consent": _object(
        {},
        {
            "wait_s": _integer(0, limits.CONSENT_WAIT_S_MAX),
            "elicitation": _text(lambda text: text in LEVELS, "a level"),
            "remember": BOOLEAN,
        },
    ),
    "budgets": _object({}, {name: _integer(1, U32_MAX) for name in ("guest_memory_mb", "code_mb", "descriptors")}),
}


def _check_top(value: Any, at: str) -> None:
    # POLICY-16
    both = value.get("ask_always", False) and value.get("auto_approve_low", False)
    SHAPE.require(not both, at, "ask_always and auto_approve_low are both true")


def read_policy(data: bytes) -> None:
    if len(data) > limits.POLICY_FILE_BYTES_MAX:
        raise Refusal(INVALID, "too large")
    try:
        document = json_strict.parse(data, limits.HOST_FILE_DEPTH_MAX)
    except json_strict.JsonError as error:
        raise Refusal(INVALID, str(error)) from error
    _object({"format": _text(lambda text: text == FORMAT, FORMAT)}, TOP, _check_top)(document, "")

"""Purpose: the forms of texts that several pages share: names, hosts, paths, versions, times, hidden characters."""

import calendar
import re

import limits

# MAN-07: characters that are invisible or turn the direction of text.
HIDDEN_RANGES = (
    (0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F),
    (0x200B, 0x200B), (0x200E, 0x200F), (0x2028, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0D),
    (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFFB), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
)  # fmt: skip
CONTROL_RANGES = ((0x00, 0x1F), (0x7F, 0x9F))
# MAN-08: the Unicode property White_Space. Python's isspace has more.
WHITE_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))

LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
HEX64 = re.compile(r"[0-9a-f]{64}")
PORT = re.compile(r"[1-9][0-9]{0,4}")
COMPONENT = re.compile(r"[A-Za-z0-9._-]+")
TIME = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})Z")
MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
NUMERIC = r"(?:0|[1-9][0-9]*)"
PRERELEASE_PART = rf"(?:{NUMERIC}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
VERSION = re.compile(rf"({NUMERIC})\.({NUMERIC})\.({NUMERIC})(?:-({PRERELEASE_PART}(?:\.{PRERELEASE_PART})*))?")


def _character_class(ranges: tuple[tuple[int, int], ...]) -> str:
    return "".join(f"{re.escape(chr(low))}-{re.escape(chr(high))}" for low, high in ranges)


HIDDEN = re.compile(f"[{_character_class(HIDDEN_RANGES + CONTROL_RANGES)}]")


def has_hidden(text: str, allowed: str = "") -> bool:
    """MAN-07: whether the text has a control or hidden character other than those allowed."""
    return any(match.group() not in allowed for match in HIDDEN.finditer(text))


def has_outer_space(text: str) -> bool:
    return text.strip(WHITE_SPACE) != text


def byte_count(text: str) -> int:
    return len(text.encode("utf-8"))


def is_text(text: str, bytes_max: int = limits.DESCRIPTION_BYTES_MAX) -> bool:
    """MAN-08"""
    return 1 <= byte_count(text) <= bytes_max and not has_outer_space(text)


def is_line(text: str) -> bool:
    """MAN-08"""
    return is_text(text, limits.LINE_BYTES_MAX) and "\n" not in text and "\t" not in text


def is_id_label(text: str) -> bool:
    return LABEL.fullmatch(text) is not None and not text.startswith("xn--")


def is_package_id(text: str) -> bool:
    """MAN-10"""
    labels = text.split(".")
    return len(labels) >= 2 and len(text) <= 128 and all(map(is_id_label, labels))


def is_namespace(text: str) -> bool:
    """TRUST-03, TRUST-06"""
    return text == "*" or (len(text) <= 255 and all(map(is_id_label, text.split("."))))


def covers(namespace: str, package_id: str) -> bool:
    """TRUST-06"""
    return namespace == "*" or package_id == namespace or package_id.startswith(namespace + ".")


def is_domain(text: str) -> bool:
    """MAN-20"""
    labels = text.split(".")
    return len(text) <= 253 and all(map(LABEL.fullmatch, labels)) and labels[-1][0].isalpha()


def is_port(text: str) -> bool:
    return PORT.fullmatch(text) is not None and int(text) <= 65535


def is_host(text: str) -> bool:
    """MAN-20, MAN-21"""
    name, colon, port = text.partition(":")
    return is_domain(name) and (not colon or (is_port(port) and port != "443"))


def is_guest_directory(text: str) -> bool:
    """MAN-22, MAN-24"""
    if text == "/":
        return True
    if not text.startswith("/") or len(text) > 255:
        return False
    parts = text[1:].split("/")
    if len(parts) > limits.NAME_DEPTH_MAX or parts[0] in ("assets", "storage"):
        return False
    return all(COMPONENT.fullmatch(part) and part.strip(".") for part in parts)


def is_version(text: str) -> bool:
    """MAN-11"""
    if len(text) > 64 or not VERSION.fullmatch(text):
        return False
    core, _, prerelease = text.partition("-")
    parts = core.split(".") + prerelease.split(".")
    return all(int(part) < 2**64 for part in parts if part.isdigit())


def version_order(text: str) -> tuple[object, ...]:
    """A key that sorts versions as Semantic Versioning 2.0.0, section 11."""
    match = VERSION.fullmatch(text)
    if match is None:
        raise ValueError("not a version")
    parts = match.group(4).split(".") if match.group(4) else []
    # Numbers sort below other parts, and no part at all sorts above any.
    order = [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts]
    return (int(match.group(1)), int(match.group(2)), int(match.group(3)), not parts, order)


def is_content_hash(text: str) -> bool:
    """HASH-02"""
    return text.startswith("sha256:") and HEX64.fullmatch(text[7:]) is not None


def is_time(text: str) -> bool:
    """SIG-05: the form, and a second from 1970 to 9999."""
    match = TIME.fullmatch(text)
    if match is None:
        return False
    year, month, day, hour, minute, second = map(int, match.groups())
    if year < 1970 or not 1 <= month <= 12 or hour > 23 or minute > 59 or second > 59:
        return False
    return 1 <= day <= MONTH_DAYS[month - 1] + (month == 2 and calendar.isleap(year))

"""Purpose: check 1, the archive (spec/package.md, section 1): a ZIP file with exactly one reading."""

import re
import struct
import zlib
from dataclasses import dataclass

import limits
from refusal import Refusal

END_RECORD = struct.Struct("<4s4H2IH")
CENTRAL_HEADER = struct.Struct("<4s6H3I5H2I")
LOCAL_HEADER_BYTES = 30
MADE_BY = 0x0314
VERSION_NEEDED = 20
DATE = 0x0021
EXTERNAL_ATTRIBUTES = 0x81A40000
STORED, DEFLATED = 0, 8
DEFLATE_RATIO_MAX = 1032

NAME_CHARACTERS = re.compile(r"[A-Za-z0-9._/-]+")
RESERVED = re.compile(r"aux|con|nul|prn|(?:com|lpt)[0-9]")


@dataclass
class Entry:
    """One central header."""

    name: str
    method: int
    crc: int
    data_size: int
    content_size: int
    offset: int
    shared: bytes
    """The bytes that ZIP-08 wants in both headers."""


def read_archive(data: bytes) -> dict[str, bytes]:
    """The contents by name, in the order of the archive. The rules are checked in the order of the page (GATE-01)."""
    # ZIP-01
    if len(data) > limits.ARCHIVE_BYTES_MAX:
        raise Refusal("archive.too_large", f"{len(data)} bytes")
    count, directory_offset, end_offset = _end_record(data)
    entries = _directory(data, count, directory_offset, end_offset)
    _check_names([entry.name for entry in entries])
    _check_sizes(entries)
    contents = {}
    at = 0
    for entry in entries:
        start = _local_header(data, entry, at, directory_offset)
        at = start + entry.data_size
        contents[entry.name] = _content(entry, data[start:at])
    # ZIP-23
    if at != directory_offset:
        raise Refusal("archive.local_header", "bytes between the last data and the directory")
    return contents


def _end_record(data: bytes) -> tuple[int, int, int]:
    # ZIP-02
    end_offset = len(data) - END_RECORD.size
    if end_offset < 0:
        raise Refusal("archive.end_record", "shorter than an end record")
    signature, disk, first_disk, here, total, size, offset, comment = END_RECORD.unpack_from(data, end_offset)
    if signature != b"PK\x05\x06":
        raise Refusal("archive.end_record", "the last 22 bytes are no end record")
    # ZIP-04
    if not 1 <= total <= limits.ENTRIES_COUNT_MAX:
        raise Refusal("archive.entry_count", f"{total} entries")
    # ZIP-03, ZIP-04
    if here != total or disk or first_disk or comment:
        raise Refusal("archive.end_record", "counts must be equal, disk numbers and comment length 0")
    # ZIP-05
    if offset + size != end_offset:
        raise Refusal("archive.directory", "the directory does not end at the end record")
    return total, offset, end_offset


def _directory(data: bytes, count: int, at: int, end: int) -> list[Entry]:
    entries: list[Entry] = []
    # ZIP-06
    for _ in range(count):
        if at + CENTRAL_HEADER.size > end or data[at : at + 4] != b"PK\x01\x02":
            raise Refusal("archive.directory", f"no central header at byte {at}")
        fields = CENTRAL_HEADER.unpack_from(data, at)
        (_, made_by, needed, flags, method, time, date, crc, data_size, content_size) = fields[:10]
        (name_length, extra_length, comment_length, disk, internal, external, offset) = fields[10:]
        name_at = at + CENTRAL_HEADER.size
        raw_name = data[name_at : name_at + name_length]
        if name_at + name_length > end:
            raise Refusal("archive.directory", f"the name at byte {name_at} is cut off")
        name = _name(raw_name)
        # ZIP-12, ZIP-11
        if made_by != MADE_BY or needed != VERSION_NEEDED:
            raise Refusal("archive.field", f"{name}: a version")
        # ZIP-16
        if flags:
            raise Refusal("archive.flags", f"{name}: flags {flags:#06x}")
        # ZIP-17
        if method not in (STORED, DEFLATED):
            raise Refusal("archive.method", f"{name}: method {method}")
        # ZIP-13
        if time or date != DATE:
            raise Refusal("archive.field", f"{name}: time or date")
        # ZIP-15
        if extra_length:
            raise Refusal("archive.extra_field", name)
        # ZIP-14
        if comment_length or disk or internal or external != EXTERNAL_ATTRIBUTES:
            raise Refusal("archive.field", f"{name}: comment, disk number or attributes")
        # ZIP-10. Equal names are left to NAME-06.
        if entries and name < entries[-1].name:
            raise Refusal("archive.order", name)
        shared = data[at + 6 : at + 32] + raw_name
        entries.append(Entry(name, method, crc, data_size, content_size, offset, shared))
        at = name_at + name_length
    if at != end:
        raise Refusal("archive.directory", "bytes after the last central header")
    return entries


def _check_sizes(entries: list[Entry]) -> None:
    # ZIP-20
    for entry in entries:
        if entry.content_size > min(limits.ENTRY_BYTES_MAX, DEFLATE_RATIO_MAX * entry.data_size):
            raise Refusal("archive.entry_size", f"{entry.name}: {entry.content_size} bytes from {entry.data_size}")
    if sum(entry.content_size for entry in entries) > limits.CONTENT_BYTES_MAX:
        raise Refusal("archive.too_large", "the contents together")


def _local_header(data: bytes, entry: Entry, at: int, end: int) -> int:
    """The offset of the entry's data."""
    # ZIP-07
    if entry.offset != at or at + LOCAL_HEADER_BYTES > end or data[at : at + 4] != b"PK\x03\x04":
        raise Refusal("archive.local_header", f"{entry.name}: no local header at byte {at}")
    start = at + LOCAL_HEADER_BYTES + len(entry.name)
    # ZIP-15
    if data[at + 28 : at + LOCAL_HEADER_BYTES] != b"\0\0":
        raise Refusal("archive.extra_field", f"{entry.name}: in the local header")
    # ZIP-08
    if data[at + 4 : start] != entry.shared:
        raise Refusal("archive.mismatch", f"{entry.name}: local and central header differ")
    # ZIP-22
    if start + entry.data_size > end:
        raise Refusal("archive.local_header", f"{entry.name}: the data runs into the directory")
    return start


def _content(entry: Entry, data: bytes) -> bytes:
    content = data
    if entry.method == DEFLATED:
        # ZIP-19: one byte more than declared shows a stream that is too long.
        stream = zlib.decompressobj(wbits=-15)
        try:
            content = stream.decompress(data, entry.content_size + 1)
        except zlib.error as error:
            raise Refusal("archive.data", f"{entry.name}: {error}") from error
        if not stream.eof or stream.unused_data:
            raise Refusal("archive.data", f"{entry.name}: the stream does not end with the data")
    # ZIP-19, ZIP-18
    if len(content) != entry.content_size:
        raise Refusal("archive.data", f"{entry.name}: {len(content)} bytes instead of {entry.content_size}")
    # ZIP-21
    if zlib.crc32(content) != entry.crc:
        raise Refusal("archive.checksum", entry.name)
    return content


def _name(raw: bytes) -> str:
    # NAME-01
    if not 1 <= len(raw) <= limits.NAME_BYTES_MAX:
        raise Refusal("archive.name", f"{len(raw)} bytes")
    name = raw.decode("latin-1")
    # NAME-02
    components = name.split("/")
    if not NAME_CHARACTERS.fullmatch(name) or len(components) > limits.NAME_DEPTH_MAX:
        raise Refusal("archive.name", repr(name))
    for component in components:
        # NAME-03, NAME-04, NAME-05
        if not component or component.endswith(".") or RESERVED.fullmatch(component.lower().split(".")[0]):
            raise Refusal("archive.name", repr(name))
    return name


def _check_names(names: list[str]) -> None:
    lowered: set[str] = set()
    for name in names:
        # NAME-06
        if name.lower() in lowered:
            raise Refusal("archive.name_collision", name)
        lowered.add(name.lower())
    for name in lowered:
        # NAME-07
        components = name.split("/")
        for length in range(1, len(components)):
            if "/".join(components[:length]) in lowered:
                raise Refusal("archive.name_collision", name)

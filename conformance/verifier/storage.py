"""Purpose: read a snapshot of a package's storage (spec/storage.md, section 3)."""

import limits
from refusal import Refusal


def damaged(why: str) -> Refusal:
    return Refusal("storage.damaged", why)


def read_snapshot(data: bytes, package_id: str, publisher_key: str) -> None:
    # STO-40
    if len(data) > limits.STORAGE_FILE_BYTES_MAX:
        raise damaged("larger than a snapshot")
    # STO-13
    header = f"mpp-storage/1\n{package_id}\n{publisher_key}\n".encode()
    if not data.startswith(header):
        raise damaged("another header, or the storage of another owner")
    at = len(header)

    def take(count: int) -> bytes:
        nonlocal at
        part = data[at : at + count]
        if len(part) != count:
            raise damaged("ends early")
        at += count
        return part

    # The last name in each open directory: an entry closes those that are deeper than itself.
    last_names: list[bytes] = [b""]
    count, counted_bytes = 0, 0
    # STO-10
    while depth := take(1)[0]:
        kind = take(1)
        # STO-11
        if depth > len(last_names):
            raise damaged("an entry without its directory")
        name = take(take(1)[0])
        _check_name(name)
        del last_names[depth:]
        if name <= last_names[-1]:
            raise damaged("names are not in ascending order")
        last_names[-1] = name
        # STO-12
        count += 1
        counted_bytes += limits.STORAGE_ENTRY_BYTES
        if depth > limits.FILE_DEPTH_MAX or count > limits.STAGED_NAMES_COUNT_MAX:
            raise damaged("too deep, or too many entries")
        if kind == b"f":
            counted_bytes += len(take(int.from_bytes(take(4), "big")))
        elif kind == b"d":
            last_names.append(b"")
        else:
            raise damaged(f"an entry of the kind {kind!r}")
        if counted_bytes > limits.STORAGE_KB_MAX * 1024:
            raise damaged("more than the largest quota")
    if at != len(data):
        raise damaged("bytes after the end")


def _check_name(name: bytes) -> None:
    # STO-12. The length fits in one byte, so it is at most NAME_BYTES_MAX.
    try:
        name.decode("utf-8")
    except UnicodeDecodeError as error:
        raise damaged("a name is not UTF-8") from error
    if not name or b"/" in name or b"\0" in name or name in (b".", b".."):
        raise damaged(f"the name {name!r}")

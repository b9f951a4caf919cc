"""Purpose: answers cases of the conformance suite by JSON lines on stdin and stdout, or one with --case FILE."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keys
import policy
import storage
import trust
import verify
from refusal import Refusal

PROTOCOL = "mpp-conform/1"
NAME, VERSION = "mpp-verifier-python", "1.0"
FEATURES: list[str] = []


def _read(root: Path, content: str | list[dict[str, Any]]) -> bytes:
    """The bytes of a file, or of a list of parts."""
    if isinstance(content, str):
        return (root / content).read_bytes()
    return b"".join(bytes.fromhex(part["hex"]) * part.get("times", 1) for part in content)


def _verify(root: Path, given: dict[str, Any]) -> None:
    store = trust.read_store(_read(root, given["trust"]))
    # 0 signers are read as 1 (spec/trust.md, check 5).
    required = max(1, given.get("signers_required", 1))
    verify.verify(_read(root, given["package"]), store, given["now"], required)


def _key(root: Path, given: dict[str, Any]) -> None:
    keys.read_key_file(_read(root, given["file"]), given["kind"])


def _trust(root: Path, given: dict[str, Any]) -> None:
    trust.read_store(_read(root, given["file"]))


def _policy(root: Path, given: dict[str, Any]) -> None:
    policy.read_policy(_read(root, given["file"]))


def _storage(root: Path, given: dict[str, Any]) -> None:
    storage.read_snapshot(_read(root, given["file"]), given["package"], given["publisher_key"])


OPERATIONS: dict[str, Callable[[Path, dict[str, Any]], None]] = {
    "verify": _verify,
    "key": _key,
    "trust": _trust,
    "policy": _policy,
    "storage": _storage,
}


def answer(root: Path, case: dict[str, Any]) -> dict[str, Any]:
    """The answer to one case."""
    operation = OPERATIONS.get(case["op"])
    if operation is None:
        return {"id": case["id"], "skipped": f"the operation {case['op']} is not implemented"}
    try:
        operation(root, case["input"])
    except Refusal as refusal:
        result = {"id": case["id"], "verdict": "refuse", "code": refusal.code, "detail": refusal.detail}
        if case["op"] == "verify" and refusal.code.partition(".")[0] in verify.STAGES:
            result["check"] = verify.check_number(refusal.code)
        return result
    return {"id": case["id"], "verdict": "accept"}


def _hello() -> dict[str, Any]:
    hello = {"type": "hello", "protocol": PROTOCOL, "name": NAME, "version": VERSION}
    return hello | {"operations": list(OPERATIONS), "features": FEATURES}


def _write(message: dict[str, Any]) -> None:
    print(json.dumps(message), flush=True)


def _serve() -> None:
    root = Path()
    # Bytes, because the language of the environment must not decide how they are read.
    for line in sys.stdin.buffer:
        message = json.loads(line)
        if message["type"] == "hello":
            root = Path(message["vectors"])
            _write(_hello())
        elif message["type"] == "case":
            _write(answer(root, message))
        elif message["type"] == "stop":
            return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hello", action="store_true", help="answer hello")
    parser.add_argument("--case", type=Path, help="answer the case in this file")
    parser.add_argument("--vectors", type=Path, help="with --case: the directory of the vectors")
    arguments = parser.parse_args()
    if arguments.hello:
        _write(_hello())
    elif arguments.case:
        case = json.loads(arguments.case.read_bytes())
        # The id of a case file is its path below the directory of the vectors, without .json.
        root = arguments.vectors or arguments.case.resolve().parents[case["id"].count("/")]
        _write(answer(root, case))
    else:
        _serve()


if __name__ == "__main__":
    main()

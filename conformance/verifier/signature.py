"""Purpose: checks 3 and 4: content hash and signatures (spec/package.md, sections 2 and 3)."""

import hashlib
from typing import Any

from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

import json_strict
import keys
import limits
import texts
from refusal import Refusal
from shape import Shape

ENTRY = "signature.json"
FORMAT = "mpp-signature/1"
PAYLOAD_TYPE = "application/vnd.mpp.signature.v1"
MEMBERS = ("algorithm", "key_id", "public_key", "signature", "signed_at")
RECORD = Shape(*["content.record_invalid"] * 4)
FIELD_PRIME = 2**255 - 19
# The values y of the points of order 1, 2, 4 and 8. The sign bit of an encoding does not matter.
ORDER_8_Y = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
SMALL_ORDER_Y = (0, 1, FIELD_PRIME - 1, ORDER_8_Y, FIELD_PRIME - ORDER_8_Y)


def content_hash(contents: dict[str, bytes]) -> str:
    """HASH-01, HASH-02"""
    lines = [f"{hashlib.sha256(contents[name]).hexdigest()}  {name}\n" for name in sorted(contents) if name != ENTRY]
    return "sha256:" + hashlib.sha256("".join(lines).encode()).hexdigest()


def check_content(contents: dict[str, bytes]) -> tuple[str, list[dict[str, str]]]:
    """Check 3: the content hash, and the signatures not yet verified."""
    data = contents[ENTRY]
    # SIG-01
    if len(data) > limits.SIGNATURE_FILE_BYTES_MAX:
        raise Refusal("content.record_invalid", "too large")
    try:
        document = json_strict.parse(data, limits.HOST_FILE_DEPTH_MAX)
    except json_strict.JsonError as error:
        raise Refusal("content.record_invalid", str(error)) from error
    RECORD.object(document, "", ("content_hash", "format", "signatures"))
    RECORD.require(RECORD.string(document["format"], "/format") == FORMAT, "/format", f"must be {FORMAT}")
    for record, at in RECORD.array(document["signatures"], "/signatures"):
        for member, value in RECORD.object(record, at, MEMBERS).items():
            RECORD.string(value, f"{at}/{member}")
    recorded = RECORD.string(document["content_hash"], "/content_hash")
    RECORD.require(texts.is_content_hash(recorded), "/content_hash", "must be a content hash")
    # HASH-03
    expected = content_hash(contents)
    if recorded != expected:
        raise Refusal("content.hash_mismatch", expected)
    return expected, document["signatures"]


def check_signatures(content: str, records: list[dict[str, Any]]) -> list[str]:
    """Check 4: the ids of the keys, in the order of the signatures."""
    # SIG-02
    if not records:
        raise Refusal("signature.missing", "no signature")
    if len(records) > limits.SIGNATURES_COUNT_MAX:
        raise Refusal("signature.too_many", f"{len(records)} signatures")
    ids: list[str] = []
    # SIG-09
    for record in records:
        key = _check_signature(content, record)
        # SIG-08
        if key in ids:
            raise Refusal("signature.duplicate_key", key)
        ids.append(key)
    return ids


def _check_signature(content: str, record: dict[str, str]) -> str:
    # SIG-04
    if record["algorithm"] != "Ed25519":
        raise Refusal("signature.algorithm", record["algorithm"])
    # SIG-05
    public_key = keys.decode_base64(record["public_key"])
    signature = keys.decode_base64(record["signature"])
    if public_key is None or len(public_key) != 32 or signature is None or len(signature) != 64:
        raise Refusal("signature.encoding", "base64 of key or signature")
    if not texts.HEX64.fullmatch(record["key_id"]) or not texts.is_time(record["signed_at"]):
        raise Refusal("signature.encoding", "key_id or signed_at")
    # SIG-06
    if not keys.is_strong(public_key):
        raise Refusal("signature.weak_key", record["key_id"])
    if record["key_id"] != keys.key_id(public_key):
        raise Refusal("signature.key_id", record["key_id"])
    # SIG-07. The library checks S and the equation; R is checked here so that the result does not rest on its version.
    y = int.from_bytes(signature[:32], "little") & (2**255 - 1)
    if y >= FIELD_PRIME or y in SMALL_ORDER_Y:
        raise Refusal("signature.invalid", "R is not canonical or of small order")
    try:
        VerifyKey(public_key).verify(signed_bytes(content, record["signed_at"]), signature)
    except BadSignatureError as error:
        raise Refusal("signature.invalid", record["key_id"]) from error
    return record["key_id"]


def signed_bytes(content: str, signed_at: str) -> bytes:
    """SIG-03"""
    body = f"content_hash {content}\nsigned_at {signed_at}\n".encode()
    return f"MPPv1 {len(PAYLOAD_TYPE)} {PAYLOAD_TYPE} {len(body)} ".encode() + body

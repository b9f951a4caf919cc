"""Purpose: Ed25519 keys: ids, which public keys are accepted (KEY-01, KEY-02), and key files (KEY-03)."""

import base64
import hashlib
import re

from nacl.bindings import crypto_core_ed25519_is_valid_point, crypto_sign_seed_keypair

import limits
from refusal import Refusal

BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
# KEY-03: what precedes the 32 bytes of a public key; of a seed, and of the public key after it, if one follows.
PUBLIC_PREFIX = bytes.fromhex("302a300506032b6570032100")
PRIVATE_FORMS = tuple(
    (bytes.fromhex(prefix), bytes.fromhex(public_prefix))
    for prefix, public_prefix in (
        ("302e020100300506032b657004220420", ""),
        ("3051020101300506032b657004220420", "812100"),
        ("3053020101300506032b657004220420", "a123032100"),
    )
)


def key_id(public_key: bytes) -> str:
    """KEY-01"""
    return hashlib.sha256(public_key).hexdigest()


def is_strong(public_key: bytes) -> bool:
    """KEY-02: a canonical point of prime order."""
    return len(public_key) == 32 and crypto_core_ed25519_is_valid_point(public_key)


def decode_base64(text: str) -> bytes | None:
    """SIG-05: padded, no white space, unused bits zero; None for anything else."""
    if not BASE64.fullmatch(text):
        return None
    decoded = base64.b64decode(text)
    return decoded if base64.b64encode(decoded).decode() == text else None


def read_key_file(data: bytes, kind: str) -> bytes:
    """The public key of a key file in PEM. `kind` is `private` or `public`."""
    if len(data) > limits.KEY_FILE_BYTES_MAX:
        raise Refusal("key.invalid", "larger than a key file")
    der = _pem(data, "PRIVATE KEY" if kind == "private" else "PUBLIC KEY")
    if kind == "private":
        public_key = _private_key(der)
    else:
        public_key = der[len(PUBLIC_PREFIX) :]
        if not der.startswith(PUBLIC_PREFIX) or len(public_key) != 32:
            raise Refusal("key.invalid", "no SubjectPublicKeyInfo of Ed25519")
    if not is_strong(public_key):
        raise Refusal("key.weak", "not a canonical point of prime order")
    return public_key


def _pem(data: bytes, label: str) -> bytes:
    # KEY-03: lines that end in LF or CRLF; blank ones only around the block; no other white space.
    lines = re.split("\r?\n", data.decode("latin-1"))
    while lines and not lines[0]:
        del lines[0]
    while lines and not lines[-1]:
        del lines[-1]
    body = lines[1:-1]
    if lines[:1] != [f"-----BEGIN {label}-----"] or lines[-1] != f"-----END {label}-----" or not body or "" in body:
        raise Refusal("key.invalid", f"no PEM block {label}, or more than it")
    decoded = decode_base64("".join(body))
    if decoded is None:
        raise Refusal("key.invalid", "not base64")
    return decoded


def _private_key(der: bytes) -> bytes:
    for prefix, public_prefix in PRIVATE_FORMS:
        seed, rest = der[len(prefix) : len(prefix) + 32], der[len(prefix) + 32 :]
        if not der.startswith(prefix) or len(seed) != 32:
            continue
        public_key = crypto_sign_seed_keypair(seed)[0]
        if rest == (public_prefix + public_key if public_prefix else b""):
            return public_key
    raise Refusal("key.invalid", "no PKCS#8 key of Ed25519 in an accepted form")

"""Purpose: Ed25519 keys: ids, which public keys are accepted (KEY-01, KEY-02), and key files (KEY-03)."""

import base64
import hashlib
import re

from nacl.bindings import crypto_core_ed25519_is_valid_point, crypto_sign_seed_keypair

import limits
from refusal import Refusal

BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
# DER of RFC 8410: what precedes the key's 32 bytes. All lengths are fixed, so each form has one encoding.
PUBLIC_PREFIX = bytes.fromhex("302a300506032b6570032100")
PRIVATE_PREFIX_0 = bytes.fromhex("302e020100300506032b657004220420")
PRIVATE_PREFIX_1 = bytes.fromhex("3051020101300506032b657004220420")
PUBLIC_PART_PREFIX = bytes.fromhex("812100")


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
    # KEY-03: one block and nothing else, but blank lines.
    lines = [line.strip(b" \t\r") for line in data.split(b"\n")]
    lines = [line for line in lines if line]
    if (
        len(lines) < 3
        or lines[0] != f"-----BEGIN {label}-----".encode()
        or lines[-1] != f"-----END {label}-----".encode()
    ):
        raise Refusal("key.invalid", f"no PEM block {label}, or more than it")
    decoded = decode_base64(b"".join(lines[1:-1]).decode("latin-1"))
    if decoded is None:
        raise Refusal("key.invalid", "not base64")
    return decoded


def _private_key(der: bytes) -> bytes:
    if der.startswith(PRIVATE_PREFIX_0) and len(der) == len(PRIVATE_PREFIX_0) + 32:
        return crypto_sign_seed_keypair(der[-32:])[0]
    seed, rest = der[len(PRIVATE_PREFIX_1) :][:32], der[len(PRIVATE_PREFIX_1) + 32 :]
    if der.startswith(PRIVATE_PREFIX_1) and rest.startswith(PUBLIC_PART_PREFIX):
        public_key = crypto_sign_seed_keypair(seed)[0]
        if rest == PUBLIC_PART_PREFIX + public_key:
            return public_key
    raise Refusal("key.invalid", "no PKCS#8 key of Ed25519 in an accepted form")

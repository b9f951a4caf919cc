"""Purpose: the trust store, and check 5, the publisher (spec/trust.md)."""

from dataclasses import dataclass, field
from typing import Any

import json_strict
import keys
import limits
import texts
from refusal import Refusal
from shape import Shape, pointer

FORMAT = "mpp-trust/1"
STORE = Shape(*["trust.invalid"] * 4)


@dataclass
class Key:
    """One key of a publisher. An absent end of its validity is None."""

    publisher: str
    namespaces: list[str]
    valid_from: str | None
    valid_until: str | None


@dataclass
class TrustStore:
    """keys by id, revocations as sets, the highest version seen by package id, and approvers by namespace."""

    keys: dict[str, Key] = field(default_factory=dict)
    revoked_keys: set[str] = field(default_factory=set)
    revoked_contents: set[str] = field(default_factory=set)
    versions: dict[str, str] = field(default_factory=dict)
    approvers: list[tuple[str, str]] = field(default_factory=list)


def read_store(data: bytes) -> TrustStore:
    """TRUST-01: the whole file, or a refusal."""
    if len(data) > limits.TRUST_FILE_BYTES_MAX:
        raise Refusal("trust.invalid", "too large")
    try:
        document = json_strict.parse(data, limits.HOST_FILE_DEPTH_MAX)
    except json_strict.JsonError as error:
        raise Refusal("trust.invalid", str(error)) from error
    lists = ("publishers", "revoked_keys", "revoked_contents", "versions")
    STORE.object(document, "", ("format",), lists)
    STORE.require(STORE.string(document["format"], "/format") == FORMAT, "/format", f"must be {FORMAT}")
    store = TrustStore()
    _read_publishers(document.get("publishers", []), store)
    for key, at in _revocations(document, "revoked_keys", "key_id"):
        STORE.require(texts.HEX64.fullmatch(key) is not None, at, "must be a key id")
        STORE.require(key not in store.revoked_keys, at, "is listed twice")
        store.revoked_keys.add(key)
    for content, at in _revocations(document, "revoked_contents", "content_hash"):
        STORE.require(texts.is_content_hash(content), at, "must be a content hash")
        STORE.require(content not in store.revoked_contents, at, "is listed twice")
        store.revoked_contents.add(content)
    for entry, at in STORE.array(document.get("versions", []), "/versions"):
        STORE.object(entry, at, ("id", "version"))
        package_id = STORE.string(entry["id"], at + "/id")
        STORE.require(texts.is_package_id(package_id), at + "/id", "must be a package id")
        STORE.require(package_id not in store.versions, at + "/id", "is listed twice")
        STORE.require(texts.is_version(STORE.string(entry["version"], at + "/version")), at, "must have a version")
        store.versions[package_id] = entry["version"]
    return store


def _read_publishers(value: Any, store: TrustStore) -> None:
    names: set[str] = set()
    for publisher, at in STORE.array(value, "/publishers"):
        STORE.object(publisher, at, ("name", "namespaces", "keys"), ("approves",))
        name = STORE.string(publisher["name"], at + "/name")
        # TRUST-02
        STORE.require(is_publisher_name(name), at + "/name", "must be one line of ASCII")
        STORE.require(name.lower() not in names, at + "/name", "is another publisher's")
        names.add(name.lower())
        namespaces = []
        # TRUST-03
        for namespace, place in STORE.array(publisher["namespaces"], at + "/namespaces"):
            STORE.require(texts.is_namespace(STORE.string(namespace, place)), place, "must be a namespace")
            namespaces.append(namespace)
        # TRUST-22
        if "approves" in publisher:
            for namespace, place in STORE.array(publisher["approves"], at + "/approves", least=1):
                STORE.require(texts.is_namespace(STORE.string(namespace, place)), place, "must be a namespace")
                store.approvers.append((namespace, name))
        for entry, place in STORE.array(publisher["keys"], at + "/keys", least=1):
            _read_key(entry, place, name, namespaces, store)


def is_publisher_name(text: str) -> bool:
    """TRUST-02"""
    return texts.is_line(text) and all(" " <= character <= "~" for character in text)


def _read_key(entry: Any, at: str, name: str, namespaces: list[str], store: TrustStore) -> None:
    STORE.object(entry, at, ("key_id", "public_key"), ("valid_from", "valid_until"))
    public_key = keys.decode_base64(STORE.string(entry["public_key"], at + "/public_key"))
    key_id = STORE.string(entry["key_id"], at + "/key_id")
    # TRUST-04
    STORE.require(public_key is not None and keys.is_strong(public_key), at + "/public_key", "must be a strong key")
    STORE.require(public_key is not None and key_id == keys.key_id(public_key), at + "/key_id", "must be the key's id")
    STORE.require(key_id not in store.keys, at + "/key_id", "is listed twice")
    for member in ("valid_from", "valid_until"):
        if member in entry:
            STORE.require(texts.is_time(STORE.string(entry[member], pointer(at, member))), at, "must be a time")
    key = Key(name, namespaces, entry.get("valid_from"), entry.get("valid_until"))
    # TRUST-05. Times of one form sort as their texts.
    if key.valid_from and key.valid_until:
        STORE.require(key.valid_until >= key.valid_from, at, "ends before it begins")
    store.keys[key_id] = key


def _revocations(document: dict[str, Any], name: str, subject: str) -> list[tuple[str, str]]:
    found = []
    for entry, at in STORE.array(document.get(name, []), "/" + name):
        STORE.object(entry, at, (subject, "revoked_at", "reason"))
        STORE.require(texts.is_time(STORE.string(entry["revoked_at"], at + "/revoked_at")), at, "must have a time")
        # TRUST-13
        reason = STORE.string(entry["reason"], at + "/reason")
        right = texts.is_line(reason) and not texts.has_hidden(reason)
        STORE.require(right, at + "/reason", "must be one line without hidden characters")
        found.append((STORE.string(entry[subject], pointer(at, subject)), pointer(at, subject)))
    return found


def check_publisher(store: TrustStore, key_ids: list[str], content: str, now: str, required: int) -> list[Key]:
    """Check 5: the trusted signers, in the order of the signatures (TRUST-07)."""
    # TRUST-08
    if content in store.revoked_contents:
        raise Refusal("publisher.content_revoked", content)
    # TRUST-09
    for key_id in key_ids:
        if key_id in store.revoked_keys:
            raise Refusal("publisher.key_revoked", key_id)
    signers = [store.keys[key_id] for key_id in key_ids if key_id in store.keys]
    # TRUST-10, TRUST-05
    for signer in signers:
        if not (signer.valid_from or now) <= now <= (signer.valid_until or now):
            raise Refusal("publisher.not_valid_now", signer.publisher)
    # TRUST-11
    if not signers:
        raise Refusal("publisher.unknown", ", ".join(key_ids))
    # TRUST-12
    publishers = {signer.publisher for signer in signers}
    if len(publishers) < required:
        raise Refusal("publisher.too_few_signers", f"{len(publishers)} of {required}")
    return signers


def check_approval(store: TrustStore, signers: list[Key], package_id: str) -> None:
    """TRUST-22: an id that has approvers needs a signature of one, who is not its author."""
    approvers = {name for namespace, name in store.approvers if texts.covers(namespace, package_id)}
    authors = {it.publisher for it in signers if any(texts.covers(one, package_id) for one in it.namespaces)}
    signed = {signer.publisher for signer in signers}
    if approvers and not any(signed & (approvers - {author}) for author in authors):
        raise Refusal("manifest.not_approved", f"/id: {package_id} needs an approver")

"""Purpose: the seven checks over a package, in their order (GATE-01), and check 2, the list of entries."""

import manifest
import module
import signature
import trust
import zip_profile
from refusal import Refusal

STAGES = ("archive", "structure", "content", "signature", "publisher", "manifest", "module")
OTHER_ENTRIES = ("manifest.json", "signature.json", "README.md", "LICENSE")


def check_number(code: str) -> int:
    """The check that refuses with this code."""
    return STAGES.index(code.partition(".")[0]) + 1


def verify(package: bytes, store: trust.TrustStore, now: str, signers_required: int) -> None:
    """GATE-01: returns if all seven checks accept, and raises the first refusal otherwise."""
    contents = zip_profile.read_archive(package)
    module_name = check_structure(list(contents))
    content, records = signature.check_content(contents)
    key_ids = signature.check_signatures(content, records)
    signers = trust.check_publisher(store, key_ids, content, now, signers_required)
    document = manifest.check_manifest(contents["manifest.json"], module_name, signers, store)
    memory_limit_mb = document["runtime"].get("memory_limit_mb", 64)
    has_network = bool(document.get("capabilities", {}).get("network", []))
    module.check_module(contents[module_name], memory_limit_mb, has_network)


def check_structure(names: list[str]) -> str:
    """Check 2: the name of the module."""
    modules = [name for name in names if name.endswith(".wasm") and "/" not in name]
    # PKG-02
    for name in names:
        if name not in OTHER_ENTRIES and name not in modules and not name.startswith("assets/"):
            raise Refusal("structure.unknown_entry", name)
    # PKG-01
    for name in ("manifest.json", "signature.json"):
        if name not in names:
            raise Refusal("structure.missing_entry", name)
    if not modules:
        raise Refusal("structure.missing_entry", "a module")
    if len(modules) > 1:
        raise Refusal("structure.unknown_entry", modules[1])
    return modules[0]

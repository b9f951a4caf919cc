"""Purpose: unit tests of what the vectors do not show: `python3 -m unittest discover conformance/verifier`."""

import re
import unittest
import zlib
from pathlib import Path

from nacl.bindings import crypto_core_ed25519_add

import adapter
import keys
import limits
import manifest
import module
import patterns
import policy
import signature
import storage
import texts
import trust
import verify
import zip_profile
from json_strict import JsonError, parse
from refusal import Refusal
from schema import SchemaReader

ROOT = Path(__file__).resolve().parent.parent
VECTORS = ROOT / "vectors"
PACKAGE = (VECTORS / "archive/accept-deflate-every-entry.mpp").read_bytes()
AUTHOR_KEY = bytes.fromhex("8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c")
SMALLEST = (
    b'{"mpp_version":"1.0","id":"org.acme.echo","version":"1.0.0","name":"Echo","description":"Echo.",'
    b'"runtime":{"target":"wasm32-wasip1"},"tools":[{"name":"echo","description":"Echo.",'
    b'"parameters":{"type":"object"},"sensitivity":"read"}]}'
)
# Types () -> (), one function, one memory, exports `memory` and `_start`, an empty body.
MODULE = bytes.fromhex(
    "0061736d01000000 010401600000 03020100 0503010001 071302066d656d6f7279020006 5f73746172740000 0a040102000b"
)


class Case(unittest.TestCase):
    def assert_refused(self, code, call, *arguments):
        with self.assertRaises(Refusal) as caught:
            call(*arguments)
        self.assertEqual(caught.exception.code, code, caught.exception.detail)


class Limits(Case):
    def test_limits_are_those_of_the_page(self):
        page = dict(re.findall(r"\| `(\w+)` \| (\d+) \|", (ROOT.parent / "spec/limits.md").read_text()))
        for name, value in vars(limits).items():
            if name.isupper():
                self.assertEqual(int(page[name]), value, name)


class Json(Case):
    def test_numbers_are_read_as_the_page_says(self):
        self.assertIs(type(parse(b"18446744073709551615")), int)
        self.assertEqual(parse(b"0.1"), 0.1)
        self.assertIs(type(parse(b"18446744073709551616")), float)
        self.assertIs(type(parse(b"1e2")), float)
        self.assertEqual(parse(b"1e-400"), 0.0)
        self.assertEqual(str(parse(b"-0")), "-0.0")

    def test_what_is_not_strict_json_is_refused(self):
        for text in (
            b"",
            b"01",
            b"+1",
            b"1.",
            b".5",
            b"NaN",
            b"1e400",
            b"[1,]",
            b"{'a':1}",
            b'"\t"',
            b'"\\x"',
            b"1 2",
            b"\xef\xbb\xbf1",
            b'"\xed\xa0\x80"',
            b'"\xc0\xaf"',
            b'"\\ud800"',
            b'"\\udc00\\ud800"',
            b'"\\u12"',
            b"\xa01",
            b"[1}",
            b'{"a" 1}',
            b"tru",
            b'{"a":1,"\\u0061":2}',
            b'[{"b":{"a":1,"a":1}}]',
            b"9" * 400,
        ):
            with self.subTest(text=text), self.assertRaises(JsonError):
                parse(text)

    def test_depth_beyond_the_limit_is_refused(self):
        self.assertEqual(parse(b"[[]]", 2), [[]])
        with self.assertRaises(JsonError):
            parse(b"[[[]]]", 2)

    def test_too_many_values_are_refused(self):
        text = b"[" + b"{}," * (limits.JSON_VALUES_COUNT_MAX // 17) + b"{}]"
        with self.assertRaises(JsonError):
            parse(text)


class Archive(Case):
    def test_each_cut_is_refused(self):
        for length in range(len(PACKAGE)):
            with self.assertRaises(Refusal):
                zip_profile.read_archive(PACKAGE[:length])

    def test_each_changed_header_byte_is_refused(self):
        directory = int.from_bytes(PACKAGE[-6:-2], "little")
        for at in [*range(30), *range(directory, len(PACKAGE))]:
            for bit in range(8):
                changed = bytearray(PACKAGE)
                changed[at] ^= 1 << bit
                with self.assertRaises(Refusal):
                    zip_profile.read_archive(bytes(changed))

    def test_a_stream_with_other_length_is_refused(self):
        content = b"text" * 10
        compressor = zlib.compressobj(wbits=-15)
        data = compressor.compress(content) + compressor.flush()
        for stream, size in ((data, 39), (data, 41), (data[:-1], 40), (data + b"\0", 40), (data, 0)):
            entry = zip_profile.Entry("a", zip_profile.DEFLATED, zlib.crc32(content), len(stream), size, 0, b"")
            self.assert_refused("archive.data", zip_profile._content, entry, stream)

    def test_bad_names_are_refused(self):
        for name in (
            b"",
            b"/a",
            b"a/",
            b"a//b",
            b"..",
            b"a./b",
            b"a b",
            b"a\\b",
            b"\xc3\xa9",
            b"nul",
            b"Com0.x/y",
            b"a/" * 16 + b"a",
        ):
            self.assert_refused("archive.name", zip_profile._name, name)

    def test_colliding_names_are_refused(self):
        self.assert_refused("archive.name_collision", zip_profile._check_names, ["A", "a"])
        self.assert_refused("archive.name_collision", zip_profile._check_names, ["a", "A/b"])


class Structure(Case):
    def test_missing_and_unknown_entries_are_refused(self):
        both = ["manifest.json", "signature.json"]
        self.assertEqual(verify.check_structure([*both, "assets/x.wasm", "tool.wasm"]), "tool.wasm")
        for names in (both, ["manifest.json", "t.wasm"], ["signature.json", "t.wasm"]):
            self.assert_refused("structure.missing_entry", verify.check_structure, names)
        for name in ("assets", "x", "u.wasm", "T.WASM", "a/t.wasm", "readme.md", "license"):
            self.assert_refused("structure.unknown_entry", verify.check_structure, [*both, "t.wasm", name])


class Keys(Case):
    def test_points_of_small_mixed_or_no_order_are_refused(self):
        self.assertTrue(keys.is_strong(AUTHOR_KEY))
        small = [y.to_bytes(32, "little") for y in signature.SMALL_ORDER_Y]
        for point in small:
            self.assertFalse(keys.is_strong(point))
            if point[0] != 1:
                self.assertFalse(keys.is_strong(crypto_core_ed25519_add(AUTHOR_KEY, point)))
        for y in range(signature.FIELD_PRIME, 2**255):
            self.assertFalse(keys.is_strong(y.to_bytes(32, "little")))
        self.assertFalse(keys.is_strong(AUTHOR_KEY[:31]))

    def test_base64_in_another_form_is_refused(self):
        self.assertEqual(keys.decode_base64("AAA="), b"\0\0")
        for text in ("AAB=", "AA=", "AAAA=", "A A=", "AA==\n", "AA-_", "=AAA", "AA=A"):
            self.assertIsNone(keys.decode_base64(text), text)

    def test_other_key_files_are_refused(self):
        file = (VECTORS / "key/accept-private.key").read_bytes()
        keys.read_key_file(file, "private")
        begin, body, end = file.strip().split(b"\n")
        for changed in (
            b"",
            body,
            file + file,
            b"x\n" + file,
            file + b"x",
            begin + b"\n" + end,
            file.replace(b"PRIVATE", b"PUBLIC"),
        ):
            self.assert_refused("key.invalid", keys.read_key_file, changed, "private")
        self.assert_refused("key.invalid", keys.read_key_file, file, "public")
        self.assert_refused("key.invalid", keys.read_key_file, file + b"\n" * limits.KEY_FILE_BYTES_MAX, "private")


class Texts(Case):
    def test_other_forms_are_not_accepted(self):
        for check, texts_refused in (
            (
                texts.is_package_id,
                ("a", "a..b", "A.b", "-a.b", "a-.b", "a.xn--b", "a.b.", "a_b.c", "a." * 64 + "a", "a." + "b" * 64),
            ),
            (texts.is_namespace, ("", "*.a", "a.*", "a.", ".a", "xn--a")),
            (
                texts.is_host,
                (
                    "1.2.3.4",
                    "a.1",
                    "A.b",
                    "a.b.",
                    "a:443",
                    "a:0",
                    "a:08",
                    "a:65536",
                    "a:",
                    "a_b",
                    "*.a",
                    "[::1]",
                    "a" * 64,
                ),
            ),
            (
                texts.is_guest_directory,
                ("", "a", "/a/", "//", "/.", "/a/..", "/...", "/assets", "/storage/x", "/a b", "/é", "/a" * 17),
            ),
            (
                texts.is_version,
                (
                    "1",
                    "1.0",
                    "1.0.0.0",
                    "01.0.0",
                    "1.0.0-",
                    "1.0.0-01",
                    "1.0.0-a..b",
                    "1.0.0+b",
                    "v1.0.0",
                    "1.0.0-" + "a" * 59,
                    "18446744073709551616.0.0",
                    "1.0.0-a.18446744073709551616",
                ),
            ),
            (
                texts.is_time,
                (
                    "1969-12-31T23:59:59Z",
                    "2026-02-29T00:00:00Z",
                    "2026-13-01T00:00:00Z",
                    "2026-01-01T24:00:00Z",
                    "2026-01-01T00:00:60Z",
                    "2026-01-01T00:00:00z",
                    "2026-01-01 00:00:00Z",
                    "2026-04-31T00:00:00Z",
                    "2100-02-29T00:00:00Z",
                ),
            ),
            (texts.is_line, ("", " a", "a\u3000", "a\nb", "a\tb", "x" * 257, "é" * 129)),
        ):
            for text in texts_refused:
                self.assertFalse(check(text), (check.__name__, text))
        self.assertTrue(texts.is_time("2000-02-29T23:59:59Z"))
        self.assertTrue(texts.is_guest_directory("/assets2/a"))

    def test_versions_are_in_the_order_of_semantic_versioning(self):
        order = [
            "1.0.0-1",
            "1.0.0-2",
            "1.0.0-10",
            "1.0.0-a",
            "1.0.0-a.1",
            "1.0.0-b",
            "1.0.0",
            "1.0.1",
            "1.2.0",
            "1.10.0",
            "2.0.0",
        ]
        self.assertEqual(sorted(order[::-1], key=texts.version_order), order)

    def test_a_namespace_covers_only_whole_labels(self):
        self.assertTrue(texts.covers("org.acme", "org.acme.weather"))
        self.assertFalse(texts.covers("org.acme", "org.acmecorp"))
        self.assertFalse(texts.covers("org.acme.weather", "org.acme"))


class Manifest(Case):
    def read(self, old, new):
        self.assertIn(old, SMALLEST)
        return manifest.read_manifest(SMALLEST.replace(old, new))

    def test_faults_are_refused_with_their_code(self):
        manifest.read_manifest(SMALLEST)
        for code, old, new in (
            (
                "syntax",
                b"{",
                b"[",
            ),
            ("unknown_key", b'"name":"Echo"', b'"name":"Echo","nickname":"E"'),
            ("missing_key", b',"sensitivity":"read"', b""),
            ("wrong_type", b'"wasm32-wasip1"', b'"wasm32-wasip1","fuel":64.0'),
            ("wrong_type", b'"wasm32-wasip1"', b'"wasm32-wasip1","fuel":null'),
            ("wrong_type", b'"wasm32-wasip1"', b'"wasm32-wasip1","fuel":18446744073709551616'),
            ("bad_value", b'"wasm32-wasip1"', b'"wasm32-wasi"'),
            ("bad_value", b'"1.0"', b'"1.1"'),
            ("bad_value", b'"Echo"', b'"Ec\\u200bho"'),
            ("unknown_key", b'"sensitivity"', b'"command":{},"sensitivity"'),
            ("missing_key", b'"wasm32-wasip1"', b'"wasm32-wasip1","protocol":"command"'),
            ("privacy_pattern", b'"name":"Echo"', b'"name":"Echo","privacy_filters":{"patterns":["mail"]}'),
            (
                "privacy_pattern",
                b'"name":"Echo"',
                b'"name":"Echo","privacy_filters":{"custom":[{"name":"A","pattern":"a*"}]}',
            ),
            (
                "bad_value",
                b'"name":"Echo"',
                b'"name":"Echo","capabilities":{"filesystem":{"read":["/a"],"write":["/a/b"]}}',
            ),
            ("bad_value", b'"name":"Echo"', b'"name":"Echo","capabilities":{"filesystem":{"read":["/","/b"]}}'),
        ):
            with self.subTest(new=new):
                self.assert_refused("manifest." + code, self.read, old, new)

    def command(self, command, properties):
        manifest._read_command(command, "", properties)

    def test_commands_are_refused(self):
        text, flag = {"type": "string"}, {"type": "boolean"}
        self.command({"args": [["-i", "{?f}"], "{ t }", "{t}"]}, {"t": text, "f": flag})
        for command, properties in (
            ({"args": ["{?f}"]}, {"f": flag}),
            ({"args": ["--t={t}", "{t}"]}, {"t": text}),
            ({"args": ["{u}"]}, {}),
            ({"args": [["-i", "-j"]]}, {}),
            ({"args": [["{t}"]]}, {"t": text}),
            ({"args": [["{?t}", "x"]]}, {"t": text}),
            ({"args": ["{t}"]}, {"t": {"enum": ["a"]}}),
            ({"args": ["{t}"]}, {"t": {"type": ["string", "null"]}}),
            ({"stdin": "{?f}"}, {"f": flag}),
            ({"stdin": "text"}, {}),
            ({"ok_exit_codes": [0, 0]}, {}),
            ({}, {"t": text}),
        ):
            with self.subTest(command=command):
                self.assert_refused("manifest.bad_value", self.command, command, properties)


class Schemas(Case):
    def read(self, members):
        SchemaReader(manifest.SHAPE).read_root({"type": "object", **members}, "")

    def test_contradictions_are_refused(self):
        for members in (
            {"properties": {"a": {"minimum": 2, "maximum": 1}}},
            {"properties": {"a": {"exclusiveMinimum": 1, "maximum": 1}}},
            {"properties": {"a": {"minLength": 2, "maxLength": 1}}},
            {"properties": {"a": {"enum": [1, 1.0]}}},
            {"properties": {"a": {"enum": [{"x": [1]}, {"x": [1.0]}]}}},
            {"properties": {"a": {"type": ["string", "string"]}}},
            {"properties": {"a": {"type": "string", "minimum": 1}}},
            {"properties": {}, "required": ["a"]},
            {"properties": {"a": {"$ref": "#/$defs/b"}}},
        ):
            with self.subTest(members=members):
                self.assert_refused("manifest.bad_value", self.read, members)
        self.read({"properties": {"a": {"enum": [1, True, "1", None]}}})

    def test_unsupported_schemas_are_refused(self):
        loop = {"$defs": {"a": {"items": {"$ref": "#/$defs/b"}}, "b": {"not": {"$ref": "#/$defs/a"}}}}
        for members in (
            loop,
            {"if": True},
            {"properties": {"a": {"$defs": {}}}},
            {"properties": {"a": {"pattern": "a**"}}},
        ):
            with self.subTest(members=members):
                self.assert_refused("manifest.schema_unsupported", self.read, members)

    def test_depth_counts_references(self):
        def chain(length):
            return {str(n): {"$ref": f"#/$defs/{n + 1}"} for n in range(length)} | {str(length): True}

        # The last definition of a chain of n references is n deep below the first, which is 1 below the root.
        self.read({"$defs": chain(31)})
        self.assert_refused("manifest.schema_unsupported", self.read, {"$defs": chain(32)})


class Patterns(Case):
    def test_expressions_outside_the_grammar_are_refused(self):
        for text in (
            "a**",
            "a*+",
            "^*",
            "(a*)*",
            "(a|)+",
            "()*",
            "*a",
            "a{2,1}",
            "a{",
            "{",
            "}",
            "]",
            "[",
            "[]",
            "[^]",
            "[z-a]",
            "[a&&b]",
            "[a--b]",
            "[~~]",
            "[[a]",
            "[\\d-x]",
            "(?=a)",
            "(?<a>b)",
            "(?i)a",
            "\\b",
            "\\1",
            "\\p{L}",
            "\\u0041",
            "\\",
            "(a",
            "a)",
            "a{600}",
            "(" * 11 + "a" + ")" * 11,
        ):
            with self.subTest(text=text), self.assertRaises(patterns.PatternError):
                patterns.check_pattern(text, privacy=False)

    def test_privacy_patterns_that_match_the_empty_text_are_refused(self):
        for text in ("a*", "a?|b", "^$", "", "(?i)", "\\A\\z", "\\B", "(|a)", "a{0}"):
            with self.subTest(text=text), self.assertRaises(patterns.PatternError):
                patterns.check_pattern(text, privacy=True)

    def test_states_above_the_limit_are_refused(self):
        for within, above in (
            ("(?i)ba{510}", "(?i)bba{510}"),
            ("(?i-s:a{509})", "(?i-s:ba{509})"),
            ("[a-z\\d_.,:;]a{510}", "[a-z\\d_.,:; ]a{510}"),
        ):
            patterns.check_pattern(within, privacy=True)
            with self.subTest(text=above), self.assertRaises(patterns.PatternError):
                patterns.check_pattern(above, privacy=True)

    def test_expressions_of_the_grammar_are_accepted(self):
        for text in (
            "",
            "a|",
            "[a-]",
            "[-a]",
            "[a-b-c]",
            "[^^]",
            "[\\]\\-]",
            "a{510}",
            "a+?",
            "(a|b){2,3}?",
            "/",
            "-",
            "é",
        ):
            patterns.check_pattern(text, privacy=False)
        for text in ("(?i-s:a)", "(?P<n>a)(?<m>b)", "\\bA\\-\\z", "a(?m)b"):
            patterns.check_pattern(text, privacy=True)


class Signatures(Case):
    def test_small_order_values_are_those_of_the_curve(self):
        # A point of order 8 doubles to one of order 4, whose y is 0: its own x² + y² is 0.
        p = signature.FIELD_PRIME
        d = -121665 * pow(121666, -1, p) % p
        y2 = signature.ORDER_8_Y**2 % p
        x2 = (y2 - 1) * pow(d * y2 + 1, -1, p) % p
        self.assertEqual((x2 + y2) % p, 0)

    def test_signed_bytes_are_framed(self):
        self.assertEqual(
            signature.signed_bytes("sha256:x", "t"),
            b"MPPv1 32 application/vnd.mpp.signature.v1 34 content_hash sha256:x\nsigned_at t\n",
        )

    def test_a_changed_content_is_refused(self):
        contents = zip_profile.read_archive(PACKAGE)
        signature.check_content(contents)
        self.assert_refused("content.hash_mismatch", signature.check_content, contents | {"assets/new": b""})
        for text in (b"[]", b"{}", b"{", b"\0", b'{"content_hash":1,"format":"mpp-signature/1","signatures":[]}'):
            self.assert_refused("content.record_invalid", signature.check_content, contents | {"signature.json": text})


class Trust(Case):
    KEY = trust.Key("Acme", ["org.acme"], "2026-01-01T00:00:00Z", "2026-12-31T23:59:59Z")

    def check(self, store, ids=("k",), now="2026-06-01T00:00:00Z", required=1):
        return trust.check_publisher(store, list(ids), "c", now, required)

    def test_refusals_come_in_the_order_of_the_page(self):
        keys_of = {"k": self.KEY}
        everything = trust.TrustStore(keys_of, {"k"}, {"c"})
        self.assert_refused("publisher.content_revoked", self.check, everything)
        self.assert_refused(
            "publisher.key_revoked", self.check, trust.TrustStore(keys_of, {"k"}), ("u", "k"), "2030-01-01T00:00:00Z"
        )
        self.assert_refused("publisher.key_revoked", self.check, trust.TrustStore({}, {"k"}))
        self.assert_refused(
            "publisher.not_valid_now", self.check, trust.TrustStore(keys_of), ("k",), "2027-01-01T00:00:00Z", 2
        )
        self.assert_refused("publisher.unknown", self.check, trust.TrustStore(keys_of), ("u",))
        two = trust.TrustStore({"k": self.KEY, "l": self.KEY})
        self.assert_refused("publisher.too_few_signers", self.check, two, ("k", "l"), "2026-06-01T00:00:00Z", 2)
        self.assertEqual(self.check(two, ("u", "k"), "2026-12-31T23:59:59Z"), [self.KEY])

    def test_other_stores_are_refused(self):
        trust.read_store(b'{"format":"mpp-trust/1"}')
        for text in (
            b"",
            b"[]",
            b"{}",
            b'{"format":"mpp-trust/2"}',
            b'{"format":"mpp-trust/1","keys":[]}',
            b'{"format":"mpp-trust/1","versions":null}',
            b'{"format":"mpp-trust/1","publishers":[{"name":"A","namespaces":["*"],"keys":[]}]}',
            b'{"format":"mpp-trust/1","versions":[{"id":"a.b","version":"1.0.0"},{"id":"a.b","version":"1.0.0"}]}',
            b'{"format":"mpp-trust/1","revoked_keys":[{"key_id":"A","revoked_at":"2026-01-01T00:00:00Z","reason":"x"}]}',
        ):
            self.assert_refused("trust.invalid", trust.read_store, text)
        self.assert_refused(
            "trust.invalid", trust.read_store, b'{"format":"mpp-trust/1"}' + b" " * limits.TRUST_FILE_BYTES_MAX
        )


class Modules(Case):
    def check(self, data, memory_limit_mb=64):
        module.check_module(data, memory_limit_mb, has_network=False)

    def replaced(self, old, new):
        old, new = bytes.fromhex(old), bytes.fromhex(new)
        self.assertEqual(MODULE.count(old), 1)
        return MODULE.replace(old, new)

    def test_invalid_modules_are_refused(self):
        self.check(MODULE)
        for data in (
            MODULE[:4],
            MODULE[:-1],
            MODULE + b"\x0d\0",
            MODULE + b"\1\1\0",
            MODULE + b"\0\0",
            self.replaced("01000000 01", "01000100 01"),
            self.replaced("0503010001", "0504010101 00"),
            self.replaced("0503010001", "0503010401"),
            self.replaced("010401600000", "0104015f0000"),
            self.replaced("03020100", "03020101"),
            self.replaced("03020100", "0303010080"),
            self.replaced("03020100", "03020100 08 0100"),
            self.replaced("0a04 0102000b", "0a0100"),
            self.replaced("5f73746172740000", "5f73746172740001"),
            MODULE + bytes.fromhex("0b 06 01 01 05 6162"),
        ):
            with self.subTest(data=data.hex()):
                self.assert_refused("module.invalid", self.check, data)

    def test_missing_exports_and_large_memories_are_refused(self):
        self.assert_refused("module.missing_export", self.check, self.replaced("5f7374617274", "5f7374617275"))
        self.assert_refused("module.missing_export", self.check, self.replaced("6d656d6f7279", "6d656d6f727a"))
        self.assert_refused("module.memory", self.check, self.replaced("0503010001", "0503010011"), 1)
        self.assert_refused("module.limit", self.check, self.replaced("0503010001", "050502 0001 0001"))

    def test_imports_with_another_signature_are_refused(self):
        # wasi_snapshot_preview1.sched_yield as () -> ().
        name = b"\x16wasi_snapshot_preview1\x0bsched_yield\0\0"
        data = MODULE.replace(b"\3\2\1\0", bytes([2, len(name) + 1, 1]) + name + b"\3\2\1\0")
        self.assert_refused("module.unknown_import", self.check, data)

    def test_numbers_with_unused_bits_are_refused(self):
        for text, bits in (("ffffffff1f", 32), ("ffffffff5f", 32), ("808080808000", 32), ("ffffffffffffffffff7e", 64)):
            with self.subTest(text=text):
                self.assert_refused("module.invalid", module._Bytes(bytes.fromhex(text)).signed, bits)
        self.assert_refused("module.invalid", module._Bytes(bytes.fromhex("ffffffff1f")).unsigned)
        module._Bytes(bytes.fromhex("ffffffff7f")).signed(32)


class Snapshots(Case):
    KEY = "ab" * 32
    HEADER = f"mpp-storage/1\na.b\n{KEY}\n".encode()

    def read(self, data):
        storage.read_snapshot(data, "a.b", self.KEY)

    def test_damaged_snapshots_are_refused(self):
        self.read(self.HEADER + b"\1d\1a\2f\1b\0\0\0\1x\1f\1b\0\0\0\0\0")
        for entries in (
            b"",
            b"\0\0",
            b"\2d\1a\0",
            b"\1f\1a\0\0\0\0\2f\1b\0\0\0\0\0",
            b"\1d\1b\1d\1a\0",
            b"\1d\1a\1d\1a\0",
            b"\1l\1a\0",
            b"\1d\0\0",
            b"\1d\1.\0",
            b"\1d\2..\0",
            b"\1d\1/\0",
            b"\1d\1\xff\0",
            b"\1f\1a\0\0\0\2x",
            b"\1d\1a\2d\1b\3d\1c\2d\1b\0",
        ):
            self.assert_refused("storage.damaged", self.read, self.HEADER + entries)
        self.assert_refused("storage.damaged", self.read, self.HEADER.replace(b"a.b", b"a.c") + b"\0")


class Policies(Case):
    def read(self, members):
        policy.read_policy(b'{"format":"mpp-policy/1",' + members + b"}")

    def test_other_members_are_refused(self):
        self.read(b'"deny":{"hosts":["Tracker.Example.:443"]}')
        self.read(b'"directories":[{"guest":"/a","host":"C:\\\\a"}]')
        for members in (
            b'"unknown":1',
            b'"signers_required":0',
            b'"signers_required":1.0',
            b'"ask_always":true,"auto_approve_low":true',
            b'"trusted_publishers":["\xc3\xa9"]',
            b'"token_lifetime_s":6e1',
            b'"agents":[{"names":["%s"]}]' % (b"a" * 129),
            b'"deny":{"hosts":["a.b.."]}',
            b'"deny":{"hosts":["\xe2\x84\xaa.b"]}',
            b'"deny":{"hosts":["*.a"]}',
            b'"deny":{"hosts":["1.2.3.4"]}',
            b'"deny":{"capabilities":["files"]}',
            b'"directories":[{"guest":"/assets","host":"/a"}]',
            b'"directories":[{"guest":"/a","host":"a"}]',
            b'"directories":[{"guest":"/a","host":"C:a"}]',
            b'"environment":[{"name":"A"}]',
            b'"environment":[{"name":"A","value":"b","secret":"C"}]',
            b'"network":{"plain_http":["a.b"]}',
            b'"network":{"headers":[{"host":"a.b","name":"Cookie","value":"x"}]}',
            b'"network":{"headers":[{"host":"a.b","name":"x","value":"y","prefix":"z"}]}',
            b'"privacy_filters":{"keep":{"networks":["10.0.0.1/8"]}}',
            b'"privacy_filters":{"keep":{"networks":["10.0.0.0/255.0.0.0"]}}',
            b'"privacy_filters":{"keep":{"mail_domains":["localhost"]}}',
            b'"privacy_filters":{"except":[{"kinds":[]}]}',
            b'"agents":[{"names":["a"],"packages":[]}]',
            b'"secrets_command":["pass"]',
            b'"consent":{"elicitation":"never"}',
        ):
            with self.subTest(members=members):
                self.assert_refused("policy.invalid", self.read, members)


class Adapter(Case):
    def test_an_unknown_operation_is_skipped(self):
        self.assertIn("skipped", adapter.answer(VECTORS, {"id": 1, "op": "filter", "input": {}}))

    def test_a_refusal_has_its_check(self):
        given = {"package": [{"hex": "00", "times": 22}], "trust": "stores/author.json", "now": "2026-06-01T00:00:00Z"}
        result = adapter.answer(VECTORS, {"id": 1, "op": "verify", "input": given})
        self.assertEqual((result["verdict"], result["check"], result["code"]), ("refuse", 1, "archive.end_record"))


if __name__ == "__main__":
    unittest.main()

//! What tools keep: for whom, how much, and what becomes of it if two want it, or a disk does not.

use super::*;
use crate::kernel::door::kv::Kept;
use crate::kernel::limits::*;
use crate::kernel::sandbox::Changes;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

/// A folder of kept texts that goes when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name =
            format!("mpp-kv-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Folder(std::env::temp_dir().join(name))
    }

    fn world(&self) -> World {
        World {
            services: Services { http: None, kv: Some(Arc::new(KvFiles::new(&self.0))) },
            hosts: Vec::new(),
            storage_kb: 10,
            limits: LIMITS,
            cancel: CancelFlag::default(),
        }
    }

    fn file(&self) -> PathBuf {
        self.0.join(format!("org.example.tool.{}.json", "ab".repeat(32)))
    }

    fn kept(&self) -> Kept {
        KvFiles::new(&self.0).load(&owner()).unwrap()
    }

    fn keep(&self, entries: &[(&str, &str)]) {
        let mut changes =
            changes_of(&self.world(), &entries.iter().map(|(k, v)| set(k, v)).collect::<Vec<_>>());
        changes.carry_out().unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn owner() -> KvOwner {
    let publisher_key = crate::kernel::package::key::KeyId::parse(&"ab".repeat(32)).unwrap();
    KvOwner { package: "org.example.tool".into(), publisher_key }
}

fn set(key: &str, value: &str) -> Value {
    json!({ "service": "kv", "op": "set", "key": key, "value": value })
}

fn read(key: &str) -> Value {
    json!({ "service": "kv", "op": "get", "key": key })
}

fn delete(key: &str) -> Value {
    json!({ "service": "kv", "op": "delete", "key": key })
}

fn list(prefix: &str, after: &str, limit: usize) -> Value {
    json!({ "service": "kv", "op": "list", "prefix": prefix, "after": after, "limit": limit })
}

/// What a call with these requests wants to change.
fn changes_of(world: &World, requests: &[Value]) -> Changes {
    let (answers, run) = world.ask_all(requests);
    run.outcome.unwrap();
    assert!(answers.iter().all(|answer| answer.get("ok").is_some()), "{answers:?}");
    run.changes
}

fn entries(pairs: &[(&str, &str)]) -> Kept {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn a_call_sees_what_it_changed_and_nobody_else_does_until_it_is_carried_out() {
    let folder = Folder::new();
    let world = folder.world();
    let (answers, run) = world.ask_all(&[
        read("a"),
        set("a", "1"),
        set("b/2", "\u{e9}\n\0"),
        set("b/1", ""),
        read("b/2"),
        list("", "", 1000),
        list("b/", "", 1),
        list("b/", "b/1", 1),
        delete("a"),
        delete("a"),
        read("a"),
    ]);
    let expected = [
        json!({ "value": null }),
        json!({}),
        json!({}),
        json!({}),
        json!({ "value": "\u{e9}\n\0" }),
        json!({ "keys": ["a", "b/1", "b/2"], "more": false }),
        json!({ "keys": ["b/1"], "more": true }),
        json!({ "keys": ["b/2"], "more": false }),
        json!({ "deleted": true }),
        json!({ "deleted": false }),
        json!({ "value": null }),
    ];
    assert_eq!(answers, expected.map(|answer| json!({ "ok": answer })));
    assert!(!folder.0.exists());
    let mut changes = run.changes;
    let listed = json!([{ "key": "b/1", "action": "set_key", "bytes": 0 },
        { "key": "b/2", "action": "set_key", "bytes": 4 }]);
    assert_eq!(changes.to_json(), listed);
    changes.carry_out().unwrap();
    assert_eq!(changes.to_json(), listed);
    assert_eq!(changes.counts(), BTreeMap::from([("bytes".into(), 4), ("set_key".into(), 2)]));
    assert_eq!(folder.kept(), entries(&[("b/1", ""), ("b/2", "\u{e9}\n\0")]));
    let counted: Vec<_> = run.door.iter().map(|(what, count)| format!("{what} {count}")).collect();
    assert_eq!(counted, ["kv delete 2", "kv get 3", "kv list 3", "kv set 3"]);
    // Only what is different in the end is a change.
    assert!(changes_of(&world, &[set("c", "1"), delete("c"), set("b/1", "")]).is_empty());
    let gone = changes_of(&world, &[delete("b/1")]);
    assert_eq!(gone.to_json(), json!([{ "key": "b/1", "action": "delete_key" }]));
    assert!(!format!("{gone:?}").contains('\u{e9}'));
}

#[test]
fn a_guest_that_is_ended_leaves_no_change() {
    let folder = Folder::new();
    let mut world = folder.world();
    let lines = format!("{}\n", set("a", "1"));
    let fuel = world.run(&lines).fuel_used;
    world.limits.fuel_max = fuel - 1;
    let run = world.run(&lines);
    assert!(run.outcome.is_err() && run.changes.is_empty());
    assert_eq!(run.door.len(), 1);
    world.limits.fuel_max = LIMITS.fuel_max;
    world.cancel.cancel();
    assert!(world.run(&lines).changes.is_empty());
}

#[test]
fn keys_values_and_requests_that_are_none_are_refused() {
    let folder = Folder::new();
    let mut world = folder.world();
    world.storage_kb = 3 << 10;
    let long = "k".repeat(KV_KEY_BYTES_MAX + 1);
    for key in ["", "a\nb", "\0", "\u{200b}", "\u{202e}", "\u{1b}[2J", &long] {
        for request in [set(key, ""), read(key), delete(key)] {
            assert_eq!(world.code(&request), "kv.key", "{key:?}");
        }
    }
    for key in ["k".repeat(KV_KEY_BYTES_MAX).as_str(), "../../etc/passwd", " ", "\u{e9}"] {
        assert_eq!(world.code(&set(key, "")), "", "{key:?}");
    }
    let value = |length: usize| "v".repeat(length);
    assert_eq!(world.code(&set("a", &value(KV_VALUE_BYTES_MAX + 1))), "kv.value");
    assert_eq!(world.code(&set("a", &value(KV_VALUE_BYTES_MAX))), "");
    for request in [
        json!({ "service": "kv" }),
        json!({ "service": "kv", "op": "get" }),
        json!({ "service": "kv", "op": "get", "key": 1 }),
        json!({ "service": "kv", "op": "get", "key": "a", "value": "b" }),
        json!({ "service": "kv", "op": "set", "key": "a" }),
        json!({ "service": "kv", "op": "set", "key": "a", "value": null }),
        json!({ "service": "kv", "op": "clear" }),
        json!({ "service": "kv", "op": "list", "limit": 0 }),
        json!({ "service": "kv", "op": "list", "limit": KV_LIST_COUNT_MAX + 1 }),
        json!({ "service": "kv", "op": "get", "key": "a", "package": "org.other" }),
    ] {
        assert_eq!(world.code(&request), "door.invalid", "{request}");
    }
}

#[test]
fn no_more_is_kept_than_was_granted() {
    let folder = Folder::new();
    let mut world = folder.world();
    let entry = usize::try_from(KV_ENTRY_BYTES).unwrap() + 1;
    world.storage_kb = 2;
    let exactly = "x".repeat(2048 - entry);
    assert_eq!(world.code(&set("a", &format!("{exactly}x"))), "kv.quota");
    let (answers, run) = world.ask_all(&[
        set("a", &exactly),
        set("b", ""),
        set("a", "short"),
        set("b", ""),
        set("a", &exactly),
        delete("b"),
        set("a", &exactly),
    ]);
    let codes: Vec<_> =
        answers.iter().map(|it| it["error"]["code"].as_str().unwrap_or("")).collect();
    assert_eq!(codes, ["", "kv.quota", "", "", "kv.quota", "", ""]);
    run.changes.clone().carry_out().unwrap();
    // A later version that is granted less may make it less, and not more.
    world.storage_kb = 1;
    let (answers, _) =
        world.ask_all(&[set("a", &format!("{exactly}x")), set("a", &exactly[1..]), set("b", "")]);
    let codes: Vec<_> =
        answers.iter().map(|it| it["error"]["code"].as_str().unwrap_or("")).collect();
    assert_eq!(codes, ["kv.quota", "", "kv.quota"]);
}

#[test]
fn another_package_or_publisher_has_other_data() {
    let folder = Folder::new();
    folder.keep(&[("a", "1")]);
    let files = KvFiles::new(&folder.0);
    let other_key = crate::kernel::package::key::KeyId::parse(&"cd".repeat(32)).unwrap();
    for other in [
        KvOwner { package: "org.example.other".into(), ..owner() },
        KvOwner { publisher_key: other_key, ..owner() },
    ] {
        assert_eq!(files.load(&other).unwrap(), Kept::new());
        // Nor if its file is put there.
        let name = format!("{}.{}.json", other.package, other.publisher_key.as_str());
        fs::copy(folder.file(), folder.0.join(name)).unwrap();
        assert_eq!(files.load(&other).unwrap_err().code(), Code::KvDamaged);
    }
}

#[test]
fn what_somebody_else_changed_meanwhile_is_not_overwritten() {
    type Requests = Vec<Value>;
    let cases: Vec<(&str, Requests, Requests, bool)> = vec![
        ("both write one", vec![set("a", "x")], vec![set("a", "y")], true),
        ("both write the same", vec![set("a", "x")], vec![set("a", "x")], true),
        ("both make one", vec![set("new", "x")], vec![set("new", "y")], true),
        ("written what was read", vec![read("a"), set("b", "x")], vec![set("a", "y")], true),
        ("made what was not there", vec![read("new"), set("b", "x")], vec![set("new", "y")], true),
        ("removed what was read", vec![read("a"), set("b", "x")], vec![delete("a")], true),
        ("removed what was listed", vec![list("", "", 9), set("c", "x")], vec![delete("a")], true),
        ("both remove one", vec![delete("a")], vec![delete("a")], true),
        (
            "different ones",
            vec![read("b"), set("c", "x")],
            vec![set("a", "y"), set("d", "")],
            false,
        ),
        ("made beside the listed", vec![list("", "", 9), set("c", "x")], vec![set("d", "")], false),
        (
            "changed what was listed",
            vec![list("", "", 9), set("c", "x")],
            vec![set("a", "y")],
            false,
        ),
        ("read only", vec![read("a")], vec![set("a", "y")], false),
    ];
    for (title, first, second, conflict) in cases {
        let folder = Folder::new();
        folder.keep(&[("a", "1"), ("b", "2")]);
        let world = folder.world();
        let mut late = changes_of(&world, &first);
        changes_of(&world, &second).carry_out().unwrap();
        let before = folder.kept();
        let result = late.carry_out();
        assert_eq!(result.is_err(), conflict, "{title}");
        if let Err(error) = result {
            assert_eq!(error.code(), Code::KvConflict, "{title}");
            assert_eq!(folder.kept(), before, "{title}");
            assert!(late.is_empty(), "{title}: said to be carried out");
        }
    }
}

#[test]
fn two_calls_that_fill_the_storage_together_are_not_both_carried_out() {
    let folder = Folder::new();
    let mut world = folder.world();
    world.storage_kb = 1;
    let mut one = changes_of(&world, &[set("a", &"x".repeat(512))]);
    let mut two = changes_of(&world, &[set("b", &"x".repeat(512))]);
    one.carry_out().unwrap();
    assert_eq!(two.carry_out().unwrap_err().code(), Code::KvConflict);
    assert_eq!(folder.kept().len(), 1);
}

#[test]
fn many_at_once_lose_nothing() {
    let folder = Folder::new();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let folder = &folder;
            scope.spawn(move || {
                for number in 0..5 {
                    folder.keep(&[(&format!("{thread}/{number}"), "x")]);
                }
            });
        }
    });
    assert_eq!(folder.kept().len(), 20);
}

/// Whatever stands in the file's place or the way of the new one, nothing is lost and nothing is used.
#[test]
fn a_file_that_was_altered_is_neither_used_nor_replaced() {
    let folder = Folder::new();
    folder.keep(&[("a", "1")]);
    let good: Value = serde_json::from_slice(&fs::read(folder.file()).unwrap()).unwrap();
    let good = good.to_string();
    let mut waiting = changes_of(&folder.world(), &[set("b", "2")]);
    for (what, with) in [
        ("mpp-kv/1", "mpp-kv/2"),
        ("org.example.tool", "org.example.other"),
        ("abab", "cdab"),
        ("\"a\":\"1\"", "\"a\":1"),
        ("\"a\":\"1\"", "\"a\":\"1\",\"a\":\"2\""),
        ("\"a\":\"1\"", "\"\":\"1\""),
        ("\"a\":\"1\"", "\"a\\n\":\"1\""),
        ("\"a\":\"1\"", &format!("\"a\":\"{}\"", "x".repeat(KV_VALUE_BYTES_MAX + 1))),
        ("\"a\":\"1\"", &format!("\"{}\":\"1\"", "k".repeat(KV_KEY_BYTES_MAX + 1))),
        ("{\"a\":\"1\"}", "[]"),
        ("\"entries\"", "\"values\""),
        ("\"format\"", "\"more\":1,\"format\""),
        ("ab\"}", "ab\""),
        ("ab\"}", "ab\"}x"),
    ] {
        let bad = good.replacen(what, with, 1);
        assert_ne!(bad, good, "{what}");
        fs::write(folder.file(), &bad).unwrap();
        let world = folder.world();
        let answer = world.ask(&read("a"));
        assert_eq!(answer["error"]["code"], "kv.unavailable", "{with}");
        assert_eq!(answer["error"]["message"], "kv.damaged", "{with}");
        assert_eq!(waiting.clone().carry_out().unwrap_err().code(), Code::KvDamaged, "{with}");
        assert_eq!(fs::read_to_string(folder.file()).unwrap(), bad);
    }
    fs::write(folder.file(), good).unwrap();
    // A name beside it that can't be written stands for a disk that is full.
    let new = folder.file().with_extension("json.new");
    fs::create_dir_all(new.join("taken")).unwrap();
    assert_eq!(waiting.clone().carry_out().unwrap_err().code(), Code::HostFile);
    assert_eq!(folder.kept(), entries(&[("a", "1")]));
    // What a crash left there is cleared away.
    fs::remove_dir_all(&new).unwrap();
    fs::write(&new, "half").unwrap();
    waiting.carry_out().unwrap();
    assert_eq!(folder.kept(), entries(&[("a", "1"), ("b", "2")]));
    assert!(!new.exists());
}

#[cfg(unix)]
#[test]
fn what_is_kept_is_for_this_user_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new();
    folder.keep(&[("a", "1")]);
    let mode = |path: &PathBuf| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&folder.0), mode(&folder.file())), (0o700, 0o600));
}

/// Against a map: random operations give the same answers, and the same state when carried out.
#[test]
fn random_operations_agree_with_a_plain_map() {
    let folder = Folder::new();
    let mut model = Kept::new();
    let mut state = 11_u64;
    let mut next = move |below: u64| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for _ in 0..20 {
        let world = folder.world();
        let (mut requests, mut expected) = (Vec::new(), Vec::new());
        for _ in 0..40 {
            let key =
                ["a", "a/", "a/b", "a0", "b", "\u{e9}", "\u{1f600}"][next(7) as usize].to_owned();
            match next(4) {
                0 => {
                    let value = next(100).to_string();
                    requests.push(set(&key, &value));
                    model.insert(key, value);
                    expected.push(json!({}));
                }
                1 => {
                    requests.push(delete(&key));
                    expected.push(json!({ "deleted": model.remove(&key).is_some() }));
                }
                2 => {
                    requests.push(read(&key));
                    expected.push(json!({ "value": model.get(&key) }));
                }
                _ => {
                    let prefix = ["", "a", "a/", "z"][next(4) as usize];
                    let limit = next(4) as usize + 1;
                    requests.push(list(prefix, &key, limit));
                    let all = model.keys().filter(|it| it.starts_with(prefix) && **it > key);
                    let all: Vec<&String> = all.collect();
                    let keys: Vec<_> = all.iter().take(limit).collect();
                    expected.push(json!({ "keys": keys, "more": all.len() > limit }));
                }
            }
        }
        let (answers, run) = world.ask_all(&requests);
        let expected: Vec<Value> =
            expected.into_iter().map(|answer| json!({ "ok": answer })).collect();
        assert_eq!(answers, expected);
        run.changes.clone().carry_out().unwrap();
        assert_eq!(folder.kept(), model);
    }
}

/// Names that are not there take memory too.
#[test]
fn a_call_that_asks_for_ever_more_names_is_stopped() {
    let folder = Folder::new();
    let world = folder.world();
    let mut session = KvSession::new(world.token().token(), world.services.kv.clone());
    let mut tally = Tally::default();
    for number in 0..KV_NAMES_COUNT_MAX {
        session.ask(&read(&number.to_string()), &mut tally).unwrap();
    }
    assert_eq!(session.ask(&read("one more"), &mut tally).unwrap_err().code, "kv.names");
    assert_eq!(session.ask(&set("another", ""), &mut tally).unwrap_err().code, "kv.names");
    assert_eq!(session.ask(&delete("a third"), &mut tally).unwrap_err().code, "kv.names");
    assert!(session.ask(&read("7"), &mut tally).is_ok());
    assert!(session.into_changes().is_none());
}

/// The host reads all of it, whatever the guest asks for.
#[test]
fn the_first_request_pays_for_reading_all_that_is_kept() {
    let folder = Folder::new();
    let get = |count| vec![read("none"); count];
    let fuel = |count| folder.world().ask_all(&get(count)).1.fuel_used;
    let (one, two) = (fuel(1), fuel(2));
    folder.keep(&[("a", &"x".repeat(8000))]);
    let bytes = 1 + 8000 + KV_ENTRY_BYTES;
    assert_eq!((fuel(1), fuel(2)), (one + bytes, two + bytes));
    let limits = RunLimits { fuel_max: one + bytes / 2, ..LIMITS };
    let run = World { limits, ..folder.world() }.ask_all(&get(1)).1;
    assert_eq!(run.outcome.unwrap_err().code(), Code::ToolFuel);
    assert!(run.stdout.is_empty());
}

#[test]
fn what_could_not_be_read_again_is_not_written() {
    let folder = Folder::new();
    folder.keep(&[("a", "1")]);
    let before = fs::read(folder.file()).unwrap();
    let files = KvFiles::new(&folder.0);
    let add = |key: &str, value: &str| {
        let mut edit = |kept: &mut Kept| {
            kept.insert(key.to_owned(), value.to_owned());
            Ok(())
        };
        files.update(&owner(), &mut edit, &mut || Ok(()))
    };
    let long_value = "x".repeat(KV_VALUE_BYTES_MAX + 1);
    let long_key = "x".repeat(KV_KEY_BYTES_MAX + 1);
    for (key, value) in [("", "1"), (&long_key, "1"), ("a\u{200b}", "1"), ("b", &long_value)] {
        assert_eq!(add(key, value).unwrap_err().code(), Code::KvDamaged);
    }
    // Each value may be kept, and all of them, as escapes of six bytes, make the file too long.
    let mut fill = |kept: &mut Kept| {
        let value = "\u{1}".repeat(KV_VALUE_BYTES_MAX);
        let count = KV_FILE_BYTES_MAX / KV_VALUE_BYTES_MAX / 6 + 1;
        kept.extend((0..count).map(|number| (number.to_string(), value.clone())));
        Ok(())
    };
    let filled = files.update(&owner(), &mut fill, &mut || Ok(()));
    assert_eq!(filled.unwrap_err().code(), Code::KvDamaged);
    assert_eq!(fs::read(folder.file()).unwrap(), before);
    assert!(add("b", "2").is_ok());
}

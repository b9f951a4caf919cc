//! Snapshots: one for one directory, and nothing else is read; and what a call makes of one.
#![allow(clippy::as_conversions, clippy::arithmetic_side_effects)]

use super::*;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

type All = BTreeMap<StorageOwner, Vec<u8>>;

/// Keeps everything until the test ends.
#[derive(Default)]
pub(in crate::kernel) struct Memory(Mutex<All>);

struct Prepared<'a>(MutexGuard<'a, All>, StorageOwner, Vec<u8>);

impl StorageBackend for Memory {
    fn load(&self, owner: &StorageOwner) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.0.lock().unwrap().get(owner).cloned())
    }

    fn prepare(
        &self,
        owner: &StorageOwner,
        was: Option<&[u8]>,
        new: &[u8],
        ended: &dyn Fn() -> bool,
    ) -> Result<Box<dyn PreparedStorage + '_>, Error> {
        let all = self.0.lock().unwrap();
        if ended() || all.get(owner).map(Vec::as_slice) != was {
            return Err(Error::new(Code::StorageConflict, "it is another by now"));
        }
        Ok(Box::new(Prepared(all, owner.clone(), new.to_vec())))
    }
}

impl PreparedStorage for Prepared<'_> {
    fn commit(self: Box<Self>) -> Result<(), Error> {
        let Prepared(mut all, owner, new) = *self;
        all.insert(owner, new);
        Ok(())
    }
}

impl Memory {
    /// One in which the package of [`owner`] keeps this.
    pub(in crate::kernel) fn with(entries: &Entries) -> Arc<dyn StorageBackend> {
        let memory = Memory::default();
        memory.0.lock().unwrap().insert(owner(), encode(&owner(), entries));
        Arc::new(memory)
    }
}

/// What the package of [`owner`] keeps.
pub(in crate::kernel) fn kept(backend: &Arc<dyn StorageBackend>) -> Entries {
    decode(&owner(), &backend.load(&owner()).unwrap().unwrap()).unwrap()
}

pub(in crate::kernel) fn loaded(backend: &Arc<dyn StorageBackend>, limit_kb: u64) -> LoadedStorage {
    let StorageOwner { package, publisher_key } = owner();
    LoadedStorage::load(&package, Some(&publisher_key), limit_kb * 1024, Some(backend.clone()))
        .unwrap()
}

fn owner() -> StorageOwner {
    let publisher_key = KeyId::parse(&"ab".repeat(32)).unwrap();
    StorageOwner { package: "org.example.tool".to_owned(), publisher_key }
}

/// Paths with their contents; a path that ends in a slash is a directory.
pub(in crate::kernel) fn entries(of: &[(&str, &str)]) -> Entries {
    let entry = |(path, content): &(&str, &str)| match path.strip_suffix('/') {
        Some(path) => (path.to_owned(), None),
        None => ((*path).to_owned(), Some(content.as_bytes().to_vec())),
    };
    of.iter().map(entry).collect()
}

fn some() -> Entries {
    entries(&[("a", "one"), ("a-b", ""), ("d/", ""), ("d/e/", ""), ("d/e/f", "two"), ("d0", "x")])
}

fn refused(snapshot: &[u8]) -> bool {
    let code = decode(&owner(), snapshot).map_err(|error| error.code());
    assert!(code.is_ok() || code == Err(Code::StorageDamaged));
    code.is_err()
}

/// A snapshot of this owner with other bytes behind its header.
fn with_body(body: &[u8]) -> Vec<u8> {
    [header(&owner()).as_bytes(), body].concat()
}

#[test]
fn a_snapshot_lists_a_directory_before_what_lies_in_it_with_lengths() {
    let printed = encode(&owner(), &some());
    let body = b"\x01f\x01a\0\0\0\x03one\x01f\x03a-b\0\0\0\0\x01d\x01d\x02d\x01e\
        \x03f\x01f\0\0\0\x03two\x01f\x02d0\0\0\0\x01x\0";
    assert_eq!(printed, with_body(body));
    let header = format!("mpp-storage/1\norg.example.tool\n{}\n", "ab".repeat(32));
    assert!(printed.starts_with(header.as_bytes()));
    assert_eq!(decode(&owner(), &printed).unwrap(), some());
    assert_eq!(decode(&owner(), &with_body(b"\0")).unwrap(), Entries::new());
}

struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) as usize % bound
    }

    fn tree(&mut self) -> Entries {
        const NAMES: [&str; 7] = ["a", "a-", "a0", "\u{e9}", "\u{1f600}", "\n", ".mpp-commit"];
        let (mut directories, mut found) = (vec![String::new()], Entries::new());
        for _ in 0..self.below(20) {
            let above = directories[self.below(directories.len())].clone();
            let path = format!("{above}{}", NAMES[self.below(NAMES.len())]);
            if found.contains_key(&path) {
                continue;
            }
            let content = (self.below(3) > 0).then(|| vec![self.below(256) as u8; self.below(9)]);
            if content.is_none() {
                directories.push(format!("{path}/"));
            }
            found.insert(path, content);
        }
        found
    }
}

#[test]
fn random_directories_are_read_as_they_were_printed() {
    let mut random = Random(7);
    for _ in 0..500 {
        let tree = random.tree();
        let printed = encode(&owner(), &tree);
        assert_eq!(decode(&owner(), &printed).unwrap(), tree);
        assert!(printed.len() as u64 <= size(&tree) + 1024);
    }
}

#[test]
fn every_part_of_a_snapshot_is_refused_and_every_other_byte_refused_or_part_of_another_one() {
    let mut random = Random(11);
    for tree in (0..20).map(|_| random.tree()).chain([some()]) {
        let printed = encode(&owner(), &tree);
        for length in 0..printed.len() {
            assert!(refused(&printed[..length]), "{length} bytes of {tree:?}");
        }
        assert!(refused(&[&printed[..], b"\0"].concat()));
        let mut other = printed.clone();
        for at in 0..printed.len() {
            for change in [1, 2, 32, 128, 255] {
                other[at] = printed[at] ^ change;
                match decode(&owner(), &other) {
                    Ok(found) => assert_eq!(encode(&owner(), &found), other),
                    Err(error) => assert_eq!(error.code(), Code::StorageDamaged),
                }
            }
            other[at] = printed[at];
        }
    }
}

#[test]
fn what_no_guest_could_have_left_is_refused() {
    let long = "n".repeat(255);
    let file = |name: &str| [&[1, b'f', name.len() as u8], name.as_bytes(), &[0; 4]].concat();
    let one = |name: &str| with_body(&[file(name), vec![0]].concat());
    assert!(!refused(&one(&long)) && !refused(&one("...")) && !refused(&one("\\")));
    for name in ["", ".", "..", "a/b", "/", "a\0", "\0"] {
        assert!(refused(&one(name)), "{name:?}");
    }
    let two = |a: &str, b: &str| with_body(&[file(a), file(b), vec![0]].concat());
    assert!(!refused(&two("a", "b")));
    let bodies: [&[u8]; 12] = [
        b"",
        b"\x01f\x01\xff\0\0\0\0\0", // a name that is not UTF-8
        b"\x01x\x01a\0\0\0\0\0",    // another kind
        b"\x02f\x01a\0\0\0\0\0",    // in no directory
        b"\x01f\x01a\0\0\0\0\x02f\x01b\0\0\0\0\0", // in a file
        b"\x01d\x01a\x03f\x01b\0\0\0\0\0", // in a directory that is left out
        b"\x01d\x01a\x01f\x01a\0\0\0\0\0", // one name twice
        b"\x01f\x01a\xff\xff\xff\xff\0", // longer than all there is
        b"\x01f\x01a\0\0\0\x01\0",  // takes the end for content
        b"\x01f\x01a\0\0\0\0\0\x01f\x01b\0\0\0\0\0", // goes on behind the end
        b"\xffd\x01a\0",            // deeper than anything
        b"\x01d\x01b\x02f\x01x\0\0\0\0\x01f\x01a\0\0\0\0\0", // in another order
    ];
    for body in bodies {
        assert!(refused(&with_body(body)), "{}", body.escape_ascii());
    }
    assert!(refused(&two("b", "a")) && refused(&two("a", "a")));
    let deep = |count: usize| {
        let directories = (1..=count).flat_map(|depth| [depth as u8, b'd', 1, b'd']);
        with_body(&directories.chain([0]).collect::<Vec<_>>())
    };
    assert!(!refused(&deep(FILE_DEPTH_MAX)) && refused(&deep(FILE_DEPTH_MAX + 1)));
    let many = |count: usize| {
        let names = (0..count).flat_map(|number| file(&format!("{number:05}")));
        with_body(&names.chain([0]).collect::<Vec<_>>())
    };
    assert!(!refused(&many(STAGED_NAMES_COUNT_MAX)) && refused(&many(STAGED_NAMES_COUNT_MAX + 1)));
    let large = |length: usize| {
        let length = length - STORAGE_ENTRY_BYTES;
        encode(&owner(), &Entries::from([("a".to_owned(), Some(vec![0; length]))]))
    };
    assert!(!refused(&large(BYTES_MAX as usize)) && refused(&large(BYTES_MAX as usize + 1)));
}

#[test]
fn a_snapshot_of_another_package_key_or_version_is_refused() {
    let printed = encode(&owner(), &some());
    let other = StorageOwner { package: "org.example.other".to_owned(), ..owner() };
    assert_eq!(decode(&other, &printed).unwrap_err().code(), Code::StorageDamaged);
    let publisher_key = KeyId::parse(&"cd".repeat(32)).unwrap();
    let other = StorageOwner { publisher_key, ..owner() };
    assert_eq!(decode(&other, &printed).unwrap_err().code(), Code::StorageDamaged);
    let text = String::from_utf8(encode(&owner(), &entries(&[("a", "one")]))).unwrap();
    assert!(!refused(text.as_bytes()));
    for (what, with) in [("storage/1", "storage/2"), ("tool\n", "tool\r\n"), ("mpp", " mpp")] {
        assert!(refused(text.replacen(what, with, 1).as_bytes()), "{with}");
    }
}

#[test]
fn a_call_is_refused_where_nothing_is_kept_no_key_is_known_or_what_is_kept_is_damaged() {
    let StorageOwner { package, publisher_key } = owner();
    let backend = Memory::with(&some());
    let code =
        |key, backend| LoadedStorage::load(&package, key, 1, backend).err().map(|it| it.code());
    assert_eq!(code(Some(&publisher_key), None), Some(Code::StorageNone));
    assert_eq!(code(None, Some(backend.clone())), Some(Code::StorageNone));
    assert_eq!(code(Some(&publisher_key), Some(backend.clone())), None);
    let damaged = Memory::default();
    damaged.0.lock().unwrap().insert(owner(), b"mpp-storage/1\n".to_vec());
    let damaged: Arc<dyn StorageBackend> = Arc::new(damaged);
    assert_eq!(code(Some(&publisher_key), Some(damaged.clone())), Some(Code::StorageDamaged));
}

#[test]
fn stored_data_is_checked_against_the_quota_again_at_the_end() {
    let file = |length: usize| Entries::from([("a".to_owned(), Some(vec![0; length]))]);
    let full = 1024 - STORAGE_ENTRY_BYTES;
    let backend = Memory::with(&Entries::new());
    assert!(loaded(&backend, 1).into_changed(&file(full)).unwrap().is_some());
    let error = loaded(&backend, 1).into_changed(&file(full + 1)).err().unwrap();
    assert_eq!(error.code(), Code::StorageQuota);
    // What was granted more before may get smaller, and no larger.
    let backend = Memory::with(&file(2000));
    assert!(loaded(&backend, 1).into_changed(&file(1999)).unwrap().is_some());
    assert!(loaded(&backend, 1).into_changed(&file(2000)).unwrap().is_none());
    let error = loaded(&backend, 1).into_changed(&file(2001)).err().unwrap();
    assert_eq!(error.code(), Code::StorageQuota);
    // What could not be read again is not kept.
    let bad = entries(&[("a/b", "")]);
    assert_eq!(loaded(&backend, 9).into_changed(&bad).err().unwrap().code(), Code::StorageDamaged);
}

#[test]
fn nothing_kept_and_nothing_to_keep_is_no_change() {
    let backend: Arc<dyn StorageBackend> = Arc::new(Memory::default());
    assert!(loaded(&backend, 1).into_changed(&Entries::new()).unwrap().is_none());
    assert!(loaded(&backend, 1).into_changed(&entries(&[("a/", "")])).unwrap().is_some());
}

#[test]
fn of_two_calls_that_found_the_same_the_second_to_end_is_refused() {
    let backend = Memory::with(&some());
    let changed = |path: &str| {
        let now = entries(&[(path, "new")]);
        loaded(&backend, 9).into_changed(&now).unwrap().unwrap().0
    };
    let (first, second) = (changed("first"), changed("second"));
    let deadline = Deadline::unlimited();
    first.prepare(&deadline).unwrap().commit().unwrap();
    assert_eq!(second.prepare(&deadline).err().unwrap().code(), Code::StorageConflict);
    assert_eq!(kept(&backend), entries(&[("first", "new")]));
    // What is prepared and dropped changes nothing, and a call that has ended prepares nothing.
    drop(changed("third").prepare(&deadline).unwrap());
    let late = deadline.capped_at(Duration::ZERO);
    assert_eq!(changed("third").prepare(&late).err().unwrap().code(), Code::ToolTimeout);
    assert_eq!(kept(&backend), entries(&[("first", "new")]));
}

//! Guests for tests with files: host calls by name, with paths and contents placed for them.

use super::probe::*;
use super::*;

pub(super) const READ: i64 = 2;
pub(super) const WRITE: i64 = 64;
/// Everything a file can be opened for.
pub(super) const ALL: i64 = 0x08e0_01ff;
pub(super) const CREATE: i64 = 1;
pub(super) const DIRECTORY: i64 = 2;
pub(super) const EXCLUSIVE: i64 = 4;
pub(super) const TRUNCATE: i64 = 8;
pub(super) const APPEND: i64 = 1;

/// Host calls to make, and the memory for them. The results of calls go to an address that no test reads,
/// unless a method returns the address.
pub(super) struct Script {
    next: usize,
    data: Vec<(usize, Vec<u8>)>,
    calls: Vec<(&'static str, Vec<i64>)>,
}

/// What became of them.
pub(super) struct Ran {
    pub(super) answers: Vec<u32>,
    pub(super) run: Execution,
}

impl Ran {
    pub(super) fn bytes(&self, at: i64, length: usize) -> &[u8] {
        &self.run.stderr[at as usize..at as usize + length]
    }

    pub(super) fn number(&self, at: i64) -> u64 {
        number(&self.run.stderr, at as usize)
    }

    pub(super) fn word(&self, at: i64) -> u32 {
        word(&self.run.stderr, at as usize)
    }
}

impl Script {
    pub(super) fn new() -> Self {
        Script { next: 64, data: Vec::new(), calls: Vec::new() }
    }

    /// Reserves memory and returns its address.
    pub(super) fn reserve(&mut self, length: usize) -> i64 {
        let at = self.next;
        self.next += length.div_ceil(8) * 8;
        assert!(self.next < ANSWERS, "the test needs more memory");
        at as i64
    }

    pub(super) fn place(&mut self, bytes: &[u8]) -> i64 {
        let at = self.reserve(bytes.len());
        self.data.push((at as usize, bytes.to_vec()));
        at
    }

    /// A call by name; gives the index of its answer.
    pub(super) fn call(&mut self, name: &'static str, arguments: &[i64]) -> usize {
        self.calls.push((name, arguments.to_vec()));
        self.calls.len() - 1
    }

    fn path(&mut self, path: &str) -> [i64; 2] {
        [self.place(path.as_bytes()), path.len() as i64]
    }

    /// `path_open` without following a link.
    pub(super) fn open(&mut self, fd: i64, path: &str, flags: i64, rights: i64) -> usize {
        self.open_with(fd, 0, path, flags, rights, 0)
    }

    pub(super) fn open_with(
        &mut self,
        fd: i64,
        lookup: i64,
        path: &str,
        flags: i64,
        rights: i64,
        fd_flags: i64,
    ) -> usize {
        let [path, length] = self.path(path);
        self.call("path_open", &[fd, lookup, path, length, flags, rights, -1, fd_flags, 0])
    }

    pub(super) fn close(&mut self, fd: i64) -> usize {
        self.call("fd_close", &[fd])
    }

    pub(super) fn write(&mut self, fd: i64, bytes: &[u8]) -> usize {
        let at = self.place(bytes);
        let list = self.place(&iovec(at as u32, bytes.len() as u32));
        self.call("fd_write", &[fd, list, 1, 0])
    }

    /// Reads from an offset; gives where the number of bytes and the bytes come to lie.
    pub(super) fn read_at(&mut self, fd: i64, offset: i64, length: usize) -> (i64, i64) {
        let (count, at) = (self.reserve(4), self.reserve(length));
        let list = self.place(&iovec(at as u32, length as u32));
        self.call("fd_pread", &[fd, list, 1, offset, count]);
        (count, at)
    }

    /// `path_filestat_get`; gives the index of the answer, and where the record comes to lie.
    pub(super) fn stat(&mut self, fd: i64, lookup: i64, path: &str) -> (usize, i64) {
        let [path, length] = self.path(path);
        let at = self.reserve(64);
        (self.call("path_filestat_get", &[fd, lookup, path, length, at]), at)
    }

    /// One of the calls that take a directory and a path and nothing else.
    pub(super) fn at(&mut self, name: &'static str, fd: i64, path: &str) -> usize {
        let [path, length] = self.path(path);
        self.call(name, &[fd, path, length])
    }

    pub(super) fn mkdir(&mut self, path: &str) -> usize {
        self.at("path_create_directory", 3, path)
    }

    pub(super) fn rmdir(&mut self, path: &str) -> usize {
        self.at("path_remove_directory", 3, path)
    }

    pub(super) fn unlink(&mut self, path: &str) -> usize {
        self.at("path_unlink_file", 3, path)
    }

    pub(super) fn rename(&mut self, from: &str, to: &str) -> usize {
        self.rename_to(3, from, 3, to)
    }

    pub(super) fn rename_to(&mut self, fd: i64, from: &str, new_fd: i64, to: &str) -> usize {
        let ([from, from_length], [to, to_length]) = (self.path(from), self.path(to));
        self.call("path_rename", &[fd, from, from_length, new_fd, to, to_length])
    }

    pub(super) fn link(&mut self, from: &str, new_fd: i64, to: &str) -> usize {
        let ([from, from_length], [to, to_length]) = (self.path(from), self.path(to));
        self.call("path_link", &[3, 0, from, from_length, new_fd, to, to_length])
    }

    pub(super) fn symlink(&mut self, target: &str, path: &str) -> usize {
        let ([target, target_length], [path, length]) = (self.path(target), self.path(path));
        self.call("path_symlink", &[target, target_length, 3, path, length])
    }

    /// Lists a directory from its beginning; gives the answer's index and where the number of bytes and
    /// the bytes come to lie.
    pub(super) fn list(&mut self, fd: i64) -> (usize, i64, i64) {
        let (used, at) = (self.reserve(4), self.reserve(2000));
        (self.call("fd_readdir", &[fd, at, 2000, 0, used]), used, at)
    }

    /// Runs all of it.
    pub(super) fn run(&self, inputs: GuestInputs<'static>) -> Ran {
        let calls: Vec<(&str, &[i64])> =
            self.calls.iter().map(|(name, arguments)| (*name, arguments.as_slice())).collect();
        let (answers, run) = probe_with(inputs, &Data(self.data.clone()), &calls);
        Ran { answers, run }
    }
}

/// The names in a buffer of `fd_readdir`, with their types.
pub(super) fn names(ran: &Ran, (answer, used, at): (usize, i64, i64)) -> Vec<(String, u8)> {
    assert_eq!(ran.answers[answer], SUCCESS);
    let mut rest = ran.bytes(at, ran.word(used) as usize);
    let mut names = Vec::new();
    while rest.len() >= 24 {
        let (kind, length) = (rest[20], word(rest, 16) as usize);
        names.push((String::from_utf8(rest[24..24 + length].to_vec()).unwrap(), kind));
        rest = &rest[24 + length..];
    }
    names
}

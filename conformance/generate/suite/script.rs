//! A guest that makes the host calls of a list and answers with what each returned.
//!
//! A line is the name of a function and its arguments: a number, `"text"` for its address and length, `=text` for its address, `{text}` for
//! a list of one buffer with it, `@A:N` for a list of one buffer of N bytes at address A, `~N` for a list of one buffer of N bytes to be filled, `$N` for address and
//! length of N bytes to be filled, `&N` for an address of N bytes to be filled and shown in hexadecimal, and `#N` for
//! an address of a number of N bytes. `\xNN` in a text is a byte. The answer is the errno alone, or, if that is 0 and
//! something was filled, a list with it: numbers, texts as long as the number after them says, and hexadecimal digits.
//! `http TEXT` makes a request of `mpp_v1` and answers with the reply, or the code alone of one that is an error.

use serde_json::{json, Value};
use std::collections::BTreeSet;

/// WASI's functions with their parameters: `i` and `l` are 32 and 64 bits.
const FUNCTIONS: &[(&str, &str)] = &[
    ("args_get", "ii"),
    ("args_sizes_get", "ii"),
    ("clock_res_get", "ii"),
    ("clock_time_get", "ili"),
    ("environ_get", "ii"),
    ("environ_sizes_get", "ii"),
    ("fd_advise", "illi"),
    ("fd_allocate", "ill"),
    ("fd_close", "i"),
    ("fd_datasync", "i"),
    ("fd_fdstat_get", "ii"),
    ("fd_fdstat_set_flags", "ii"),
    ("fd_fdstat_set_rights", "ill"),
    ("fd_filestat_get", "ii"),
    ("fd_filestat_set_size", "il"),
    ("fd_filestat_set_times", "illi"),
    ("fd_pread", "iiili"),
    ("fd_prestat_dir_name", "iii"),
    ("fd_prestat_get", "ii"),
    ("fd_pwrite", "iiili"),
    ("fd_read", "iiii"),
    ("fd_readdir", "iiili"),
    ("fd_renumber", "ii"),
    ("fd_seek", "ilii"),
    ("fd_sync", "i"),
    ("fd_tell", "ii"),
    ("fd_write", "iiii"),
    ("path_create_directory", "iii"),
    ("path_filestat_get", "iiiii"),
    ("path_filestat_set_times", "iiiilli"),
    ("path_link", "iiiiiii"),
    ("path_open", "iiiiillii"),
    ("path_readlink", "iiiiii"),
    ("path_remove_directory", "iii"),
    ("path_rename", "iiiiii"),
    ("path_symlink", "iiiii"),
    ("path_unlink_file", "iii"),
    ("poll_oneoff", "iiii"),
    ("proc_raise", "i"),
    ("random_get", "ii"),
    ("sched_yield", ""),
    ("sock_accept", "iii"),
    ("sock_recv", "iiiiii"),
    ("sock_send", "iiiii"),
    ("sock_shutdown", "ii"),
    ("request", "ii"),
    ("response", "ii"),
];

/// Where the answer is put together; what the calls use is below.
const ANSWER: usize = 1 << 20;
/// Where the reply of a service is put.
const REPLY: usize = 3 << 20;
const PAGES: usize = 80;

/// What is shown of what a call has filled.
enum Shown {
    Number {
        at: usize,
        size: usize,
    },
    /// As many bytes as the number there says.
    Text {
        at: usize,
        length_at: usize,
    },
    /// So many bytes.
    Bytes {
        at: usize,
        length: usize,
    },
    Hex {
        at: usize,
        length: usize,
    },
}

#[derive(Default)]
struct Memory {
    next: usize,
    data: Vec<(usize, Vec<u8>)>,
}

impl Memory {
    fn reserve(&mut self, length: usize) -> usize {
        let at = self.next;
        self.next += length.div_ceil(8) * 8;
        assert!(self.next < ANSWER, "the script needs more memory");
        at
    }

    fn place(&mut self, bytes: Vec<u8>) -> usize {
        let at = self.reserve(bytes.len());
        self.data.push((at, bytes));
        at
    }

    fn buffers(&mut self, at: usize, length: usize) -> usize {
        let word = |number: usize| u32::try_from(number).unwrap().to_le_bytes();
        self.place([word(at), word(length)].concat())
    }
}

/// The words of a line; a text is one word, with spaces in it.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut end) = (Vec::new(), String::new(), None);
    for letter in line.chars() {
        match (end, letter) {
            (None, ' ') => words.push(std::mem::take(&mut word)),
            (None, '"') if word.is_empty() => {
                word.push('"');
                end = Some('"');
            }
            (None, '{') if word.is_empty() => {
                word.push('{');
                end = Some('}');
            }
            (Some(last), letter) if last == letter => end = None,
            _ => word.push(letter),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

/// The bytes of a text, with `\xNN` and `\q`, which is a quotation mark.
fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\\x") {
        bytes.extend(before.bytes());
        bytes.push(u8::from_str_radix(&after[..2], 16).unwrap());
        rest = &after[2..];
    }
    bytes.extend(rest.bytes());
    bytes
}

/// Names for numbers, which `|` adds up.
const NAMES: &[(&str, i128)] = &[
    ("READ", 2),
    ("WRITE", 64),
    ("ALL", 0x1fff_ffff),
    ("TREE", 0x1fff_ffbf),
    ("FOLLOW", 1),
    ("CREAT", 1),
    ("DIRECTORY", 2),
    ("EXCL", 4),
    ("TRUNC", 8),
    ("APPEND", 1),
];

fn number(word: &str) -> i128 {
    if word.starts_with(|letter: char| letter.is_ascii_uppercase()) {
        let value = |name: &str| {
            let found = NAMES.iter().find(|(known, _)| *known == name);
            found.unwrap_or_else(|| panic!("no number {name}")).1
        };
        return word.split('|').map(value).sum();
    }
    let parsed = match word.strip_prefix("0x") {
        Some(digits) => i128::from_str_radix(digits, 16),
        None => word.parse(),
    };
    parsed.unwrap_or_else(|error| panic!("{word}: {error}"))
}

const ERRNOS: &[(&str, u32)] = &[
    ("EACCES", 2),
    ("EBADF", 8),
    ("EEXIST", 20),
    ("EFAULT", 21),
    ("EILSEQ", 25),
    ("EINVAL", 28),
    ("EISDIR", 31),
    ("ELOOP", 32),
    ("EMFILE", 33),
    ("ENAMETOOLONG", 37),
    ("ENOENT", 44),
    ("ENOSPC", 51),
    ("ENOSYS", 52),
    ("ENOTDIR", 54),
    ("ENOTEMPTY", 55),
    ("ENOTSOCK", 57),
    ("EOVERFLOW", 61),
    ("EPERM", 63),
    ("EROFS", 69),
    ("ESPIPE", 70),
    ("EXDEV", 75),
    ("ENOTCAPABLE", 76),
];

/// Lines of calls, each with what it returns after `=>`: the name of an errno, or JSON.
pub struct Script {
    pub lines: Vec<String>,
    pub expected: Vec<Value>,
}

impl Script {
    pub fn new(text: &str) -> Self {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let (mut script, mut expected) = (Vec::new(), Vec::new());
        for line in lines {
            let (call, returns) = line.rsplit_once(" => ").unwrap_or((line, "0"));
            let errno = ERRNOS.iter().find(|(name, _)| *name == returns);
            let parsed =
                || serde_json::from_str(returns).unwrap_or_else(|error| panic!("{line}: {error}"));
            expected.push(errno.map_or_else(parsed, |(_, number)| (*number).into()));
            script.push(call.trim().to_owned());
        }
        Script { lines: script, expected }
    }

    /// The answer of a call that does this.
    pub fn answer(&self) -> Value {
        json!({ "content": [], "is_error": false, "structured_content": { "calls": self.expected } })
    }

    pub fn module(&self) -> Vec<u8> {
        self.module_that_ends("")
    }

    /// A module that ends in another way: `exit`, `trap`, `silent`, or `error`, which reports one.
    pub fn module_that_ends(&self, end: &str) -> Vec<u8> {
        module(&self.lines.iter().map(String::as_str).collect::<Vec<_>>(), end)
    }
}

/// The module that does this.
fn module(lines: &[&str], ends: &str) -> Vec<u8> {
    let mut memory = Memory { next: 1024, ..Memory::default() };
    let (mut used, mut body) = (BTreeSet::from(["fd_write"]), String::new());
    for (index, line) in lines.iter().enumerate() {
        let words = words(line);
        let name = words[0].as_str();
        if index > 0 {
            body += "(call $byte (i32.const 44))";
        }
        if let "http" = name {
            used.extend(["request", "response"]);
            let bytes = unescaped(&words[1][1..]);
            let length = bytes.len();
            let at = memory.place(bytes);
            body += &format!(
                "(local.set $e (call $request (i32.const {at}) (i32.const {length})))
                 (if (i32.lt_s (local.get $e) (i32.const 0))
                   (then (call $signed (local.get $e)))
                   (else (drop (call $response (i32.const {REPLY}) (local.get $e)))
                     (call $reply (local.get $e))))"
            );
            continue;
        }
        let (known, kinds) = FUNCTIONS
            .iter()
            .find(|(known, _)| *known == name)
            .unwrap_or_else(|| panic!("no function {name}"));
        used.insert(known);
        let (mut arguments, mut shown) = (Vec::new(), Vec::new());
        let mut waiting: Option<usize> = None;
        for word in &words[1..] {
            let rest = &word[1..];
            match word.as_bytes()[0] {
                b'"' => {
                    let bytes = unescaped(rest);
                    let length = bytes.len();
                    arguments.extend([memory.place(bytes), length].map(|it| it as i128));
                }
                b'=' => arguments.push(memory.place(unescaped(rest)) as i128),
                b'{' => {
                    let bytes = unescaped(rest);
                    let length = bytes.len();
                    let at = memory.place(bytes);
                    arguments.extend([memory.buffers(at, length), 1].map(|it| it as i128));
                }
                b'@' => {
                    let (at, length) = rest.split_once(':').unwrap();
                    let list = memory.buffers(number(at) as usize, number(length) as usize);
                    arguments.extend([list as i128, 1]);
                }
                b'~' => {
                    let length: usize = rest.parse().unwrap();
                    let at = memory.reserve(length);
                    waiting = Some(at);
                    arguments.extend([memory.buffers(at, length), 1].map(|it| it as i128));
                }
                b'$' => {
                    let length: usize = rest.parse().unwrap();
                    let at = memory.reserve(length);
                    waiting = Some(at);
                    arguments.extend([at, length].map(|it| it as i128));
                    if matches!(name, "fd_prestat_dir_name" | "random_get" | "response") {
                        waiting = None;
                        shown.push(match name {
                            "random_get" => Shown::Hex { at, length },
                            _ => Shown::Bytes { at, length },
                        });
                    }
                }
                b'&' => {
                    let length: usize = rest.parse().unwrap();
                    let at = memory.reserve(length);
                    arguments.push(at as i128);
                    shown.push(Shown::Hex { at, length });
                }
                b'#' => {
                    let size: usize = rest.parse().unwrap();
                    let at = memory.reserve(size);
                    arguments.push(at as i128);
                    shown.push(match waiting.take() {
                        Some(text) => Shown::Text { at: text, length_at: at },
                        None => Shown::Number { at, size },
                    });
                }
                _ => arguments.push(number(word)),
            }
        }
        assert_eq!(arguments.len(), kinds.len(), "arguments of: {line}");
        let pushed: String = arguments
            .iter()
            .zip(kinds.chars())
            .map(|(value, kind)| match kind {
                'l' => format!("(i64.const {})", *value as u64 as i64),
                _ => format!("(i32.const {})", *value as u32 as i32),
            })
            .collect();
        body += &format!("(local.set $e (call ${name} {pushed}))");
        if shown.is_empty() {
            body += "(call $signed (local.get $e))";
            continue;
        }
        let is_length = matches!(name, "request" | "response");
        let ok = if is_length {
            "(i32.gt_s (local.get $e) (i32.const 0))"
        } else {
            "(i32.eqz (local.get $e))"
        };
        body +=
            &format!("(if {ok} (then (call $byte (i32.const 91)) (call $signed (local.get $e))");
        for each in &shown {
            body += "(call $byte (i32.const 44))";
            body += &match each {
                Shown::Number { at, size: 8 } => {
                    format!("(call $number (i64.load (i32.const {at})))")
                }
                Shown::Number { at, size: 2 } => {
                    format!("(call $number (i64.extend_i32_u (i32.load16_u (i32.const {at}))))")
                }
                Shown::Number { at, .. } => {
                    format!("(call $number (i64.extend_i32_u (i32.load (i32.const {at}))))")
                }
                Shown::Text { at, length_at } => {
                    format!("(call $text (i32.const {at}) (i32.load (i32.const {length_at})))")
                }
                Shown::Bytes { at, length } => {
                    format!("(call $text (i32.const {at}) (i32.const {length}))")
                }
                Shown::Hex { at, length } => {
                    format!("(call $hex (i32.const {at}) (i32.const {length}))")
                }
            };
        }
        body += "(call $byte (i32.const 93))) (else (call $signed (local.get $e))))";
    }
    let imports: String = used
        .iter()
        .map(|name| {
            let (_, kinds) = FUNCTIONS.iter().find(|(known, _)| known == name).unwrap();
            let kinds: String =
                kinds.chars().map(|kind| if kind == 'l' { " i64" } else { " i32" }).collect();
            let module = match *name {
                "request" | "response" => "mpp_v1",
                _ => "wasi_snapshot_preview1",
            };
            format!("(import \"{module}\" \"{name}\" (func ${name} (param{kinds}) (result i32)))")
        })
        .collect();
    let head = r#"{"jsonrpc":"2.0","id":1,"result":{"content":[],"structuredContent":{"calls":["#;
    memory.data.push((0, head.as_bytes().to_vec()));
    let data: String = memory
        .data
        .iter()
        .map(|(at, bytes)| {
            let bytes: String = bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
            format!("(data (i32.const {at}) \"{bytes}\")")
        })
        .collect();
    let (answer, last) = match ends {
        "exit" => ("]}}}", "(call $proc_exit (i32.const 1))"),
        "trap" => ("]}}}", "unreachable"),
        "error" => (r#"]},"isError":true}}"#, ""),
        _ => ("]}}}", ""),
    };
    let write = match ends {
        "silent" => "",
        _ => "(drop (call $fd_write (i32.const 1) (i32.const 512) (i32.const 1) (i32.const 520)))",
    };
    let end: String = answer.bytes().map(|it| format!("(call $byte (i32.const {it}))")).collect();
    let text = format!(
        r#"(module {imports}
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32))) (memory (export "memory") {PAGES}) {data}
  (global $end (mut i32) (i32.const {ANSWER}))
  (func $byte (param i32)
    (i32.store8 (global.get $end) (local.get 0))
    (global.set $end (i32.add (global.get $end) (i32.const 1))))
  (func $number (param i64)
    (if (i64.ge_u (local.get 0) (i64.const 10))
      (then (call $number (i64.div_u (local.get 0) (i64.const 10)))))
    (call $byte (i32.add (i32.const 48) (i32.wrap_i64 (i64.rem_u (local.get 0) (i64.const 10))))))
  (func $signed (param i32)
    (if (i32.lt_s (local.get 0) (i32.const 0))
      (then (call $byte (i32.const 45)) (local.set 0 (i32.sub (i32.const 0) (local.get 0)))))
    (call $number (i64.extend_i32_u (local.get 0))))
  (func $digit (param i32)
    (call $byte (i32.add (local.get 0)
      (select (i32.const 48) (i32.const 87) (i32.lt_u (local.get 0) (i32.const 10))))))
  (func $pair (param i32)
    (call $digit (i32.shr_u (local.get 0) (i32.const 4)))
    (call $digit (i32.and (local.get 0) (i32.const 15))))
  (func $hex (param $at i32) (param $length i32)
    (call $byte (i32.const 34))
    (block $done (loop $next
      (br_if $done (i32.eqz (local.get $length)))
      (call $pair (i32.load8_u (local.get $at)))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (local.set $length (i32.sub (local.get $length) (i32.const 1)))
      (br $next)))
    (call $byte (i32.const 34)))
  (func $text (param $at i32) (param $length i32) (local $byte i32)
    (call $byte (i32.const 34))
    (block $done (loop $next
      (br_if $done (i32.eqz (local.get $length)))
      (local.set $byte (i32.load8_u (local.get $at)))
      (if (i32.or (i32.lt_u (local.get $byte) (i32.const 32))
            (i32.or (i32.eq (local.get $byte) (i32.const 34)) (i32.eq (local.get $byte) (i32.const 92))))
        (then (call $byte (i32.const 92)) (call $byte (i32.const 117)) (call $byte (i32.const 48))
          (call $byte (i32.const 48)) (call $pair (local.get $byte)))
        (else (call $byte (local.get $byte))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (local.set $length (i32.sub (local.get $length) (i32.const 1)))
      (br $next)))
    (call $byte (i32.const 34)))
  (func $reply (param $length i32) (local $at i32)
    (if (i32.ne (i32.load8_u (i32.const {reply_2})) (i32.const 101))
      (then (memory.copy (global.get $end) (i32.const {REPLY}) (local.get $length))
        (global.set $end (i32.add (global.get $end) (local.get $length))))
      (else (local.set $at (i32.const {REPLY}))
        (block $found (loop $next
          (br_if $found (i64.eq (i64.load (local.get $at)) (i64.const {code})))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br $next)))
        (local.set $at (i32.add (local.get $at) (i32.const 7)))
        (loop $next
          (call $byte (i32.load8_u (local.get $at)))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br_if $next (i32.ne (i32.load8_u (local.get $at)) (i32.const 34))))
        (call $byte (i32.const 34)))))
  (func (export "_start") (local $e i32)
    (memory.copy (i32.const {ANSWER}) (i32.const 0) (i32.const {head_length}))
    (global.set $end (i32.const {answer_text}))
    {body}{end}
    (i32.store (i32.const 512) (i32.const {ANSWER}))
    (i32.store (i32.const 516) (i32.sub (global.get $end) (i32.const {ANSWER})))
    {write} {last}))"#,
        head_length = head.len(),
        reply_2 = REPLY + 2,
        code = i64::from_le_bytes(*b"\"code\":\""),
        answer_text = ANSWER + head.len(),
    );
    wat::parse_str(&text).unwrap_or_else(|error| panic!("{lines:?}: {error}"))
}

//! Work on a response is bounded for every response and every declaration: it ends within two
//! seconds of computing or in a code, and a cancelled call within a tenth of a second.
//!
//! What counts is the thread's own time on a processor, which does not depend on what else runs. A build
//! with debug assertions is allowed ten times as much; `.ci/run` runs this in a release build.
#![cfg(target_os = "linux")]

use crate::host::clock::CancelFlag;
use crate::kernel::deadline::Deadline;
use crate::kernel::package::manifest::CustomPattern;
use crate::kernel::package::schema::Schema;
use crate::kernel::privacy::{Kind, PrivacyFilterEngine};
use crate::Code;
use serde_json::{json, Map, Value};
use std::time::Duration;

const ANSWER_BYTES: usize = 1 << 20;
const SLOWER: u32 = if cfg!(debug_assertions) { 10 } else { 1 };
const CASES: usize = if cfg!(debug_assertions) { 6 } else { 150 };

/// Time that a thread of this process has spent computing.
fn computed(thread: &str) -> Duration {
    let path = format!("/proc/{thread}/schedstat");
    let text = std::fs::read_to_string(path).unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}

fn here() -> Duration {
    computed("thread-self")
}

/// A generator of Marsaglia's xorshift kind.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 20).unwrap() % end
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    fn pattern(&mut self) -> String {
        const SETS: [&str; 14] = [
            "[0-9]",
            "7",
            r"\w",
            r"\S",
            ".",
            "[a-z]",
            "[^x]",
            "(?:7|a)",
            r"[\s\S]",
            "NR-",
            "a",
            "(?:[0-9]{1,9})",
            "(?i:a)",
            "[0-9a-f]",
        ];
        const REPETITIONS: [&str; 12] =
            ["", "", "*", "+", "?", "*?", "{1,200}", "{3}", "{2,}", "{0,60}?", "+?", "{1,30}"];
        // Many alternatives that begin alike.
        if self.below(8) == 0 {
            let one = self.pick(&["7", "a", "x", "é"]).repeat(1 + self.below(28)) + "Z";
            return vec![one.as_str(); 240 / (one.len() + 1)].join("|");
        }
        let mut row = |parts: usize| -> String {
            (0..1 + self.below(parts))
                .map(|_| self.pick(&SETS).to_owned() + self.pick(&REPETITIONS))
                .collect()
        };
        match (row(4), row(2)) {
            (one, other) if other.len() % 3 == 0 => format!("{one}|{other}"),
            (one, other) if other.len() % 3 == 1 => format!("(?:{one})*{other}"),
            (one, _) => one + "Z",
        }
    }

    /// Text of a few pieces over and over.
    fn text(&mut self, bytes: usize) -> String {
        const PIECES: [&str; 24] = [
            "7",
            "1234567890",
            "NR-1-",
            "a",
            "x",
            " ",
            "\n",
            "-",
            "ann@b.example ",
            "é",
            "汉",
            "4012888888881881 ",
            "::1 ",
            "+1 ",
            "(",
            "[EMAIL]",
            "\\u0040",
            "%40",
            "Z",
            "eyJhbGciOiJIUzI1NiJ9.",
            "-----BEGIN ",
            "born 1.2.1985 ",
            "{\"a\":",
            "0",
        ];
        let unit: String = (0..1 + self.below(4)).map(|_| self.pick(&PIECES)).collect();
        unit.repeat(bytes / unit.len() + 1)
    }

    fn answer(&mut self) -> Value {
        let text = self.text(ANSWER_BYTES);
        let words = |bytes: usize, text: &str| -> Vec<String> {
            let characters: Vec<char> = text.chars().collect();
            characters.chunks(bytes).map(|word| word.iter().collect()).collect()
        };
        match self.below(8) {
            0 | 1 => json!(text),
            2 => json!(text.lines().collect::<Vec<_>>()),
            3 => json!(words(1 + self.below(40), &text)),
            4 => json!({ text: 1 }),
            5 => {
                let key = |index: usize| (format!("a{index}@b.co"), json!(index));
                Value::Object((0..60_000).map(key).collect())
            }
            6 => {
                let (key, items) = ("k".repeat(ANSWER_BYTES / 2), vec!["ann@b.co"; 40_000]);
                let item = |(at, item): (usize, &&str)| (format!("{at}"), json!(item));
                json!({ key: items.iter().enumerate().map(item).collect::<Map<_, _>>() })
            }
            _ => {
                json!(json!({ "card": words(12, &text), "phone": [4_155_550_132_u64, text] })
                    .to_string())
            }
        }
    }

    fn engine(&mut self) -> PrivacyFilterEngine {
        let kinds: Vec<String> = Kind::ALL.iter().map(|kind| kind.name().to_owned()).collect();
        loop {
            let custom = |pattern: String| CustomPattern { name: "X".to_owned(), pattern };
            let patterns: Vec<_> =
                (0..self.below(5) * self.below(5)).map(|_| custom(self.pattern())).collect();
            if let Ok(engine) = PrivacyFilterEngine::from_config(&kinds, &patterns) {
                return engine;
            }
        }
    }

    fn schema(&mut self) -> Option<Schema> {
        let pattern = self.pattern();
        let part = match self.below(8) {
            0 => json!({ "pattern": pattern }),
            1 => json!({ "items": { "pattern": pattern } }),
            2 => json!({ "uniqueItems": true }),
            3 => {
                json!({ "additionalProperties": { "anyOf": [{ "type": "null" }, { "pattern": pattern }] } })
            }
            4 => json!({ "allOf": vec![json!({ "not": { "pattern": pattern } }); 40] }),
            5 => json!({ "$ref": "#/$defs/d9" }),
            6 => json!({ "items": { "$ref": "#/$defs/d3" } }),
            _ => {
                json!({ "items": { "enum": ["a", "b"], "minLength": 3 }, "not": { "uniqueItems": true } })
            }
        };
        let mut definitions = json!({ "d0": { "enum": ["a", "b"], "pattern": pattern } });
        for at in 1..10 {
            let copies = vec![json!({ "$ref": format!("#/$defs/d{}", at - 1) }); 9];
            definitions[format!("d{at}")] = json!({ "anyOf": copies });
        }
        let schema = json!({ "type": "object", "$defs": definitions, "properties": { "x": part } });
        Schema::read(&schema, "").ok()
    }
}

fn assert_bounded(what: &str, begun: Duration) {
    let took = here() - begun;
    assert!(took <= Duration::from_secs(2) * SLOWER, "{what} took {took:?}");
}

#[test]
fn filtering_any_megabyte_ends_within_two_seconds_of_computing_or_in_a_code() {
    let mut random = Random(0x2545_F491_4F6C_DD1D);
    for case in 0..CASES {
        let (engine, answer) = (random.engine(), random.answer());
        let begun = here();
        if let Err(error) = engine.try_redact_json(&answer) {
            let known = [Code::PrivacyLimit, Code::PrivacyResidue];
            assert!(known.contains(&error.code()), "case {case}: {error}");
        }
        assert_bounded(&format!("case {case}"), begun);
    }
}

#[test]
fn checking_any_megabyte_ends_within_two_seconds_of_computing() {
    let mut random = Random(99);
    for case in 0..CASES {
        let (Some(schema), answer) = (random.schema(), random.answer()) else { continue };
        let value = json!({ "x": answer });
        let begun = here();
        let _either_way = schema.validate(&value);
        assert_bounded(&format!("case {case}"), begun);
    }
}

#[test]
fn a_cancelled_filter_or_check_ends_within_a_tenth_of_a_second_of_computing() {
    let mut random = Random(4242);
    for case in 0..CASES {
        let (engine, schema, answer) = (random.engine(), random.schema(), random.answer());
        let value = json!({ "x": answer });
        let cancel = CancelFlag::default();
        let (send, receive) = std::sync::mpsc::channel();
        let at_the_end = std::thread::scope(|scope| {
            let worker = scope.spawn(|| {
                let id = std::fs::read_link("/proc/thread-self").unwrap();
                send.send(id.to_str().unwrap().to_owned()).unwrap();
                let deadline = Deadline::untimed(&cancel);
                let _checked = schema.map(|schema| schema.validate_within(&value, &deadline));
                let _filtered = engine.redact_json_within(&value, &deadline);
                here()
            });
            let thread = receive.recv().unwrap();
            // At any point of the work.
            let some_work =
                Duration::from_millis(u64::try_from(random.below(60)).unwrap()) * SLOWER;
            while std::path::Path::new(&format!("/proc/{thread}/schedstat")).exists()
                && computed_or_ended(&thread) < some_work
            {
                std::thread::sleep(Duration::from_millis(1));
            }
            let at_cancel = computed_or_ended(&thread);
            cancel.cancel();
            (at_cancel, worker.join().unwrap())
        });
        let took = at_the_end.1.saturating_sub(at_the_end.0);
        assert!(took <= Duration::from_millis(100) * SLOWER, "case {case} went on for {took:?}");
    }
}

/// What a thread has computed, or everything if it has ended.
fn computed_or_ended(thread: &str) -> Duration {
    let text = std::fs::read_to_string(format!("/proc/{thread}/schedstat")).unwrap_or_default();
    text.split(' ')
        .next()
        .and_then(|ns| ns.parse().ok())
        .map_or(Duration::MAX, Duration::from_nanos)
}

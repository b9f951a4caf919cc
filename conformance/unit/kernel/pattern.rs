//! Patterns: the grammar, the number of states, and matches by windows checked against plain searches.
#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, clippy::unwrap_used)]

use super::{Dialect, Pattern};
use crate::kernel::limits::{PATTERN_DEPTH_MAX, PATTERN_STATES_MAX};
use std::cell::Cell;

fn pattern(source: &str) -> Pattern {
    Pattern::new(source, Dialect::Privacy).unwrap_or_else(|why| panic!("{source}: {why}"))
}

fn never(_: u64) -> Result<(), ()> {
    Ok(())
}

/// The matches found by windows, and the steps that were asked for.
fn matches(pattern: &Pattern, text: &str) -> (Vec<(usize, usize)>, u64) {
    let (mut found, steps) = (Vec::new(), Cell::new(0));
    let spend = |more: u64| {
        steps.set(steps.get() + more);
        Ok::<(), ()>(())
    };
    pattern.each_match(text, spend, |start, end| found.push((start, end))).unwrap();
    (found, steps.get())
}

fn plain_matches(pattern: &Pattern, text: &str) -> Vec<(usize, usize)> {
    let found = pattern.regex.find_iter(text).filter(|found| !found.is_empty());
    found.map(|found| (found.start(), found.end())).collect()
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

    fn expression(&mut self, depth: usize) -> String {
        const ATOMS: [&str; 26] = [
            "a", "b", "c", "A", "-", "é", "ß", ".", r"\d", r"\D", r"\w", r"\W", r"\s", r"\S",
            "[ab]", "[^a]", "[a-c]", "[^é]", r"[\w-]", "[0-9]", r"\.", r"\n", "(?i:ab)", "(?s:.)",
            "[é-ü]", "1",
        ];
        const PLACES: [&str; 6] = ["^", "$", r"\b", r"\B", "(?i)", "(?m:$)"];
        const REPETITIONS: [&str; 12] =
            ["*", "+", "?", "*?", "+?", "??", "{2}", "{1,3}", "{2,}", "{0,2}?", "{0}", "{1,}?"];
        let mut text = String::new();
        for _ in 0..1 + self.below(4) {
            match self.below(10) {
                0 => text.push_str(self.pick(&PLACES)),
                1 if depth < 3 => {
                    let opening = self.pick(&["(", "(?:", "(?<n>"]);
                    let opening = if text.contains("<n>") || depth > 0 { "(" } else { opening };
                    text.push_str(opening);
                    text.push_str(&self.expression(depth + 1));
                    text.push(')');
                    if self.below(2) == 0 {
                        text.push_str(self.pick(&REPETITIONS));
                    }
                }
                2 => text.push('|'),
                _ => {
                    text.push_str(self.pick(&ATOMS));
                    if self.below(3) == 0 {
                        text.push_str(self.pick(&REPETITIONS));
                    }
                }
            }
        }
        text
    }

    fn text(&mut self) -> String {
        const PIECES: [&str; 18] = [
            "a", "b", "c", "A", "B", "-", "é", "ß", "ü", "\n", " ", "1", "22", ".", "汉", "ab",
            "_", "🦀",
        ];
        (0..self.below(40)).map(|_| self.pick(&PIECES)).collect()
    }
}

#[test]
fn windows_find_what_a_search_of_the_whole_text_finds() {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut compared = 0;
    for _ in 0..6_000 {
        let source = random.expression(0);
        let Ok(pattern) = Pattern::new(&source, Dialect::Privacy) else { continue };
        for _ in 0..4 {
            let text = random.text();
            let expected = plain_matches(&pattern, &text);
            assert_eq!(matches(&pattern, &text).0, expected, "{source:?} in {text:?}");
            let anywhere = pattern.regex.is_match(&text);
            assert_eq!(pattern.is_match(&text, never), Ok(anywhere), "{source:?} in {text:?}");
            compared += usize::from(!expected.is_empty());
        }
    }
    assert!(compared > 2_000, "only {compared} texts had matches");
}

#[test]
fn what_the_grammar_accepts_regex_lite_compiles() {
    let mut random = Random(7);
    for _ in 0..20_000 {
        let source = random.expression(0);
        if let Ok(expression) = super::syntax::parse(&source, Dialect::Privacy) {
            let compiled = Pattern::new(&source, Dialect::Privacy);
            assert!(compiled.is_ok() || expression.states > PATTERN_STATES_MAX, "{source:?}");
        }
    }
}

#[test]
fn whatever_text_the_grammar_accepts_regex_lite_compiles() {
    const TOKENS: [&str; 62] = [
        "a", "b", "é", "1", "2", ",", "-", "i", "m", "s", "n", ":", "<", ">", "P", "_", "/", "&",
        "~", "#", " ", "\n", "(", "(?", "(?:", "(?<", "(?P<n>", "(?i", ")", "[", "[^", "]", "^",
        "$", ".", "*", "+", "?", "{", "{2}", "{1,", "}", "|", "\\", r"\d", r"\W", r"\s", r"\n",
        r"\t", r"\v", r"\f", r"\r", r"\b", r"\B", r"\A", r"\z", r"\-", r"\/", r"\]", r"\^", r"\{",
        r"\|",
    ];
    let mut random = Random(11);
    let mut accepted = 0;
    for _ in 0..200_000 {
        let source: String = (0..=random.below(9)).map(|_| random.pick(&TOKENS)).collect();
        for dialect in [Dialect::Schema, Dialect::Privacy] {
            if super::syntax::parse(&source, dialect).is_ok() {
                let compiled = Pattern::new(&source, dialect);
                assert!(compiled.is_ok(), "{source:?}: {:?}", compiled.err());
                accepted += 1;
            }
        }
    }
    assert!(accepted > 20_000, "{accepted}");
}

/// Atoms that take much memory for their states, repeated as often and nested as deep as the limits allow.
#[test]
fn the_largest_expressions_within_the_formula_compile() {
    let class = |items: u32| {
        let ranges = (0..items).map(|n| char::from_u32(0x4e00 + 3 * n).unwrap());
        format!("[{}]", ranges.map(|low| format!("{low}-{low}")).collect::<String>())
    };
    let mut atoms: Vec<String> =
        ["a", "é", ".", r"\W", r"[^\w\s]", "(a)", "(?:ab|c|)d", r"\b(?:^a)", "a?", "a*b"]
            .map(str::to_owned)
            .into();
    atoms.extend([7, 8, 80, 800, 4000].map(class));
    for atom in atoms {
        for (open, close) in [("", ""), ("(?i)", ""), ("((((((((", "))))))))")] {
            let mut largest = 0;
            for count in 1..PATTERN_STATES_MAX {
                let source = format!("{open}(?:{atom}){{{count}}}{close}");
                match super::syntax::parse(&source, Dialect::Privacy) {
                    Ok(expression) if expression.states <= PATTERN_STATES_MAX => largest = count,
                    _ => break,
                }
            }
            let source = format!("{open}(?:{atom}){{{largest}}}{close}");
            let compiled = Pattern::new(&source, Dialect::Privacy);
            assert!(largest == 0 || compiled.is_ok(), "{source:.60}: {:?}", compiled.err());
        }
    }
}

#[test]
fn an_expression_outside_the_grammar_is_refused() {
    for source in [
        "(",
        ")",
        "a)",
        "(a",
        "[",
        "[a",
        "[]",
        "[^]",
        "[a[b]]",
        "[[:alpha:]]",
        "[a--b]",
        "[a&&b]",
        "[a~~b]",
        "[b-a]",
        r"[\d-z]",
        r"[a-\d]",
        r"[\b]",
        "*",
        "+a",
        "a**",
        "a{2}{3}",
        "a???",
        "^*",
        r"\b+",
        "(?i)*",
        "|*",
        "a{",
        "a{,3}",
        "a{x}",
        "a{2",
        "a{3,2}",
        "}",
        "]",
        r"\",
        r"\q",
        r"\1",
        r"\x41",
        r"\u0041",
        r"\pL",
        r"\k<n>",
        "(?=a)",
        "(?!a)",
        "(?<=a)",
        "(?<!a)",
        "(?>a)",
        "(?x)a",
        "(?U)a",
        "(?)",
        "(?i",
        "(?i:a",
        "(?<>a)",
        "(?<n",
        "(?<1n>a)",
        "(?<n>a)(?P<n>b)",
        "(?ii)a",
        "(?i-i)a",
        "(?i-)a",
        "(?-:a)",
        "(?-i-s)a",
        "(?P>n)",
        "(?:|a)*",
        "(a*)+",
        "(?:a??b*){2,}",
        r"(?:\b)?",
        "(?:^)*",
        "a{0,99999999999999999999}",
        "a{600}",
        "(?:a{30}){30}",
    ] {
        assert!(Pattern::new(source, Dialect::Privacy).is_err(), "{source:?}");
    }
    for source in [r"\bx", r"x\B", r"\Ax", r"x\z", "(?i)x", "(?s:.)", "(?<n>x)", "(?P<n>x)", r"x\-"]
    {
        assert!(Pattern::new(source, Dialect::Schema).is_err(), "{source:?}");
        assert!(Pattern::new(source, Dialect::Privacy).is_ok(), "{source:?}");
    }
}

#[test]
fn states_are_counted_by_the_formula() {
    for (source, states) in [
        ("", 1),
        ("a", 2),
        ("abc", 4),
        ("a|b", 4),
        ("[a-z]", 2),
        ("[abcdefghi]", 3),
        ("(a)", 5),
        ("(?:a)", 5),
        ("a*", 5),
        ("a+", 5),
        ("a?", 5),
        ("a{3}", 9),
        ("a{2,}", 7),
        ("a{1,200}", 403),
        (r"^\d$", 4),
    ] {
        let parsed = super::syntax::parse(source, Dialect::Privacy).unwrap();
        assert_eq!(parsed.states, states, "{source:?}");
    }
}

#[test]
fn groups_may_be_as_deep_as_the_limit_and_no_deeper() {
    let nested = |depth: usize| "(".repeat(depth) + "a" + &")".repeat(depth);
    assert!(Pattern::new(&nested(PATTERN_DEPTH_MAX), Dialect::Schema).is_ok());
    assert!(Pattern::new(&nested(PATTERN_DEPTH_MAX + 1), Dialect::Schema).is_err());
    let deepest = "(?:a|".repeat(PATTERN_DEPTH_MAX) + "b" + &")+".repeat(PATTERN_DEPTH_MAX);
    assert!(Pattern::new(&deepest, Dialect::Schema).is_ok());
}

/// Patterns of ordinary use, with what is in each line of a text, and the most steps for each byte.
const LINEAR: [(&str, &str, u64); 12] = [
    ("EMP-[0-9]{6}", "EMP-123456, EMP-654321 and EMPTY\n", 30),
    ("[0-9]{6}", "123456", 60),
    ("[0-9]{1,200}Z", "1234567890", 900),
    (r"\w+@corp\.example", "ann@corp.example, QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=\n", 60),
    (r"\w+@corp\.example", "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo", 60),
    (r"(?i)password\s*[:=]\s*\S+", "password: hunter2, user = ann, Password=x\n", 60),
    (r"token=\S+", "token=abcdef token=012345 ", 60),
    (r"NR-[0-9]+(?:-[A-Z0-9-]*Q)?", "NR-1, NR-22-AQ and NR-3-ABC\n", 60),
    ("[A-Z]{3,}", "LOREM IPSUM dolor\n", 60),
    (r"secret: .*", "secret: one two three\n", 60),
    (r"\bAKIA[0-9A-Z]{16}\b", "AKIA0123456789ABCDEF AKIAA", 90),
    ("ann|bob|eve", "ann and bob and eve ", 60),
];

#[test]
fn ordinary_patterns_take_steps_in_proportion_to_the_text() {
    for (source, line, steps_per_byte_max) in LINEAR {
        let pattern = pattern(source);
        let steps = |bytes: usize| {
            let text = line.repeat(bytes / line.len());
            matches(&pattern, &text).1
        };
        let (short, long) = (steps(10_000), steps(100_000));
        assert!(long <= short * 11, "{source}: {short}, then {long}");
        assert!(long <= 100_000 * steps_per_byte_max, "{source}: {long}");
    }
}

#[test]
fn each_position_costs_the_pieces_of_all_alternatives_that_are_compared_there() {
    let alternatives = vec![format!("{}b", "a".repeat(29)); 8].join("|");
    let pattern = pattern(&alternatives);
    // Eight rows of thirty pieces and one more each, eight pieces in a step.
    assert!(matches(&pattern, &"a".repeat(10_000)).1 >= 10_000 * 31);
    assert!(matches(&pattern, &"b".repeat(10_000)).1 <= 10_000 / 4 + 31);
}

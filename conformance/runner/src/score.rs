//! What a case expects, compared with the two answers to it.

use crate::adapter::Failure;
use crate::message::Answer;
use crate::suite::{Expect, Expected};
use crate::text::{short, visible};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How one pass over a case ended.
#[derive(Debug)]
pub enum Outcome {
    Answer(Answer),
    Failure(Failure),
    /// The case was not sent.
    LacksOperation(String),
    LacksFeature(String),
    /// The run ended before this case.
    NotRun,
}

/// What is counted. Each case has one.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    Pass,
    Accepted,
    Refused,
    OtherReason,
    OtherAnswer,
    Unsupported,
    Crash,
    TimeOut,
    Protocol,
    Unstable,
    NotRun,
}

/// All endings, and what they mean.
pub const ENDINGS: [(Ending, &str); 11] = [
    (Ending::Pass, "as expected"),
    (Ending::Accepted, "accepted what must be refused"),
    (Ending::Refused, "refused what must be accepted"),
    (Ending::OtherReason, "refused for another reason"),
    (Ending::OtherAnswer, "accepted with another answer"),
    (Ending::Unsupported, "unsupported"),
    (Ending::Crash, "crash"),
    (Ending::TimeOut, "time-out"),
    (Ending::Protocol, "protocol fault"),
    (Ending::Unstable, "unstable: the second answer differs"),
    (Ending::NotRun, "not run"),
];

impl Ending {
    pub fn label(self) -> &'static str {
        ENDINGS.iter().find(|(ending, _)| *ending == self).map_or("", |(_, label)| label)
    }
}

/// What is scored apart.
pub const PARTS: [&str; 4] = ["verdict", "check", "code", "answer"];

/// Which of these parts are right in a case; `None` where nothing is expected.
type Right = [Option<bool>; 4];

pub fn judge(expect: &Expect, first: &Outcome, second: &Outcome) -> (Ending, Right) {
    let must_refuse = expect.verdict == Expected::Refuse;
    let has_answer = expect.verdict == Expected::Accept && !expect.answer.is_empty();
    let parts = [true, must_refuse && expect.check.is_some(), must_refuse, has_answer];
    let all_wrong = parts.map(|is_expected| is_expected.then_some(false));
    for outcome in [first, second] {
        let result = match outcome {
            Outcome::Answer(_) => continue,
            Outcome::LacksOperation(_) | Outcome::LacksFeature(_) => {
                return (Ending::Unsupported, [None; 4])
            }
            Outcome::Failure(Failure::TimeOut) => Ending::TimeOut,
            Outcome::Failure(Failure::Crash(_)) => Ending::Crash,
            Outcome::Failure(Failure::Protocol(_)) => Ending::Protocol,
            Outcome::NotRun => Ending::NotRun,
        };
        return (result, all_wrong);
    }
    let (Outcome::Answer(answer), Outcome::Answer(again)) = (first, second) else {
        return (Ending::NotRun, all_wrong);
    };
    if !is_same(expect, answer, again) {
        return (Ending::Unstable, all_wrong);
    }
    match answer {
        Answer::Skipped(_) => (Ending::Unsupported, [None; 4]),
        Answer::Accept(_) if must_refuse => (Ending::Accepted, all_wrong),
        Answer::Refuse { .. } if expect.verdict == Expected::Accept => (Ending::Refused, all_wrong),
        Answer::Accept(given) => {
            let is_right = |(name, value): (&String, &Value)| {
                is_equal(given.get(name).unwrap_or(&Value::Null), value)
            };
            let right = expect.answer.iter().all(is_right);
            let answer = (!expect.answer.is_empty()).then_some(right);
            let result = if right { Ending::Pass } else { Ending::OtherAnswer };
            (result, [Some(true), None, None, answer])
        }
        Answer::Refuse { check, code } => {
            let code = code.as_ref().is_some_and(|code| expect.codes.contains(code));
            let check = expect.check.map(|expected| *check == Some(expected));
            let right = code && check != Some(false);
            let result = if right { Ending::Pass } else { Ending::OtherReason };
            (result, [Some(true), check, Some(code), None])
        }
    }
}

/// Are both answers the same in what the case states? Further members are the implementation's own.
fn is_same(expect: &Expect, first: &Answer, second: &Answer) -> bool {
    match (first, second) {
        (Answer::Accept(one), Answer::Accept(other)) => expect.answer.keys().all(|name| {
            is_equal(one.get(name).unwrap_or(&Value::Null), other.get(name).unwrap_or(&Value::Null))
        }),
        (Answer::Refuse { check, code }, Answer::Refuse { check: other_check, code: other }) => {
            check == other_check && code == other
        }
        (Answer::Skipped(_), Answer::Skipped(_)) => true,
        _ => false,
    }
}

/// Equality of JSON: numbers by their value, since languages write them in different ways.
fn is_equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            let whole = |number: &serde_json::Number| {
                let wide = number.as_i64().map(i128::from).or(number.as_u64().map(i128::from));
                // Whole numbers of this size have one double each.
                let is_whole = |it: &f64| it.fract() == 0.0 && it.abs() < 1e30;
                wide.or(number.as_f64().filter(is_whole).map(|it| it as i128))
            };
            match (whole(one), whole(other)) {
                (None, None) => one.as_f64() == other.as_f64(),
                (one, other) => one == other,
            }
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len()
                && one.iter().zip(other).all(|(one, other)| is_equal(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let has = |(name, value): (&String, &Value)| {
                other.get(name).is_some_and(|found| is_equal(value, found))
            };
            one.len() == other.len() && one.iter().all(has)
        }
        _ => one == other,
    }
}

/// What a case expects, in words.
pub fn expected(expect: &Expect) -> String {
    let accept = match expect.answer.is_empty() {
        true => "accept".to_owned(),
        false => format!("accept: {}", Value::Object(expect.answer.clone())),
    };
    let check = expect.check.map(|check| format!(", check {check}")).unwrap_or_default();
    let refuse = format!("refuse{check}: {}", expect.codes.join(" or "));
    let text = match expect.verdict {
        Expected::Accept => accept,
        Expected::Refuse => refuse,
        Expected::Either => format!("{accept}, or {refuse}"),
    };
    short(&text, TEXT_MAX)
}

/// Longer texts are cut in reports.
const TEXT_MAX: usize = 2000;

/// What happened in a case, in words.
pub fn answered(first: &Outcome, second: &Outcome) -> String {
    let (first, second) = (one(first), one(second));
    let is_one = first == second || first.starts_with("not sent");
    let text = if is_one { first } else { format!("{first}; then {second}") };
    visible(&short(&text, TEXT_MAX))
}

fn one(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Answer(Answer::Accept(answer)) if answer.is_empty() => "accept".to_owned(),
        Outcome::Answer(Answer::Accept(answer)) => {
            format!("accept: {}", Value::Object(answer.clone()))
        }
        Outcome::Answer(Answer::Refuse { check, code }) => {
            let check = check.map(|check| format!(", check {check}")).unwrap_or_default();
            format!("refuse{check}: {}", code.as_deref().unwrap_or("no code"))
        }
        Outcome::Answer(Answer::Skipped(reason)) => format!("skipped: {reason}"),
        Outcome::Failure(failure) => failure.reason().to_owned(),
        Outcome::LacksOperation(name) => format!("not sent: no operation {name}"),
        Outcome::LacksFeature(name) => format!("not sent: no feature {name}"),
        Outcome::NotRun => "not run".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expect(text: &str) -> Expect {
        serde_json::from_str(text).unwrap()
    }

    fn answer(text: &str) -> Outcome {
        Outcome::Answer(Answer::read(text).unwrap().1)
    }

    #[test]
    fn each_verdict_passes_with_what_it_lists_and_nothing_else() {
        let refuse = r#"{"verdict":"refuse","check":1,"codes":["a.b","a.c"]}"#;
        let either = r#"{"verdict":"either","codes":["a.b"],"answer":{"x":1}}"#;
        let accept = r#"{"verdict":"accept","answer":{"x":{"y":[1,2.5]},"z":null}}"#;
        for (expected, given, result) in [
            (refuse, r#""verdict":"refuse","check":1,"code":"a.c""#, Ending::Pass),
            (refuse, r#""verdict":"refuse","check":2,"code":"a.c""#, Ending::OtherReason),
            (refuse, r#""verdict":"refuse","code":"a.c""#, Ending::OtherReason),
            (refuse, r#""verdict":"refuse","check":1,"code":"a.d""#, Ending::OtherReason),
            (refuse, r#""verdict":"refuse","check":1"#, Ending::OtherReason),
            (refuse, r#""verdict":"accept""#, Ending::Accepted),
            (refuse, r#""skipped":"later""#, Ending::Unsupported),
            (either, r#""verdict":"refuse","code":"a.b""#, Ending::Pass),
            (either, r#""verdict":"refuse","code":"a.c""#, Ending::OtherReason),
            (either, r#""verdict":"accept","answer":{"x":1.0}"#, Ending::Pass),
            (either, r#""verdict":"accept","answer":{"x":2}"#, Ending::OtherAnswer),
            (accept, r#""verdict":"accept","answer":{"x":{"y":[1,2.5]},"more":0}"#, Ending::Pass),
            (
                accept,
                r#""verdict":"accept","answer":{"x":{"y":[1,2.5],"w":0}}"#,
                Ending::OtherAnswer,
            ),
            (
                accept,
                r#""verdict":"accept","answer":{"x":{"y":[1,2.5]},"z":0}"#,
                Ending::OtherAnswer,
            ),
            (accept, r#""verdict":"accept""#, Ending::OtherAnswer),
            (accept, r#""verdict":"refuse","code":"a.b""#, Ending::Refused),
        ] {
            let given = format!("{{\"id\":1,{given}}}");
            let found = judge(&expect(expected), &answer(&given), &answer(&given)).0;
            assert_eq!(found, result, "{given} for {expected}");
        }
    }

    #[test]
    fn a_failure_in_either_pass_fails_the_case_and_so_does_another_answer() {
        let case = expect(r#"{"verdict":"accept","answer":{"x":0}}"#);
        let accept = || answer(r#"{"id":1,"verdict":"accept","answer":{"x":0}}"#);
        let crash = || Outcome::Failure(Failure::Crash("ended".to_owned()));
        for (first, second, result) in [
            (accept(), crash(), Ending::Crash),
            (crash(), accept(), Ending::Crash),
            (accept(), Outcome::Failure(Failure::TimeOut), Ending::TimeOut),
            (accept(), Outcome::NotRun, Ending::NotRun),
            (accept(), answer(r#"{"id":1,"verdict":"refuse"}"#), Ending::Unstable),
            (accept(), answer(r#"{"id":1,"verdict":"accept","answer":{"x":1}}"#), Ending::Unstable),
            (accept(), answer(r#"{"id":1,"skipped":""}"#), Ending::Unstable),
            (
                accept(),
                answer(r#"{"id":1,"verdict":"accept","answer":{"x":0,"y":1}}"#),
                Ending::Pass,
            ),
        ] {
            assert_eq!(judge(&case, &first, &second).0, result, "{first:?} {second:?}");
        }
    }

    #[test]
    fn numbers_are_equal_by_value() {
        let value = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        for (one, other) in
            [("1", "1.0"), ("100", "1e2"), ("-0.0", "0"), ("1e16", "10000000000000000")]
        {
            assert!(is_equal(&value(one), &value(other)), "{one} {other}");
        }
        for (one, other) in [
            ("9007199254740993", "9007199254740992.0"),
            ("1", "1.5"),
            ("0.1", "0.2"),
            ("1", "\"1\""),
        ] {
            assert!(!is_equal(&value(one), &value(other)), "{one} {other}");
        }
    }
}

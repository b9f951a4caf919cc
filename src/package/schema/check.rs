//! Room: checking a value against a compiled schema, in a bounded number of steps.

use super::number::{canonical, Exact};
use super::{Measure, Node, Relation, Rule, Violation};
use crate::deadline::{Deadline, Interrupted};
use crate::json::object::below;
use crate::limits::{LINE_BYTES_MAX, SCHEMA_LOOK_STEPS, SCHEMA_STEPS_MAX};
use crate::pattern::is_one_search;
use crate::text::shown;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Steps for one byte of the canonical text of a value: writing, sorting and comparing it.
const CANONICAL_BYTE_STEPS: u64 = 4;
/// Bytes of a violation, with its pointer, that are written in one step.
const MESSAGE_BYTES_PER_STEP: u64 = 16;

pub(super) fn value(
    root: &Node,
    value: &Value,
    deadline: &Deadline,
) -> Result<Result<(), Violation>, Interrupted> {
    let mut checker = Checker { steps_left: SCHEMA_STEPS_MAX, unseen: 0, deadline };
    match checker.node(root, value) {
        Ok(()) => Ok(Ok(())),
        Err(Stop::Broken(violation)) => Ok(Err(violation)),
        Err(Stop::OutOfSteps) => Ok(Err(Violation {
            pointer: String::new(),
            what: "takes more steps to check than are allowed".to_owned(),
        })),
        Err(Stop::Interrupted(interrupted)) => Err(interrupted),
    }
}

/// Why checking stopped. They are kept apart since `not` turns the first round and never the others.
enum Stop {
    Broken(Violation),
    OutOfSteps,
    Interrupted(Interrupted),
}

fn broken(what: impl Into<String>) -> Result<(), Stop> {
    Err(Stop::Broken(Violation { pointer: String::new(), what: what.into() }))
}

/// Passes if the rule was held, and says what it asks for if not.
fn held(kept: bool, what: impl FnOnce() -> String) -> Result<(), Stop> {
    if kept {
        Ok(())
    } else {
        broken(what())
    }
}

impl Stop {
    /// Writes the key or index that led to a broken rule before its pointer.
    fn inside(self, key: &str) -> Stop {
        match self {
            Stop::Broken(Violation { pointer, what }) => {
                Stop::Broken(Violation { pointer: below("", key) + &pointer, what })
            }
            other => other,
        }
    }
}

struct Checker<'a> {
    steps_left: u64,
    /// Steps since the last look at the deadline.
    unseen: u64,
    deadline: &'a Deadline,
}

impl Checker<'_> {
    // [SCH-12] [SCH-13]
    fn spend(&mut self, steps: u64) -> Result<(), Stop> {
        self.steps_left = self.steps_left.checked_sub(steps).ok_or(Stop::OutOfSteps)?;
        self.unseen = self.unseen.saturating_add(steps);
        if self.unseen >= SCHEMA_LOOK_STEPS {
            self.unseen = 0;
            self.deadline.check().map_err(Stop::Interrupted)?;
        }
        Ok(())
    }

    /// The steps of one search of a pattern.
    fn spend_search(&mut self, steps: u64) -> Result<(), Stop> {
        match is_one_search(steps) {
            true => self.spend(steps),
            false => Err(Stop::OutOfSteps),
        }
    }

    fn node(&mut self, node: &Node, value: &Value) -> Result<(), Stop> {
        self.spend(1)?;
        node.0.iter().try_for_each(|rule| {
            self.spend(1)?;
            self.rule(rule, value)
        })
    }

    /// Whether a value keeps a schema, for the rules that go on either way. What was wrong is paid for
    /// here: its pointer holds keys of any length and is written anew for each value.
    fn keeps(&mut self, node: &Node, value: &Value) -> Result<bool, Stop> {
        match self.node(node, value) {
            Ok(()) => Ok(true),
            Err(Stop::Broken(Violation { pointer, what })) => {
                let bytes = length(pointer.len()).saturating_add(length(what.len()));
                self.spend(bytes.div_ceil(MESSAGE_BYTES_PER_STEP))?;
                Ok(false)
            }
            Err(stop) => Err(stop),
        }
    }

    // [SCH-10] [SCH-11]
    fn rule(&mut self, rule: &Rule, value: &Value) -> Result<(), Stop> {
        match (rule, value) {
            (Rule::Never, _) => broken("is not allowed here"),
            (Rule::Type(types), _) => {
                let names = || types.iter().map(|one| one.name()).collect::<Vec<_>>().join(" or ");
                held(types.iter().any(|one| one.is_of(value)), || {
                    format!("must be of type {}", names())
                })
            }
            (Rule::Values(allowed), _) => {
                let text = self.canonical(value)?;
                // Of a long list, little more is written than `shown` keeps: it may be for each value.
                let list = || {
                    let listed = allowed.iter().flat_map(|one| ", ".chars().chain(one.chars()));
                    listed.skip(2).take(LINE_BYTES_MAX).collect::<String>()
                };
                held(allowed.contains(&text), || format!("must be one of {}", shown(&list())))
            }
            (Rule::Bound(relation, bound), Value::Number(number)) => {
                let held_here = relation.holds(Exact::of(number).compare(*bound));
                held(held_here, || format!("must be {} {bound}", relation.words()))
            }
            (Rule::MultipleOf(divisor), Value::Number(number)) => {
                let held_here = Exact::of(number).is_multiple_of(*divisor);
                held(held_here, || format!("must be a multiple of {divisor}"))
            }
            (Rule::Pattern(pattern), Value::String(text)) => {
                let matches = pattern.is_match(text, |steps| self.spend_search(steps))?;
                held(matches, || format!("must match {}", shown(pattern.source())))
            }
            (Rule::Size(measure, relation, bound), _) => {
                self.size(*measure, *relation, *bound, value)
            }
            (Rule::AllOf(_) | Rule::AnyOf(_) | Rule::OneOf(_) | Rule::Not(_), _) => {
                self.combination(rule, value)
            }
            (_, Value::Array(items)) => self.array_rule(rule, items),
            (_, Value::Object(members)) => self.object_rule(rule, members),
            _ => Ok(()),
        }
    }

    fn size(
        &mut self,
        measure: Measure,
        relation: Relation,
        bound: u64,
        value: &Value,
    ) -> Result<(), Stop> {
        let size = match (measure, value) {
            (Measure::Characters, Value::String(text)) => {
                self.spend(length(text.len()))?;
                length(text.chars().count())
            }
            (Measure::Items, Value::Array(items)) => length(items.len()),
            (Measure::Members, Value::Object(members)) => length(members.len()),
            _ => return Ok(()),
        };
        held(relation.holds(size.cmp(&bound)), || {
            format!("must have {} {bound} {}", relation.words(), measure.words())
        })
    }

    fn array_rule(&mut self, rule: &Rule, items: &[Value]) -> Result<(), Stop> {
        let mut each = |at: usize, node: &Node, item: &Value| {
            self.node(node, item).map_err(|stop| stop.inside(&at.to_string()))
        };
        match rule {
            Rule::FirstItems(nodes) => nodes
                .iter()
                .zip(items)
                .enumerate()
                .try_for_each(|(at, (n, item))| each(at, n, item)),
            Rule::RestItems(first, node) => {
                let rest = items.iter().enumerate().skip(*first);
                rest.into_iter().try_for_each(|(at, item)| each(at, node, item))
            }
            Rule::UniqueItems => {
                let mut seen = BTreeSet::new();
                for item in items {
                    if !seen.insert(self.canonical(item)?) {
                        return broken("must not hold two equal items");
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn object_rule(&mut self, rule: &Rule, members: &Map<String, Value>) -> Result<(), Stop> {
        // Looking up a name costs a step whether it is there or not.
        self.spend(match rule {
            Rule::Required(keys) => length(keys.len()),
            Rule::Properties(properties) => length(properties.len()),
            Rule::OtherProperties(..) => length(members.len()),
            _ => 0,
        })?;
        match rule {
            Rule::Required(keys) => match keys.iter().find(|key| !members.contains_key(*key)) {
                None => Ok(()),
                Some(key) => broken(format!("must have the member {}", shown(key))),
            },
            Rule::Properties(properties) => properties.iter().try_for_each(|(key, node)| {
                let Some(value) = members.get(key) else { return Ok(()) };
                self.node(node, value).map_err(|stop| stop.inside(key))
            }),
            Rule::OtherProperties(known, node) => {
                members.iter().filter(|(key, _)| !known.contains(*key)).try_for_each(
                    |(key, value)| self.node(node, value).map_err(|stop| stop.inside(key)),
                )
            }
            _ => Ok(()),
        }
    }

    fn combination(&mut self, rule: &Rule, value: &Value) -> Result<(), Stop> {
        match rule {
            Rule::AllOf(nodes) => nodes.iter().try_for_each(|node| self.node(node, value)),
            Rule::AnyOf(nodes) => {
                for node in nodes {
                    if self.keeps(node, value)? {
                        return Ok(());
                    }
                }
                broken("must match one alternative of the schema")
            }
            Rule::OneOf(nodes) => {
                let mut kept = 0_usize;
                for node in nodes {
                    kept = kept.saturating_add(usize::from(self.keeps(node, value)?));
                }
                held(kept == 1, || "must match exactly one alternative of the schema".to_owned())
            }
            Rule::Not(node) => match self.keeps(node, value)? {
                true => broken("must not match what the schema excludes"),
                false => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn canonical(&mut self, value: &Value) -> Result<String, Stop> {
        let text = canonical(value);
        self.spend(length(text.len()).saturating_mul(CANONICAL_BYTE_STEPS))?;
        Ok(text)
    }
}

fn length(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

//! Room: the risk of a package as a number, out of its manifest alone and a published table.
//!
//! The score is a sum of points, each for one thing asked for, so asking for more never lowers it,
//! and the same manifest has the same score on every host. A name proves nothing about what is
//! behind it: every variable counts as a credential, every directory as private.

use super::host_pattern::HostPattern;
use crate::kernel::document::words;
use crate::kernel::package::manifest::{Manifest, Sensitivity};
use crate::kernel::prelude::*;

words! {
    /// How much could go wrong. `None` runs unasked if the policy does not forbid it, `Low` if the policy
    /// approves it.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub enum SecurityLevel {
        /// Asks for nothing: no capability, and no tool that changes anything. It computes an answer from
        /// the request.
        None = "none",
        /// Little to lose.
        Low = "low",
        /// Something of the user's is touched.
        Medium = "medium",
        /// Data may leave, or something may be lost.
        High = "high",
        /// Several of these at once.
        Critical = "critical",
    }
}

impl SecurityLevel {
    /// Each level with the fewest points that reach it, in ascending order.
    // [RISK-02]
    pub const THRESHOLDS: [(SecurityLevel, u32); 5] = [
        (SecurityLevel::None, 0),
        (SecurityLevel::Low, 1),
        (SecurityLevel::Medium, 25),
        (SecurityLevel::High, 50),
        (SecurityLevel::Critical, 100),
    ];

    /// The level that so many points reach.
    pub fn from_points(points: u32) -> Self {
        let reached = SecurityLevel::THRESHOLDS.into_iter().rfind(|(_, fewest)| *fewest <= points);
        reached.map_or(SecurityLevel::None, |(level, _)| level)
    }
}

/// A score with what it is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Risk {
    /// The sum.
    pub points: u32,
    /// The level that it reaches.
    pub level: SecurityLevel,
    /// Each reason with its points, in the order of the table; they add up to `points`.
    pub reasons: Vec<(String, u32)>,
}

macro_rules! weights {
    ($($name:ident $points:literal $word:literal $what:literal)*) => {
        #[derive(Clone, Copy)]
        enum Weight { $($name),* }
        impl Weight {
            fn row(self) -> (&'static str, u32, &'static str) {
                match self { $(Weight::$name => ($word, $points, $what)),* }
            }
        }
        /// Word, points and meaning of every weight: the table of `spec/policy.md`.
        pub const WEIGHTS: &[(&str, u32, &str)] = &[$(($word, $points, $what)),*];
    };
}

// [RISK-03]
weights! {
    PublicHost     30 "network.public"      "reaches a host outside"
    InternalHost   40 "network.internal"    "reaches a host inside this network or machine"
    FurtherHost     5 "network.further"     "reaches a further host"
    ReadFirst      10 "filesystem.read"     "reads a directory"
    ReadFurther     3 "filesystem.further"  "reads a further directory"
    WriteFirst     25 "filesystem.write"    "writes a directory"
    WriteFurther    5 "filesystem.write_further" "writes a further directory"
    VariableFirst  25 "environment"         "sees a variable, which may be a credential"
    VariableMore    5 "environment.further" "sees a further variable"
    Storage         5 "storage"             "keeps data from call to call"
    DataCanLeave   20 "combination.leak"    "can send what it reads or keeps to a host"
    WriteTool      10 "tools.write"         "has a tool that changes something"
    DestructiveTool 50 "tools.destructive"  "has a tool whose effect cannot be undone"
}

/// The score of a manifest.
///
/// ```no_run
/// # fn show(manifest: &mpp::package::manifest::Manifest) {
/// let risk = mpp::policy::risk::score(manifest);
/// println!("{} ({} points)", risk.level, risk.points);
/// # }
/// ```
// [RISK-01]
pub fn score(manifest: &Manifest) -> Risk {
    let asked = &manifest.capabilities;
    let files = &asked.filesystem;
    let (internal, public): (Vec<&String>, Vec<&String>) =
        asked.network.iter().partition(|host| HostPattern::of(host).is_internal());
    let with = |sensitivity: Sensitivity| {
        manifest.tools.iter().find(|tool| tool.sensitivity == sensitivity).map(|tool| &tool.name)
    };
    let mut sum = Sum(Vec::new());
    sum.first_and_further(Weight::PublicHost, Weight::FurtherHost, &public);
    sum.first_and_further(Weight::InternalHost, Weight::FurtherHost, &internal);
    sum.first_and_further(Weight::ReadFirst, Weight::ReadFurther, &files.read);
    sum.first_and_further(Weight::WriteFirst, Weight::WriteFurther, &files.write);
    sum.first_and_further(Weight::VariableFirst, Weight::VariableMore, &asked.environment);
    sum.one(Weight::Storage, asked.storage.map(|storage| format!("{} KiB", storage.limit_kb)));
    let holds_data = !files.read.is_empty()
        || !files.write.is_empty()
        || !asked.environment.is_empty()
        || asked.storage.is_some();
    sum.one(Weight::DataCanLeave, asked.network.first().filter(|_| holds_data));
    sum.one(Weight::WriteTool, with(Sensitivity::Write));
    sum.one(Weight::DestructiveTool, with(Sensitivity::Destructive));
    let points = sum.0.iter().fold(0_u32, |points, (_, more)| points.saturating_add(*more));
    Risk { points, level: SecurityLevel::from_points(points), reasons: sum.0 }
}

struct Sum(Vec<(String, u32)>);

impl Sum {
    fn one(&mut self, weight: Weight, what: Option<impl AsRef<str>>) {
        let (_, points, meaning) = weight.row();
        self.0.extend(what.map(|what| (format!("{meaning}: {}", what.as_ref()), points)));
    }

    fn first_and_further(&mut self, first: Weight, further: Weight, things: &[impl AsRef<str>]) {
        let mut things = things.iter();
        self.one(first, things.next());
        things.for_each(|thing| self.one(further, Some(thing)));
    }
}

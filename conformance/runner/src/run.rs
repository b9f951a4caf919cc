//! The two passes over the cases: several adapters at a time, restarted when they fail.

use crate::adapter::{Adapter, Failure, Place, Start};
use crate::message::{self, Answer, Implementation};
use crate::score::Outcome;
use crate::suite::Case;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

/// Of the order in the second pass.
pub const SEED: u64 = 16;

const ADAPTERS: usize = 2;
const TIME_OUTS_IN_A_ROW_MAX: usize = 5;
const FAULTS_IN_A_ROW_MAX: usize = 20;

/// How an implementation is driven.
pub struct Driver<'a> {
    pub command: &'a [String],
    pub vectors: &'a Path,
    pub limit: Duration,
    pub one_process_per_case: bool,
}

/// What came of it: for each case its outcome in each pass.
pub struct Run {
    pub implementation: Implementation,
    pub outcomes: Vec<(Outcome, Outcome)>,
    pub ended_early: Option<String>,
    pub duration: Duration,
}

/// Runs the cases twice.
pub fn run(driver: &Driver<'_>, cases: &[&Case]) -> Result<Run, String> {
    let temporary = Temporary::new()?;
    let here = std::env::current_dir().map_err(|error| error.to_string())?;
    let places = [
        Place { directory: here, time_zone: "UTC", language: "C.UTF-8" },
        Place {
            directory: temporary.0.clone(),
            time_zone: "<+1345>-13:45",
            language: "tr_TR.UTF-8",
        },
    ];
    let [first, second] = places.map(|place| Pass::new(driver, place, cases, &temporary.0));
    let started = Instant::now();
    let (implementation, mut ended_early) = match first.hello() {
        Ok(implementation) => (implementation, None),
        Err(failure) => (nameless(), Some(format!("no hello: {}", failure.reason()))),
    };
    let has_hello = ended_early.is_none();
    let order = (0..cases.len()).filter(|at| lacks(&implementation, cases[*at]).is_none());
    let order: Vec<usize> = order.collect();
    let mut shuffled = order.clone();
    shuffle(&mut shuffled);
    for (pass, order) in [(&first, order), (&second, shuffled)] {
        if ended_early.is_none() {
            ended_early = pass.run(&order);
        }
    }
    let ran = first.outcomes().into_iter().zip(second.outcomes());
    let outcomes = cases.iter().zip(ran).map(|(case, ran)| match lacks(&implementation, case) {
        Some(lacking) if has_hello => (lacking, Outcome::NotRun),
        _ => ran,
    });
    let outcomes = outcomes.collect();
    Ok(Run { implementation, outcomes, ended_early, duration: started.elapsed() })
}

/// An implementation that does not answer `hello`.
fn nameless() -> Implementation {
    let name = String::new();
    Implementation { name, version: String::new(), operations: Vec::new(), features: Vec::new() }
}

/// The outcome of a case that needs an operation or feature that the implementation does not have.
fn lacks(implementation: &Implementation, case: &Case) -> Option<Outcome> {
    if !implementation.operations.contains(&case.op) {
        return Some(Outcome::LacksOperation(case.op.clone()));
    }
    let missing = case.needs.iter().find(|feature| !implementation.features.contains(feature));
    missing.map(|feature| Outcome::LacksFeature(feature.clone()))
}

/// Exchanges places by numbers that are the same on every machine (the generator is xorshift64*).
fn shuffle(order: &mut [usize]) {
    let mut state = SEED;
    for last in (1..order.len()).rev() {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        let number = state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        order.swap(last, number as usize % (last + 1));
    }
}

/// One pass over the cases.
struct Pass<'a> {
    driver: &'a Driver<'a>,
    place: Place,
    cases: &'a [&'a Case],
    temporary: &'a Path,
    next: AtomicUsize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    outcomes: Vec<Outcome>,
    time_outs_in_a_row: usize,
    faults_in_a_row: usize,
    ended_early: Option<String>,
}

impl<'a> Pass<'a> {
    fn new(driver: &'a Driver<'a>, place: Place, cases: &'a [&Case], temporary: &'a Path) -> Self {
        let outcomes = cases.iter().map(|_| Outcome::NotRun).collect();
        let state = Mutex::new(State { outcomes, ..State::default() });
        Pass { driver, place, cases, temporary, next: AtomicUsize::new(0), state }
    }

    fn start(&self) -> Start<'_> {
        let Driver { command, vectors, limit, .. } = *self.driver;
        Start { command, vectors, limit, place: &self.place }
    }

    fn hello(&self) -> Result<Implementation, Failure> {
        if self.driver.one_process_per_case {
            let line = Adapter::start(&self.start(), &[Path::new("--hello")])?.only_line()?;
            return Implementation::read(&line).map_err(Failure::Protocol);
        }
        let (adapter, implementation) = Adapter::open(&self.start())?;
        adapter.stop();
        Ok(implementation)
    }

    /// Runs the cases in this order, and returns why it ended before the last.
    fn run(&self, order: &[usize]) -> Option<String> {
        thread::scope(|scope| {
            for worker in 0..ADAPTERS {
                scope.spawn(move || self.work(order, worker));
            }
        });
        self.state.lock().ok().and_then(|state| state.ended_early.clone())
    }

    fn outcomes(self) -> Vec<Outcome> {
        self.state.into_inner().map(|state| state.outcomes).unwrap_or_default()
    }

    /// The number that the adapter is given, and the place of the next case.
    fn next(&self, order: &[usize]) -> Option<(u64, usize)> {
        if self.state.lock().map_or(true, |state| state.ended_early.is_some()) {
            return None;
        }
        let position = self.next.fetch_add(1, Ordering::Relaxed);
        let number = u64::try_from(position).ok()? + 1;
        order.get(position).map(|at| (number, *at))
    }

    fn keep(&self, at: usize, outcome: Outcome) {
        let Ok(mut state) = self.state.lock() else { return };
        let (time_outs, faults) = (state.time_outs_in_a_row, state.faults_in_a_row);
        let (time_outs, faults) = match &outcome {
            Outcome::Failure(Failure::TimeOut) => (time_outs + 1, faults),
            Outcome::Failure(_) => (time_outs, faults + 1),
            _ => (0, 0),
        };
        (state.time_outs_in_a_row, state.faults_in_a_row) = (time_outs, faults);
        let reason = match (time_outs, faults) {
            (TIME_OUTS_IN_A_ROW_MAX.., _) => Some(format!("{time_outs} time-outs in a row")),
            (_, FAULTS_IN_A_ROW_MAX..) => {
                Some(format!("{faults} crashes or protocol faults in a row"))
            }
            _ => None,
        };
        state.ended_early = state.ended_early.take().or(reason);
        state.outcomes[at] = outcome;
    }

    /// Replaces an answer that was followed by another one.
    fn keep_second(&self, at: usize) {
        if let Ok(mut state) = self.state.lock() {
            let fault = Failure::Protocol("a second answer to the same case".to_owned());
            state.outcomes[at] = Outcome::Failure(fault);
        }
    }

    /// Gives cases to an adapter, and to another one when it fails.
    fn work(&self, order: &[usize], worker: usize) {
        let (mut adapter, mut previous) = (None, None);
        while let Some((number, at)) = self.next(order) {
            let answer = match self.driver.one_process_per_case {
                true => self.ask_once(worker, number, at),
                false => self.ask(&mut adapter, number, at, previous),
            };
            previous = answer.is_ok().then_some((number, at));
            self.keep(at, answer.map_or_else(Outcome::Failure, Outcome::Answer));
        }
        let further = adapter.and_then(Adapter::stop);
        if let (Some(_), Some((_, at))) = (further, previous) {
            self.keep_second(at);
        }
    }

    /// An adapter that fails is dropped, which ends it.
    fn ask(
        &self,
        running: &mut Option<Adapter>,
        number: u64,
        at: usize,
        previous: Option<(u64, usize)>,
    ) -> Result<Answer, Failure> {
        let mut adapter = match running.take() {
            Some(adapter) => adapter,
            None => Adapter::open(&self.start())?.0,
        };
        adapter.send(message::case(number, self.cases[at]));
        let deadline = adapter.deadline();
        loop {
            let line = adapter.receive(deadline)?;
            match (Answer::read(&line).map_err(Failure::Protocol)?, previous) {
                ((id, answer), _) if id == number => {
                    *running = Some(adapter);
                    return Ok(answer);
                }
                ((id, _), Some((last, before))) if id == last => self.keep_second(before),
                _ => return Err(Failure::Protocol("an answer with another id".to_owned())),
            }
        }
    }

    fn ask_once(&self, worker: usize, number: u64, at: usize) -> Result<Answer, Failure> {
        let file = self.temporary.join(format!("case-{worker}.json"));
        let written = fs::write(&file, message::case(number, self.cases[at]));
        written.map_err(|error| Failure::Crash(format!("{}: {error}", file.display())))?;
        let (case, vectors) = (Path::new("--case"), Path::new("--vectors"));
        let arguments = [case, &file, vectors, self.driver.vectors];
        let line = Adapter::start(&self.start(), &arguments)?.only_line()?;
        match Answer::read(&line).map_err(Failure::Protocol)? {
            (id, answer) if id == number => Ok(answer),
            _ => Err(Failure::Protocol("an answer with another id".to_owned())),
        }
    }
}

/// A new directory, removed at the end.
struct Temporary(PathBuf);

impl Temporary {
    fn new() -> Result<Self, String> {
        let path = std::env::temp_dir().join(format!("mpp-conform-{}", std::process::id()));
        fs::create_dir(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Temporary(path))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

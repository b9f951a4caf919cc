use super::*;
use crate::kernel::package::manifest::Manifest;
use crate::tests::support::{package, SILENT};

const RULES: BudgetRules = BudgetRules { guest_memory_mb: 96, code_mb: 1, descriptors: Some(512) };

fn budgets() -> Arc<Budgets> {
    Arc::new(Budgets::new(&RULES))
}

fn needs(memory_mb: u64) -> ResourceNeeds {
    let timeout = Duration::from_millis(50);
    let memory_bytes = memory_mb << 20;
    ResourceNeeds { memory_bytes, code_bytes: 0, directories: 0, has_hosts: false, timeout }
}

fn reader() -> ResourceNeeds {
    ResourceNeeds { directories: 1, ..needs(1) }
}

/// A package with this much in its assets.
fn tool(assets_bytes: usize) -> AttestationResult {
    let manifest = r#"{ "mpp_version": "1.0", "id": "org.example.tool", "version": "1.0.0", "name": "Tool",
        "description": "A tool.", "runtime": { "target": "wasm32-wasip1", "entry": "tool.wasm" },
        "tools": [{ "name": "run", "description": "Runs.", "sensitivity": "read",
                    "parameters": { "type": "object" } }] }"#;
    let manifest = Manifest::parse(manifest.as_bytes()).unwrap();
    package(&manifest, SILENT, &[("a", &vec![0; assets_bytes])], &["Acme"])
}

fn drawn(budgets: &Arc<Budgets>, needs: &ResourceNeeds) -> Result<Draw, Code> {
    budgets.draw(needs, &CancelFlag::default()).map_err(|error| error.code())
}

#[test]
fn calls_whose_memory_exceeds_the_budget_wait_and_are_busy_until_another_ends() {
    let (budgets, large, small) = (budgets(), needs(64), needs(32));
    let first = drawn(&budgets, &large).unwrap();
    assert_eq!(drawn(&budgets, &large).unwrap_err(), Code::HostBusy);
    let second = drawn(&budgets, &small).unwrap(); // what fits does not wait behind what does not
    assert_eq!(drawn(&budgets, &small).unwrap_err(), Code::HostBusy);
    drop((first, second));
    drawn(&budgets, &large).unwrap();
    let state = budgets.lock();
    assert_eq!((state.memory_bytes, state.descriptors), (0, 0));
}

#[test]
fn a_waiting_call_runs_once_another_ends_and_ends_at_once_when_cancelled() {
    let (budgets, large) = (budgets(), needs(64));
    let first = drawn(&budgets, &large).unwrap();
    let (flag, until) = (CancelFlag::default(), Duration::MAX);
    let busy = |state: &mut State| if state.memory_bytes > 0 { Err("memory") } else { Ok(()) };
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| budgets.wait(until, &flag, busy));
        drop(first);
        waiting.join().unwrap().unwrap();
    });
    let _second = drawn(&budgets, &large).unwrap();
    flag.cancel();
    let refused = budgets.draw(&large, &flag).unwrap_err();
    assert_eq!(refused.code(), Code::ToolCancelled);
}

#[test]
fn what_would_never_fit_is_refused_at_once_with_both_numbers() {
    let (budgets, flag) = (budgets(), CancelFlag::default());
    let code = ResourceNeeds { code_bytes: (1 << 20) + 1, ..needs(1) };
    for (needs, what) in [
        (needs(97), "101711872 bytes of memory, and this process has 100663296"),
        (code, "1048577 bytes of compiled code and assets, and this process has 1048576"),
    ] {
        let error = budgets.draw(&needs, &flag).unwrap_err();
        assert_eq!(error.code(), Code::HostBudget);
        assert!(error.detail().contains(what), "{error}");
    }
    let few = BudgetRules { descriptors: Some(DESCRIPTORS_SET_ASIDE + 100), ..RULES };
    assert_eq!(drawn(&Arc::new(Budgets::new(&few)), &reader()).unwrap_err(), Code::HostBudget);
    let error = budgets.keep(&tool(1 << 20), &flag).unwrap_err();
    assert_eq!(error.code(), Code::HostBudget);
}

#[test]
fn only_calls_with_directories_and_hosts_draw_descriptors() {
    let (budgets, plain, reader) = (budgets(), needs(1), reader());
    let held: Vec<Draw> = (0..2).map(|_| drawn(&budgets, &reader).unwrap()).collect();
    assert_eq!(budgets.lock().descriptors, 2 * (DIRECTORY_CALL_DESCRIPTORS + 1));
    assert_eq!(drawn(&budgets, &reader).unwrap_err(), Code::HostBusy);
    drawn(&budgets, &plain).unwrap();
    drop(held);
    drawn(&budgets, &reader).unwrap();
}

#[test]
fn the_packages_used_least_recently_leave_and_those_in_use_stay() {
    let (budgets, flag) = (budgets(), CancelFlag::default());
    let tools: Vec<_> = (0..4).map(|n| tool((300 << 10) + n)).collect();
    let hashes: Vec<_> = tools.iter().map(|tool| tool.content_hash.clone()).collect();
    let kept = || hashes.iter().map(|hash| budgets.lock().verified.contains_key(hash));
    let mut tools = tools.into_iter();
    for tool in tools.by_ref().take(3) {
        budgets.keep(&tool, &flag).unwrap();
    }
    assert!(kept().eq([true, true, true, false]));
    let in_use = budgets.verified(&hashes[0]).unwrap();
    budgets.verified(&hashes[2]).unwrap();
    budgets.verified(&hashes[1]).unwrap();
    budgets.keep(&tools.next().unwrap(), &flag).unwrap();
    assert!(kept().eq([true, true, false, true]), "the third was not used since");
    let all =
        [in_use, budgets.verified(&hashes[1]).unwrap(), budgets.verified(&hashes[3]).unwrap()];
    assert_eq!(budgets.lock().make_space(300 << 10, 1 << 20), Err("space for verified packages"));
    drop(all);
    let in_use = budgets.verified(&hashes[0]).unwrap();
    assert_eq!(budgets.lock().make_space(1 << 20, 1 << 20), Err("space for verified packages"));
    assert!(kept().eq([true, true, false, true]), "none leaves for what does not fit");
    drop(in_use);
    assert_eq!(budgets.lock().make_space(1 << 20, 1 << 20), Ok(()));
    assert!(kept().all(|it| !it));
}

#[test]
fn a_second_verification_waits_until_the_first_has_ended() {
    let (budgets, flag) = (budgets(), CancelFlag::default());
    let first = budgets.verify_alone(&flag).unwrap();
    assert!(budgets.lock().is_verifying);
    flag.cancel();
    assert_eq!(budgets.verify_alone(&flag).unwrap_err().code(), Code::ToolCancelled);
    drop(first);
    budgets.verify_alone(&CancelFlag::default()).unwrap();
    assert!(!budgets.lock().is_verifying);
}

//! What holds for every manifest and every policy, over many drawn from a fixed seed.

use super::*;
use crate::tests::support::is_valid;

/// A small generator (SplitMix64): the same numbers on every machine.
struct Draw(u64);

impl Draw {
    fn number(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % below as u64) as usize
    }
    fn some(&mut self, from: &[&str]) -> Vec<String> {
        from.iter().filter(|_| self.number(3) == 0).map(|text| (*text).to_owned()).collect()
    }
    fn manifest(&mut self) -> Manifest {
        let mut manifest = pure();
        manifest.id = IDS[self.number(IDS.len())].to_owned();
        manifest.capabilities.network = self.some(&HOSTS);
        manifest.capabilities.filesystem.read = self.some(&PATHS);
        manifest.capabilities.filesystem.write = self.some(&PATHS);
        manifest.capabilities.environment = self.some(&NAMES);
        let storage = Storage { limit_kb: 1 + self.number(100) as u32 };
        manifest.capabilities.storage = (self.number(3) == 0).then_some(storage);
        let sensitivity = [Sensitivity::Read, Sensitivity::Write, Sensitivity::Destructive];
        for n in 0..self.number(3) {
            manifest.tools.push(tool(&format!("t{n}"), sensitivity[self.number(3)]));
        }
        manifest.runtime.memory_limit_mb = 1 + self.number(100) as u32;
        manifest.runtime.fuel = 1 + self.number(1000) as u64;
        manifest
    }
    /// Few that are drawn ask for nothing; of these every other does.
    fn modest_manifest(&mut self) -> Manifest {
        let mut manifest = self.manifest();
        if self.number(2) == 0 {
            manifest.capabilities = Capabilities::default();
        }
        manifest
    }
    fn policy(&mut self) -> PermissionPolicy {
        let mut policy = PermissionPolicy::new();
        policy.auto_approve_low = self.number(2) == 0;
        policy.ask_always = self.number(4) == 0;
        policy.non_interactive = self.number(4) == 0;
        policy.signers_required = self.number(3);
        policy.ceilings.memory_limit_mb = self.number(100) as u32;
        policy.ceilings.fuel = self.number(1000) as u64;
        if self.number(2) == 0 {
            policy = policy.trust_package(IDS[self.number(IDS.len())]);
        }
        if self.number(4) == 0 {
            policy.trusted_publishers.insert("Acme".to_owned());
        }
        for guest in self.some(&PATHS) {
            let host = format!("/srv{guest}");
            let read_only = self.number(2) != 0;
            let packages = PackageScope(self.some(&["org.acme", "org.other"]));
            policy.directories.push(DirectoryRule { guest, host, read_only, packages });
        }
        for name in self.some(&NAMES) {
            let packages = PackageScope(self.some(&["org.acme", "org.other"]));
            let source = ValueSource::new("v");
            policy.environment.push(VariableRule { name, source, packages });
        }
        for _ in 0..self.number(2) {
            policy = self.deny(policy);
        }
        policy
    }
    fn deny(&mut self, mut policy: PermissionPolicy) -> PermissionPolicy {
        let deny = &mut policy.deny;
        match self.number(3) {
            0 => deny.packages.insert(IDS[self.number(IDS.len())].to_owned()),
            1 => deny.capabilities.insert(CapabilityKind::ALL[self.number(6)]),
            _ => deny.hosts.insert(HostPattern::from_text(HOSTS[self.number(HOSTS.len())])),
        };
        policy
    }
}

const IDS: [&str; 4] = ["org.acme", "org.acme.tool", "org.acmecorp", "org.other.x"];
const HOSTS: [&str; 5] = ["api.example.com", "example.com:8443", "db", "example.com", "x.internal"];
const PATHS: [&str; 4] = ["/etc", "/data", "/data/in", "/out"];
const NAMES: [&str; 3] = ["HOME", "API_KEY", "TOKEN"];
const ROUNDS: usize = 5_000;
/// Fewer, since each is signed and verified.
const PACKAGES: usize = 400;

/// Packages with manifests that are drawn so.
fn packages(seed: u64, mut draw_one: impl FnMut(&mut Draw) -> Manifest) -> Vec<VerifiedManifest> {
    let mut draw = Draw(seed);
    let manifests = std::iter::repeat_with(|| draw_one(&mut draw));
    manifests.filter(is_valid).take(PACKAGES).map(verified).collect()
}

fn any_package<'a>(packages: &'a [VerifiedManifest], draw: &mut Draw) -> &'a VerifiedManifest {
    &packages[draw.number(packages.len())]
}

/// Restates the rule of [TOKEN-02] from the token's side.
fn assert_within(token: &CapabilityToken, manifest: &VerifiedManifest, policy: &PermissionPolicy) {
    let asked = &manifest.capabilities;
    assert_eq!(token.content_hash(), manifest.content_hash());
    let resolved = resolved(token);
    assert!(resolved.hosts().iter().all(|grant| asked.network.contains(&grant.host)));
    assert_eq!(*resolved.environment(), token.environment());
    assert_eq!(resolved.directories(), token.directories());
    assert_eq!(
        token.storage_bytes_max(),
        asked.storage.map_or(0, |storage| u64::from(storage.limit_kb) * 1024)
    );
    for (name, value) in token.environment() {
        assert!(asked.environment.contains(&name));
        assert!(policy.environment.iter().any(|rule| {
            rule.packages.includes(&manifest.id)
                && (&rule.name, &rule.source.text) == (&name, &value)
        }));
    }
    for grant in token.directories() {
        let asks_to_write = asked.filesystem.write.contains(&grant.guest);
        assert!(asks_to_write || (asked.filesystem.read.contains(&grant.guest) && !grant.writable));
        assert!(policy.directories.iter().any(|rule| {
            let writable = !rule.read_only || !grant.writable;
            let same = (&rule.guest, &rule.host) == (&grant.guest, &grant.host);
            rule.packages.includes(&manifest.id) && same && writable
        }));
    }
    let limits = token.limits();
    assert!(limits.memory_bytes_max <= u64::from(manifest.runtime.memory_limit_mb) << 20);
    assert!(limits.memory_bytes_max <= u64::from(policy.ceilings.memory_limit_mb) << 20);
    assert!(limits.fuel_max <= manifest.runtime.fuel.min(policy.ceilings.fuel));
    assert!(limits.timeout <= Duration::from_millis(u64::from(manifest.runtime.timeout_ms)));
}

#[test]
fn a_token_never_holds_more_than_manifest_and_policy_both_do() {
    let (packages, mut draw) = (packages(1, Draw::manifest), Draw(1));
    let mut granted = 0;
    for _ in 0..ROUNDS {
        let (manifest, policy) = (any_package(&packages, &mut draw), draw.policy());
        let decided = match policy.evaluate(manifest) {
            PolicyDecision::Granted(token) => Some(token),
            _ => None,
        };
        for token in decided.into_iter().chain(policy.confirm(manifest, "alice")) {
            assert_within(&token, manifest, &policy);
            granted += 1;
        }
    }
    assert!(granted > ROUNDS / 4, "{granted} tokens checked");
}

/// 0 denied, 1 asks, 2 granted.
fn leniency(policy: &PermissionPolicy, manifest: &VerifiedManifest) -> u8 {
    match policy.evaluate(manifest) {
        PolicyDecision::Denied { .. } => 0,
        PolicyDecision::RequiresConfirmation { .. } => 1,
        PolicyDecision::Granted(_) => 2,
    }
}

#[test]
fn a_further_deny_rule_never_makes_a_decision_more_lenient() {
    let (packages, mut draw) = (packages(2, Draw::manifest), Draw(2));
    let mut changed = 0;
    for _ in 0..ROUNDS {
        let (manifest, policy) = (any_package(&packages, &mut draw), draw.policy());
        let before = leniency(&policy, manifest);
        let confirmed = policy.confirm(manifest, "alice").is_ok();
        let stricter = draw.deny(policy);
        let after = leniency(&stricter, manifest);
        assert!(after <= before);
        assert!(confirmed || stricter.confirm(manifest, "alice").is_err());
        changed += usize::from(after < before);
    }
    assert!(changed > ROUNDS / 20, "{changed} decisions changed");
}

#[test]
fn ask_always_never_makes_a_decision_more_lenient_and_only_takes_back_what_no_trust_gave() {
    let packages = packages(6, Draw::modest_manifest);
    let (mut draw, mut changed) = (Draw(6), 0);
    for _ in 0..ROUNDS {
        let manifest = any_package(&packages, &mut draw);
        let policy = PermissionPolicy { ask_always: false, ..draw.policy() };
        let stricter = PermissionPolicy { ask_always: true, ..policy.clone() };
        let trusts = policy.trusted_packages.contains(&manifest.id)
            || policy.trusted_publishers.contains("Acme");
        let (before, after) = (leniency(&policy, manifest), leniency(&stricter, manifest));
        assert!(after <= before);
        assert!(!trusts || after == before, "trust was taken back");
        assert!(after < 2 || trusts, "granted without trust");
        changed += usize::from(after < before);
    }
    assert!(changed > ROUNDS / 50, "{changed} decisions changed");
}

#[test]
fn of_the_level_none_are_exactly_the_packages_that_ask_for_nothing_and_change_nothing() {
    let mut nothing = 0;
    for manifest in packages(7, Draw::modest_manifest) {
        let asks = !Capability::requested_by(&manifest).is_empty();
        let changes = manifest.tools.iter().any(|tool| tool.sensitivity != Sensitivity::Read);
        let is_none = score(&manifest).level == SecurityLevel::None;
        assert_eq!(is_none, !asks && !changes, "{manifest:?}");
        nothing += usize::from(is_none);
        if let PolicyDecision::Granted(token) = PermissionPolicy::new().evaluate(&manifest) {
            assert!(is_none && token.granted_by() == "default:none");
            assert_eq!(token.describe_grants(), [] as [String; 0]);
        } else {
            assert!(!is_none);
        }
    }
    assert!(nothing > PACKAGES / 20, "{nothing} ask for nothing");
}

#[test]
fn a_decision_depends_on_nothing_but_policy_and_package() {
    let (packages, mut draw) = (packages(3, Draw::manifest), Draw(3));
    for _ in 0..ROUNDS {
        let (manifest, policy) = (any_package(&packages, &mut draw), draw.policy());
        let text = |decision| match decision {
            PolicyDecision::Granted(token) => {
                format!("{:?} {:?} {}", token.grants, token.limits, token.granted_by)
            }
            other => format!("{other:?}"),
        };
        assert_eq!(text(policy.evaluate(manifest)), text(policy.clone().evaluate(manifest)));
    }
}

/// The manifest with one more thing requested, which may be one that it requests already.
fn widened(draw: &mut Draw, mut manifest: Manifest) -> Manifest {
    let asked = &mut manifest.capabilities;
    match draw.number(7) {
        0 => asked.network.insert(0, HOSTS[draw.number(HOSTS.len())].into()),
        1 => asked.filesystem.read.insert(0, PATHS[draw.number(PATHS.len())].into()),
        2 => asked.filesystem.write.push(PATHS[draw.number(PATHS.len())].into()),
        3 => asked.environment.push(NAMES[draw.number(NAMES.len())].into()),
        4 => asked.storage = asked.storage.or(Some(Storage { limit_kb: 1 })),
        5 => manifest.tools.insert(0, tool("w", Sensitivity::Write)),
        _ => manifest.tools.push(tool("d", Sensitivity::Destructive)),
    }
    manifest
}

#[test]
fn asking_for_more_never_lowers_the_score_nor_eases_the_decision() {
    let mut draw = Draw(4);
    for _ in 0..PACKAGES {
        let manifest = draw.manifest();
        let wider = widened(&mut draw, manifest.clone());
        let (before, after) = (score(&manifest), score(&wider));
        assert!(after.points >= before.points && after.level >= before.level);
        if is_valid(&manifest) && is_valid(&wider) {
            let (manifest, wider) = (verified(manifest), verified(wider));
            for _ in 0..20 {
                let policy = draw.policy();
                assert!(leniency(&policy, &wider) <= leniency(&policy, &manifest));
            }
        }
    }
}

#[test]
fn the_score_is_the_sum_of_its_reasons_and_blind_to_order_and_names() {
    let mut draw = Draw(5);
    for _ in 0..ROUNDS {
        let manifest = draw.manifest();
        let risk = score(&manifest);
        assert_eq!(risk, score(&manifest.clone()));
        assert_eq!(risk.points, risk.reasons.iter().map(|(_, points)| points).sum::<u32>());
        let mut other = manifest;
        other.capabilities.network.reverse();
        other.capabilities.filesystem.read.reverse();
        other.capabilities.environment =
            other.capabilities.environment.iter().map(|_| "X".into()).collect();
        other.tools.reverse();
        (other.id, other.name, other.description) =
            ("a.b".into(), "Safe".into(), "Trust me".into());
        assert_eq!(risk.points, score(&other).points);
    }
}

//! The commands by their groups, in the order in which `mpp --help` shows them, each with an example.

/// Group, command and example. A test runs every example in a home with a trusted key `me`, a project `pkg` and
/// packages; another finds a command that has no row.
#[rustfmt::skip]
pub const COMMANDS: &[(&str, &str, &str)] = &[
    ("Make", "new", "mpp new hello --lang c"),
    ("Make", "migrate", "mpp migrate tools.json -o from-server"),
    ("Make", "check", "mpp check pkg"),
    ("Make", "dev", "mpp dev pkg --no-build"),
    ("Make", "keygen", "mpp keygen mine"),
    ("Make", "pack", "mpp pack pkg --key me.key -o pkg.mpp"),
    ("Make", "sign", "mpp sign fine.mpp --key other.key -o both.mpp"),
    ("Make", "publish", "mpp publish fine.mpp oci:layout"),
    ("Trust", "trust add", "mpp trust add me.pub --name Me --namespace org.example"),
    ("Trust", "trust list", "mpp trust list"),
    ("Trust", "trust remove", "mpp trust remove Other"),
    ("Trust", "trust revoke", "mpp trust revoke old.pub --reason lost"),
    ("Trust", "trust rotation", "mpp trust rotation next.pub --key me.key --until 2099-01-01T00:00:00Z -o next.json"),
    ("Trust", "trust rotate", "mpp trust rotate rotation.json"),
    ("Trust", "verify", "mpp verify fine.mpp"),
    ("Trust", "inspect", "mpp inspect fine.mpp"),
    ("Run", "run", "mpp run fine.mpp --args '{}'"),
    ("Run", "install", "mpp install fine.mpp --yes"),
    ("Run", "list", "mpp list"),
    ("Run", "remove", "mpp remove org.example.old"),
    ("Run", "secret set", "mpp secret set token < token.txt"),
    ("Run", "secret list", "mpp secret list"),
    ("Run", "secret remove", "mpp secret remove old"),
    ("Agents", "serve", "mpp serve --print-config vscode"),
    ("Agents", "pending", "mpp pending"),
    ("Agents", "approve", "mpp approve 1 --yes"),
    ("Agents", "deny", "mpp deny 2"),
    ("Agents", "approvals", "mpp approvals"),
    ("Record", "audit verify", "mpp audit verify"),
    ("Record", "doctor", "mpp doctor"),
    ("Record", "completions", "mpp completions bash"),
    ("Record", "filter", r#"echo '{"id": 1, "text": "ann@example.com"}' | mpp filter"#),
];

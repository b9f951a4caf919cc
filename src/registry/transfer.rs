//! `docker://`: skopeo copies between a registry and a layout in a directory that only this user can read.

use super::layout::Layout;
use super::reference::is_tag;
use super::refused;
use mpp::encoding::hex;
use mpp::json;
use mpp::{Code, Error};
use serde_json::Value;
use std::fs::{self, DirBuilder};
use std::io::Read as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

const TAGS_BYTES_MAX: usize = 1 << 20;
const TAGS_DEPTH_MAX: usize = 4;

/// A directory that is removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self, Error> {
        let name: String = hex(&mpp::package::key::random_bytes()).chars().take(16).collect();
        let path = std::env::temp_dir().join(format!("mpp-registry-{name}"));
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        let made = builder.create(&path);
        made.map_err(|error| Error::new(Code::HostFile, format!("{}: {error}", path.display())))?;
        Ok(Scratch(path))
    }

    fn reference(&self, tag: &str) -> String {
        format!("oci:{}:{tag}", self.0.join("layout").display())
    }
}

/// Returns the tag of `HOST/NAME[:TAG]`, which the layout gets too: a version in it is compared.
fn tag_of(remote: &str) -> &str {
    let tag = remote.rsplit_once(':').filter(|(name, tag)| is_tag(tag) && !name.contains('@'));
    tag.map_or("latest", |(_, tag)| tag)
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Fetches `HOST/NAME[:TAG]`, and reads it from a layout of its own.
///
/// # Errors
/// `registry.transfer`: skopeo is missing or failed. Those of `then`.
// [REG-10]
pub fn fetch(
    remote: &str,
    plain_http: bool,
    then: impl FnOnce(&Layout) -> Result<Vec<u8>, Error>,
) -> Result<Vec<u8>, Error> {
    let scratch = Scratch::new()?;
    let tls = plain_http.then_some("--src-tls-verify=false");
    copy(tls, &format!("docker://{remote}"), &scratch.reference(tag_of(remote)))?;
    then(&Layout::open(&scratch.0.join("layout"))?)
}

/// Pushes a layout's only package to `HOST/NAME[:TAG]`.
///
/// # Errors
/// `registry.transfer`; those of `fill`.
pub fn push(
    remote: &str,
    plain_http: bool,
    fill: impl FnOnce(&std::path::Path, &str) -> Result<(), Error>,
) -> Result<(), Error> {
    let scratch = Scratch::new()?;
    let tag = tag_of(remote);
    fill(&scratch.0.join("layout"), tag)?;
    let tls = plain_http.then_some("--dest-tls-verify=false");
    copy(tls, &scratch.reference(tag), &format!("docker://{remote}"))
}

/// Lists the tags of `HOST/NAME`.
///
/// # Errors
/// `registry.transfer`, also for a name that the registry does not know.
// [REG-12]
pub fn tags(remote: &str, plain_http: bool) -> Result<Vec<String>, Error> {
    let failed = |why: String| refused(Code::RegistryTransfer, why);
    let mut command = Command::new("skopeo");
    command.arg("list-tags").args(plain_http.then_some("--tls-verify=false"));
    command.arg(format!("docker://{remote}")).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(|error| failed(format!("skopeo: {error}")))?;
    let mut output = Vec::new();
    let limit = u64::try_from(TAGS_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    let read = child.stdout.take().map_or(Ok(0), |out| out.take(limit).read_to_end(&mut output));
    if output.len() > TAGS_BYTES_MAX {
        // It may go on writing.
        let _ = child.kill();
    }
    let status = child.wait().map_err(|error| failed(format!("skopeo: {error}")))?;
    if read.is_err() || !status.success() {
        return Err(failed(format!("skopeo ended with {status} for the tags of {remote}")));
    }
    let list = json::parse(&output, TAGS_DEPTH_MAX).map_err(failed)?;
    let tags = list.get("Tags").and_then(Value::as_array).into_iter().flatten();
    Ok(tags.filter_map(Value::as_str).filter(|tag| is_tag(tag)).map(str::to_owned).collect())
}

fn copy(tls: Option<&str>, from: &str, to: &str) -> Result<(), Error> {
    let mut command = Command::new("skopeo");
    command.args(["copy", "--quiet", "--insecure-policy", "--preserve-digests"]).args(tls);
    command.args([from, to]).stdin(Stdio::null()).stdout(Stdio::null());
    let failed = |why: String| refused(Code::RegistryTransfer, why);
    let status = command.status().map_err(|error| failed(format!("skopeo: {error}")))?;
    match status.success() {
        true => Ok(()),
        false => Err(failed(format!("skopeo ended with {status} for {from} to {to}"))),
    }
}

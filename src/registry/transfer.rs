//! `docker://`: skopeo copies between a registry and a layout in a directory that only this user can read.

use super::layout::Layout;
use super::reference::is_tag;
use super::refused;
use mpp::encoding::hex;
use mpp::{Code, Error};
use std::fs::{self, DirBuilder};
use std::path::PathBuf;
use std::process::{Command, Stdio};

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

/// Fetches the package at `HOST/NAME[:TAG]`.
///
/// # Errors
/// `registry.transfer`: skopeo is missing or failed. As [`Layout::package`].
// [REG-10]
pub fn fetch(remote: &str, plain_http: bool) -> Result<Vec<u8>, Error> {
    let scratch = Scratch::new()?;
    let tls = plain_http.then_some("--src-tls-verify=false");
    copy(tls, &format!("docker://{remote}"), &scratch.reference(tag_of(remote)))?;
    Layout::open(&scratch.0.join("layout"))?.package(None)
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

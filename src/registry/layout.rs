//! An OCI image layout (image-spec 1.1) as files: a strict reader, and a writer whose bytes depend on the package only.

use super::reference::is_tag;
use super::{refused, Kind, BUNDLE, PACKAGE};
use mpp::encoding::{hex, sha256};
use mpp::gatekeeper::Inspection;
use mpp::package::version::Version;
use mpp::text::quote_untrusted;
use mpp::{json, Code, Error};
use serde_json::{json, Value};
use std::fs::{self, File};
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

const INDEX_BYTES_MAX: usize = 1 << 20;
const MANIFEST_BYTES_MAX: usize = 64 << 10;
const DEPTH_MAX: usize = 16;
const INDEX_TYPE: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
const EMPTY_TYPE: &str = "application/vnd.oci.empty.v1+json";
const TAG_ANNOTATION: &str = "org.opencontainers.image.ref.name";
const VERSION_ANNOTATION: &str = "org.opencontainers.image.version";
const TITLE_ANNOTATION: &str = "org.opencontainers.image.title";
const EMPTY: &[u8] = b"{}";

/// A manifest in the index of a layout.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its tag, where it has one.
    pub tag: Option<String>,
    manifest: Descriptor,
}

/// What a document says of a blob: only its digest and size are used, and both are checked.
#[derive(Clone, Debug)]
struct Descriptor {
    hash: String,
    bytes: usize,
}

/// A layout in a directory.
pub struct Layout {
    directory: PathBuf,
}

impl Layout {
    /// Opens a layout that exists.
    ///
    /// # Errors
    /// `registry.not_found`, `registry.link`, `registry.layout`, `registry.too_large`, `host.file`.
    // [REG-02]
    pub fn open(directory: &Path) -> Result<Self, Error> {
        let layout = Layout { directory: directory.to_owned() };
        match fs::symlink_metadata(directory) {
            Ok(found) if found.is_symlink() => return Err(link(directory)),
            Ok(found) if found.is_dir() => {}
            Ok(_) => return Err(layout.invalid("is not a directory")),
            Err(error) => return Err(not_read(directory, &error)),
        }
        let version = layout.document("oci-layout", MANIFEST_BYTES_MAX)?;
        match version.get("imageLayoutVersion").and_then(Value::as_str) {
            Some("1.0.0") => Ok(layout),
            _ => Err(layout.invalid("oci-layout: `imageLayoutVersion` is not \"1.0.0\"")),
        }
    }

    /// Returns what the index lists, in its order.
    ///
    /// # Errors
    /// As [`Layout::open`].
    // [REG-03]
    pub fn entries(&self) -> Result<Vec<Entry>, Error> {
        let index = self.index()?;
        let manifests = index.get("manifests").and_then(Value::as_array);
        let manifests = manifests.ok_or_else(|| self.invalid("index.json has no `manifests`"))?;
        manifests.iter().map(|one| self.entry(one)).collect()
    }

    fn index(&self) -> Result<Value, Error> {
        let index = self.document("index.json", INDEX_BYTES_MAX)?;
        check_type(&index, INDEX_TYPE, "index.json")?;
        Ok(index)
    }

    fn entry(&self, value: &Value) -> Result<Entry, Error> {
        let tag = annotation(value, TAG_ANNOTATION).map(str::to_owned);
        if let Some(tag) = tag.as_ref().filter(|tag| !is_tag(tag)) {
            return Err(refused(
                Code::RegistryTag,
                format!("{} is not a tag", quote_untrusted(tag)),
            ));
        }
        let manifest = self.descriptor(value, MANIFEST_TYPE, MANIFEST_BYTES_MAX)?;
        Ok(Entry { tag, manifest })
    }

    /// Reads the package with a tag, or the only one.
    ///
    /// # Errors
    /// As [`Layout::artifact`], [`Layout::package_of`].
    pub fn package(&self, tag: Option<&str>) -> Result<Vec<u8>, Error> {
        self.package_of(&self.selected(tag)?)
    }

    /// Reads what has a tag, or the only one.
    ///
    /// # Errors
    /// One of the `registry.*` codes; `host.file`.
    pub fn artifact(&self, tag: Option<&str>, kind: Kind) -> Result<Vec<u8>, Error> {
        Ok(self.artifact_of(&self.selected(tag)?, kind)?.1)
    }

    /// Returns the entry with a tag, or the only one.
    ///
    /// # Errors
    /// One of the `registry.*` codes; `host.file`.
    // [REG-04]
    fn selected(&self, tag: Option<&str>) -> Result<Entry, Error> {
        let entries = self.entries()?;
        let mut found = entries.iter().filter(|it| tag.is_none() || it.tag.as_deref() == tag);
        match (found.next(), found.next()) {
            (Some(entry), None) => Ok(entry.clone()),
            (None, _) => {
                let tags: Vec<&str> = entries.iter().filter_map(|it| it.tag.as_deref()).collect();
                let wanted = tag.unwrap_or("anything");
                let detail = format!("{wanted} is not in it; it has: {}", tags.join(", "));
                Err(refused(Code::RegistryTag, self.named(&detail)))
            }
            (Some(_), Some(_)) => {
                let what = "has several for this; name one by its tag";
                Err(refused(Code::RegistryTag, self.named(what)))
            }
        }
    }

    /// Reads the package of an entry. A tag or annotation that states a version has to state the package's.
    ///
    /// # Errors
    /// As [`Layout::package`].
    // [REG-05]
    pub fn package_of(&self, entry: &Entry) -> Result<Vec<u8>, Error> {
        let (manifest, package) = self.artifact_of(entry, PACKAGE)?;
        let found = mpp::gatekeeper::inspect(&package)?.manifest.version;
        let stated = annotation(&manifest, VERSION_ANNOTATION);
        let tag = entry.tag.as_deref().filter(|tag| Version::parse(tag).is_some());
        let wrong = [stated, tag].into_iter().flatten().find(|it| *it != found.to_string());
        match wrong {
            None => Ok(package),
            Some(stated) => {
                let stated = quote_untrusted(stated);
                let detail = format!("stated as version {stated}, but the package is {found}");
                Err(refused(Code::RegistryMismatch, detail))
            }
        }
    }

    /// Reads the manifest of an entry, and its only layer.
    // [REG-05]
    fn artifact_of(&self, entry: &Entry, kind: Kind) -> Result<(Value, Vec<u8>), Error> {
        let bytes = self.blob(&entry.manifest, MANIFEST_BYTES_MAX)?;
        let manifest = parse(&bytes, "manifest")?;
        check_type(&manifest, MANIFEST_TYPE, "manifest")?;
        let config_type = manifest.get("config").and_then(|config| config.get("mediaType"));
        let artifact_type = manifest.get("artifactType").or(config_type).and_then(Value::as_str);
        if artifact_type != Some(kind.artifact_type) {
            let found = quote_untrusted(artifact_type.unwrap_or("none"));
            let detail = format!("an artifact of type {found}, not {}", kind.artifact_type);
            return Err(refused(Code::RegistryMediaType, detail));
        }
        let layers = manifest.get("layers").and_then(Value::as_array).map(Vec::as_slice);
        let Some([layer]) = layers else {
            return Err(self.invalid("a manifest has not exactly one layer"));
        };
        let layer = self.descriptor(layer, kind.layer_type, kind.bytes_max)?;
        let content = self.blob(&layer, kind.bytes_max)?;
        Ok((manifest, content))
    }

    /// Reads a descriptor of a blob.
    // [REG-06]
    fn descriptor(&self, value: &Value, media_type: &str, max: usize) -> Result<Descriptor, Error> {
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        if text("mediaType") != Some(media_type) {
            let found = quote_untrusted(text("mediaType").unwrap_or("none"));
            let detail = format!("a blob of type {found}, not {media_type}");
            return Err(refused(Code::RegistryMediaType, detail));
        }
        let is_hash = |hash: &&str| {
            hash.len() == 64 && hash.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'))
        };
        let hash = text("digest").and_then(|digest| digest.strip_prefix("sha256:")).filter(is_hash);
        let hash = hash.ok_or_else(|| self.invalid("a digest is not `sha256:` and 64 digits"))?;
        let size = value.get("size").and_then(Value::as_u64);
        let size = size.ok_or_else(|| self.invalid("a blob has no size"))?;
        match usize::try_from(size) {
            Ok(bytes) if bytes <= max => Ok(Descriptor { hash: hash.to_owned(), bytes }),
            _ => Err(too_large(&format!("a blob of {size} bytes"), max)),
        }
    }

    /// Reads a blob: its size first, then its digest.
    // [REG-07]
    fn blob(&self, descriptor: &Descriptor, max: usize) -> Result<Vec<u8>, Error> {
        let Descriptor { hash, bytes } = descriptor;
        let file = format!("blobs/sha256/{hash}");
        let content = self.read(&file, max).map_err(|error| match error.code() {
            Code::RegistryNotFound => refused(Code::RegistryMissingBlob, self.named(&file)),
            _ => error,
        })?;
        if content.len() != *bytes {
            let detail = format!("blob {hash} has {} bytes, stated are {bytes}", content.len());
            return Err(refused(Code::RegistrySize, detail));
        }
        if hex(&sha256(&content)) != *hash {
            return Err(refused(Code::RegistryDigest, format!("blob {hash} has another digest")));
        }
        Ok(content)
    }

    fn document(&self, name: &str, max: usize) -> Result<Value, Error> {
        parse(&self.read(name, max)?, name)
    }

    /// Reads a regular file of at most `max` bytes, through directories, none of them a link.
    // [REG-08]
    fn read(&self, name: &str, max: usize) -> Result<Vec<u8>, Error> {
        let mut path = self.directory.clone();
        for part in name.split('/') {
            path.push(part);
            match fs::symlink_metadata(&path) {
                Ok(found) if found.is_symlink() => return Err(link(&path)),
                Ok(_) => {}
                Err(error) => return Err(not_read(&path, &error)),
            }
        }
        if !path.is_file() {
            return Err(self.invalid(&format!("{name} is not a regular file")));
        }
        let file = File::open(&path).map_err(|error| not_read(&path, &error))?;
        let mut content = Vec::new();
        let limit = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
        file.take(limit).read_to_end(&mut content).map_err(|error| not_read(&path, &error))?;
        match content.len() > max {
            true => Err(too_large(name, max)),
            false => Ok(content),
        }
    }

    /// Adds something under a tag. The blobs are written first, the index last, each at once.
    ///
    /// # Errors
    /// `registry.tag`: the tag has another package, and `replace` is not set. As [`Layout::open`].
    // [REG-09]
    pub fn publish(
        directory: &Path,
        tag: &str,
        artifact: &Artifact<'_>,
        replace: bool,
    ) -> Result<(), Error> {
        let failed = |error: std::io::Error| {
            Error::new(Code::HostFile, format!("{}: {error}", directory.display()))
        };
        fs::create_dir_all(directory.join("blobs/sha256")).map_err(failed)?;
        // Else what is written would go where the layout's author wants it.
        for part in ["blobs", "blobs/sha256", "oci-layout", "index.json"] {
            let path = directory.join(part);
            if path.is_symlink() {
                return Err(link(&path));
            }
        }
        let marker = directory.join("oci-layout");
        if !marker.exists() {
            write(&marker, br#"{"imageLayoutVersion":"1.0.0"}"#)?;
        }
        let layout = Layout::open(directory)?;
        // Two that publish at once would lose an entry of the index.
        let lock = File::open(&marker).map_err(failed)?;
        lock.lock().map_err(failed)?;
        let mut entries = match layout.index() {
            Ok(index) => {
                index.get("manifests").and_then(Value::as_array).cloned().unwrap_or_default()
            }
            Err(error) if error.code() == Code::RegistryNotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        let manifest = manifest_of(artifact).to_string().into_bytes();
        let mut entry = descriptor_of(MANIFEST_TYPE, &manifest);
        entry["artifactType"] = json!(artifact.kind.artifact_type);
        entry["annotations"] = json!({ TAG_ANNOTATION: tag });
        let has_tag = |it: &Value| annotation(it, TAG_ANNOTATION) == Some(tag);
        let same = |it: &Value| it.get("digest") == entry.get("digest");
        if !replace && entries.iter().any(|it| has_tag(it) && !same(it)) {
            let detail = format!("the tag {tag} has another package; --replace moves it");
            return Err(refused(Code::RegistryTag, layout.named(&detail)));
        }
        for blob in [EMPTY, artifact.content, &manifest] {
            write(&directory.join("blobs/sha256").join(hex(&sha256(blob))), blob)?;
        }
        entries.retain(|it| !has_tag(it));
        entries.push(entry);
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": entries });
        let index = index.to_string();
        if index.len() > INDEX_BYTES_MAX {
            return Err(too_large("index.json", INDEX_BYTES_MAX));
        }
        write(&directory.join("index.json"), index.as_bytes())
    }

    fn named(&self, detail: &str) -> String {
        format!("{}: {detail}", self.directory.display())
    }

    fn invalid(&self, detail: &str) -> Error {
        refused(Code::RegistryLayout, self.named(detail))
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    crate::cli::write_atomic(path, bytes, None)
}

fn descriptor_of(media_type: &str, blob: &[u8]) -> Value {
    let digest = format!("sha256:{}", hex(&sha256(blob)));
    json!({ "mediaType": media_type, "digest": digest, "size": blob.len() })
}

/// Something that is published. Its texts are for people and other programs; nothing here trusts them.
pub struct Artifact<'a> {
    kind: Kind,
    content: &'a [u8],
    /// Name of the file that a program such as oras would write.
    file_name: String,
    annotations: Value,
}

impl<'a> Artifact<'a> {
    pub fn of_package(package: &'a [u8], found: &Inspection) -> Self {
        let (id, version) = (&found.manifest.id, found.manifest.version.to_string());
        let keys: Vec<&str> = found.signers.iter().map(|signer| signer.key_id.as_str()).collect();
        Artifact {
            kind: PACKAGE,
            content: package,
            file_name: format!("{id}-{version}.mpp"),
            annotations: json!({
                TITLE_ANNOTATION: id, VERSION_ANNOTATION: version,
                "vnd.mpp.content-hash": found.content_hash.as_str(),
                "vnd.mpp.key-ids": keys.join(","),
            }),
        }
    }

    pub fn of_bundle(signed: &'a [u8], organisation: &str, sequence: u64) -> Self {
        Artifact {
            kind: BUNDLE,
            content: signed,
            file_name: "bundle.json".to_owned(),
            annotations: json!({
                TITLE_ANNOTATION: organisation, VERSION_ANNOTATION: sequence.to_string(),
            }),
        }
    }
}

fn manifest_of(artifact: &Artifact<'_>) -> Value {
    let mut config = descriptor_of(EMPTY_TYPE, EMPTY);
    config["data"] = json!("e30=");
    let mut layer = descriptor_of(artifact.kind.layer_type, artifact.content);
    layer["annotations"] = json!({ TITLE_ANNOTATION: artifact.file_name });
    json!({
        "schemaVersion": 2, "mediaType": MANIFEST_TYPE, "artifactType": artifact.kind.artifact_type,
        "config": config, "layers": [layer], "annotations": artifact.annotations,
    })
}

fn annotation<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get("annotations")?.get(name)?.as_str()
}

fn parse(bytes: &[u8], name: &str) -> Result<Value, Error> {
    json::parse(bytes, DEPTH_MAX)
        .map_err(|error| refused(Code::RegistryLayout, format!("{name} is not JSON: {error}")))
}

/// Checks the schema version and media type of a document. skopeo leaves the type of an index out.
fn check_type(value: &Value, media_type: &str, name: &str) -> Result<(), Error> {
    if value.get("schemaVersion").and_then(Value::as_u64) != Some(2) {
        let detail = format!("{name}: `schemaVersion` is not 2");
        return Err(refused(Code::RegistryLayout, detail));
    }
    match value.get("mediaType").map(Value::as_str) {
        None => Ok(()),
        Some(Some(found)) if found == media_type => Ok(()),
        found => {
            let found = quote_untrusted(found.flatten().unwrap_or("none"));
            let detail = format!("{name} has the type {found}, not {media_type}");
            Err(refused(Code::RegistryMediaType, detail))
        }
    }
}

fn link(path: &Path) -> Error {
    refused(Code::RegistryLink, format!("{} is a link", path.display()))
}

fn too_large(what: &str, max: usize) -> Error {
    refused(Code::RegistryTooLarge, format!("{what}: the limit is {max} bytes"))
}

fn not_read(path: &Path, error: &std::io::Error) -> Error {
    let code = match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => Code::RegistryNotFound,
        _ => Code::HostFile,
    };
    refused(code, format!("{}: {error}", path.display()))
}

//! The file: a zip with the same bytes for the same plan, every time.

use std::fs::File;
use std::io::{Cursor, Read as _, Write as _};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha2::{Digest, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, System, ZipArchive, ZipWriter};

use super::error::Unusable;
use super::{Document, FORMAT_VERSION, SavedPlan, Zips};

/// The plan and what is said of it.
const PLAN: &str = "plan.json";
/// The spec.
pub(super) const SPEC: &str = "spec.toml";

/// How much stands before the name of a zip's first entry.
const LOCAL_HEADER: usize = 30;

/// More than any part of a plan has: Lambda takes zips of 50 MB. A file that says otherwise is not read to its end.
const LIMIT: u64 = 64 * 1024 * 1024;

impl SavedPlan {
    /// The file's content. No clock and no system shows in it.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let plan = self.document.to_text();
        let texts = [(PLAN.to_owned(), plan.as_bytes()), (SPEC.to_owned(), self.spec.as_bytes())];
        let zips = self.zips.iter().map(|(hash, zip)| (code(hash), zip.as_slice()));
        packed(texts.into_iter().chain(zips)).expect("memory takes everything")
    }

    /// Reads it back. Every hash has to be right, so that a file damaged on its way is told at once.
    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, Unusable> {
        let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| Unusable::Damaged(error.to_string()))?;
        let document = document(&text(&mut archive, PLAN)?)?;
        let spec = text(&mut archive, SPEC)?;
        if hex(spec.as_bytes()) != document.spec_sha256 {
            return Err(Unusable::Damaged(format!("its {SPEC} is not the one that the plan was made of")));
        }
        let mut saved = Self { document, spec, zips: Zips::new() };
        let uploads: Vec<_> = saved.uploads().into_iter().map(str::to_owned).collect();
        for hash in uploads {
            let zip = part(&mut archive, &code(&hash))?;
            if code_hash(&zip) != hash {
                return Err(Unusable::Damaged(format!("its {} is other code than the plan's", code(&hash))));
            }
            saved.zips.insert(hash, zip);
        }
        Ok(saved)
    }
}

/// Whether a file begins as a plan does, or is empty. A plan may be damaged further on.
pub(super) fn may_be_a_plan(file: &Path) -> std::io::Result<bool> {
    let mut begin = Vec::new();
    File::open(file)?.take(LOCAL_HEADER as u64 + PLAN.len() as u64).read_to_end(&mut begin)?;
    Ok(begin.is_empty() || begin.starts_with(b"PK\x03\x04") && begin.ends_with(PLAN.as_bytes()))
}

/// Where the zip of this hash lies.
fn code(hash: &str) -> String {
    format!("code/{}.zip", hash.replace('/', "_"))
}

/// SHA-256 in base64, as Lambda says it of code.
pub(super) fn code_hash(zip: &[u8]) -> String {
    BASE64.encode(Sha256::digest(zip))
}

/// SHA-256 in hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn packed<'a>(parts: impl Iterator<Item = (String, &'a [u8])>) -> zip::result::ZipResult<Vec<u8>> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::DEFAULT)
        .unix_permissions(0o600)
        .system(System::Unix);
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        archive.start_file(name, options)?;
        archive.write_all(content)?;
    }
    Ok(archive.finish()?.into_inner())
}

pub(super) fn document(text: &str) -> Result<Document, Unusable> {
    let damaged = |error: serde_json::Error| Unusable::Damaged(format!("its {PLAN}: {error}"));
    let value: serde_json::Value = serde_json::from_str(text).map_err(damaged)?;
    match value.get("format_version").and_then(serde_json::Value::as_u64) {
        Some(version) if version != u64::from(FORMAT_VERSION) => {
            let by = value.get("drctl").and_then(serde_json::Value::as_str).unwrap_or("?").to_owned();
            Err(Unusable::OtherFormat { version, by })
        }
        _ => serde_json::from_value(value).map_err(damaged),
    }
}

type Archive<'a> = ZipArchive<Cursor<&'a [u8]>>;

fn text(archive: &mut Archive<'_>, name: &str) -> Result<String, Unusable> {
    String::from_utf8(part(archive, name)?).map_err(|_| Unusable::Damaged(format!("its {name} is not UTF-8 text")))
}

fn part(archive: &mut Archive<'_>, name: &str) -> Result<Vec<u8>, Unusable> {
    let mut content = Vec::new();
    let found = archive.by_name(name).map_err(|_| Unusable::Damaged(format!("it has no {name}")))?;
    let read = found.take(LIMIT + 1).read_to_end(&mut content);
    match read {
        Err(error) => Err(Unusable::Damaged(format!("its {name}: {error}"))),
        Ok(_) if content.len() as u64 > LIMIT => Err(Unusable::Damaged(format!("its {name} is larger than 64 MB"))),
        Ok(_) => Ok(content),
    }
}

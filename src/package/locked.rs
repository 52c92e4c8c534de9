//! What of a workspace's manifest and lock file counts for one of its packages.
//!
//! A workspace may hold programs that have nothing to do with each other: a new dependency of one does not make the
//! others anew.

use std::collections::BTreeSet;

use toml::de::{DeTable, DeValue};

/// Tables of a workspace's manifest that have a part in every build.
const SHARED: [&str; 4] = ["workspace", "profile", "patch", "replace"];

/// The parts that count, each as a text that layout, comments and the order of keys do not change.
#[derive(Debug, PartialEq)]
pub(super) struct Parts {
    /// Of `Cargo.toml`.
    pub(super) manifest: String,
    /// Of `Cargo.lock`.
    pub(super) lock: String,
}

impl Parts {
    /// The parts that count for a package; `None` if the files are none of cargo's.
    pub(super) fn of(package: &str, manifest: &str, lock: &str) -> Option<Self> {
        let (manifest, lock) = (DeTable::parse(manifest).ok()?, DeTable::parse(lock).ok()?);
        let entries = entries(package, lock.get_ref())?;
        let names = entries.iter().filter_map(|entry| string(entry, "name")).collect();
        let mut lock: Vec<String> = entries.into_iter().map(|entry| table(entry, &|_| true)).collect();
        lock.sort();
        Some(Self { manifest: shared(manifest.get_ref(), &names), lock: lock.join("\n") })
    }
}

/// The lock file's entries of a package and of all that it needs.
fn entries<'a>(package: &'a str, lock: &'a DeTable<'a>) -> Option<Vec<&'a DeTable<'a>>> {
    let all: Vec<&DeTable<'_>> =
        lock.get("package")?.get_ref().as_array()?.iter().filter_map(|entry| entry.get_ref().as_table()).collect();
    let mut found: Vec<&DeTable<'_>> = Vec::new();
    let mut next = vec![package];
    let mut asked = BTreeSet::new();
    while let Some(named) = next.pop() {
        if !asked.insert(named) {
            continue;
        }
        // `NAME`, or `NAME VERSION` where there are several of the name.
        let mut parts = named.split(' ');
        let (name, version) = (parts.next(), parts.next());
        let fits = |entry: &&&DeTable<'_>| {
            string(entry, "name") == name && version.is_none_or(|version| string(entry, "version") == Some(version))
        };
        for entry in all.iter().filter(fits) {
            let needs = entry.get("dependencies").and_then(|needs| needs.get_ref().as_array());
            next.extend(needs.into_iter().flatten().filter_map(|need| need.get_ref().as_str()));
            if !found.iter().any(|known| std::ptr::eq(*known, *entry)) {
                found.push(entry);
            }
        }
    }
    (!found.is_empty()).then_some(found)
}

/// The manifest's shared tables, and of the workspace's dependencies only those among `names`.
fn shared(manifest: &DeTable<'_>, names: &BTreeSet<&str>) -> String {
    let mut parts = Vec::new();
    for key in SHARED {
        let Some(part) = manifest.get(key).and_then(|part| part.get_ref().as_table()) else { continue };
        parts.push(format!("{key}={}", table(part, &|inner| (key, inner) != ("workspace", "dependencies"))));
        let dependencies = part.get("dependencies").filter(|_| key == "workspace");
        let Some(dependencies) = dependencies.and_then(|all| all.get_ref().as_table()) else { continue };
        let used = |key: &str| {
            let renamed = dependencies.get(key).and_then(|entry| string(entry.get_ref().as_table()?, "package"));
            names.contains(renamed.unwrap_or(key))
        };
        parts.push(format!("dependencies={}", table(dependencies, &used)));
    }
    parts.join("\n")
}

fn string<'a>(table: &'a DeTable<'_>, key: &str) -> Option<&'a str> {
    table.get(key)?.get_ref().as_str()
}

/// Some entries of a table as one text.
fn table(table: &DeTable<'_>, kept: &dyn Fn(&str) -> bool) -> String {
    let kept = table.iter().filter(|(key, _)| kept(key.get_ref()));
    let mut entries: Vec<String> =
        kept.map(|(key, value)| format!("{:?}={}", key.get_ref(), text(value.get_ref()))).collect();
    entries.sort();
    format!("{{{}}}", entries.join(","))
}

fn text(value: &DeValue<'_>) -> String {
    match value {
        DeValue::Table(entries) => table(entries, &|_| true),
        DeValue::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| text(item.get_ref())).collect();
            format!("[{}]", items.join(","))
        }
        scalar => format!("{scalar:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"
[workspace]
members = ["pay"]
[workspace.dependencies]
serde = "1"
tables = { package = "toml", version = "1" }
clap = "4"
[package]
name = "tool"
[dependencies]
clap = { workspace = true }
[profile.release]
lto = true
"#;

    const LOCK: &str = r#"
version = 4
[[package]]
name = "clap"
version = "4.0.0"
[[package]]
name = "pay"
version = "0.1.0"
dependencies = ["serde", "toml 1.0.0"]
[[package]]
name = "serde"
version = "1.0.0"
checksum = "a"
[[package]]
name = "toml"
version = "0.9.0"
[[package]]
name = "toml"
version = "1.0.0"
dependencies = ["serde"]
[[package]]
name = "tool"
version = "0.1.0"
dependencies = ["clap", "toml 0.9.0"]
"#;

    fn parts(manifest: &str, lock: &str) -> Parts {
        Parts::of("pay", manifest, lock).expect("both are cargo's")
    }

    #[test]
    fn what_another_package_needs_does_not_count() {
        let as_is = parts(MANIFEST, LOCK);
        for (from, to) in
            [("clap = \"4\"", "clap = \"5\""), ("name = \"tool\"", "name = \"other\""), ("[package]", "# x\n[package]")]
        {
            assert_eq!(parts(&MANIFEST.replace(from, to), LOCK), as_is, "{from}");
        }
        for (from, to) in [("4.0.0", "5.0.0"), ("0.9.0", "0.9.1"), ("version = 4", "version  = 4 # x")] {
            assert_eq!(parts(MANIFEST, &LOCK.replace(from, to)), as_is, "{from}");
        }
    }

    #[test]
    fn what_the_package_needs_counts_however_far_down() {
        let as_is = parts(MANIFEST, LOCK);
        for (from, to) in
            [("serde = \"1\"", "serde = \"2\""), ("version = \"1\"", "version = \"2\""), ("lto = true", "lto = false")]
        {
            assert_ne!(parts(&MANIFEST.replace(from, to), LOCK), as_is, "{from}");
        }
        for (from, to) in [("checksum = \"a\"", "checksum = \"b\""), ("\"serde\", \"toml", "\"toml")] {
            assert_ne!(parts(MANIFEST, &LOCK.replace(from, to)), as_is, "{from}");
        }
    }

    #[test]
    fn files_of_somebody_else_have_no_parts() {
        assert_eq!(Parts::of("pay", MANIFEST, "not TOML"), None);
        assert_eq!(Parts::of("pay", MANIFEST, "version = 4"), None);
        assert_eq!(Parts::of("nobody", MANIFEST, LOCK), None);
    }
}

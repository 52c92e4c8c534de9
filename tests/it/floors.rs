//! Who may import whom. `ARCHITECTURE.md` shows the same map to people.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use drctl::kinds::REGISTRY;

/// Every module with what it may import, the lowest floor first.
const FLOORS: [(&str, &[&str]); 15] = [
    ("graph", &[]),
    ("spec", &[]),
    ("package", &[]),
    ("sandbox", &[]),
    ("iam", &["graph"]),
    ("aws", &["graph"]),
    ("state", &["graph", "iam", "aws"]),
    ("plan", &["graph", "state"]),
    ("kinds", &["graph", "iam", "aws", "state", "plan"]),
    ("desired", &["graph", "spec", "package", "kinds"]),
    ("run", &["graph", "aws", "state", "plan", "kinds", "desired"]),
    ("render", &["graph", "iam", "state", "plan", "kinds", "run"]),
    ("saved", &["graph", "state", "plan", "kinds", "desired"]),
    (
        "ops",
        &["graph", "spec", "package", "sandbox", "iam", "aws", "state", "plan", "kinds", "desired", "run", "render"],
    ),
    (
        "cli",
        &[
            "graph", "spec", "package", "sandbox", "iam", "aws", "state", "plan", "kinds", "desired", "run", "render",
            "saved", "ops",
        ],
    ),
];

/// How the SDK's crates begin.
const SDK: [&str; 5] = ["aws_sdk_", "aws_config", "aws_smithy", "aws_credential_types", "aws_types"];

/// A source file of the crate without its comments and its tests.
pub(super) struct Source {
    pub(super) path: PathBuf,
    /// `["kinds", "table", "aws"]` for `src/kinds/table/aws.rs`
    pub(super) module: Vec<String>,
    pub(super) code: String,
}

#[test]
fn every_module_stands_on_a_floor() {
    let modules: BTreeSet<String> = sources().into_iter().map(|source| source.module[0].clone()).collect();
    let floors: BTreeSet<String> = FLOORS.iter().map(|(module, _)| (*module).to_owned()).collect();
    assert_eq!(modules, floors);
}

#[test]
fn no_floor_is_allowed_what_stands_above_it() {
    for (floor, (module, allowed)) in FLOORS.iter().enumerate() {
        let below: Vec<_> = FLOORS[..floor].iter().map(|(module, _)| module).collect();
        assert!(allowed.iter().all(|import| below.contains(&import)), "{module} may import only what is below it");
    }
}

#[test]
fn modules_import_only_from_floors_below() {
    let mut wrong = Vec::new();
    for source in sources() {
        let module = source.module[0].as_str();
        let allowed = FLOORS.iter().find(|(name, _)| *name == module).map_or(&[] as &[_], |(_, allowed)| *allowed);
        for import in imports(&source) {
            if import[0] != module && !allowed.contains(&import[0].as_str()) {
                wrong.push(format!("{} imports crate::{}", source.path.display(), import.join("::")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_sdk_is_named_only_where_aws_is_called() {
    let elsewhere = sources().into_iter().filter(|source| {
        let called_aws = source.module[0] == "aws" || source.module.last().is_some_and(|name| name == "aws");
        !called_aws && SDK.iter().any(|crate_name| source.code.contains(crate_name))
    });
    let wrong: Vec<_> = elsewhere.map(|source| source.path.display().to_string()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_kind_imports_only_kinds_above_it() {
    let rank = |name: &str| REGISTRY.iter().position(|kind| kind.meta.kind == name);
    let mut wrong = Vec::new();
    for source in sources().into_iter().filter(|source| source.module[0] == "kinds") {
        let Some(own) = source.module.get(1).and_then(|name| rank(name)) else { continue };
        let kinds = imports(&source).into_iter().filter(|import| import[0] == "kinds");
        let below = kinds.filter(|import| import.get(1).and_then(|name| rank(name)).is_some_and(|other| other > own));
        wrong.extend(below.map(|import| format!("{} imports {}", source.path.display(), import.join("::"))));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_kind_has_a_folder_of_its_name() {
    for kind in &REGISTRY {
        assert!(Path::new("src/kinds").join(kind.meta.kind).join("mod.rs").is_file(), "{}", kind.meta.kind);
    }
}

#[test]
fn imports_are_found_in_every_form() {
    let code = "use crate::graph::{Address, Place};\nuse crate::{spec::Name, plan};\nfn f() { super::super::state::X }\n\
                use super::sibling;\npub(crate) mod x {}";
    let module = ["run", "live"].map(str::to_owned).into();
    let source = Source { path: "src/run/live.rs".into(), module, code: code.into() };
    let found: Vec<_> = imports(&source).into_iter().map(|import| import.join("::")).collect();
    assert_eq!(found, ["graph", "spec::Name", "plan", "state::X", "run::sibling"]);
}

#[test]
fn comments_and_tests_are_left_out() {
    let text =
        "//! crate::a\nuse crate::b; // crate::c\n#[cfg(test)]\nmod tests {\n    use crate::d;\n}\nuse crate::e;\n";
    assert_eq!(without_tests_and_comments(text), "\nuse crate::b; \nuse crate::e;\n");
}

/// Every source file that stands on a floor.
pub(super) fn sources() -> Vec<Source> {
    let (mut found, mut folders) = (Vec::new(), vec![PathBuf::from("src")]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("tests run in the folder of the package") {
            let path = entry.expect("the folder can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    let for_tests = |path: &Path| {
        path.iter().any(|part| {
            ["tests", "tests.rs", "fake", "fake.rs", "fuzz.rs", "properties", "properties.rs"]
                .iter()
                .any(|name| part == *name)
        })
    };
    let sources: Vec<Source> = found.into_iter().filter(|path| !for_tests(path)).map(source).collect();
    // `lib.rs` and `main.rs` stand above all floors.
    sources.into_iter().filter(|source| source.path.components().count() > 2).collect()
}

fn source(path: PathBuf) -> Source {
    let text = fs::read_to_string(&path).expect("a source file is text");
    let inside = path.strip_prefix("src").expect("it was found there").with_extension("");
    let mut module: Vec<_> = inside.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    module.pop_if(|name| name == "mod");
    Source { code: without_tests_and_comments(&text), path, module }
}

/// Relies on rustfmt: a test module begins and ends at the start of a line.
fn without_tests_and_comments(text: &str) -> String {
    let (mut code, mut lines) = (String::new(), text.lines().peekable());
    while let Some(line) = lines.next() {
        let opens_tests = line == "#[cfg(test)]" && lines.peek().is_some_and(|next| next.ends_with('{'));
        if opens_tests {
            lines.by_ref().find(|line| *line == "}");
            continue;
        }
        code += line.split("//").next().unwrap_or_default();
        code.push('\n');
    }
    code
}

/// The paths of the crate that a file names, as far as they are told, from the crate's root.
pub(super) fn imports(source: &Source) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let code = source.code.as_str();
    let mut at = 0;
    while at < code.len() {
        let rest = &code[at..];
        let begins_word = !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
        let root = match (begins_word, rest.starts_with("crate::"), rest.starts_with("super::")) {
            (true, true, _) => Some(("crate::".len(), Vec::new())),
            (true, _, true) => {
                let up = rest.len() - rest.trim_start_matches("super::").len();
                let kept = source.module.len().saturating_sub(up / "super::".len());
                Some((up, source.module[..kept].to_vec()))
            }
            _ => None,
        };
        match root {
            Some((length, root)) => {
                at += length;
                found.extend(paths(&code[at..]).into_iter().map(|path| [root.clone(), path].concat()));
            }
            None => at += rest.chars().next().map_or(1, char::len_utf8),
        }
    }
    found
}

/// The first two names of a path, or of each path of a group; types and functions end a path.
fn paths(rest: &str) -> Vec<Vec<String>> {
    let path = |text: &str| {
        let part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
        let names = text.split(|c: char| !part(c)).next().unwrap_or_default().split("::");
        names.filter(|name| !name.is_empty()).take(2).map(str::to_owned).collect::<Vec<_>>()
    };
    let Some(group) = rest.strip_prefix('{') else { return vec![path(rest)] };
    let (mut depth, mut members, mut member) = (0, Vec::new(), String::new());
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => members.push(std::mem::take(&mut member)),
            c => member.push(c),
        }
    }
    members.push(member);
    members.iter().map(|member| path(member.trim())).filter(|path| !path.is_empty()).collect()
}

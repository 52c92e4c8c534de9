//! What drctl says of specs alone. No AWS is there, embedded or not.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Runs drctl in a folder; exit code, standard output, standard error.
fn drctl(folder: &Path, arguments: &str) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_drctl"));
    let command = command.args(arguments.split_whitespace()).current_dir(folder).env("NO_COLOR", "1");
    let output = command.output().expect("drctl starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

/// A folder with `specs/minimal.toml` and one to lay over it.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["specs", "over"] {
        fs::create_dir(folder.path().join(name)).unwrap();
    }
    fs::copy("specs/minimal.toml", folder.path().join("specs/minimal.toml")).unwrap();
    let over = "[system]\nsuffix = \"prod-001\"\n\n[function.payment-processor]\nmemory = 512\n";
    fs::write(folder.path().join("over/prod.toml"), over).unwrap();
    folder
}

#[test]
fn a_merged_spec_is_shown_and_is_a_spec_again() {
    let folder = folder();
    let all = "-f specs/minimal.toml -f over/prod.toml --set system.tags.team=a --set system.suffix=prod-002";
    let (code, shown, stderr) = drctl(folder.path(), &format!("spec show {all}"));
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(shown.contains("suffix = \"prod-002\"\ntags.team = \"a\"\n"), "{shown}");
    assert!(shown.contains("memory = 512\n") && !shown.contains("prod-001"), "{shown}");
    fs::write(folder.path().join("specs/merged.toml"), &shown).unwrap();
    assert_eq!(drctl(folder.path(), "spec show -f specs/merged.toml").1, shown);

    let (code, json, _) = drctl(folder.path(), &format!("spec show --json {all}"));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, &json["format_version"]), (0, &1.into()));
    assert_eq!(json["spec"]["system"]["suffix"], "prod-002");
}

#[test]
fn the_only_spec_is_found_and_values_can_be_given_all_the_same() {
    let folder = folder();
    assert_eq!(drctl(folder.path(), "spec check").1, "valid: 11 resources\n");
    let (code, stdout, stderr) = drctl(folder.path(), "spec check --set system.sufix=x");
    assert_eq!((code, stdout.as_str()), (4, ""));
    assert!(stderr.contains("--set:1:8") && stderr.contains("did you mean `suffix`?"), "{stderr}");
    assert_eq!(drctl(folder.path(), "spec check --set suffix").0, 64);
    fs::write(folder.path().join("specs/other.toml"), "").unwrap();
    let (code, _, stderr) = drctl(folder.path(), "spec check --set system.suffix=x");
    assert_eq!(code, 64);
    assert!(stderr.contains("`-f specs/minimal.toml` or `-f specs/other.toml`"), "{stderr}");
}

#[test]
fn what_needs_what_is_drawn() {
    let folder = folder();
    let arrow = "  \"us-east-1/function.payment-processor\" -> \"global/role.payment-processor-us-east-1\"\n";
    let (code, drawing, _) = drctl(folder.path(), "graph");
    assert!(code == 0 && drawing.starts_with("digraph {\n") && drawing.contains(arrow), "{drawing}");
    let (code, drawing, _) = drctl(folder.path(), "graph --format mermaid");
    assert!(code == 0 && drawing.starts_with("flowchart LR\n"), "{drawing}");
}

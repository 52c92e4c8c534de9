//! The runbook's commands, word for word, in bash and with the AWS CLI.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest, Sha256};

use super::world::World;

/// The calls of the shell commands that operators had before drctl; deploying and deleting stacks is drctl's now.
const OLD: [&str; 10] = [
    "secretsmanager update-secret",
    "curl -fsS -X POST",
    "dynamodb scan",
    "s3 cp",
    "s3 ls",
    "cloudwatch get-metric-statistics",
    "lambda put-function-concurrency",
    "route53 list-hosted-zones",
    "route53 change-resource-record-sets",
    "s3 rm",
];

/// Between the outputs of two boxes.
const MARK: &str = "@@@@ end of a box";

/// The chapter that begins with stacks, and not with an apply.
const MOVE: &str = "\n## From CloudFormation to drctl\n";

/// The runbook in three parts.
struct Runbook {
    /// What a shell needs to know before any chapter.
    head: String,
    /// The chapters but one.
    chapters: String,
    /// The chapter about the move.
    moving: String,
}

fn runbook() -> Runbook {
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/runbook.md")).unwrap();
    let (head, chapters) = text.split_once("\n## ").expect("the runbook has chapters");
    let (before, rest) = chapters.split_once(MOVE).expect("the runbook has the chapter");
    let (moving, after) = rest.split_once("\n## ").expect("another chapter follows");
    Runbook { head: head.to_owned(), chapters: format!("{before}\n## {after}"), moving: moving.to_owned() }
}

/// What stands in the boxes of a text.
fn boxes(text: &str) -> Vec<&str> {
    text.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

/// The boxes of the move from CloudFormation.
pub(super) fn boxes_of_the_move() -> Vec<String> {
    boxes(&runbook().moving).into_iter().map(str::to_owned).collect()
}

#[test]
fn every_command_of_the_runbook_works_as_written() {
    let runbook = runbook();
    let boxes = boxes(&runbook.chapters);
    let missing: Vec<_> = OLD.iter().filter(|call| !boxes.iter().any(|text| text.contains(*call))).collect();
    assert!(missing.is_empty(), "the runbook has lost {missing:#?}");

    // Fast, so that a health check is red after seconds.
    let world = World::at_speed(60);
    let said = run(&world, &boxes);
    let of = |command: &str| {
        let place = boxes.iter().position(|text| text.contains(command)).expect("the runbook has it");
        said[place].split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let says = |command: &str, texts: &[&str]| {
        for text in texts {
            assert!(of(command).contains(text), "`{text}` is not what came of {command}:\n{}", of(command));
        }
    };
    says("output --env", &["transaction-logs-us-east-1-prod-001, transaction-logs-us-west-2-prod-001"]);
    says("secretsmanager update-secret", &["us-west-2 replica of us-east-1, InSync", "\"VersionId\":"]);
    says("X POST", &["\"transactionId\":", "\"status\":"]);
    says("drctl health", &["us-east-1", "us-west-2", "\"status\":\"healthy\""]);
    says("dynamodb scan", &["\"customerId\": { \"S\": \"CUST-12345\" }"]);
    assert_eq!(of("dynamodb scan").matches("\"Count\": 2").count(), 2, "both regions have both");
    says("s3 cp", &["test.json"]);
    says(
        "get-metric-statistics",
        &["\"Label\": \"Invocations\", \"Datapoints\": [ {", "\"Label\": \"ConsumedReadCapacityUnits\""],
    );
    says("--reserved-concurrent-executions 0", &["reserved concurrency of 0"]);
    says("test-dns-answer", &[".lambda-url.us-west-2.on.aws"]);
    says("--reserved-concurrent-executions 100", &["reserved_concurrency: 0 -> 100", ".lambda-url.us-east-1.on.aws"]);
    says("weigh us-west-2", &["sets.us-east-1-prod-001.weight: 0 -> 100", "sets.us-west-2-prod-001.weight: 100 -> 0"]);
    says("drctl destroy", &["delete: s3://transaction-logs-us-east-1-prod-001/test/test.json", "nothing left"]);
    world.holds_nothing();
}

/// Runs the boxes one after the other in one shell, and gives what each of them said.
pub(super) fn run(world: &World, boxes: &[&str]) -> Vec<String> {
    let folder = world.home().join("runbook");
    let programs = folder.join("bin");
    if !programs.exists() {
        fs::create_dir_all(&programs).unwrap();
        symlink(env!("CARGO_BIN_EXE_drctl"), programs.join("drctl")).unwrap();
        symlink(aws_cli(), programs.join("aws")).unwrap();
        fs::create_dir_all(folder.join("specs")).unwrap();
        symlink(world.spec(), folder.join("specs/production.toml")).unwrap();
    }
    let mut script = format!("set -euo pipefail\n{}", self::boxes(&runbook().head).concat());
    for text in boxes {
        write!(script, "{text}\necho '{MARK}'\n").unwrap();
    }
    let path = std::env::join_paths(
        [programs].into_iter().chain(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())),
    );
    // In one stream, so that it reads as on a terminal.
    let output = folder.join("output");
    let file = fs::File::create(&output).unwrap();
    let status = Command::new("bash")
        .arg("-c")
        .arg(&script)
        .current_dir(&folder)
        .env("PATH", path.unwrap())
        .env_remove("DRCTL_SPEC")
        .env("DRCTL_SANDBOX_HOME", world.home())
        .env("NO_COLOR", "1")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .stdin(Stdio::null())
        .stdout(file.try_clone().unwrap())
        .stderr(file)
        .status()
        .expect("there is bash");
    let text = fs::read_to_string(output).unwrap();
    let said: Vec<String> = text.split(MARK).map(str::to_owned).collect();
    assert!(status.success(), "{status} in\n{}\nwhich said\n{}", boxes[said.len() - 1], said[said.len() - 1]);
    said
}

/// The AWS CLI in an environment of its own, made once.
fn aws_cli() -> PathBuf {
    let list = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/aws-cli.txt");
    let hash = Sha256::digest(fs::read(list).unwrap());
    let name: String = hash[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("aws-cli-{name}"));
    let made = folder.join("made");
    if !made.exists() {
        let step = |program: &Path, arguments: &[&str]| {
            let output = Command::new(program).args(arguments).output().expect("there is Python");
            assert!(output.status.success(), "{program:?} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        };
        let venv = folder.to_str().expect("a path of the build is text");
        step(Path::new("python3"), &["-m", "venv", "--clear", venv]);
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"];
        step(&folder.join("bin/python"), &[&pip[..], &["--require-hashes", "-r", list]].concat());
        fs::write(made, "").unwrap();
    }
    folder.join("bin/aws")
}

//! The pipelines' own commands, run where they cannot do harm.
//!
//! Here: the commands of `action.yml`, run as `.github/workflows/payment-dr.yml` has GitHub run them, with a `gh` that is none.

mod gitlab;

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use drctl::graph::Region;
use drctl::ops::set_concurrency;
use saphyr::{LoadableYamlNode as _, Yaml};
use serde_json::{Value, json};

use super::world::{EAST, World};

/// A `gh` that keeps comments in a file, and writes down what it is asked.
const GH: &str = r#"#!/usr/bin/env python3
import json, os, sys
arguments, kept = sys.argv[1:], os.environ["FAKE_GH"]
state = json.load(open(kept))
state["asked"].append(arguments)
assert os.environ["GH_TOKEN"] == "a token" and arguments.pop(0) == "api", arguments
flags = [flag for flag in ("--silent", "--paginate") if flag in arguments and not arguments.remove(flag)]
method = arguments.pop(arguments.index("--method") + 1) if "--method" in arguments else "GET"
field = arguments.pop(arguments.index("--field") + 1) if "--field" in arguments else None
path = next(argument for argument in arguments if argument.startswith("repos/"))
comments = state["comments"]
if method == "GET":
    assert path == "repos/acme/payments/issues/7/comments" and flags == ["--paginate"], arguments
    ours = '.[] | select(.user.type == "Bot" and (.body | startswith(env.MARKER) and contains(env.USE)))'
    ours += r' | "\(.id) \(.body | split("\n")[0])"'
    assert arguments[arguments.index("--jq") + 1] == ours
    marker, use = os.environ["MARKER"], os.environ["USE"]
    for comment in comments:
        body = comment["body"]
        if comment["user"]["type"] == "Bot" and body.startswith(marker) and use in body:
            print(comment["id"], body.split("\n")[0])
else:
    name, _, file = field.partition("=@")
    body = open(file).read()
    assert name == "body" and len(body) <= 65536
    if method == "POST":
        assert path == "repos/acme/payments/issues/7/comments", path
        comments.append({"id": 100 + len(comments), "user": {"type": "Bot"}, "body": body})
    else:
        assert method == "PATCH"
        [comment] = [one for one in comments if path == f"repos/acme/payments/issues/comments/{one['id']}"]
        comment["body"] = body
json.dump(state, open(kept, "w"))
"#;

/// A repository on GitHub, as far as its pipeline sees it.
struct Pipeline {
    world: World,
    action: Yaml<'static>,
    workflow: Yaml<'static>,
    /// What lies in the runner's folders.
    runner: PathBuf,
    /// What the action is given for drctl's command line.
    arguments: &'static str,
}

/// The first line of the system's comments.
const MARKER: &str = "<!-- drctl plan: 000000000000/payment-dr/prod-001 -->";

/// What is proposed.
const COMMIT: &str = "5e1f0c9a";

/// How a job ended.
struct Job {
    code: i32,
    log: String,
    outputs: BTreeMap<String, String>,
}

impl Job {
    #[track_caller]
    fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}", self.log);
        self
    }

    #[track_caller]
    fn says(self, text: &str) -> Self {
        assert!(self.log.contains(text), "`{text}` is not in\n{}", self.log);
        self
    }
}

fn yaml(path: &str) -> Yaml<'static> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("it is there");
    let text: &'static str = text.leak();
    Yaml::load_from_str(text).expect("it is YAML").remove(0)
}

fn text<'a>(yaml: &'a Yaml<'_>, key: &str) -> Option<&'a str> {
    yaml.as_mapping_get(key)?.as_str()
}

/// The entries of a table of texts.
fn texts(yaml: Option<&Yaml<'_>>) -> BTreeMap<String, String> {
    let entries = yaml.and_then(|yaml| yaml.as_mapping()).into_iter().flatten();
    entries.map(|(key, value)| (key.as_str().unwrap().to_owned(), value.as_str().unwrap().to_owned())).collect()
}

impl Pipeline {
    fn new() -> Self {
        let world = World::new();
        let runner = world.home().join("runner");
        write_program(&runner.join("bin").join("gh"), GH);
        // Anybody may write a comment that begins like drctl's.
        let stranger = json!({"id": 99, "user": {"type": "User"}, "body": format!("{MARKER}\n")});
        std::fs::write(runner.join("gh.json"), json!({"asked": [], "comments": [stranger]}).to_string()).unwrap();
        let (action, workflow) = (yaml("action.yml"), yaml(".github/workflows/payment-dr.yml"));
        Self { world, action, workflow, runner, arguments: "--sandbox" }
    }

    /// Runs the steps of the action that a job of the workflow uses, on an event.
    fn job(&self, name: &str, event: &str) -> Job {
        let steps = self.workflow["jobs"][name]["steps"].as_sequence().unwrap();
        let mut job = Job { code: 0, log: String::new(), outputs: BTreeMap::new() };
        for step in steps.iter().filter(|step| text(step, "uses") == Some("./")) {
            self.action(&texts(step.as_mapping_get("with")), event, &mut job);
        }
        job
    }

    /// Runs the steps of the action with some inputs.
    fn action(&self, given: &BTreeMap<String, String>, event: &str, job: &mut Job) {
        let mut inputs: BTreeMap<String, String> = BTreeMap::new();
        for (name, input) in self.action["inputs"].as_mapping().unwrap() {
            inputs.insert(name.as_str().unwrap().to_owned(), text(input, "default").unwrap_or_default().to_owned());
        }
        inputs.extend(given.clone());
        inputs.insert("token".into(), "a token".into());
        inputs.insert("drctl".into(), env!("CARGO_BIN_EXE_drctl").into());
        inputs.insert("arguments".into(), self.arguments.into());
        for step in self.action["runs"]["steps"].as_sequence().unwrap() {
            let wanted = text(step, "if").expect("every step says when");
            let goes_on = job.code == 0 || wanted.contains("!cancelled()");
            if goes_on && wanted.split(" && ").all(|part| holds(part, &inputs, event)) {
                self.step(step, &inputs, job);
            }
        }
    }

    fn step(&self, step: &Yaml<'_>, inputs: &BTreeMap<String, String>, job: &mut Job) {
        assert_eq!(text(step, "shell"), Some("bash"));
        let script = text(step, "run").unwrap();
        assert!(!script.contains("${{"), "values come in by the environment: {script}");
        let (file, output) = (self.runner.join("step.sh"), self.runner.join("output"));
        std::fs::write(&file, script).unwrap();
        std::fs::write(&output, "").unwrap();
        let mut command = Command::new("bash");
        command.args(["--noprofile", "--norc", "-eo", "pipefail"]).arg(&file).current_dir(self.world.home());
        for (name, value) in texts(step.as_mapping_get("env")) {
            command.env(name, valued(&value, inputs, &job.outputs));
        }
        let path = format!("{}:{}", self.runner.join("bin").display(), std::env::var("PATH").unwrap());
        command.env("PATH", path).env("RUNNER_TEMP", &self.runner).env("GITHUB_OUTPUT", &output);
        command.env("GITHUB_STEP_SUMMARY", self.runner.join("summary.md")).env("FAKE_GH", self.runner.join("gh.json"));
        command.env("DRCTL_SANDBOX_HOME", self.world.home()).env("NO_COLOR", "1");
        command.env("GITHUB_SERVER_URL", "https://github.com").env("GITHUB_RUN_ID", "8");
        let ended = command.output().unwrap();
        if job.code == 0 {
            job.code = ended.status.code().unwrap_or(-1);
        }
        job.log += &String::from_utf8_lossy(&ended.stdout);
        job.log += &String::from_utf8_lossy(&ended.stderr);
        let said = std::fs::read_to_string(output).unwrap();
        let said = said.lines().filter_map(|line| line.split_once('='));
        job.outputs.extend(said.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    /// What `gh` keeps.
    fn github(&self) -> Value {
        serde_json::from_str(&std::fs::read_to_string(self.runner.join("gh.json")).unwrap()).unwrap()
    }

    fn commit(&self, memory: u32) {
        commit(&self.world, memory);
    }
}

/// Sets the memory of the payment function in the spec of the checkout.
fn commit(world: &World, memory: u32) {
    let tables = format!(
        "[function.payment-processor]\nsource = \"{}/functions/payment-processor\"\nmemory = {memory}\n",
        env!("CARGO_MANIFEST_DIR")
    );
    world.write_small_spec(&tables);
    std::fs::rename(world.spec(), world.spec().with_file_name("production.toml")).unwrap();
}

/// Writes a program.
fn write_program(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Whether a condition holds.
fn holds(condition: &str, inputs: &BTreeMap<String, String>, event: &str) -> bool {
    if condition == "!cancelled()" {
        return true;
    }
    let (left, right) = condition.split_once(" == ").expect("a condition compares");
    let is = match left.strip_prefix("inputs.") {
        Some(input) => inputs[input].as_str(),
        None if left == "github.event_name" => event,
        None => panic!("nobody knows {left}"),
    };
    is == right.trim_matches('\'')
}

/// The value of an expression, or of a plain text.
fn valued(text: &str, inputs: &BTreeMap<String, String>, outputs: &BTreeMap<String, String>) -> String {
    let Some(name) = text.strip_prefix("${{ ").and_then(|rest| rest.strip_suffix(" }}")) else {
        return text.to_owned();
    };
    match name {
        "github.repository" => "acme/payments".to_owned(),
        "github.event.pull_request.number" => "7".to_owned(),
        "github.event.pull_request.head.sha" => COMMIT.to_owned(),
        _ => match (name.strip_prefix("inputs."), name.strip_prefix("steps.plan.outputs.")) {
            (Some(input), _) => inputs[input].clone(),
            (_, Some(output)) => outputs.get(output).cloned().unwrap_or_default(),
            _ => panic!("nobody knows {name}"),
        },
    }
}

#[test]
fn a_pull_request_is_commented_and_what_was_merged_is_applied() {
    let pipeline = Pipeline::new();
    pipeline.commit(256);
    pipeline.job("propose", "pull_request").ends_with(0);
    let github = pipeline.github();
    let comments = github["comments"].as_array().unwrap();
    assert_eq!(comments.len(), 2, "{comments:#?}");
    let body = comments[1]["body"].as_str().unwrap();
    let (head, plan) = body.split_once(&format!("\nCommit {COMMIT}\n")).unwrap();
    assert!(head.starts_with(&format!("{MARKER}\n<!-- drctl use: ")), "{body}");
    assert!(body.contains("**6 to create, 0 to update, 0 to replace, 0 to delete**"), "{body}");
    assert_eq!(std::fs::read_to_string(pipeline.runner.join("summary.md")).unwrap(), format!("{MARKER}\n{plan}"));

    // Another commit updates the comment, and leaves the stranger's alone.
    pipeline.commit(512);
    pipeline.job("propose", "pull_request").ends_with(0);
    let github = pipeline.github();
    let comments = github["comments"].as_array().unwrap();
    assert_eq!((comments.len(), &comments[0]["body"]), (2, &format!("{MARKER}\n").into()));
    assert!(comments[1]["body"].as_str().unwrap().contains("+ memory: 512"), "{comments:#?}");

    // Merged: a plan of its own, which is applied whatever is committed meanwhile.
    let asked = github["asked"].as_array().unwrap().len();
    let planned = pipeline.job("plan", "push").ends_with(0);
    assert_eq!(planned.outputs["changes"], "true");
    assert_eq!(pipeline.github()["asked"].as_array().unwrap().len(), asked, "there is no pull request to comment");
    pipeline.commit(1024);
    pipeline.job("apply", "push").ends_with(0).says("applied: 6 changes done");
    pipeline.commit(512);
    assert_eq!(pipeline.job("plan", "push").ends_with(0).outputs["changes"], "false");
    pipeline.job("drift", "schedule").ends_with(0);

    // Changed past drctl between the plan and its apply, and told by the nightly look.
    pipeline.commit(1024);
    pipeline.job("plan", "push").ends_with(0);
    let clients = pipeline.world.clients();
    let name = "payment-processor-prod-001";
    pipeline.world.block_on(set_concurrency(&clients, &Region::new(EAST), name, 7)).unwrap();
    let refused = pipeline.job("apply", "push").ends_with(5).says("is stale; nothing was changed");
    let refused = refused.says("us-east-1/function.payment-processor: reserved_concurrency was not set, and is 7");
    let refused = refused
        .says("::error title=drctl::refused, see above for what to do; after a change run the whole workflow again");
    // What AWS says is no command to the runner: those are off while drctl speaks.
    let lines: Vec<_> = refused.log.lines().collect();
    let word = lines.iter().find_map(|line| line.strip_prefix("::stop-commands::")).unwrap();
    let on = lines.iter().position(|line| *line == format!("::{word}::")).unwrap();
    assert!(word.len() == 32 && lines[on + 1].starts_with("::error "), "{}", refused.log);
    let drift = pipeline.job("drift", "schedule").ends_with(2);
    drift.says("reserved_concurrency").says("::error title=drctl::something was changed outside drctl, see above");
}

#[test]
fn a_plan_that_fails_fails_the_job_and_leaves_no_plan_of_another_commit() {
    let mut pipeline = Pipeline::new();
    pipeline.commit(256);
    let spec = pipeline.world.spec().with_file_name("production.toml");
    let right = std::fs::read_to_string(&spec).unwrap();
    let wrong = right.replace("memory", "memmory");
    std::fs::write(&spec, &wrong).unwrap();
    pipeline.job("propose", "pull_request").ends_with(4).says("did you mean `memory`?");
    assert_eq!(pipeline.github()["comments"].as_array().unwrap().len(), 1);

    // Two systems of one spec, told apart by what stands on the second line.
    std::fs::write(&spec, &right).unwrap();
    for arguments in ["--sandbox\n--set system.suffix=prod-002\n", "--sandbox"] {
        pipeline.arguments = arguments;
        pipeline.job("propose", "pull_request").ends_with(0);
    }
    let body = |pipeline: &Pipeline, number: usize| pipeline.github()["comments"][number]["body"].to_string();
    let other = body(&pipeline, 1);
    assert!(other.contains("<!-- drctl plan: 000000000000/payment-dr/prod-002 -->"), "{other}");
    assert!(body(&pipeline, 2).contains(MARKER) && body(&pipeline, 2).contains("+ memory: 256"));
    std::fs::write(&spec, &wrong).unwrap();
    pipeline.job("propose", "pull_request").ends_with(4);
    let failed = body(&pipeline, 2);
    assert!(failed.contains(MARKER) && !failed.contains("memory"), "{failed}");
    let said = format!(
        "**The plan of commit {COMMIT} failed: see [its job](https://github.com/acme/payments/actions/runs/8).**"
    );
    assert!(failed.contains(&said), "{failed}");
    assert_eq!(body(&pipeline, 1), other);
    std::fs::write(&spec, &right).unwrap();
    pipeline.job("propose", "pull_request").ends_with(0);
    assert!(body(&pipeline, 2).contains("+ memory: 256"));
    assert_eq!(pipeline.github()["comments"].as_array().unwrap().len(), 3);
}

#[test]
fn each_job_builds_drctl_before_it_has_credentials() {
    let workflow = yaml(".github/workflows/payment-dr.yml");
    for (name, job) in workflow["jobs"].as_mapping().unwrap() {
        let uses: Vec<_> = job["steps"].as_sequence().unwrap().iter().map(|step| text(step, "uses").unwrap()).collect();
        let credentials = uses.iter().position(|uses| uses.starts_with("aws-actions/configure-aws-credentials@"));
        assert!(uses.iter().position(|uses| *uses == "./") < credentials, "{name:?}: {uses:?}");
    }
}

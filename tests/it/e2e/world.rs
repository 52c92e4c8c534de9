//! A sandbox, a spec and the real binary: what every end-to-end test starts with.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use drctl::aws::{Clients, Target, connect};
use drctl::graph::Region;
use drctl::ops::{Answer, Request, inventory};

pub(super) const EAST: &str = "us-east-1";
pub(super) const WEST: &str = "us-west-2";

/// What is laid over a spec for a key of its own.
pub(super) const ENCRYPTED: &str = include_str!("../../../specs/encrypted.toml");

/// What a small spec begins with.
const HEAD: &str = r#"schema = 1

[system]
name = "payment-dr"
environment = "production"
suffix = "prod-001"

[region]
primary = "us-east-1"
secondary = "us-west-2"

"#;

/// As the SDKs call the services where one has an address of its own.
const SERVICES: [&str; 11] = [
    "CLOUDWATCH",
    "CLOUDWATCH_LOGS",
    "DYNAMODB",
    "IAM",
    "LAMBDA",
    "RESOURCE_GROUPS_TAGGING_API",
    "ROUTE_53",
    "S3",
    "SECRETS_MANAGER",
    "SNS",
    "STS",
];

/// An AWS of the test's own, as strict as the real one.
pub(super) struct World {
    home: tempfile::TempDir,
    spec: PathBuf,
    endpoint: String,
    runtime: tokio::runtime::Runtime,
}

/// How a run of drctl ended.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) code: i32,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

/// A user of the sandbox's IAM.
pub(super) struct Caller {
    key: String,
    secret: String,
}

impl Caller {
    fn runs<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("DRCTL_SANDBOX_ACCESS_KEY_ID", &self.key).env("DRCTL_SANDBOX_SECRET_ACCESS_KEY", &self.secret)
    }
}

impl Run {
    /// Checks the exit code, showing everything if it is another one.
    #[track_caller]
    pub(super) fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        self
    }

    /// Checks that both outputs together contain a text.
    #[track_caller]
    pub(super) fn says(self, text: &str) -> Self {
        // Long lines of errors are wrapped at any word.
        let flat: String = format!("{} {}", self.stdout, self.stderr).replace('│', " ");
        let flat = flat.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains(text), "`{text}` is not in\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        self
    }
}

impl World {
    /// A sandbox with nothing in it, and the production spec.
    pub(super) fn new() -> Self {
        Self::at_speed(4)
    }

    /// The same with another speed of AWS's clocks.
    pub(super) fn at_speed(speed: u32) -> Self {
        let home = tempfile::tempdir().expect("a temporary folder");
        let spec = home.path().join("specs").join("system.toml");
        std::fs::create_dir_all(spec.parent().expect("it has a folder")).expect("a folder");
        let mut world =
            Self { home, spec, endpoint: String::new(), runtime: tokio::runtime::Runtime::new().expect("a runtime") };
        world.write_spec(|spec| spec);
        world.endpoint =
            world.drctl(&format!("sandbox up --strict --speed {speed}")).ends_with(0).stdout.trim().to_owned();
        world
    }

    /// Writes the production spec anew, changed by `edit`.
    pub(super) fn write_spec(&self, edit: impl FnOnce(String) -> String) {
        let root = env!("CARGO_MANIFEST_DIR");
        let text = std::fs::read_to_string(format!("{root}/specs/production.toml")).expect("the shipped spec");
        let text = text.replace("../functions", &format!("{root}/functions"));
        let edited = edit(text);
        std::fs::write(&self.spec, edited).expect("a file");
    }

    /// Writes a spec of these tables alone, so that less has to be made.
    pub(super) fn write_small_spec(&self, tables: &str) {
        self.write_spec(|_| format!("{HEAD}{tables}"));
    }

    /// Runs drctl to its end.
    pub(super) fn drctl(&self, arguments: &str) -> Run {
        run(&mut self.command(arguments))
    }

    /// Runs drctl with something to read on its standard input, and its log as detailed as `log` asks for.
    pub(super) fn drctl_given(&self, arguments: &str, input: &str, log: Option<&str>) -> Run {
        let mut command = self.command(arguments);
        command.stdin(file_of(input));
        if let Some(log) = log {
            command.env("DRCTL_LOG", log);
        }
        run(&mut command)
    }

    /// Makes a user of the sandbox's IAM who may do what `drctl iam-policy` prints for a task, and nothing else.
    pub(super) fn caller(&self, task: &str) -> Caller {
        let folder = self.home.path().join(format!("policies-{task}"));
        let print = format!("iam-policy {task} --account 000000000000 --out {}", folder.display());
        let files = self.drctl(&print).ends_with(0).stdout;
        let iam = self.clients().iam;
        self.block_on(async {
            iam.create_user().user_name(task).send().await.expect("a user");
            for (number, file) in files.lines().enumerate() {
                let policy = std::fs::read_to_string(file).expect("the file that was told");
                let made = iam.create_policy().policy_name(format!("{task}-{number}")).policy_document(policy);
                let made = made.send().await.expect("a policy that IAM takes");
                let arn = made.policy.and_then(|policy| policy.arn).expect("its ARN");
                iam.attach_user_policy().user_name(task).policy_arn(arn).send().await.expect("an attached policy");
            }
            let made = iam.create_access_key().user_name(task).send().await.expect("a key");
            let key = made.access_key.expect("it is told");
            Caller { key: key.access_key_id, secret: key.secret_access_key }
        })
    }

    /// Runs drctl as a user of the sandbox's IAM.
    pub(super) fn drctl_as(&self, caller: &Caller, arguments: &str) -> Run {
        run(caller.runs(&mut self.command(arguments)))
    }

    /// The same with something to read on its standard input.
    pub(super) fn drctl_as_given(&self, caller: &Caller, arguments: &str, input: &str) -> Run {
        run(caller.runs(self.command(arguments).stdin(file_of(input))))
    }

    /// A run of drctl as on AWS, with credentials from the environment. The sandbox stands in for every service.
    pub(super) fn as_on_aws(&self, arguments: &str) -> Command {
        let mut command = self.command_without_sandbox(arguments);
        for service in SERVICES {
            command.env(format!("AWS_ENDPOINT_URL_{service}"), &self.endpoint);
        }
        command.env("AWS_EC2_METADATA_DISABLED", "true").env("AWS_CONFIG_FILE", "/dev/null");
        command
    }

    /// Runs a whole command line from the README, in the repository as a reader would.
    pub(super) fn drctl_as_written(&self, arguments: &str) -> Run {
        let mut command = self.program();
        run(command.args(arguments.split_whitespace()).current_dir(env!("CARGO_MANIFEST_DIR")))
    }

    /// Starts drctl with its standard error to read from.
    pub(super) fn start(&self, arguments: &str) -> Child {
        self.command(arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("drctl starts")
    }

    /// Starts drctl with its standard output to read from.
    pub(super) fn start_reading(&self, arguments: &str) -> Child {
        self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("drctl starts")
    }

    /// Applies the spec as it is.
    #[track_caller]
    pub(super) fn apply(&self) -> Run {
        self.drctl("apply --yes").ends_with(0)
    }

    /// Checks that there is nothing to change.
    #[track_caller]
    pub(super) fn is_in_sync(&self) {
        self.drctl("plan --detailed-exitcode").ends_with(0).says("no changes");
    }

    /// The spec's file.
    pub(super) fn spec(&self) -> &Path {
        &self.spec
    }

    /// The folder of this world's sandbox.
    pub(super) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Where the sandbox listens.
    pub(super) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Where the state of this world is kept.
    pub(super) fn state(&self) -> PathBuf {
        self.home.path().join("state")
    }

    /// The value of an output in one region.
    pub(super) fn output(&self, name: &str, region: &str) -> String {
        self.drctl(&format!("output {name} --region {region}")).ends_with(0).stdout.trim().to_owned()
    }

    /// Posts a payment the way curl would.
    pub(super) fn pay(&self, region: &str, key: Option<&str>) -> Answer {
        let url = self.output("LambdaFunctionUrl", region);
        let body = r#"{"customerId": "CUST-12345", "amount": 99.99, "currency": "USD"}"#;
        self.block_on(Request::post(&url, body.to_owned(), key.map(str::to_owned)).send()).expect("an answer")
    }

    /// The status of a region's health URL, asked until it is `status`.
    #[track_caller]
    pub(super) fn health_becomes(&self, region: &str, status: u16) -> Answer {
        let url = self.output("HealthCheckUrl", region);
        self.eventually(&format!("health {status}"), || {
            let answer = self.block_on(Request::get(&url).send()).expect("an answer");
            (answer.status == status).then_some(answer)
        })
    }

    /// Asks again until there is an answer.
    #[track_caller]
    pub(super) fn eventually<T>(&self, what: &str, ask: impl FnMut() -> Option<T>) -> T {
        until(ask).unwrap_or_else(|| panic!("it never came to {what}"))
    }

    /// SDK clients, for what is done and looked at past drctl.
    pub(super) fn clients(&self) -> Clients {
        let target = Target::Sandbox { endpoint: self.endpoint.clone(), strict: false };
        self.block_on(connect(&target, &[Region::new(EAST), Region::new(WEST)], Duration::from_secs(20)))
            .expect("a connection")
    }

    /// What there is of the system, and of strangers with the same suffix; nothing twice.
    ///
    /// As everywhere in AWS, what was just made may be missing, and what was just deleted may be here.
    #[track_caller]
    pub(super) fn things(&self) -> BTreeSet<String> {
        let all = self.block_on(inventory(&self.clients(), "prod-001")).expect("every service answers");
        let number = all.len();
        let things = BTreeSet::from_iter(all);
        assert_eq!(things.len(), number, "something is there twice: {things:#?}");
        things
    }

    /// Checks what there is, once reads show it.
    #[track_caller]
    pub(super) fn holds(&self, expected: &BTreeSet<String>) {
        let mut things = BTreeSet::new();
        let settled = until(|| {
            things = self.things();
            (things == *expected).then_some(())
        });
        let (more, less): (Vec<_>, Vec<_>) =
            (things.difference(expected).collect(), expected.difference(&things).collect());
        assert!(settled.is_some(), "too much: {more:#?}, missing: {less:#?}");
    }

    /// Checks that nothing is left.
    #[track_caller]
    pub(super) fn holds_nothing(&self) {
        self.holds(&BTreeSet::new());
    }

    /// How often each call reached the sandbox since the last time this was asked.
    pub(super) fn calls(&self) -> serde_json::Value {
        let calls = self.block_on(drctl::sandbox::calls(&self.endpoint)).expect("the sandbox counts");
        self.block_on(drctl::sandbox::reset_calls(&self.endpoint)).expect("the sandbox counts");
        calls
    }

    /// Runs something asynchronous.
    pub(super) fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = self.command_without_sandbox(arguments);
        // A plan from an observation has no AWS to talk to, and a package stays here.
        let without = arguments.contains("--observed") || arguments == "package";
        if !arguments.starts_with("sandbox") && !without {
            command.arg("--sandbox");
        }
        command
    }

    fn command_without_sandbox(&self, arguments: &str) -> Command {
        let mut command = self.program();
        command.args(arguments.split_whitespace());
        // A saved plan has its spec in it.
        let has_its_own = arguments.starts_with("apply ") && arguments.contains(".plan");
        if !arguments.starts_with("sandbox") && !has_its_own {
            command.arg("-f").arg(&self.spec);
        }
        command
    }

    fn program(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_drctl"));
        command.env("DRCTL_SANDBOX_HOME", self.home.path()).env("NO_COLOR", "1").stdin(Stdio::null());
        command
    }
}

/// Asks again until there is an answer, as long as anything may take to settle.
fn until<T>(mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        match ask() {
            None if Instant::now() < end => std::thread::sleep(Duration::from_millis(200)),
            answer => return answer,
        }
    }
}

fn file_of(text: &str) -> File {
    let mut file = tempfile::tempfile().expect("a temporary file");
    file.write_all(text.as_bytes()).and_then(|()| file.rewind()).expect("a file");
    file
}

fn run(command: &mut Command) -> Run {
    let output = command.output().expect("drctl starts");
    Run {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // A test that panics stops its sandbox too; there is nobody to tell if that fails.
        let _ = self.command("sandbox down").output();
    }
}

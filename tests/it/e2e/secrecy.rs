//! A secret's value and the caller's credentials show nowhere: not in what drctl prints, logs, writes and runs, and
//! not in what it says when something fails.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use drctl::graph::Region;
use drctl::sandbox::set_faults;
use serde_json::json;

use super::world::{EAST, World};

const VALUE: &str = "pk-live-the-value-0123456789";
const KEY: &str = "wJalr-the-secret-access-key-9876543210";
const TOKEN: &str = "FwoGZ-the-session-token-5647382910";

/// Everything that drctl may log, and everything that its libraries may.
const LOGS: [&str; 2] = [
    "trace",
    "drctl=trace,aws_config=trace,aws_runtime=trace,aws_sigv4=trace,aws_smithy_runtime=trace,\
     aws_smithy_runtime_api=trace,aws_sdk_secretsmanager=trace,aws_sdk_sts=trace,hyper=trace,hyper_util=trace",
];

/// Everything that drctl has let out.
struct Watch {
    world: World,
    /// What each part came from, and its text.
    seen: Vec<(String, Vec<u8>)>,
}

impl Watch {
    /// Runs drctl to its end once with each log, and keeps what it lets out. Returns what it printed last.
    fn run(&mut self, arguments: &str, input: &str, code: i32) -> String {
        let mut printed = String::new();
        for log in LOGS {
            printed = self.once(arguments, input, code, log);
        }
        printed
    }

    fn once(&mut self, arguments: &str, input: &str, code: i32, log: &str) -> String {
        let said = |name: &str| self.world.home().join(format!("secrecy.{name}"));
        let (given, out, err) = (said("in"), said("out"), said("err"));
        std::fs::write(&given, input).unwrap();
        let mut command: Command = self.world.as_on_aws(&format!("{arguments} -v"));
        command.env("DRCTL_LOG", log).env("AWS_ACCESS_KEY_ID", "test");
        command.env("AWS_SECRET_ACCESS_KEY", KEY).env("AWS_SESSION_TOKEN", TOKEN);
        command.stdin(File::open(&given).unwrap());
        command.stdout(File::create(&out).unwrap()).stderr(File::create(&err).unwrap());
        let mut child = command.spawn().expect("drctl starts");
        let status = loop {
            self.look_at_processes(child.id(), arguments);
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        std::fs::remove_file(given).unwrap();
        for file in [&out, &err] {
            self.keep(arguments, std::fs::read(file).unwrap());
        }
        let text = std::fs::read_to_string(out).unwrap() + &std::fs::read_to_string(err).unwrap();
        assert_eq!(status.code(), Some(code), "{arguments}:\n{text}");
        text
    }

    /// What every process can see of drctl, and of what it starts.
    fn look_at_processes(&mut self, id: u32, arguments: &str) {
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
        for id in [id.to_string().as_str()].into_iter().chain(children.split_whitespace()) {
            // One that has ended meanwhile shows nothing any more.
            let line = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
            if !self.seen.iter().any(|(_, seen)| *seen == line) {
                self.keep(&format!("arguments of {arguments}"), line);
            }
        }
    }

    fn keep(&mut self, what: &str, text: Vec<u8>) {
        self.seen.push((what.to_owned(), text));
    }

    /// Keeps what lies in a folder, and the parts of the plans there.
    fn look_into(&mut self, folder: &Path) {
        let mut open: Vec<PathBuf> = vec![folder.to_owned()];
        while let Some(at) = open.pop() {
            if at.is_dir() {
                open.extend(std::fs::read_dir(at).unwrap().map(|entry| entry.unwrap().path()));
                continue;
            }
            let content = std::fs::read(&at).unwrap();
            if at.extension().is_some_and(|end| end == "plan") {
                let mut archive = zip::ZipArchive::new(std::io::Cursor::new(&content)).unwrap();
                for part in 0..archive.len() {
                    let mut text = Vec::new();
                    archive.by_index(part).unwrap().read_to_end(&mut text).unwrap();
                    self.keep(&format!("part {part} of {}", at.display()), text);
                }
            }
            self.keep(&at.display().to_string(), content);
        }
    }

    fn fault(&self, fault: Option<serde_json::Value>) {
        self.world.block_on(set_faults(self.world.endpoint(), fault.map(|fault| json!([fault])).as_ref())).unwrap();
    }

    #[track_caller]
    fn nothing_was_let_out(&self) {
        for (name, text) in [("the value", VALUE), ("the secret access key", KEY), ("the session token", TOKEN)] {
            for needle in forms(text) {
                let found = |text: &[u8]| text.windows(needle.len()).any(|part| part == needle.as_bytes());
                for (what, text) in &self.seen {
                    assert!(!found(text), "{name} is in {what}, as {needle}:\n{}", String::from_utf8_lossy(text));
                }
            }
        }
    }
}

/// A text, and what it is in base64, wherever it stands in what is encoded.
fn forms(text: &str) -> Vec<String> {
    let inner = |before: usize| {
        let encoded = BASE64.encode([vec![b'"'; before], text.as_bytes().to_vec()].concat());
        encoded[if before == 0 { 0 } else { 4 }..encoded.len() - 4].to_owned()
    };
    [text.to_owned()].into_iter().chain((0..3).map(inner)).collect()
}

#[test]
fn no_value_and_no_credential_is_let_out() {
    let root = env!("CARGO_MANIFEST_DIR");
    let mut watch = Watch { world: World::new(), seen: Vec::new() };
    let spec = |memory: u32| {
        format!(
            "[secret.keys]\ndescription = \"Signs\"\n[function.pay]\nsource = \"{root}/functions/payment-processor\"\n\
             memory = {memory}\nuses = {{ secret.keys = \"read\" }}\n"
        )
    };
    watch.world.write_small_spec(&spec(256));
    let denied = |service: &str, operation: &str, message: &str| {
        json!({"service": service, "operation": operation, "action": "error", "status": 400,
            "code": "ValidationException", "message": message})
    };

    watch.fault(Some(denied("sts", "GetCallerIdentity", "not you")));
    watch.run("plan", "", 1);
    watch.fault(None);
    let plan = watch.world.home().join("first.plan").display().to_string();
    watch.run(&format!("plan --out {plan}"), "", 0);
    watch.fault(Some(denied("lambda", "CreateFunction", "not now")));
    watch.once(&format!("apply {plan} --yes"), "", 3, LOGS[1]);
    watch.fault(None);
    watch.run(&format!("apply {plan} --yes"), "", 0);

    // AWS repeats what it does not like.
    let repeated = format!("Value '{VALUE}' at 'secretString' failed to satisfy constraint");
    watch.fault(Some(denied("secretsmanager", "PutSecretValue", &repeated)));
    let said = watch.run("secret set", VALUE, 1);
    assert!(said.contains("failed to satisfy constraint"), "{said}");
    watch.fault(None);
    let said = watch.run("secret set keys --fd 0", VALUE, 0);
    assert!(said.contains("PutSecretValue"), "the log is on:\n{said}");
    let east = &watch.world.clients().regions[&Region::new(EAST)];
    let stored = watch.world.block_on(east.secrets.get_secret_value().secret_id("keys-prod-001").send()).unwrap();
    assert_eq!(stored.secret_string(), Some(VALUE));

    let quiet = ["secret status", "drift", "observe", "observe --json", "observe global/secret.keys", "output --json"];
    for arguments in quiet.into_iter().chain(["output --env", "spec show", "plan --json", "plan --markdown"]) {
        watch.run(arguments, "", 0);
    }
    watch.world.write_small_spec(&spec(512));
    watch.run("plan --detailed-exitcode", "", 2);
    watch.run("apply --yes --json", "", 0);
    watch.look_into(&watch.world.state());
    watch.look_into(Path::new(&plan));

    watch.fault(Some(denied("secretsmanager", "DeleteSecret", "not now")));
    watch.once("destroy --confirm prod-001", "", 3, LOGS[0]);
    watch.fault(None);
    watch.run("destroy --confirm prod-001 --json", "", 0);
    assert!(watch.seen.len() > 50, "something was looked at");
    watch.nothing_was_let_out();
}

#[test]
fn what_is_let_out_is_found() {
    for before in ["", "x", "xy", "xyz"] {
        let hidden = BASE64.encode(format!("{before}{VALUE}, and more"));
        assert!(forms(VALUE).iter().any(|form| hidden.contains(form)), "{before}");
    }
}

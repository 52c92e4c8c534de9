//! The commands of `.gitlab-ci.yml`, with a GitLab that keeps nothing but the comments of one merge request.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use saphyr::Yaml;
use serde_json::{Value, json};

use super::{COMMIT, MARKER, commit, write_program, yaml};
use crate::e2e::world::World;

/// Speaks as much of GitLab's API as it takes to keep comments in a file.
const SERVER: &str = r#"
import http.server, json, sys, urllib.parse
kept = sys.argv[1]
class GitLab(http.server.BaseHTTPRequestHandler):
    def answer(self):
        assert self.headers["PRIVATE-TOKEN"] == "a token"
        comments, path = json.load(open(kept)), self.path.split("?")[0]
        notes = "/projects/1/merge_requests/7/notes"
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length))["body"] if length else None
        if (self.command, path) == ("GET", "/user"):
            said = {"id": 5}
        elif (self.command, path) == ("GET", notes):
            asked = dict(urllib.parse.parse_qsl(self.path.split("?")[1]))
            size, page = min(int(asked["per_page"]), 100), int(asked["page"])
            said = comments[(page - 1) * size : page * size]
        elif (self.command, path) == ("POST", notes):
            said = {"id": 100 + len(comments), "author": {"id": 5}, "body": body}
            comments.append(said)
        else:
            [said] = [one for one in comments if (self.command, path) == ("PUT", f"{notes}/{one['id']}")]
            said["body"] = body
        json.dump(comments, open(kept, "w"))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(said).encode())
    do_GET = do_POST = do_PUT = answer
    def log_message(self, *_):
        pass
server = http.server.HTTPServer(("127.0.0.1", 0), GitLab)
print(server.server_port, flush=True)
server.serve_forever()
"#;

/// How many comments others have written: more than one page of them.
const STRANGERS: usize = 100;

struct GitLab {
    world: World,
    pipeline: Yaml<'static>,
    folder: PathBuf,
    server: Child,
    port: String,
}

impl GitLab {
    fn new() -> Self {
        let world = World::new();
        let folder = world.home().join("runner");
        // The jobs work on AWS, and here on what stands in for it.
        let drctl = format!("#!/bin/sh\nexec {} \"$@\" --sandbox\n", env!("CARGO_BIN_EXE_drctl"));
        write_program(&folder.join("bin").join("drctl"), &drctl);
        let stranger = |id| json!({"id": id, "author": {"id": 6}, "body": format!("{MARKER}\n")});
        let strangers: Vec<_> = (1000..1000 + STRANGERS).map(stranger).collect();
        std::fs::write(folder.join("comments.json"), json!(strangers).to_string()).unwrap();
        let mut server = Command::new("python3");
        server.args(["-c", SERVER]).arg(folder.join("comments.json")).stdout(Stdio::piped());
        let mut server = server.spawn().expect("there is a Python");
        let mut port = String::new();
        BufReader::new(server.stdout.take().expect("it is piped")).read_line(&mut port).unwrap();
        Self { world, pipeline: yaml(".gitlab-ci.yml"), folder, server, port: port.trim().to_owned() }
    }

    /// Runs the script of a job, which has to end with a code.
    #[track_caller]
    fn job(&self, name: &str, code: i32) -> String {
        let lines = self.pipeline[name]["script"].as_sequence().expect("a job has a script").iter();
        let script: Vec<_> = lines.map(|line| line.as_str().expect("a line is a text")).collect();
        let path = format!("{}:{}", self.folder.join("bin").display(), std::env::var("PATH").unwrap());
        let mut command = Command::new("bash");
        command.args(["-eo", "pipefail", "-c", &script.join("\n")]).current_dir(self.world.home());
        command.env("PATH", path).env("DRCTL_SANDBOX_HOME", self.world.home()).env("NO_COLOR", "1");
        command.env("SPEC", self.pipeline["variables"]["SPEC"].as_str().unwrap());
        command.env("CI_API_V4_URL", format!("http://127.0.0.1:{}", self.port)).env("DRCTL_GITLAB_TOKEN", "a token");
        command.env("CI_PROJECT_ID", "1").env("CI_MERGE_REQUEST_IID", "7");
        command.env("CI_COMMIT_SHA", COMMIT).env("CI_JOB_URL", "https://gitlab.com/acme/payments/-/jobs/8");
        let ended = command.output().unwrap();
        let said = String::from_utf8_lossy(&[ended.stdout, ended.stderr].concat()).into_owned();
        assert_eq!(ended.status.code(), Some(code), "{said}");
        said
    }

    fn comments(&self) -> Vec<Value> {
        serde_json::from_str(&std::fs::read_to_string(self.folder.join("comments.json")).unwrap()).unwrap()
    }
}

impl Drop for GitLab {
    fn drop(&mut self) {
        // It may have ended by itself; nobody is to be told.
        let _ = self.server.kill().and_then(|()| self.server.wait());
    }
}

#[test]
fn a_merge_request_is_commented_and_what_was_merged_is_applied() {
    let gitlab = GitLab::new();
    for memory in [256, 512] {
        commit(&gitlab.world, memory);
        gitlab.job("propose", 0);
        let comments = gitlab.comments();
        assert_eq!(comments.len(), STRANGERS + 1);
        assert!(comments[..STRANGERS].iter().all(|comment| comment["body"] == format!("{MARKER}\n")));
        let body = comments[STRANGERS]["body"].as_str().unwrap();
        assert!(body.starts_with(&format!("{MARKER}\n<!-- drctl use: ")), "{body}");
        assert!(body.contains(&format!("\nCommit {COMMIT}\n")), "{body}");
        assert!(body.contains(&format!("+ memory: {memory}")), "{body}");
    }
    gitlab.job("plan", 0);
    commit(&gitlab.world, 1024);
    assert!(gitlab.job("apply", 0).contains("applied: 6 changes done"));
    commit(&gitlab.world, 512);
    gitlab.job("drift", 0);
    std::fs::write(gitlab.world.spec().with_file_name("production.toml"), "schema = 2\n").unwrap();
    gitlab.job("propose", 4);
    let comments = gitlab.comments();
    let failed = comments[STRANGERS]["body"].as_str().unwrap();
    assert!(failed.starts_with(&format!("{MARKER}\n<!-- drctl use: ")), "{failed}");
    let said =
        format!("**The plan of commit {COMMIT} failed: see [its job](https://gitlab.com/acme/payments/-/jobs/8).**\n");
    assert!(failed.ends_with(&said) && comments.len() == STRANGERS + 1, "{failed}");
}

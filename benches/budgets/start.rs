//! How fast things start: drctl, and the functions.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::row::{Row, Table};
use crate::world::World;

/// Each start is measured that often, and the median counts.
const RUNS: usize = 11;

pub(crate) fn measure(table: &mut Table) {
    let within = |what: &str, time: Duration, budget: u64| Row {
        what: what.into(),
        time: Some(time),
        budget: Some((format!("under {budget} ms"), time < Duration::from_millis(budget))),
        ..Row::default()
    };
    let version = median(|| {
        let begun = Instant::now();
        let mut command = Command::new(env!("CARGO_BIN_EXE_drctl"));
        command.arg("--version").stdout(Stdio::null()).status().expect("drctl starts");
        begun.elapsed()
    });
    table.add(within("drctl --version", version, 20));
    let world = World::new();
    table.add(within("from the start to the first request", median(|| first_request(&world)), 50));
    functions(&world, table);
}

fn median(measure: impl FnMut() -> Duration) -> Duration {
    let mut times: Vec<_> = std::iter::repeat_with(measure).take(RUNS).collect();
    times.sort();
    times[RUNS / 2]
}

/// A call is logged when it is answered, with the time that it took.
fn first_request(world: &World) -> Duration {
    let begun = Instant::now();
    let mut child = world.start("output --json -v");
    let mut log = BufReader::new(child.stderr.take().expect("it is piped"));
    let mut line = String::new();
    let took = loop {
        line.clear();
        assert!(log.read_line(&mut line).expect("text") > 0, "no call was logged");
        let took = line.trim_end().strip_suffix(" ms").and_then(|line| line.rsplit(' ').next()?.parse().ok());
        if let Some(took) = took {
            break Duration::from_millis(took);
        }
    };
    let elapsed = begun.elapsed();
    std::io::copy(&mut log, &mut std::io::sink()).expect("it is read to its end");
    child.wait().expect("it ends");
    elapsed.saturating_sub(took)
}

/// The size of each function's zip, and how long it takes from its start to its first request for work.
fn functions(world: &World, table: &mut Table) {
    let listed = world.drctl("package").ends_with(0).stdout;
    for line in listed.lines() {
        let (name, zip) =
            line.split_once(' ').and_then(|(name, rest)| Some((name, rest.rsplit_once(' ')?.1))).expect("a line");
        let size = std::fs::metadata(zip).expect("a zip").len() as f64 / 1e6;
        let folder = tempfile::tempdir().expect("a folder");
        let archive = std::fs::File::open(zip).expect("a zip");
        zip::ZipArchive::new(archive).and_then(|mut zip| zip.extract(folder.path())).expect("a zip");
        let next = median(|| first_next(&folder.path().join("bootstrap")));
        table.add(Row {
            what: format!("{name}: from exec to the first `next`"),
            time: Some(next),
            note: format!("zip {size:.1} MB"),
            budget: Some(("under 15 ms and 4 MB".into(), next < Duration::from_millis(15) && size < 4.0)),
            ..Row::default()
        });
    }
}

/// Starts a function as Lambda does, with this process as the runtime API.
fn first_next(bootstrap: &Path) -> Duration {
    let runtime = TcpListener::bind("127.0.0.1:0").expect("a port");
    let begun = Instant::now();
    let mut function = Command::new(bootstrap)
        .env_clear()
        .envs([
            ("AWS_LAMBDA_RUNTIME_API", runtime.local_addr().expect("an address").to_string().as_str()),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_LAMBDA_FUNCTION_NAME", "measured"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("TABLE_PAYMENT_TRANSACTIONS", "payment-transactions-prod-001"),
            ("BUCKET_TRANSACTION_LOGS", "transaction-logs-us-east-1-prod-001"),
            ("SECRET_PAYMENT_API_KEYS", "payment-api-keys-prod-001"),
            ("FUNCTION_PAYMENT_PROCESSOR", "payment-processor-prod-001"),
        ])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let (mut asked, _) = runtime.accept().expect("it asks for work");
    asked.read_exact(&mut [0]).expect("it asks for work");
    let took = begun.elapsed();
    function.kill().and_then(|()| function.wait()).expect("it ends");
    took
}

//! What needs no running server; those tests are in `tests/`.

use super::*;

fn info() -> Info {
    Info {
        endpoint: "http://127.0.0.1:4321".into(),
        port: 4321,
        pid: 1,
        folder: "/sandbox".into(),
        state: "/sandbox/state".into(),
        started: jiff::Timestamp::UNIX_EPOCH,
        log: "/sandbox/server.log".into(),
        options: Options::default(),
    }
}

#[test]
fn a_shell_gets_dummy_keys_and_loses_real_ones() {
    let text = shell_env(&info());
    assert!(text.starts_with("export AWS_ENDPOINT_URL=http://127.0.0.1:4321\n"), "{text}");
    assert!(text.contains("\nexport AWS_ACCESS_KEY_ID=test\nexport AWS_SECRET_ACCESS_KEY=test\n"), "{text}");
    assert!(text.ends_with("\nunset AWS_PROFILE AWS_SESSION_TOKEN\n"), "{text}");
}

#[test]
fn a_function_url_keeps_its_id_and_path_on_the_loopback() {
    let local = |url| function_url("http://127.0.0.1:4321", url);
    let base = "http://127.0.0.1:4321/_aws/lambda-url/abc/".to_owned();
    assert_eq!(local("https://abc.lambda-url.us-east-1.on.aws/"), Some(base.clone()));
    assert_eq!(local("https://abc.lambda-url.us-east-1.on.aws"), Some(base.clone()));
    assert_eq!(local("https://abc.lambda-url.us-east-1.on.aws/health?x=1"), Some(base + "health?x=1"));
}

#[test]
fn another_url_has_no_place_on_the_loopback() {
    for url in
        ["https://example.com/", "http://abc.lambda-url.us-east-1.on.aws/", "https://abc.lambda-url.us-east-1.evil/"]
    {
        assert_eq!(function_url("http://127.0.0.1:4321", url), None, "{url}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_an_error_with_its_address() {
    let port = server::free_port(None).unwrap();
    let error = calls(&server::endpoint(port)).await.unwrap_err().to_string();
    assert!(error.starts_with(&format!("GET http://127.0.0.1:{port}/_drctl/calls failed: ")), "{error}");
}

#[test]
fn a_lock_is_free_once_its_holder_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock");
    let held = lock::try_take(&path).unwrap();
    assert!(held.is_some());
    assert!(lock::try_take(&path).unwrap().is_none());
    drop(held);
    assert!(lock::try_take(&path).unwrap().is_some());
}

#[test]
fn the_wanted_port_is_taken_if_it_is_free() {
    let free = server::free_port(None).unwrap();
    assert_eq!(server::free_port(Some(free)).unwrap(), free);
    let _listener = std::net::TcpListener::bind(("127.0.0.1", free)).unwrap();
    assert!(server::is_taken(free));
    assert_ne!(server::free_port(Some(free)).unwrap(), free);
}

#[test]
fn what_is_not_asked_for_stays_as_it_was() {
    let last = Options { strict: true, speed: 20.0 };
    assert_eq!(Wanted::default().over(last), last);
    assert_eq!(Wanted { strict: Some(false), speed: None }.over(last), Options { strict: false, ..last });
    assert_eq!(Wanted { strict: None, speed: Some(2.5) }.over(last), Options { speed: 2.5, ..last });
}

/// What a server left in `run.json`.
fn left(boot: Option<&str>, stopped: bool) -> shared::Run {
    let text = serde_json::json!({ "pid": 7, "boot": boot, "stopped": stopped, "port": 4566, "strict": true,
        "started": "2026-11-01T00:00:00Z", "speed": 1.0, "extension": "x" });
    serde_json::from_value(text).unwrap()
}

#[test]
fn only_a_group_that_is_surely_its_own_is_ended_after_a_server() {
    assert_eq!(left(Some("this"), false).orphans(Some("this")), Some(7));
    assert_eq!(left(Some("this"), true).orphans(Some("this")), None, "it ended in good order");
    assert_eq!(left(Some("last"), false).orphans(Some("this")), None, "the machine was started anew");
    assert_eq!(left(None, false).orphans(None), None, "nobody knows");
}

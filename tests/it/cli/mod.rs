//! Transcripts of the real binary: what a user types, what comes back, and the exit code.
//!
//! A plan from an observation (`--observed`) needs no AWS and builds nothing. Accept a change
//! with `TRYCMD=overwrite cargo test --test it cli`, and read it carefully.

#[test]
fn commands_answer_as_in_their_transcripts() {
    trycmd::TestCases::new()
        .register_bin("drctl", std::path::Path::new(env!("CARGO_BIN_EXE_drctl")))
        .env("NO_COLOR", "1")
        .env("LC_ALL", "C.UTF-8")
        .env("DRCTL_LOG", "off")
        .env("COLUMNS", "100")
        .case("tests/it/cli/*.trycmd");
}

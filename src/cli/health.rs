//! `drctl health`

use super::degraded::tell_dark;
use super::error::CliError;
use super::exit::Exit;
use super::output::region;
use super::pay::{advice, no_url, show};
use super::session::{Code, Session, SystemArgs};
use super::ui::Ui;
use crate::graph::Region;
use crate::ops::{Request, health_url};

/// Ask each region whether it could take a payment now
#[derive(Debug, clap::Args)]
pub(super) struct HealthArgs {
    #[command(flatten)]
    system: SystemArgs,

    /// Only this region
    #[arg(long)]
    region: Option<String>,
}

pub(super) async fn run(args: &HealthArgs, ui: &mut Ui) -> Result<Exit, CliError> {
    let session = Session::open(&args.system, Code::Leave, ui).await?;
    let regions = match region(&session, args.region.as_deref())? {
        Some(region) => vec![Region::new(region)],
        None => session.spec.regions().to_vec(),
    };
    let state = session.read_state().await?;
    let observed = session.observe(&state, ui).await?;
    tell_dark(&observed, ui);
    let mut requests = Vec::new();
    for region in &regions {
        let request = match health_url(&session.spec, &observed, region) {
            Some(url) => {
                let request = Request::get(&session.usable(&url));
                session.request(session.spec.health_function(), region, request).await
            }
            None => Err(no_url("tells the health", region, &observed)),
        };
        requests.push((region, request));
    }
    verdict(ask(requests, ui).await?)
}

/// How a region is.
enum Health {
    Well,
    /// It says itself that it is not.
    Ill,
    /// It does not say, and why.
    Unknown(CliError),
}

/// Asks each region, also if one before it does not answer: that is when one wants to know of the other.
async fn ask<'a>(
    requests: impl IntoIterator<Item = (&'a Region, Result<Request, CliError>)>,
    ui: &Ui,
) -> Result<Vec<(&'a Region, Health)>, CliError> {
    let mut found = Vec::new();
    for (region, request) in requests {
        let answer = match request {
            Ok(request) => request.send().await.map_err(CliError::from),
            Err(error) => Err(error),
        };
        let health = match answer {
            Ok(answer) => {
                show(&answer, region, ui)?;
                match answer.status {
                    200 => Health::Well,
                    // The function has not even been asked.
                    403 => Health::Unknown(CliError::Failed {
                        what: format!("{region} does not let the caller ask: HTTP 403"),
                        next: advice(403).into(),
                    }),
                    _ => Health::Ill,
                }
            }
            Err(error) => {
                ui.remark(&format!("{region}: {error}"));
                Health::Unknown(error)
            }
        };
        found.push((region, health));
    }
    Ok(found)
}

/// Whether all are well. One that alone was asked ends with its own error.
fn verdict(mut found: Vec<(&Region, Health)>) -> Result<Exit, CliError> {
    if let [(_, Health::Unknown(_))] = found.as_slice()
        && let Some((_, Health::Unknown(error))) = found.pop()
    {
        return Err(error);
    }
    let listed = |wanted: fn(&Health) -> bool| {
        let names = found.iter().filter(|(_, health)| wanted(health)).map(|(region, _)| region.to_string());
        names.collect::<Vec<_>>().join(", ")
    };
    let ill = listed(|health| matches!(health, Health::Ill));
    let unknown = listed(|health| matches!(health, Health::Unknown(_)));
    let dark = |health: &Health| matches!(health, Health::Unknown(error) if error.exit() == Exit::Unreachable);
    let what = match (ill.as_str(), unknown.as_str()) {
        ("", "") => return Ok(Exit::Done),
        (ill, "") => format!("unhealthy: {ill}"),
        ("", unknown) => format!("no answer: {unknown}"),
        (ill, unknown) => format!("unhealthy: {ill}; no answer: {unknown}"),
    };
    let next = "what is above names the reasons; `drctl plan` shows what is not as the spec says".to_owned();
    Err(match found.iter().any(|(_, health)| dark(health)) {
        true => CliError::Dark { what, next },
        false => CliError::Failed { what, next },
    })
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use super::*;

    /// Where an answer with this status waits for one who asks.
    fn answers(status: u16) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 4096]).unwrap();
            let answer = format!("HTTP/1.1 {status} x\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}");
            stream.write_all(answer.as_bytes()).unwrap();
        });
        url
    }

    /// Where nobody listens.
    fn dead() -> String {
        "http://127.0.0.1:1/".to_owned()
    }

    fn dark() -> CliError {
        CliError::Dark { what: "us-east-1 does not answer".into(), next: String::new() }
    }

    fn asked(urls: Vec<Result<String, CliError>>) -> Result<Exit, CliError> {
        let regions = ["us-east-1", "us-west-2"].map(Region::new);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let requests = urls.into_iter().map(|url| url.map(|url| Request::get(&url)));
        verdict(runtime.block_on(ask(regions.iter().zip(requests), &Ui::new(false)))?)
    }

    #[test]
    fn a_region_that_does_not_answer_keeps_nobody_from_asking_the_other() {
        for (urls, says, exit) in [
            (vec![Ok(answers(200)), Ok(answers(200))], "", Exit::Done),
            (vec![Ok(dead()), Ok(answers(200))], "no answer: us-east-1", Exit::Failed),
            (vec![Ok(dead()), Ok(answers(503))], "unhealthy: us-west-2; no answer: us-east-1", Exit::Failed),
            (vec![Ok(answers(503)), Ok(dead())], "unhealthy: us-east-1; no answer: us-west-2", Exit::Failed),
            (vec![Err(dark()), Ok(answers(503))], "unhealthy: us-west-2; no answer: us-east-1", Exit::Unreachable),
            (vec![Err(dark())], "us-east-1 does not answer", Exit::Unreachable),
        ] {
            let (said, ended) = match asked(urls) {
                Ok(exit) => (String::new(), exit),
                Err(error) => (error.to_string(), error.exit()),
            };
            assert_eq!((said.as_str(), ended), (says, exit));
        }
    }
}

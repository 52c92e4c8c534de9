//! `drctl pay`

use serde_json::json;

use super::degraded::{all_answered, tell_dark};
use super::error::CliError;
use super::exit::Exit;
use super::output::region;
use super::session::{Code, Session, SystemArgs};
use super::ui::Ui;
use crate::graph::Region;
use crate::ops::{Answer, Request, payment_url};
use crate::plan::Observation;
use crate::render::took;

/// Make a test payment
#[derive(Debug, clap::Args)]
pub(super) struct PayArgs {
    #[command(flatten)]
    system: SystemArgs,

    /// The region to pay in; the primary if not named
    #[arg(long)]
    region: Option<String>,

    /// Who pays
    #[arg(long, default_value = "CUST-12345")]
    customer: String,

    /// How much
    #[arg(long, default_value = "99.99")]
    amount: String,

    /// In which currency
    #[arg(long, default_value = "USD")]
    currency: String,

    /// Makes a repeated payment one payment, also across regions
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
}

pub(super) async fn run(args: &PayArgs, ui: &mut Ui) -> Result<Exit, CliError> {
    let session = Session::open(&args.system, Code::Leave, ui).await?;
    let region =
        region(&session, args.region.as_deref())?.map_or_else(|| session.spec.region.primary.clone(), Region::new);
    let state = session.read_state().await?;
    let observed = session.observe(&state, ui).await?;
    tell_dark(&observed, ui);
    let url =
        payment_url(&session.spec, &observed, &region).ok_or_else(|| no_url("takes payments", &region, &observed))?;
    let body = json!({ "customerId": args.customer, "amount": args.amount, "currency": args.currency });
    let payment = Request::post(&session.usable(&url), body.to_string(), args.idempotency_key.clone());
    let answer = session.request(session.spec.payment_function(), &region, payment).await?.send().await?;
    show(&answer, &region, ui)?;
    if answer.status < 300 {
        return Ok(Exit::Done);
    }
    Err(CliError::Failed {
        what: format!("the payment was not taken in {region}: HTTP {}", answer.status),
        next: advice(answer.status).into(),
    })
}

/// No function of the spec does this, or its URL is not there.
pub(super) fn no_url(does: &str, region: &Region, observed: &Observation) -> CliError {
    let unknown = all_answered(observed, &format!("nobody can say where the function is that {does} in {region}"));
    unknown.err().unwrap_or_else(|| CliError::Failed {
        what: format!("no function with a URL that {does} is live in {region}"),
        next: "run `drctl apply` first".into(),
    })
}

/// The body as the answer, status and time as a remark.
pub(super) fn show(answer: &Answer, region: &Region, ui: &Ui) -> Result<(), CliError> {
    ui.remark(&format!("{region}: HTTP {} in {}", answer.status, took(answer.took)));
    ui.answer(&answer.body)?;
    Ok(())
}

/// What to do about an answer that is no success.
pub(super) fn advice(status: u16) -> &'static str {
    match status {
        400 | 409 | 422 => "put right what the answer names",
        403 => {
            "the URL refuses the caller: `drctl plan` shows whether its permissions are in place; a URL with `auth = \"iam\"` wants a caller who may use it (`drctl iam-policy operate`)"
        }
        429 => "the function's concurrency is used up, or 0: run `drctl plan` to see which",
        _ => "read the function's log with `aws logs tail`, or run `drctl health`",
    }
}

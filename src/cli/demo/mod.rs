//! `drctl demo`: the whole story, told with the commands a user would type, on a sandbox of its own.

mod story;

use std::time::Duration;

use super::error::CliError;
use super::exit::Exit;
use super::session::SpecArgs;
use super::ui::Ui;
use crate::aws::{Clients, Target, connect};
use crate::desired::Spec;
use crate::graph::{Failure, Region};
use crate::ops::{count_items, inventory, set_concurrency};
use story::{Story, eventually};

/// Watch the whole story on a sandbox of its own
#[derive(Debug, clap::Args)]
pub(super) struct DemoArgs {
    #[command(flatten)]
    spec: SpecArgs,
}

/// How long the sandbox may take to show what AWS shows within seconds.
const SOON: Duration = Duration::from_secs(20);

pub(super) async fn run(args: &DemoArgs, ui: &mut Ui) -> Result<Exit, CliError> {
    let mut spec_args = args.spec.clone();
    if spec_args.files.is_empty() {
        spec_args.files.push("specs/production.toml".into());
    }
    let spec = spec_args.load()?;
    let mut story = Story::begin(spec_args.arguments())?;
    ui.remark("The whole life of a payment system in two regions, on an AWS of its own on this machine.");
    let told = tokio::select! {
        told = tell(&mut story, &spec) => told,
        _ = tokio::signal::ctrl_c() => Err(CliError::Failed { what: "interrupted".into(), next: "run `drctl demo` again".into() }),
    };
    // Whatever happened, nothing stays behind.
    story.end().await?;
    told?;
    ui.remark(&format!("\nAll of it was checked, in {}.", story.took()));
    Ok(Exit::Done)
}

async fn tell(story: &mut Story, spec: &Spec) -> Result<(), CliError> {
    let [primary, secondary] = spec.regions();
    story.step("Start an AWS on this machine");
    let endpoint = story.answer_of("sandbox up --strict").await?;
    let clients = connect(&Target::Sandbox { endpoint, strict: false }, &spec.regions(), spec.timeout.observe).await?;
    story.checked("it answers in both regions");

    deploy(story, spec, &clients).await?;
    payments(story, spec, &clients, &primary, &secondary).await?;
    drift(story, spec, &clients, &primary).await?;

    story.step("Lose the state file: AWS itself knows what is ours");
    story.lose_state()?;
    story.drctl("plan --detailed-exitcode", 0).await?;
    story.checked("no changes without the state file");

    story.step("Take everything down");
    let suffix = spec.system.suffix.as_str();
    story.drctl(&format!("destroy --confirm {suffix} --lift-protection --empty-buckets"), 0).await?;
    let left = inventory(&clients, suffix).await?;
    story.expect(left.is_empty(), &format!("every service says that nothing is left {}", left.join(", ")))
}

async fn deploy(story: &mut Story, spec: &Spec, clients: &Clients) -> Result<(), CliError> {
    story.step("See what the spec would make; the Rust functions are built on the way");
    story.drctl("plan --detailed-exitcode", 2).await?;
    story.checked("there are changes to make, and the exit code says so");

    story.step("Apply it, and kill drctl in the middle");
    story.drctl_killed("apply --yes", 6).await?;
    let half = inventory(clients, spec.system.suffix.as_str()).await?;
    story.expect(!half.is_empty(), &format!("killed with {} things made", half.len()))?;

    story.step("Apply it again: it continues where it was");
    story.drctl("apply --yes", 0).await?;
    story.drctl("plan --detailed-exitcode", 0).await?;
    let all = inventory(clients, spec.system.suffix.as_str()).await?;
    let mut once = all.clone();
    once.sort();
    once.dedup();
    story
        .expect(all.len() == once.len(), &format!("no changes left, and each of {} things is there once", all.len()))?;
    story.drctl("output", 0).await
}

async fn payments(
    story: &mut Story,
    spec: &Spec,
    clients: &Clients,
    primary: &Region,
    secondary: &Region,
) -> Result<(), CliError> {
    let Some(table) = spec.tables.keys().next().map(|name| format!("{name}-{}", spec.system.suffix.as_str())) else {
        return Ok(());
    };
    let counted = |region: Region, wanted: usize| {
        let table = table.clone();
        async move { Ok::<_, Failure>(count_items(clients, &region, &table).await? == wanted) }
    };
    story.step(&format!("Pay in {primary}, and find the payment in {secondary}"));
    story.drctl(&format!("pay --region {primary} --idempotency-key order-1"), 0).await?;
    let there = eventually(SOON, || counted(secondary.clone(), 1)).await?;
    story.expect(there, &format!("the payment is in the table of {secondary}"))?;
    story.drctl(&format!("pay --region {primary} --idempotency-key order-1"), 0).await?;
    let once = counted(primary.clone(), 1).await?;
    story.expect(once, "the same idempotency key twice is one payment")?;

    story.step(&format!("Pay in {secondary}, and find the payment in {primary}"));
    story.drctl(&format!("pay --region {secondary}"), 0).await?;
    let there = eventually(SOON, || counted(primary.clone(), 2)).await?;
    story.expect(there, &format!("the payment is in the table of {primary}"))
}

async fn drift(story: &mut Story, spec: &Spec, clients: &Clients, primary: &Region) -> Result<(), CliError> {
    let Some(function) = spec.payment_function().map(|name| format!("{name}-{}", spec.system.suffix.as_str())) else {
        return Ok(());
    };
    story.step("Change something behind drctl's back: concurrency 0 stops the payment function");
    story.say(&format!("aws lambda put-function-concurrency --function-name {function} --reserved-concurrent-executions 0 --region {primary}"));
    set_concurrency(clients, primary, &function, 0).await?;
    if spec.health_function().is_some() {
        let health = format!("health --region {primary}");
        story.until(SOON, &health, 1).await?;
        story.checked("the health check turned red and names the reason");
    }
    story.drctl("plan --detailed-exitcode", 2).await?;
    story.drctl("apply --yes", 0).await?;
    if spec.health_function().is_some() {
        story.until(SOON, &format!("health --region {primary}"), 0).await?;
        story.checked("found, repaired, and green again");
    }
    Ok(())
}

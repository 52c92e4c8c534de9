//! payment-processor: takes payments behind a Lambda function URL.
//!
//! [`service`] decides and answers, [`dynamodb`] keeps what was decided, this file connects both to Lambda.

mod dynamodb;
mod metrics;
mod service;
mod store;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use lambda_runtime::{LambdaEvent, service_fn};
use payments::http::{Answer, Request};
use payments::{Environment, Missing, TransactionId, UtcTime, aws, log};

use dynamodb::Table;
use service::{Outcome, Reply, Scene};

/// One try of a write usually takes 10 ms, so one that takes a second is lost. Three tries and their pauses stay under
/// the 4 s of the whole operation, which leaves an answer to the client well before the function's own timeout of 10 s.
const CONNECT: Duration = Duration::from_secs(1);
const TRY: Duration = Duration::from_millis(1_200);
const WRITE: Duration = Duration::from_secs(4);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(300);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let environment = Environment::of_process();
    log::start(&environment, "payment_processor");
    let processor = match Processor::from(&environment) {
        Ok(processor) => processor,
        Err(missing) => {
            tracing::error!("cannot start: {missing}");
            return ExitCode::FAILURE;
        }
    };
    let handler = service_fn(|event: LambdaEvent<Request>| processor.handle(event));
    match lambda_runtime::run(handler).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("the Lambda runtime stopped: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What lives as long as the execution environment.
struct Processor {
    table: Table,
    region: String,
    function: String,
}

impl Processor {
    fn from(environment: &Environment) -> Result<Self, Missing> {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT)
            .operation_attempt_timeout(TRY)
            .operation_timeout(WRITE)
            .build();
        let retries = RetryConfig::standard().with_initial_backoff(FIRST_PAUSE).with_max_backoff(LONGEST_PAUSE);
        let config = aws::sdk_config(environment, timeouts, retries)?;
        Ok(Self {
            table: Table::new(&config, environment.resource("table", "payment-transactions")?),
            region: environment.require("AWS_REGION")?.to_owned(),
            function: environment.require("AWS_LAMBDA_FUNCTION_NAME")?.to_owned(),
        })
    }

    async fn handle(&self, event: LambdaEvent<Request>) -> Result<Answer, lambda_runtime::Error> {
        let started = Instant::now();
        let scene = Scene { region: &self.region, now: UtcTime::now(), fresh: TransactionId::random() };
        let now = scene.now;
        let reply = service::answer(&event.payload, scene, &self.table).await;
        self.log(&event.context.request_id, &reply, started.elapsed());
        if let Some(line) = metrics::line(&self.function, reply.outcome, now) {
            println!("{line}"); // straight to stdout: the metrics format wants `_aws` at the top of the object
        }
        Ok(reply.answer)
    }

    /// Writes the one line of this request: no amount, no customer, no key.
    fn log(&self, request_id: &str, reply: &Reply, took: Duration) {
        let Reply { answer, outcome, transaction, key_hash, error } = reply;
        let (region, status, outcome) = (&*self.region, answer.status, outcome.name());
        let (transaction, key_hash) = (transaction.as_ref().map(TransactionId::as_str), key_hash.as_deref());
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        match error {
            Some(error) => tracing::error!(
                requestId = request_id,
                region,
                status,
                outcome,
                transactionId = transaction,
                idempotencyKeyHash = key_hash,
                tookMicros = took,
                error = %error,
                "payment not confirmed"
            ),
            None if reply.outcome == Outcome::Probed => {
                tracing::debug!(requestId = request_id, region, status, outcome, tookMicros = took, "request")
            }
            None => tracing::info!(
                requestId = request_id,
                region,
                status,
                outcome,
                transactionId = transaction,
                idempotencyKeyHash = key_hash,
                tookMicros = took,
                "request"
            ),
        }
    }
}

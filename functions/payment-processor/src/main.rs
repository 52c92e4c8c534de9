//! payment-processor: takes payments behind a Lambda function URL.
//!
//! [`service`] decides and answers, [`gateway`] authorises with [`credentials`], [`dynamodb`] keeps what was decided,
//! [`log_objects`] keeps its log, this file connects them to Lambda.

mod credentials;
mod dynamodb;
mod gateway;
mod log_objects;
mod metrics;
mod secrets;
mod service;
mod store;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use lambda_runtime::{LambdaEvent, service_fn};
use payments::http::{Answer, Request};
use payments::{Environment, Missing, TransactionId, UtcTime, aws, log};

use credentials::Keyring;
use dynamodb::Table;
use gateway::{Authorized, Simulated};
use log_objects::Bucket;
use secrets::Secret;
use service::{Outcome, Reply, Scene};

/// One try of a write usually takes 10 ms, so one that takes a second is lost. Three tries and their pauses stay under
/// the 4 s of the whole operation, which leaves an answer to the client well before the function's own timeout of 10 s.
const CONNECT: Duration = Duration::from_secs(1);
const TRY: Duration = Duration::from_millis(1_200);
const WRITE: Duration = Duration::from_secs(4);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(300);

/// Reading the credentials before the write, and writing the log object after it, have this long each; 8 s altogether.
const BESIDE: Duration = Duration::from_secs(2);

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
    authority: Authorized<Simulated, Secret>,
    table: Table,
    bucket: Option<Bucket>,
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
        let config = aws::sdk_config(environment, timeouts.clone(), retries)?;
        let briefly = timeouts.to_builder().operation_timeout(BESIDE).build();
        let beside = config.to_builder().timeout_config(briefly).build();
        let secret = environment.resource_if_used("secret", "payment-api-keys");
        let bucket = environment.resource_if_used("bucket", "transaction-logs");
        Ok(Self {
            authority: Authorized {
                gateway: Simulated,
                keyring: secret.map(|name| Keyring::new(Secret::new(&beside, name))),
            },
            bucket: bucket.map(|name| Bucket::new(&beside, name)),
            table: Table::new(&config, environment.resource("table", "payment-transactions")?),
            region: environment.require("AWS_REGION")?.to_owned(),
            function: environment.require("AWS_LAMBDA_FUNCTION_NAME")?.to_owned(),
        })
    }

    async fn handle(&self, event: LambdaEvent<Request>) -> Result<Answer, lambda_runtime::Error> {
        let started = Instant::now();
        let scene = Scene { region: &self.region, now: UtcTime::now(), fresh: TransactionId::random() };
        let now = scene.now;
        let reply = service::answer(&event.payload, scene, &self.authority, &self.table, &self.bucket).await;
        self.log(&event.context.request_id, &reply, started.elapsed());
        if let Some(line) = metrics::line(&self.function, reply.outcome, now) {
            println!("{line}"); // straight to stdout: the metrics format wants `_aws` at the top of the object
        }
        if reply.log_error.is_some() {
            println!("{}", metrics::log_failed(&self.function, now));
        }
        Ok(reply.answer)
    }

    /// Writes the one line of this request: no amount, no customer, no key.
    fn log(&self, request_id: &str, reply: &Reply, took: Duration) {
        let Reply { answer, outcome, transaction, key_hash, error, log_error } = reply;
        let (region, status, outcome) = (&*self.region, answer.status, outcome.name());
        let (transaction, key_hash) = (transaction.as_ref().map(TransactionId::as_str), key_hash.as_deref());
        if let Some(error) = log_error {
            tracing::error!(
                requestId = request_id,
                region,
                transactionId = transaction,
                error,
                "the payment is taken, and its log object is not written"
            );
        }
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

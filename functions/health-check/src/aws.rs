//! The AWS calls behind [`Readings`], and the only file that knows their shape.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use payments::{Environment, Missing, Payment, aws};
use tokio::time::timeout;

use crate::verdict::{Bucket, Processor, Readings, Table};

/// Route 53 gives up 2 s after it has connected, so the answer is out in 1.5 s, whatever hangs. Readings run side by
/// side. A try that hangs, say on a connection that died while Lambda had frozen the process, leaves time for another.
const READING: Duration = Duration::from_millis(1_200);
const TRY: Duration = Duration::from_millis(700);
const PAUSE: Duration = Duration::from_millis(50);

/// No payment has this id, so the answer is small and says nothing about anybody.
const NO_PAYMENT: &str = "drctl-health-check";

/// The region that this function watches: its own.
pub(crate) struct Region {
    pub(crate) name: String,
    dynamodb: aws_sdk_dynamodb::Client,
    lambda: aws_sdk_lambda::Client,
    s3: aws_sdk_s3::Client,
    table: String,
    processor: String,
    /// `None` in a system that keeps no logs of payments.
    bucket: Option<String>,
}

impl Region {
    pub(crate) fn from(environment: &Environment) -> Result<Self, Missing> {
        let timeouts = TimeoutConfig::builder().connect_timeout(TRY).operation_attempt_timeout(TRY).build();
        let retries = RetryConfig::standard().with_max_attempts(2).with_initial_backoff(PAUSE).with_max_backoff(PAUSE);
        let config = aws::sdk_config(environment, timeouts, retries)?;
        Ok(Self {
            name: environment.require("AWS_REGION")?.to_owned(),
            dynamodb: aws_sdk_dynamodb::Client::new(&config),
            lambda: aws_sdk_lambda::Client::new(&config),
            s3: s3(&config),
            table: environment.resource("table", "payment-transactions")?.to_owned(),
            processor: environment.resource("function", "payment-processor")?.to_owned(),
            bucket: environment.resource_if_used("bucket", "transaction-logs").map(str::to_owned),
        })
    }

    /// Reads everything at once, in at most [`READING`].
    pub(crate) async fn read(&self) -> Readings {
        let (table, processor, bucket) = tokio::join!(
            timeout(READING, self.table()),
            timeout(READING, self.processor()),
            timeout(READING, self.bucket())
        );
        let late = |operation: &str| format!("{operation} failed: no answer within {} ms", READING.as_millis());
        Readings {
            table: table.unwrap_or_else(|_| Table::Failed(late("dynamodb:GetItem"))),
            processor: processor.unwrap_or_else(|_| Processor::Unknown(late("lambda:GetFunction"))),
            bucket: bucket.unwrap_or_else(|_| Some(Bucket::Unknown(late("s3:HeadBucket")))),
        }
    }

    /// Asks the data plane, as a payment does; the control plane may say that a table is fine that nobody can reach.
    async fn table(&self) -> Table {
        let key = AttributeValue::S(NO_PAYMENT.into());
        let asked = self.dynamodb.get_item().table_name(&self.table).key(Payment::KEY, key);
        match asked.projection_expression(Payment::KEY).send().await {
            Ok(_) => Table::Answered,
            Err(error) => Table::Failed(aws::failure("dynamodb:GetItem", &error)),
        }
    }

    /// One `GetFunction` tells state and concurrency. It has a limit of its own, 100 a second; the calls that tell
    /// them one by one share 15 a second with everything that operators do in the account.
    async fn processor(&self) -> Processor {
        match self.lambda.get_function().function_name(&self.processor).send().await {
            Ok(function) => Processor::Found {
                state: function.configuration().and_then(|c| c.state()).map(|state| state.as_str().to_owned()),
                reserved_concurrency: function.concurrency().and_then(|c| c.reserved_concurrent_executions()),
            },
            Err(error) if error.as_service_error().is_some_and(|e| e.is_resource_not_found_exception()) => {
                Processor::Missing
            }
            Err(error) => Processor::Unknown(aws::failure("lambda:GetFunction", &error)),
        }
    }

    /// Asks for the bucket and not for an object of it: a payment is taken without its log object, but a bucket that is
    /// gone is a region that somebody takes apart.
    async fn bucket(&self) -> Option<Bucket> {
        Some(match self.s3.head_bucket().bucket(self.bucket.as_ref()?).send().await {
            Ok(_) => Bucket::Found,
            Err(error) if error.as_service_error().is_some_and(|e| e.is_not_found()) => Bucket::Missing,
            Err(error) => Bucket::Unknown(aws::failure("s3:HeadBucket", &error)),
        })
    }
}

/// An emulator has one host name for all buckets, so there they are told apart by path.
fn s3(config: &aws::SdkConfig) -> aws_sdk_s3::Client {
    let by_path = config.endpoint_url().is_some();
    let config = aws_sdk_s3::config::Config::new(config).to_builder().force_path_style(by_path).build();
    aws_sdk_s3::Client::from_conf(config)
}

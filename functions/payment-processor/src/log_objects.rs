//! The S3 call behind [`Logbook`], and the only file that knows its shape.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::Config;
use aws_smithy_types::byte_stream::ByteStream;
use payments::{Payment, aws};

use crate::store::Logbook;

/// How often a write is tried that meets another one of the same object.
const TRIES: usize = 3;

/// The bucket of this region.
pub(crate) struct Bucket {
    client: Client,
    name: String,
}

impl Bucket {
    /// An emulator has one host name for all buckets, so there they are told apart by path.
    pub(crate) fn new(config: &aws::SdkConfig, name: &str) -> Self {
        let by_path = config.endpoint_url().is_some();
        let config = Config::new(config).to_builder().force_path_style(by_path).build();
        Self { client: Client::from_conf(config), name: name.to_owned() }
    }

    async fn put(&self, payment: &Payment) -> Result<(), Refused> {
        let put = self.client.put_object().bucket(&self.name).key(payment.log_key()).if_none_match("*");
        let put = put.content_type("application/json").body(ByteStream::from(payment.log_document().into_bytes()));
        match put.send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.raw_response().map(|response| response.status().as_u16()) {
                // It is there: an earlier try came through, and only its answer was lost.
                Some(412) => Ok(()),
                status => Err(Refused { again: status == Some(409), why: aws::failure("s3:PutObject", &error) }),
            },
        }
    }
}

struct Refused {
    again: bool,
    why: String,
}

impl Logbook for Bucket {
    async fn keep(&self, payment: &Payment) -> Result<(), String> {
        let mut tries = 1;
        loop {
            match self.put(payment).await {
                Err(refused) if refused.again && tries < TRIES => tries += 1,
                other => return other.map_err(|refused| refused.why),
            }
        }
    }
}

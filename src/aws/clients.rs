//! The SDK clients of every place.

use std::collections::BTreeMap;

use aws_config::{Region as SdkRegion, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;

use super::meter::{Apart, Label, Meter};
use super::reach::{Asked, Reach};
use crate::graph::{Failure, FailureClass, Region, Site};

/// The clients of one region.
#[derive(Clone, Debug)]
pub struct Regional {
    /// Which region.
    pub region: Region,
    /// Lambda.
    pub lambda: aws_sdk_lambda::Client,
    /// DynamoDB.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// CloudWatch Logs.
    pub logs: aws_sdk_cloudwatchlogs::Client,
    /// S3.
    pub s3: aws_sdk_s3::Client,
    /// Secrets Manager.
    pub secrets: aws_sdk_secretsmanager::Client,
    /// KMS.
    pub kms: aws_sdk_kms::Client,
    /// SNS.
    pub sns: aws_sdk_sns::Client,
    /// CloudWatch.
    pub cloudwatch: aws_sdk_cloudwatch::Client,
    /// The Resource Groups Tagging API.
    pub tagging: aws_sdk_resourcegroupstagging::Client,
    /// STS, which every caller may ask who it is.
    pub(super) sts: aws_sdk_sts::Client,
    /// What all of these sign with.
    pub(super) credentials: Option<SharedCredentialsProvider>,
}

/// The clients of both regions and of IAM, in one account.
#[derive(Clone, Debug)]
pub struct Clients {
    /// The account, as STS told it.
    pub account: String,
    /// IAM, which is one for all regions.
    pub iam: aws_sdk_iam::Client,
    /// Route 53, likewise.
    pub route53: aws_sdk_route53::Client,
    /// By region.
    pub regions: BTreeMap<Region, Regional>,
    /// What counts the calls of all of them.
    pub meter: Meter,
    /// Which places answer.
    pub reach: Reach,
}

impl Clients {
    /// Does something at `site`, and gives up as soon as the place turns out to be dark. A failure to
    /// reach it is told once it is clear whether anything there answers; of a dark place it is
    /// [`FailureClass::Dark`].
    pub async fn at<T>(
        &self,
        site: &Site,
        asked: Asked,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        // Before anything is sent.
        let darkness = self.darkness(site, asked);
        let failure = tokio::select! {
            result = work => match result {
                Err(failure) if failure.class == FailureClass::Unreachable => failure,
                result => return result,
            },
            failure = darkness => return Err(failure),
        };
        let is_dark = self.is_dark(site, asked).await;
        Err(self.reach.refusal(site, &failure.operation).filter(|_| is_dark).unwrap_or(failure))
    }

    /// Waits until `site` turns out to be dark, and says so; never ends while it is not. Of what waits for an answer,
    /// what is sent after this call counts.
    pub fn darkness(&self, site: &Site, asked: Asked) -> impl Future<Output = Failure> {
        let darkness = self.reach.darkness(site, asked, || self.second_question(site));
        async move {
            let failure = darkness.await;
            Failure { message: format!("{site} does not answer: {}", failure.message), ..failure }
        }
    }

    /// Whether `site` is dark, once that is clear: after a failure it takes a while.
    pub async fn is_dark(&self, site: &Site, asked: Asked) -> bool {
        self.reach.verdict(site, asked, || self.second_question(site)).await.is_some()
    }

    /// Asks a place something that anybody may ask. Only whether an answer comes is of interest, and that
    /// is noted where all answers pass.
    async fn second_question(&self, site: &Site) {
        match site {
            Site::Region(region) => {
                if let Some(regional) = self.regions.get(region) {
                    let _ = regional.sts.get_caller_identity().send().await;
                }
            }
            Site::Iam => {
                let _ = self.iam.get_account_summary().send().await;
            }
            Site::Route53 => {
                let _ = self.route53.get_checker_ip_ranges().send().await;
            }
        }
    }
}

/// A service client whose requests carry the name of their place.
macro_rules! client {
    ($service:ident, $config:expr, $site:expr) => {
        $service::Client::from_conf(
            $service::config::Builder::from($config).interceptor(Label { site: $site.clone() }).build(),
        )
    };
}

impl Clients {
    /// Clients of these regions, and of IAM and Route 53 by the configuration `shared`.
    pub(super) fn of(account: String, regions: Vec<Regional>, shared: &SdkConfig, meter: Meter) -> Self {
        Self {
            account,
            iam: client!(aws_sdk_iam, shared, Site::Iam),
            route53: client!(aws_sdk_route53, shared, Site::Route53),
            regions: regions.into_iter().map(|regional| (regional.region.clone(), regional)).collect(),
            reach: meter.reach().clone(),
            meter,
        }
    }
}

impl Regional {
    /// S3 by requests of which [`Reach`] knows nothing: a dark place is asked all the same, and none is dark for them.
    pub fn s3_apart(&self) -> aws_sdk_s3::Client {
        aws_sdk_s3::Client::from_conf(self.s3.config().to_builder().interceptor(Apart).build())
    }

    pub(super) fn new(shared: &SdkConfig, region: &Region) -> Self {
        let config = &shared.to_builder().region(SdkRegion::new(region.as_str().to_owned())).build();
        let site = &Site::Region(region.clone());
        Self {
            region: region.clone(),
            lambda: client!(aws_sdk_lambda, config, site),
            dynamodb: client!(aws_sdk_dynamodb, config, site),
            logs: client!(aws_sdk_cloudwatchlogs, config, site),
            s3: s3(config, site),
            secrets: client!(aws_sdk_secretsmanager, config, site),
            kms: client!(aws_sdk_kms, config, site),
            sns: client!(aws_sdk_sns, config, site),
            cloudwatch: client!(aws_sdk_cloudwatch, config, site),
            tagging: client!(aws_sdk_resourcegroupstagging, config, site),
            sts: client!(aws_sdk_sts, config, site),
            credentials: shared.credentials_provider(),
        }
    }
}

/// Buckets of the sandbox are addressed by path, because it has one host name for all.
fn s3(config: &SdkConfig, site: &Site) -> aws_sdk_s3::Client {
    let builder = aws_sdk_s3::config::Builder::from(config).interceptor(Label { site: site.clone() });
    aws_sdk_s3::Client::from_conf(builder.force_path_style(config.endpoint_url().is_some()).build())
}

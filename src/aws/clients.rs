//! The SDK clients of every place.

use std::collections::BTreeMap;

use aws_config::{Region as SdkRegion, SdkConfig};

use super::meter::{Label, Meter};
use crate::graph::Region;

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
    /// SNS.
    pub sns: aws_sdk_sns::Client,
    /// CloudWatch.
    pub cloudwatch: aws_sdk_cloudwatch::Client,
    /// The Resource Groups Tagging API.
    pub tagging: aws_sdk_resourcegroupstagging::Client,
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
}

/// A service client whose requests carry the name of their place.
macro_rules! client {
    ($service:ident, $config:expr, $place:expr) => {
        $service::Client::from_conf(
            $service::config::Builder::from($config).interceptor(Label { place: $place.to_string() }).build(),
        )
    };
}

impl Clients {
    pub(super) fn of(account: String, shared: &SdkConfig, regions: &[Region], meter: Meter) -> Self {
        Self {
            account,
            iam: client!(aws_sdk_iam, shared, "global"),
            route53: client!(aws_sdk_route53, shared, "global"),
            regions: regions.iter().map(|region| (region.clone(), Regional::new(shared, region))).collect(),
            meter,
        }
    }
}

impl Regional {
    fn new(shared: &SdkConfig, region: &Region) -> Self {
        let config = &shared.to_builder().region(SdkRegion::new(region.as_str().to_owned())).build();
        Self {
            region: region.clone(),
            lambda: client!(aws_sdk_lambda, config, region),
            dynamodb: client!(aws_sdk_dynamodb, config, region),
            logs: client!(aws_sdk_cloudwatchlogs, config, region),
            s3: s3(config, region),
            secrets: client!(aws_sdk_secretsmanager, config, region),
            sns: client!(aws_sdk_sns, config, region),
            cloudwatch: client!(aws_sdk_cloudwatch, config, region),
            tagging: client!(aws_sdk_resourcegroupstagging, config, region),
        }
    }
}

/// Buckets of the sandbox are addressed by path, because it has one host name for all.
fn s3(config: &SdkConfig, region: &Region) -> aws_sdk_s3::Client {
    let builder = aws_sdk_s3::config::Builder::from(config).interceptor(Label { place: region.to_string() });
    aws_sdk_s3::Client::from_conf(builder.force_path_style(config.endpoint_url().is_some()).build())
}

pub(super) fn sts(shared: &SdkConfig) -> aws_sdk_sts::Client {
    client!(aws_sdk_sts, shared, "global")
}

//! The DynamoDB call behind [`Store`], and the only file that knows its shape.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Config;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use payments::{Attribute, Payment, Recorded, aws};

use crate::store::{Put, Store, StoreError};

/// The table of this region. Its condition sees this region only: of two regions that take the same payment within the
/// replication lag, the last writer wins, and both wrote the same payment.
pub(crate) struct Table {
    client: Client,
    name: String,
}

impl Table {
    pub(crate) fn new(config: &aws::SdkConfig, name: &str) -> Self {
        Self { client: Client::from_conf(Config::new(config)), name: name.to_owned() }
    }
}

impl Store for Table {
    async fn put_new(&self, payment: &Payment) -> Result<Put, StoreError> {
        let item = payment.attributes().into_iter().map(|(name, value)| (name.to_owned(), to_api(value)));
        let written = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(item.collect()))
            .condition_expression(format!("attribute_not_exists({})", Payment::KEY))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match written {
            Ok(_) => Ok(Put::New),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(taken)) => from_api(taken.item()).map(Put::Taken),
                _ => Err(StoreError(aws::failure("dynamodb:PutItem", &error))),
            },
        }
    }
}

fn to_api(value: Attribute) -> AttributeValue {
    match value {
        Attribute::Text(text) => AttributeValue::S(text),
        Attribute::Number(number) => AttributeValue::N(number),
    }
}

fn from_api(item: Option<&HashMap<String, AttributeValue>>) -> Result<Recorded, StoreError> {
    let text = |name: &str| item?.get(name)?.as_s().ok().map(String::as_str);
    Recorded::read(text).map_err(|missing| StoreError(format!("the item with this id has no `{missing}`")))
}

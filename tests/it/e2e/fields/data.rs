//! The table, its members, and the secret.

use std::time::Duration;

use aws_sdk_dynamodb::operation::update_table::builders::UpdateTableFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, CreateGlobalSecondaryIndexAction, DeleteGlobalSecondaryIndexAction,
    DeleteReplicationGroupMemberAction, GlobalSecondaryIndexUpdate, IndexStatus, KeySchemaElement, KeyType,
    PointInTimeRecoverySpecification, Projection, ProjectionType, ProvisionedThroughput, ReplicationGroupUpdate,
    ScalarAttributeType, SseSpecification, SseType, StreamSpecification, TableStatus, Tag, TimeToLiveSpecification,
};
use drctl::aws::Regional;

use super::{Outside, Row, WEST, a_moment, at_creation, drifts, fixed};

const TABLE: &str = "global/table.payment-transactions";
const REPLICA: &str = "us-east-1/table_replica.payment-transactions";
const SECRET: &str = "global/secret.payment-api-keys";

pub(super) const ROWS: &[Row] = &[
    fixed("table", "name", "DynamoDB knows a table by its name"),
    fixed("table", "key.partition", "a table keeps the key that it was made with"),
    fixed("table", "key.sort", "a table keeps the key that it was made with"),
    drifts("table", "indexes.*.partition", TABLE, "indexes.by-customer.partition"),
    drifts("table", "indexes.*.sort", TABLE, "indexes.by-customer.sort"),
    drifts("table", "billing", TABLE, "billing"),
    drifts("table", "stream", TABLE, "stream"),
    drifts("table", "ttl", TABLE, "ttl"),
    drifts("table", "encryption.*", TABLE, "encryption.us-east-1"),
    at_creation("table", "home", "it is observed: the oldest member"),
    drifts("table", "regions", TABLE, "regions"),
    at_creation("table", "tags.*", "each member has its own, see table_replica"),
    fixed("table_replica", "name", "it is the table's"),
    drifts("table_replica", "point_in_time_recovery", REPLICA, "point_in_time_recovery"),
    drifts("table_replica", "deletion_protection", REPLICA, "deletion_protection"),
    drifts("table_replica", "tags.*", REPLICA, "tags.stranger"),
    fixed("secret", "name", "Secrets Manager knows a secret by its name"),
    drifts("secret", "description", SECRET, "description"),
    at_creation("secret", "home", "it is observed, and Secrets Manager never moves it"),
    drifts("secret", "regions", SECRET, "regions"),
    drifts("secret", "encryption.*", SECRET, "encryption"),
    drifts("secret", "tags.*", SECRET, "tags.stranger"),
];

const NAME: &str = "payment-transactions-prod-001";

pub(super) async fn change(outside: &Outside) {
    futures::join!(table(outside), secret(outside));
}

/// One change after the other, as DynamoDB demands. A stream can be switched off only once there are no replicas.
async fn table(outside: &Outside) {
    let (east, west) = (outside.east(), outside.west());
    ttl(east).await;
    update(west, |call| call.deletion_protection_enabled(false)).await;
    let delete = DeleteReplicationGroupMemberAction::builder().region_name(WEST).build().unwrap();
    let delete = ReplicationGroupUpdate::builder().delete(delete).build();
    update(east, |call| call.replica_updates(delete.clone())).await;
    let off = StreamSpecification::builder().stream_enabled(false).build().unwrap();
    update(east, |call| call.stream_specification(off.clone())).await;
    let delete = DeleteGlobalSecondaryIndexAction::builder().index_name("by-customer").build().unwrap();
    let delete = GlobalSecondaryIndexUpdate::builder().delete(delete).build();
    update(east, |call| call.global_secondary_index_updates(delete.clone())).await;
    let little = ProvisionedThroughput::builder().read_capacity_units(1).write_capacity_units(1).build().unwrap();
    update(east, |call| call.billing_mode(BillingMode::Provisioned).provisioned_throughput(little.clone())).await;
    let key = KeySchemaElement::builder().attribute_name("merchantId").key_type(KeyType::Hash).build().unwrap();
    let all = Projection::builder().projection_type(ProjectionType::All).build();
    let create = CreateGlobalSecondaryIndexAction::builder().index_name("by-customer").key_schema(key).projection(all);
    let create = create.provisioned_throughput(little).build().unwrap();
    let create = GlobalSecondaryIndexUpdate::builder().create(create).build();
    let text = |name: &str| AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S);
    let attributes = ["transactionId", "merchantId"].map(|name| text(name).build().unwrap());
    update(east, |call| {
        call.set_attribute_definitions(Some(attributes.to_vec())).global_secondary_index_updates(create.clone())
    })
    .await;
    let kms = SseSpecification::builder().enabled(true).sse_type(SseType::Kms).build();
    update(east, |call| call.sse_specification(kms.clone())).await;

    let off = PointInTimeRecoverySpecification::builder().point_in_time_recovery_enabled(false).build().unwrap();
    let backups = east.dynamodb.update_continuous_backups().table_name(NAME);
    backups.point_in_time_recovery_specification(off).send().await.unwrap();
    let tag = Tag::builder().key("stranger").value("1").build().unwrap();
    let arn = outside.arn("dynamodb", "us-east-1", &format!("table/{NAME}"));
    east.dynamodb.tag_resource().resource_arn(arn).tags(tag).send().await.unwrap();
    update(east, |call| call.deletion_protection_enabled(false)).await;
}

/// TTL was switched on a moment ago, and takes one change in a while.
async fn ttl(regional: &Regional) {
    let off = TimeToLiveSpecification::builder().attribute_name("expiresAt").enabled(false).build().unwrap();
    let switch = || {
        let call = regional.dynamodb.update_time_to_live().table_name(NAME);
        call.time_to_live_specification(off.clone()).send()
    };
    while let Err(error) = switch().await {
        let message = error.into_service_error().meta().message().unwrap_or_default().to_owned();
        assert!(message.contains("modified multiple times"), "{message}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn update(regional: &Regional, change: impl Fn(UpdateTableFluentBuilder) -> UpdateTableFluentBuilder) {
    change(regional.dynamodb.update_table().table_name(NAME)).send().await.unwrap();
    loop {
        a_moment().await;
        let answer = regional.dynamodb.describe_table().table_name(NAME).send().await.unwrap();
        let table = answer.table.expect("the table is there");
        let indexed =
            table.global_secondary_indexes().iter().all(|index| index.index_status() == Some(&IndexStatus::Active));
        if table.table_status() == Some(&TableStatus::Active) && indexed {
            return;
        }
    }
}

async fn secret(outside: &Outside) {
    let (secrets, name) = (&outside.east().secrets, "payment-api-keys-prod-001");
    secrets.update_secret().secret_id(name).description("mine").kms_key_id("").send().await.unwrap();
    let remove = secrets.remove_regions_from_replication().secret_id(name).remove_replica_regions(WEST);
    remove.send().await.unwrap();
    let tag = aws_sdk_secretsmanager::types::Tag::builder().key("stranger").value("1").build();
    secrets.tag_resource().secret_id(name).tags(tag).send().await.unwrap();
}

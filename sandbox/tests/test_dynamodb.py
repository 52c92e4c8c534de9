"""Global tables: what members share, what they keep to themselves, and how long everything takes."""

import datetime

from conftest import EAST, WEST, refused, wait_until

KEY = {"id": {"S": "1"}}


def item(text):
    return {**KEY, "text": {"S": text}}


def read(sandbox, name, region):
    return sandbox.aws("dynamodb", region).get_item(TableName=name, Key=KEY).get("Item")


def tags(sandbox, name, region):
    arn = sandbox.describe(name, region)["TableArn"]
    return sandbox.aws("dynamodb", region).list_tags_of_resource(ResourceArn=arn)["Tags"]


def test_members_list_only_the_others(either, name):
    either.global_table(name)
    for here, there in ((EAST, WEST), (WEST, EAST)):
        table = either.describe(name, here)
        assert table["TableArn"].split(":")[3] == here
        assert [replica["RegionName"] for replica in table["Replicas"]] == [there]


def test_items_travel_both_ways(either, name):
    either.global_table(name)
    for here, there, text in ((EAST, WEST, "east"), (WEST, EAST, "west")):
        either.aws("dynamodb", here).put_item(TableName=name, Item=item(text))
        wait_until(lambda there=there, text=text: read(either, name, there) == item(text))
    either.aws("dynamodb", EAST).delete_item(TableName=name, Key=KEY)
    wait_until(lambda: read(either, name, WEST) is None)


def test_a_member_has_its_own_protection_recovery_and_tags(plain, name):
    plain.global_table(name, DeletionProtectionEnabled=True, Tags=[{"Key": "a", "Value": "1"}])
    assert plain.describe(name, EAST)["DeletionProtectionEnabled"] is True
    assert plain.describe(name, WEST)["DeletionProtectionEnabled"] is False
    assert tags(plain, name, EAST) == [{"Key": "a", "Value": "1"}] and tags(plain, name, WEST) == []
    west = plain.aws("dynamodb", WEST)
    west.update_continuous_backups(
        TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True,
                                                          "RecoveryPeriodInDays": 14})
    for region, status, days in ((EAST, "DISABLED", None), (WEST, "ENABLED", 14)):
        backups = plain.aws("dynamodb", region).describe_continuous_backups(TableName=name)
        recovery = backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
        assert (recovery["PointInTimeRecoveryStatus"], recovery.get("RecoveryPeriodInDays")) == (status, days)


def test_time_to_live_and_billing_belong_to_the_group(plain, name):
    plain.global_table(name)
    east = plain.aws("dynamodb", EAST)
    east.update_time_to_live(TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": "until"})
    seen = plain.aws("dynamodb", WEST).describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    assert seen == {"TimeToLiveStatus": "ENABLED", "AttributeName": "until"}
    east.update_table(TableName=name, BillingMode="PROVISIONED",
                      ProvisionedThroughput={"ReadCapacityUnits": 3, "WriteCapacityUnits": 4})
    assert plain.describe(name, WEST)["BillingModeSummary"]["BillingMode"] == "PROVISIONED"
    assert plain.describe(name, WEST)["ProvisionedThroughput"]["WriteCapacityUnits"] == 4


def test_an_index_appears_in_every_member(plain, name):
    plain.global_table(name)
    plain.aws("dynamodb", EAST).update_table(
        TableName=name, AttributeDefinitions=[{"AttributeName": "who", "AttributeType": "S"}],
        GlobalSecondaryIndexUpdates=[{"Create": {
            "IndexName": "by-who", "KeySchema": [{"AttributeName": "who", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"}}}])
    index, = plain.describe(name, WEST)["GlobalSecondaryIndexes"]
    assert index["IndexArn"].split(":")[3] == WEST


def test_removing_a_member_takes_its_tags(plain, name):
    plain.global_table(name)
    west = plain.aws("dynamodb", WEST)
    arn = plain.describe(name, WEST)["TableArn"]
    west.tag_resource(ResourceArn=arn, Tags=[{"Key": "k", "Value": "v"}])
    plain.aws("dynamodb", EAST).update_table(TableName=name, ReplicaUpdates=[{"Delete": {"RegionName": WEST}}])
    assert plain.describe(name, EAST).get("Replicas", []) == []
    assert refused(west.describe_table, TableName=name)[0] == "ResourceNotFoundException"
    assert plain.aws("resourcegroupstaggingapi", WEST).get_resources(
        TagFilters=[{"Key": "k", "Values": ["v"]}])["ResourceTagMappingList"] == []


def test_each_member_shows_its_own_key(plain, name):
    keys = {region: f"arn:aws:kms:{region}:000000000000:key/1" for region in (EAST, WEST)}
    plain.table(name, SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": keys[EAST]})
    plain.aws("dynamodb").update_table(
        TableName=name, ReplicaUpdates=[{"Create": {"RegionName": WEST, "KMSMasterKeyId": keys[WEST]}}])
    assert plain.describe(name, EAST)["Replicas"][0]["KMSMasterKeyId"] == keys[WEST]
    assert plain.describe(name, WEST)["SSEDescription"]["KMSMasterKeyArn"] == keys[WEST]


def test_a_key_is_shown_by_its_arn(plain, name):
    key = plain.aws("kms").create_key()["KeyMetadata"]
    plain.aws("kms").create_alias(AliasName=f"alias/{name}", TargetKeyId=key["KeyId"])
    plain.table(name, SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": f"alias/{name}"})
    assert plain.describe(name)["SSEDescription"]["KMSMasterKeyArn"] == key["Arn"]


def test_a_table_back_at_the_key_that_aws_owns_describes_none(plain, name):
    plain.table(name, SSESpecification={"Enabled": True, "SSEType": "KMS"})
    assert plain.describe(name)["SSEDescription"]["Status"] == "ENABLED"
    plain.aws("dynamodb").update_table(TableName=name, SSESpecification={"Enabled": False})
    assert "SSEDescription" not in plain.describe(name)


def test_nothing_travels_while_a_region_is_dark_and_then_the_last_writer_wins(plain, name):
    plain.global_table(name)
    east, west = plain.aws("dynamodb", EAST), plain.aws("dynamodb", WEST)
    # Dark for everything but these calls: a region that answers and cannot be reached from the other.
    west.put_item(TableName=name, Item=item("first"))
    plain.faults({"region": EAST, "action": "dark"})
    west.put_item(TableName=name, Item=item("during"))
    plain.faults()
    wait_until(lambda: read(plain, name, EAST) == item("during"))
    plain.faults({"region": WEST, "action": "dark"})
    east.put_item(TableName=name, Item=item("older"))
    plain.faults()
    west.put_item(TableName=name, Item=item("newer"))
    wait_until(lambda: read(plain, name, EAST) == read(plain, name, WEST) == item("newer"))


def test_a_table_is_created_in_time(strict, name):
    dynamodb = strict.aws("dynamodb")
    create = dict(TableName=name, BillingMode="PAY_PER_REQUEST",
                  AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
                  KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}])
    assert dynamodb.create_table(**create)["TableDescription"]["TableStatus"] == "CREATING"
    assert strict.describe(name)["TableStatus"] == "CREATING"
    assert refused(dynamodb.put_item, TableName=name, Item=KEY)[0] == "ResourceNotFoundException"
    assert refused(dynamodb.create_table, **create)[0] == "ResourceInUseException"
    assert refused(dynamodb.delete_table, TableName=name)[0] == "ResourceInUseException"
    strict.wait_for_table(name)


def test_backups_are_unavailable_shortly_after_creation(strict, name):
    strict.table(name)
    enable = dict(TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True})
    dynamodb = strict.aws("dynamodb")
    code, message = refused(dynamodb.update_continuous_backups, **enable)
    assert code == "ContinuousBackupsUnavailableException" and "Backups are being enabled" in message

    def accepted():
        try:
            return dynamodb.update_continuous_backups(**enable)
        except dynamodb.exceptions.ContinuousBackupsUnavailableException:
            return False

    wait_until(accepted)


def test_a_replica_appears_late_is_created_and_then_active(strict, name):
    strict.table(name)
    east, west = strict.aws("dynamodb", EAST), strict.aws("dynamodb", WEST)
    add = dict(TableName=name, ReplicaUpdates=[{"Create": {"RegionName": WEST}}])
    answer = east.update_table(**add)["TableDescription"]
    assert answer["TableStatus"] == "UPDATING" and answer.get("Replicas", []) == []
    assert refused(west.describe_table, TableName=name)[0] == "ResourceNotFoundException"
    assert refused(east.update_table, **add)[0] == "ResourceInUseException"
    seen = set()

    def active():
        table = strict.describe(name)
        seen.update(replica["ReplicaStatus"] for replica in table.get("Replicas", []))
        return table["TableStatus"] == "ACTIVE"

    wait_until(active)
    assert seen == {"CREATING", "ACTIVE"}
    assert strict.describe(name, WEST)["TableStatus"] == "ACTIVE"


def test_a_replica_being_created_is_only_described(strict, name):
    strict.table(name)
    west = strict.aws("dynamodb", WEST)
    strict.aws("dynamodb").update_table(TableName=name, ReplicaUpdates=[{"Create": {"RegionName": WEST}}])

    def described():
        try:
            return strict.describe(name, WEST)["TableStatus"] == "CREATING"
        except west.exceptions.ResourceNotFoundException:
            return False

    wait_until(described)
    assert refused(west.describe_time_to_live, TableName=name)[0] == "ResourceNotFoundException"


def test_one_update_has_one_concern(strict, name):
    strict.table(name)
    assert refused(strict.aws("dynamodb").update_table, TableName=name, DeletionProtectionEnabled=True,
                   TableClass="STANDARD_INFREQUENT_ACCESS")[0] == "ValidationException"
    assert strict.describe(name)["DeletionProtectionEnabled"] is False


def test_a_change_takes_time_and_excludes_others(strict, name):
    strict.global_table(name)
    east, west = strict.aws("dynamodb", EAST), strict.aws("dynamodb", WEST)
    west.update_table(TableName=name, DeletionProtectionEnabled=True)
    assert strict.describe(name, WEST)["TableStatus"] == "UPDATING"
    for client in (east, west):
        assert refused(client.update_table, TableName=name, DeletionProtectionEnabled=False)[0] == \
            "ResourceInUseException"
    strict.wait_for_table(name, WEST)


def test_protection_of_a_lone_table_is_instant_and_refuses_deletion(strict, name):
    strict.table(name)
    dynamodb = strict.aws("dynamodb")
    dynamodb.update_table(TableName=name, DeletionProtectionEnabled=True)
    assert strict.describe(name)["TableStatus"] == "ACTIVE"
    assert refused(dynamodb.delete_table, TableName=name)[0] == "ValidationException"


def test_the_stream_is_locked(strict, name):
    on = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    strict.table(name, StreamSpecification=on)
    update = strict.aws("dynamodb").update_table
    assert refused(update, TableName=name, StreamSpecification=on)[0] == "ValidationException"
    update(TableName=name, ReplicaUpdates=[{"Create": {"RegionName": WEST}}])
    strict.wait_for_table(name, EAST, [WEST])
    assert refused(update, TableName=name, StreamSpecification={"StreamEnabled": False})[0] == "ValidationException"


def test_a_source_outlives_its_replica(strict, name):
    strict.global_table(name)
    east = strict.aws("dynamodb", EAST)
    assert "acted as a source" in refused(east.delete_table, TableName=name)[1]
    east.update_table(TableName=name, ReplicaUpdates=[{"Delete": {"RegionName": WEST}}])
    assert strict.describe(name)["Replicas"][0]["ReplicaStatus"] == "DELETING"
    assert refused(east.delete_table, TableName=name)[0] == "ResourceInUseException"
    strict.wait_for_table(name, EAST, [])
    assert refused(strict.aws("dynamodb", WEST).describe_table, TableName=name)[0] == "ResourceNotFoundException"
    assert east.delete_table(TableName=name)["TableDescription"]["TableStatus"] == "DELETING"
    assert strict.describe(name)["TableStatus"] == "DELETING"
    wait_until(lambda: name not in east.list_tables()["TableNames"])


def test_a_protected_replica_cannot_be_removed_from_elsewhere(strict, name):
    strict.global_table(name)
    strict.aws("dynamodb", WEST).update_table(TableName=name, DeletionProtectionEnabled=True)
    strict.wait_for_table(name, WEST)
    assert refused(strict.aws("dynamodb", EAST).update_table, TableName=name,
                   ReplicaUpdates=[{"Delete": {"RegionName": WEST}}])[0] == "ValidationException"


def test_tags_are_locked_and_listed_late(strict, name):
    strict.table(name)
    dynamodb, arn = strict.aws("dynamodb"), strict.describe(name)["TableArn"]
    dynamodb.tag_resource(ResourceArn=arn, Tags=[{"Key": "a", "Value": "1"}])
    code, message = refused(dynamodb.untag_resource, ResourceArn=arn, TagKeys=["a"])
    assert code == "LimitExceededException" and "Table tags are being updated" in message
    assert refused(dynamodb.delete_table, TableName=name)[0] == "ResourceInUseException"
    assert tags(strict, name, EAST) == []
    wait_until(lambda: tags(strict, name, EAST) == [{"Key": "a", "Value": "1"}])


def test_time_to_live_takes_time_and_cools_down(strict, name):
    strict.table(name)
    ttl = strict.aws("dynamodb").update_time_to_live
    on, off = ({"Enabled": enabled, "AttributeName": "until"} for enabled in (True, False))
    ttl(TableName=name, TimeToLiveSpecification=on)

    def status():
        return strict.aws("dynamodb").describe_time_to_live(TableName=name)["TimeToLiveDescription"]["TimeToLiveStatus"]

    assert status() == "ENABLING"
    wait_until(lambda: status() == "ENABLED")
    assert "already enabled" in refused(ttl, TableName=name, TimeToLiveSpecification=on)[1]
    assert "multiple times" in refused(ttl, TableName=name, TimeToLiveSpecification=off)[1]


def test_reads_and_writes_show_what_capacity_they_consumed(plain, name):
    def consumed(what, region):
        now = datetime.datetime.now(datetime.timezone.utc)
        points = plain.aws("cloudwatch", region).get_metric_statistics(
            Namespace="AWS/DynamoDB", MetricName=f"Consumed{what}CapacityUnits", Period=86400, Statistics=["Sum"],
            Dimensions=[{"Name": "TableName", "Value": name}],
            StartTime=now - datetime.timedelta(days=1), EndTime=now + datetime.timedelta(minutes=1))["Datapoints"]
        return sum(point["Sum"] for point in points)

    plain.global_table(name)
    plain.aws("dynamodb").put_item(TableName=name, Item={"id": {"S": "a"}, "text": {"S": "x" * 1500}})
    assert consumed("Write", EAST) == 2
    wait_until(lambda: consumed("Write", WEST) == 2)
    plain.aws("dynamodb").get_item(TableName=name, Key={"id": {"S": "a"}}, ConsistentRead=True)
    plain.aws("dynamodb").scan(TableName=name)
    assert consumed("Read", EAST) == 1.5
    assert consumed("Read", WEST) == 0

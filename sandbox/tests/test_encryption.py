"""What is encrypted with a customer key."""

import json

import pytest
from conftest import EAST, WEST, refused, wait_until
from test_kms import replicated

SHUT = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "000000000000"}, "Action": "kms:*", "Resource": "*"}]}


@pytest.fixture
def key(strict):
    return replicated(strict)


def arn(key, region=EAST):
    return f"arn:aws:kms:{region}:000000000000:key/{key}"


def let_in(sandbox, key, service, condition=None, region=EAST):
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "kms:*", "Resource": "*"}
    if condition:
        statement["Condition"] = condition
    policy = {"Statement": [*SHUT["Statement"], statement]}
    sandbox.aws("kms", region).put_key_policy(KeyId=key, Policy=json.dumps(policy))


@pytest.mark.parametrize("statement", [
    {"Effect": "Deny"}, {"Resource": "arn:aws:kms:us-east-1:000000000000:key/other"},
    {"Action": None, "NotAction": ["kms:Decrypt"]},
    {"Condition": {"StringNotEquals": {"kms:EncryptionContext:aws:logs:arn": "GROUP"}}},
])
def test_a_policy_of_a_key_means_all_that_it_says(strict, key, name, statement):
    group = f"arn:aws:logs:{EAST}:000000000000:log-group:{name}"
    allow = {"Effect": "Allow", "Principal": {"Service": f"logs.{EAST}.amazonaws.com"}, "Action": "kms:*",
             "Resource": "*"}
    said = {key: value for key, value in {**allow, **statement}.items() if value}
    others = [allow] if said["Effect"] == "Deny" else []
    policy = json.dumps({"Statement": [*SHUT["Statement"], *others, said]}).replace("GROUP", group)
    strict.aws("kms").put_key_policy(KeyId=key, Policy=policy)
    create = strict.aws("logs").create_log_group
    assert refused(create, logGroupName=name, kmsKeyId=arn(key))[0] == "InvalidParameterException"
    create(logGroupName=f"{name}-none")


def off(sandbox, key, region=EAST):
    sandbox.aws("kms", region).disable_key(KeyId=key)


def test_members_of_a_table_get_their_keys_together(strict, key, name):
    strict.global_table(name)
    update = strict.aws("dynamodb").update_table
    keys = [{"Update": {"RegionName": region, "KMSMasterKeyId": arn(key, region)}} for region in (EAST, WEST)]
    for wrong in (dict(ReplicaUpdates=keys[1:]),
                  dict(SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": arn(key)})):
        assert refused(update, TableName=name, **wrong)[0] == "ValidationException"
    update(TableName=name, ReplicaUpdates=keys)
    assert strict.describe(name)["SSEDescription"]["Status"] == "UPDATING"
    strict.wait_for_table(name, EAST, [WEST])
    for here, there in ((EAST, WEST), (WEST, EAST)):
        table = strict.describe(name, here)
        assert table["SSEDescription"]["KMSMasterKeyArn"] == arn(key, here)
        assert table["Replicas"][0]["KMSMasterKeyId"] == arn(key, there)
    update(TableName=name, SSESpecification={"Enabled": False})
    strict.wait_for_table(name, EAST, [WEST])
    assert "SSEDescription" not in strict.describe(name, EAST) and "SSEDescription" not in strict.describe(name, WEST)


def test_a_table_works_as_long_as_its_key(strict, key, name):
    strict.table(name, SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": arn(key)})
    put = strict.aws("dynamodb").put_item
    put(TableName=name, Item={"id": {"S": "1"}})
    off(strict, key)
    assert refused(put, TableName=name, Item={"id": {"S": "2"}})[0] == "AccessDeniedException"


def test_objects_work_as_long_as_their_key(strict, key, name):
    s3 = strict.aws("s3")
    strict.bucket(name)
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": arn(key)}
    s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={
        "Rules": [{"ApplyServerSideEncryptionByDefault": default}]})
    s3.put_object(Bucket=name, Key="a", Body=b"1")
    assert s3.get_object(Bucket=name, Key="a")["SSEKMSKeyId"] == arn(key)
    off(strict, key)
    assert refused(s3.put_object, Bucket=name, Key="b", Body=b"2")[0] == "KMS.DisabledException"
    assert refused(s3.get_object, Bucket=name, Key="a")[0] == "KMS.DisabledException"
    strict.aws("kms").schedule_key_deletion(KeyId=key)
    assert refused(s3.get_object, Bucket=name, Key="a")[0] == "KMS.KMSInvalidStateException"


def test_a_secret_works_as_long_as_its_key(strict, key, name):
    secrets = strict.aws("secretsmanager")
    secrets.create_secret(Name=name, SecretString="s", KmsKeyId=arn(key))
    assert secrets.get_secret_value(SecretId=name)["SecretString"] == "s"
    off(strict, key)
    assert refused(secrets.get_secret_value, SecretId=name)[0] == "DecryptionFailure"
    assert refused(secrets.put_secret_value, SecretId=name, SecretString="t")[0] == "EncryptionFailure"


def test_log_groups_take_keys_that_let_them(strict, key, name):
    logs = strict.aws("logs")
    logs.create_log_group(logGroupName=name)
    associate = dict(logGroupName=name, kmsKeyId=arn(key))
    assert refused(logs.associate_kms_key, **associate)[0] == "InvalidParameterException"
    group = f"arn:aws:logs:{EAST}:000000000000:log-group:"
    context = "kms:EncryptionContext:aws:logs:arn"
    let_in(strict, key, f"logs.{EAST}.amazonaws.com", {"ArnLike": {context: f"{group}other-*"}})
    assert refused(logs.associate_kms_key, **associate)[0] == "InvalidParameterException"
    let_in(strict, key, f"logs.{EAST}.amazonaws.com", {"ArnLike": {context: f"{group}t-*"}})
    logs.associate_kms_key(**associate)

    def shown():
        return [group.get("kmsKeyId") for group in logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]]

    wait_until(lambda: shown() == [arn(key)])
    logs.disassociate_kms_key(logGroupName=name)
    wait_until(lambda: shown() == [None])


def test_an_alarm_reaches_a_topic_whose_key_lets_it(strict, key, name):
    sns, cloudwatch = strict.aws("sns"), strict.aws("cloudwatch")

    def did(topic_key):
        """What an alarm did that fired on a topic with this key."""
        topic = sns.create_topic(Name=f"{name}-{did.count}", Attributes={"KmsMasterKeyId": topic_key})["TopicArn"]
        alarm = f"{name}-{did.count}"
        did.count += 1
        cloudwatch.put_metric_alarm(
            AlarmName=alarm, Namespace="n", MetricName="m", Statistic="Sum", Period=60, EvaluationPeriods=1,
            Threshold=1, ComparisonOperator="GreaterThanThreshold", TreatMissingData="breaching", AlarmActions=[topic])
        items = []
        wait_until(lambda: items.extend(cloudwatch.describe_alarm_history(
            AlarmName=alarm, HistoryItemType="Action")["AlarmHistoryItems"]) or items)
        return items[0]["HistorySummary"]

    did.count = 0
    assert did("alias/aws/sns").startswith("Failed to execute action")
    assert did(arn(key)).startswith("Failed to execute action")
    let_in(strict, key, "cloudwatch.amazonaws.com")
    assert did(arn(key)).startswith("Successfully executed action")
    off(strict, key)
    assert did(arn(key)).startswith("Failed to execute action")


def test_variables_of_functions_need_a_key_that_works(strict, key, name):
    strict.function(name, KMSKeyArn=arn(key))
    off(strict, key)
    code, message = refused(strict.aws("lambda").update_function_configuration, FunctionName=name, KMSKeyArn=arn(key))
    assert code == "InvalidParameterValueException" and "invalid for CreateGrant" in message
    strict.aws("lambda").update_function_configuration(FunctionName=name, KMSKeyArn="")
    assert not strict.aws("lambda").get_function_configuration(FunctionName=name).get("KMSKeyArn")


def test_variables_are_told_while_their_key_works(strict, key, name):
    strict.function(name, KMSKeyArn=arn(key), Environment={"Variables": {"A": "1"}})

    def told():
        function = strict.aws("lambda").get_function(FunctionName=name)["Configuration"]
        assert function["KMSKeyArn"] == arn(key)
        return function["Environment"]

    assert told() == {"Variables": {"A": "1"}}
    off(strict, key)
    assert told()["Error"]["ErrorCode"] == "KMSDisabledException" and "Variables" not in told()
    strict.aws("kms").schedule_key_deletion(KeyId=key)
    assert told()["Error"]["ErrorCode"] == "KMSInvalidStateException"
    strict.aws("kms").cancel_key_deletion(KeyId=key)
    strict.aws("kms").enable_key(KeyId=key)
    assert told() == {"Variables": {"A": "1"}}

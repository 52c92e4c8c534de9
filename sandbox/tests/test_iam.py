"""Roles, and reads that lag."""

import json

from conftest import refused, wait_until

POLICY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})

TRUST = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}]})


def test_a_role_with_policies_is_not_deleted(either, name):
    iam = either.aws("iam")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=POLICY)
    assert refused(iam.delete_role, RoleName=name)[0] == "DeleteConflict"
    iam.delete_role_policy(RoleName=name, PolicyName="p")
    iam.delete_role(RoleName=name)


def test_policies_are_percent_encoded(plain, name):
    plain.aws("iam").create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    seen = []
    client = plain.aws("iam")
    client.meta.events.register("after-call.iam.GetRole", lambda http_response, **_: seen.append(http_response.text))
    client.get_role(RoleName=name)
    assert "%7B%22Version%22" in seen[0]


def test_descriptions_may_hold_anything(plain, name):
    iam, text = plain.aws("iam"), "east & west <both>"
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, Description=text,
                    Tags=[{"Key": "both", "Value": text}])
    role = iam.get_role(RoleName=name)["Role"]
    assert role["Description"] == text and role["Tags"] == [{"Key": "both", "Value": text}]


def test_lists_of_roles_have_no_tags(either, name):
    iam = either.aws("iam")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, Tags=[{"Key": "a", "Value": "1"}])
    wait_until(lambda: [role for role in iam.list_roles()["Roles"] if role["RoleName"] == name])
    role, = [role for role in iam.list_roles()["Roles"] if role["RoleName"] == name]
    assert "Tags" not in role
    assert iam.get_role(RoleName=name)["Role"]["Tags"] == [{"Key": "a", "Value": "1"}]


def eventually(read):
    def succeeds():
        try:
            return read() is not False
        except Exception:
            return False

    wait_until(succeeds)


def test_what_was_just_written_is_read_late(strict, name):
    iam, logs, sns, cloudwatch = (strict.aws(service) for service in ("iam", "logs", "sns", "cloudwatch"))
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    assert refused(iam.get_role, RoleName=name)[0] == "NoSuchEntity"
    eventually(lambda: iam.get_role(RoleName=name))
    logs.create_log_group(logGroupName=name)
    assert logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"] == []
    eventually(lambda: bool(logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]))
    topic = sns.create_topic(Name=name)["TopicArn"]
    assert refused(sns.get_topic_attributes, TopicArn=topic)[0] in ("NotFound", "NotFoundException")
    eventually(lambda: sns.get_topic_attributes(TopicArn=topic))
    cloudwatch.put_metric_alarm(AlarmName=name, Namespace="n", MetricName="m", Statistic="Sum", Period=60,
                                EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanThreshold")
    assert cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"] == []
    eventually(lambda: bool(cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]))


def test_a_buckets_configuration_is_read_late(strict, name):
    strict.bucket(name)
    s3 = strict.aws("s3")
    assert "Status" not in s3.get_bucket_versioning(Bucket=name)
    eventually(lambda: s3.get_bucket_versioning(Bucket=name).get("Status") == "Enabled")

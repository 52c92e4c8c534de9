"""Alarms and metrics."""

import json
import time

import pytest
from conftest import Sandbox, wait_until


@pytest.fixture(scope="module")
def fast():
    sandbox = Sandbox(DRCTL_SANDBOX_SPEED="20")
    yield sandbox
    sandbox.stop()


def alarm(sandbox, name):
    return sandbox.aws("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"][0]


def put(sandbox, name, **settings):
    sandbox.aws("cloudwatch").put_metric_alarm(**{
        "AlarmName": name, "Namespace": "drctl", "MetricName": name, "Statistic": "Sum", "Period": 60,
        "EvaluationPeriods": 1, "Threshold": 10, "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching", **settings})


def test_an_alarm_goes_off_and_comes_back(fast, name):
    put(fast, name)
    wait_until(lambda: alarm(fast, name)["StateValue"] == "OK")
    fast.aws("cloudwatch").put_metric_data(Namespace="drctl", MetricData=[{"MetricName": name, "Value": 11}])
    wait_until(lambda: alarm(fast, name)["StateValue"] == "ALARM")
    wait_until(lambda: alarm(fast, name)["StateValue"] == "OK")


def test_an_alarm_looks_at_its_own_dimensions_only(plain, name):
    put(plain, name, Dimensions=[{"Name": "FunctionName", "Value": "mine"}])
    for function, state in (("other", "OK"), ("mine", "ALARM")):
        plain.aws("cloudwatch").put_metric_data(Namespace="drctl", MetricData=[{
            "MetricName": name, "Value": 11, "Dimensions": [{"Name": "FunctionName", "Value": function}]}])
        assert alarm(plain, name)["StateValue"] == state


@pytest.mark.parametrize("treatment, state", [
    ("missing", "INSUFFICIENT_DATA"), ("breaching", "ALARM"), ("notBreaching", "OK"), ("ignore", "INSUFFICIENT_DATA")])
def test_missing_data_is_treated_as_asked(plain, name, treatment, state):
    put(plain, name, TreatMissingData=treatment)
    assert alarm(plain, name)["StateValue"] == state


def test_dynamodb_alarms_always_ignore_missing_data(plain, name):
    put(plain, name, Namespace="AWS/DynamoDB", TreatMissingData="notBreaching")
    assert alarm(plain, name)["StateValue"] == "INSUFFICIENT_DATA"


def test_metric_math_is_returned_and_evaluated(plain, name):
    metrics = [
        {"Id": "m", "ReturnData": False, "MetricStat": {
            "Metric": {"Namespace": "AWS/DynamoDB", "MetricName": name,
                       "Dimensions": [{"Name": "TableName", "Value": name}]}, "Period": 300, "Stat": "Sum"}},
        {"Id": "filled", "Expression": "FILL(m, 0)", "ReturnData": True}]
    plain.aws("cloudwatch").put_metric_alarm(
        AlarmName=name, Metrics=metrics, EvaluationPeriods=1, Threshold=10, ComparisonOperator="GreaterThanThreshold")
    found = alarm(plain, name)
    assert found["Metrics"] == metrics and found["StateValue"] == "OK"
    assert not {"MetricName", "Namespace", "Statistic", "Period"} & found.keys()
    plain.aws("cloudwatch").put_metric_data(Namespace="AWS/DynamoDB", MetricData=[{
        "MetricName": name, "Value": 11, "Dimensions": [{"Name": "TableName", "Value": name}]}])
    assert alarm(plain, name)["StateValue"] == "ALARM"


def test_alarms_secrets_topics_and_buckets_are_in_the_tagging_api(plain, name):
    tags = [{"Key": "system", "Value": name}]
    put(plain, name, Tags=tags)
    plain.aws("secretsmanager").create_secret(Name=name, SecretString="1", Tags=tags)
    plain.aws("sns").create_topic(Name=name, Tags=tags)
    plain.bucket(name)
    plain.aws("s3").put_bucket_tagging(Bucket=name, Tagging={"TagSet": tags})
    zone = plain.aws("route53").create_hosted_zone(Name=f"{name}.example", CallerReference=name)["HostedZone"]["Id"]
    plain.aws("route53").change_tags_for_resource(
        ResourceType="hostedzone", ResourceId=zone.rpartition("/")[2], AddTags=tags)
    found = plain.aws("resourcegroupstaggingapi").get_resources(
        TagFilters=[{"Key": "system", "Values": [name]}])["ResourceTagMappingList"]
    assert [entry["ResourceARN"].split(":")[2] for entry in found] == [
        "cloudwatch", "route53", "s3", "secretsmanager", "sns"]


def test_metrics_in_a_functions_log_are_published(plain, name):
    now = int(time.time() * 1000)
    line = json.dumps({"_aws": {"Timestamp": now, "CloudWatchMetrics": [{
        "Namespace": name, "Dimensions": [["Region"]], "Metrics": [{"Name": "Payments", "Unit": "Count"}]}]},
        "Region": "here", "Payments": 1})
    plain.aws("logs").create_log_group(logGroupName=name)
    plain.aws("logs").create_log_stream(logGroupName=name, logStreamName="s")
    plain.aws("logs").put_log_events(logGroupName=name, logStreamName="s",
                                     logEvents=[{"timestamp": now, "message": line}])
    metric, = plain.aws("cloudwatch").list_metrics(Namespace=name)["Metrics"]
    assert (metric["MetricName"], metric["Dimensions"]) == ("Payments", [{"Name": "Region", "Value": "here"}])

"""Stacks mark what they make."""

import json

import pytest
from botocore.exceptions import ClientError
from conftest import wait_until

STACK = "aws:cloudformation:stack-name"


def test_a_bucket_carries_the_tags_of_its_stack_and_keeps_them(plain, name):
    template = {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {
        "BucketName": name, "Tags": [{"Key": "team", "Value": "payments"}]}}}}
    cloudformation, s3 = plain.aws("cloudformation"), plain.aws("s3")
    cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(template))
    wait_until(lambda: cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE")

    def tags():
        return {tag["Key"]: tag["Value"] for tag in s3.get_bucket_tagging(Bucket=name)["TagSet"]}

    def put(tags):
        tag_set = [{"Key": key, "Value": value} for key, value in tags.items()]
        s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tag_set})

    theirs = {key: value for key, value in tags().items() if key.startswith("aws:")}
    assert theirs[STACK] == name and tags()["team"] == "payments"
    with pytest.raises(ClientError, match="System tags cannot be removed"):
        put({"team": "risk"})
    put({**theirs, "team": "risk"})
    assert tags() == {**theirs, "team": "risk"}

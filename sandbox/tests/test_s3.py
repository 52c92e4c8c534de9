"""Buckets that replicate to each other."""

from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime

import pytest
from botocore.exceptions import ClientError
from conftest import EAST, WEST, refused, wait_until
from test_kms import replicated


def configuration(target, role="replication", **rule):
    return {"Role": f"arn:aws:iam::000000000000:role/{role}", "Rules": [{
        "ID": "all", "Priority": 1, "Status": "Enabled", "Filter": {}, "DeleteMarkerReplication": {"Status": "Enabled"},
        "Destination": {"Bucket": f"arn:aws:s3:::{target}"}, **rule}]}


def replicate(sandbox, name, **settings):
    """Two buckets that send each other everything."""
    sandbox.bucket(f"{name}-e", EAST)
    sandbox.bucket(f"{name}-w", WEST)
    configure(sandbox, f"{name}-e", EAST, configuration(f"{name}-w", **settings))
    configure(sandbox, f"{name}-w", WEST, configuration(f"{name}-e", **settings))


def configure(sandbox, bucket, region, replication):
    """Sets a bucket's replication as soon as its versioning has settled."""

    def accepted():
        try:
            return sandbox.aws("s3", region).put_bucket_replication(
                Bucket=bucket, ReplicationConfiguration=replication)
        except ClientError as error:
            assert error.response["Error"]["Code"] == "InvalidRequest"
            return False

    wait_until(accepted)


def status(sandbox, bucket, key, region=EAST):
    try:
        return sandbox.aws("s3", region).head_object(Bucket=bucket, Key=key).get("ReplicationStatus")
    except ClientError as error:
        return error.response["Error"]["Code"]


@pytest.fixture
def role(strict, name):
    strict.aws("iam").create_role(RoleName=name, AssumeRolePolicyDocument="{}")
    return name


def test_objects_and_delete_markers_travel(plain, name):
    replicate(plain, name)
    plain.aws("s3", WEST).put_object(Bucket=f"{name}-w", Key="k", Body=b"from the west")
    assert plain.aws("s3").get_object(Bucket=f"{name}-e", Key="k")["Body"].read() == b"from the west"
    assert status(plain, f"{name}-e", "k") == "REPLICA" and status(plain, f"{name}-w", "k", WEST) == "COMPLETED"
    plain.aws("s3", WEST).delete_object(Bucket=f"{name}-w", Key="k")
    assert status(plain, f"{name}-e", "k") == "404"


def test_replication_waits_while_a_region_is_dark(plain, name):
    replicate(plain, name)
    plain.faults({"region": WEST, "action": "dark"})
    version = plain.aws("s3").put_object(Bucket=f"{name}-e", Key="k", Body=b"1")["VersionId"]
    assert status(plain, f"{name}-e", "k") == "PENDING"
    plain.faults()
    wait_until(lambda: status(plain, f"{name}-w", "k", WEST) == "REPLICA")
    assert plain.aws("s3").head_object(Bucket=f"{name}-e", Key="k", VersionId=version)["ReplicationStatus"] == \
        "COMPLETED"


def test_the_later_write_wins(plain, name):
    replicate(plain, name)
    plain.faults({"region": WEST, "action": "dark"})
    plain.aws("s3").put_object(Bucket=f"{name}-e", Key="k", Body=b"older")
    plain.faults()
    plain.aws("s3", WEST).put_object(Bucket=f"{name}-w", Key="k", Body=b"newer")

    def bodies():
        return {plain.aws("s3", region).get_object(Bucket=f"{name}-{place}", Key="k")["Body"].read()
                for region, place in ((EAST, "e"), (WEST, "w"))}

    wait_until(lambda: bodies() == {b"newer"})
    wait_until(lambda: status(plain, f"{name}-e", "k") in ("COMPLETED", "REPLICA"))


def test_latency_is_measured_where_the_copy_arrives(plain, name):
    replicate(plain, name, Destination={
        "Bucket": f"arn:aws:s3:::{name}-w", "Metrics": {"Status": "Enabled"}})
    plain.aws("s3").put_object(Bucket=f"{name}-e", Key="k", Body=b"1")
    metrics = plain.aws("cloudwatch", WEST).list_metrics(Namespace="AWS/S3", MetricName="ReplicationLatency")["Metrics"]
    assert {"SourceBucket": f"{name}-e", "DestinationBucket": f"{name}-w", "RuleId": "all"} in [
        {dimension["Name"]: dimension["Value"] for dimension in metric["Dimensions"]} for metric in metrics]


def test_versioning_has_to_settle_before_replication(strict, name):
    strict.bucket(f"{name}-e")
    strict.bucket(f"{name}-w", WEST)
    code, message = refused(strict.aws("s3").put_bucket_replication, Bucket=f"{name}-e",
                            ReplicationConfiguration=configuration(f"{name}-w"))
    assert code == "InvalidRequest" and "Versioning must be 'Enabled' on the bucket" in message


def test_objects_are_pending_and_then_completed(strict, name, role):
    replicate(strict, name, role=role)
    strict.aws("s3").put_object(Bucket=f"{name}-e", Key="k", Body=b"1")
    assert status(strict, f"{name}-e", "k") == "PENDING"
    assert status(strict, f"{name}-w", "k", WEST) == "404"
    wait_until(lambda: status(strict, f"{name}-e", "k") == "COMPLETED")
    assert status(strict, f"{name}-w", "k", WEST) == "REPLICA"


def test_a_wrong_role_fails_silently(strict, name):
    replicate(strict, name, role="nobody")
    strict.aws("s3").put_object(Bucket=f"{name}-e", Key="k", Body=b"1")
    wait_until(lambda: status(strict, f"{name}-e", "k") == "FAILED")


@pytest.mark.parametrize("criteria, expected", [(False, None), (True, "COMPLETED")])
def test_encrypted_objects_travel_only_when_the_rule_says_so(strict, name, role, criteria, expected):
    key = replicated(strict)
    keys = {region: f"arn:aws:kms:{region}:000000000000:key/{key}" for region in (EAST, WEST)}
    rule = {"SourceSelectionCriteria": {"SseKmsEncryptedObjects": {"Status": "Enabled"}}, "Destination": {
        "Bucket": f"arn:aws:s3:::{name}-w", "EncryptionConfiguration": {"ReplicaKmsKeyID": keys[WEST]}}}
    strict.bucket(f"{name}-e", EAST)
    strict.bucket(f"{name}-w", WEST)
    configure(strict, f"{name}-e", EAST, configuration(f"{name}-w", role, **(rule if criteria else {})))
    strict.aws("s3").put_object(Bucket=f"{name}-e", Key="k", Body=b"1", ServerSideEncryption="aws:kms",
                                SSEKMSKeyId=keys[EAST])
    wait_until(lambda: status(strict, f"{name}-e", "k") == expected)
    if criteria:
        assert strict.aws("s3", WEST).head_object(Bucket=f"{name}-w", Key="k")["SSEKMSKeyId"] == keys[WEST]
        strict.aws("kms", WEST).disable_key(KeyId=key)
        strict.aws("s3").put_object(Bucket=f"{name}-e", Key="l", Body=b"1", ServerSideEncryption="aws:kms",
                                    SSEKMSKeyId=keys[EAST])
        wait_until(lambda: status(strict, f"{name}-e", "l") == "FAILED")


def test_two_writes_to_one_bucket_collide(strict, name):
    strict.bucket(name, versioning=False)

    def tag(value):
        try:
            return strict.aws("s3").put_bucket_tagging(
                Bucket=name, Tagging={"TagSet": [{"Key": "a", "Value": value}]})["ResponseMetadata"]["HTTPStatusCode"]
        except ClientError as error:
            return error.response["Error"]["Code"]

    with ThreadPoolExecutor(2) as pool:
        assert sorted(map(str, pool.map(tag, "12"))) == ["204", "OperationAborted"]


def test_deleting_many_answers_200_with_an_error_inside(strict, name):
    strict.bucket(name)
    s3, keys = strict.aws("s3"), [{"Key": key} for key in "abc"]
    for key in keys:
        s3.put_object(Bucket=name, Body=b"1", **key)
    first = s3.delete_objects(Bucket=name, Delete={"Objects": keys, "Quiet": True})
    assert [(error["Key"], error["Code"]) for error in first["Errors"]] == [("c", "SlowDown")]
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=name)["Contents"]] == ["c"]
    assert "Errors" not in s3.delete_objects(Bucket=name, Delete={"Objects": keys, "Quiet": True})


def test_a_new_bucket_is_not_public(plain, name):
    plain.bucket(name)
    block = plain.aws("s3").get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
    assert set(block.values()) == {True} and len(block) == 4


def test_writes_and_deletions_keep_their_conditions(plain, name):
    plain.bucket(name)
    s3, key = plain.aws("s3"), {"Bucket": name, "Key": "lock"}
    assert refused(s3.put_object, **key, IfMatch='"1"')[0] == "NoSuchKey"
    first = s3.put_object(**key, Body=b"1", IfNoneMatch="*")["ETag"]
    assert refused(s3.put_object, **key, Body=b"2", IfNoneMatch="*")[0] == "PreconditionFailed"
    second = s3.put_object(**key, Body=b"2", IfMatch=first)["ETag"]
    assert refused(s3.put_object, **key, Body=b"3", IfMatch=first)[0] == "PreconditionFailed"
    assert refused(s3.delete_object, **key, IfMatch=first)[0] == "PreconditionFailed"
    s3.delete_object(**key, IfMatch=second)
    assert refused(s3.delete_object, **key, IfMatch=second)[0] == "NoSuchKey"
    s3.put_object(**key, Body=b"4", IfNoneMatch="*")
    answer = s3.get_object(**key)
    assert abs(parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
               - answer["LastModified"]).total_seconds() < 5

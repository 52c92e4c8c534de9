"""Multi-Region keys, and what becomes of them."""

import pytest
from conftest import EAST, WEST, refused, wait_until
from test_authorization import may, user


@pytest.fixture
def key(either):
    return replicated(either)


def replicated(sandbox):
    """The id of a key with a replica in the west."""
    kms = sandbox.aws("kms")
    key = kms.create_key(MultiRegion=True, Tags=[{"TagKey": "a", "TagValue": "1"}])["KeyMetadata"]["KeyId"]
    wait_until(lambda: state(sandbox, key, EAST) == "Enabled")
    kms.replicate_key(KeyId=key, ReplicaRegion=WEST)
    wait_until(lambda: state(sandbox, key, WEST) == "Enabled")
    return key


def state(sandbox, key, region):
    kms = sandbox.aws("kms", region)
    try:
        return kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"]
    except kms.exceptions.NotFoundException:
        return None


def becomes(sandbox, key, region, wanted):
    wait_until(lambda: state(sandbox, key, region) == wanted)


def test_a_primary_key_waits_for_its_replicas(either, key):
    east, west = either.aws("kms", EAST), either.aws("kms", WEST)
    gone = west.schedule_key_deletion(KeyId=key)
    assert gone["KeyState"] == "PendingDeletion" and gone["PendingWindowInDays"] == 30
    answer = east.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert answer["KeyState"] == "PendingReplicaDeletion" and "DeletionDate" not in answer
    becomes(either, key, EAST, "PendingReplicaDeletion")
    shown = east.describe_key(KeyId=key)["KeyMetadata"]
    assert [member["Region"] for member in shown["MultiRegionConfiguration"]["ReplicaKeys"]] == [WEST]
    code, message = refused(east.schedule_key_deletion, KeyId=key)
    assert code == "KMSInvalidStateException" and "pending deletion" in message


def test_a_deletion_is_taken_back_and_the_key_is_disabled_then(either, key):
    west = either.aws("kms", WEST)
    assert refused(west.cancel_key_deletion, KeyId=key)[0] == "KMSInvalidStateException"
    west.schedule_key_deletion(KeyId=key)
    assert refused(west.enable_key, KeyId=key)[0] == "KMSInvalidStateException"
    assert refused(west.tag_resource, KeyId=key, Tags=[{"TagKey": "b", "TagValue": "2"}])[0] == (
        "KMSInvalidStateException")
    west.cancel_key_deletion(KeyId=key)
    becomes(either, key, WEST, "Disabled")
    west.enable_key(KeyId=key)
    becomes(either, key, WEST, "Enabled")


def test_all_members_rotate_with_the_primary_key(either, key):
    east, west = either.aws("kms", EAST), either.aws("kms", WEST)
    assert refused(west.enable_key_rotation, KeyId=key)[0] == "UnsupportedOperationException"
    east.enable_key_rotation(KeyId=key)
    wait_until(lambda: west.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"])
    east.disable_key(KeyId=key)
    assert refused(east.disable_key_rotation, KeyId=key)[0] == "DisabledException"
    east.schedule_key_deletion(KeyId=key)
    wait_until(lambda: not east.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"])


def test_the_tagging_api_finds_keys_also_those_about_to_go(plain):
    key = replicated(plain)
    plain.aws("kms").schedule_key_deletion(KeyId=key)
    found = plain.aws("resourcegroupstaggingapi").get_resources(TagFilters=[{"Key": "a", "Values": ["1"]}])
    arns = [entry["ResourceARN"] for entry in found["ResourceTagMappingList"]]
    assert f"arn:aws:kms:{EAST}:000000000000:key/{key}" in arns


def test_a_replica_is_being_created_for_a_moment(strict):
    kms = strict.aws("kms")
    key = kms.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
    wait_until(lambda: state(strict, key, EAST) == "Enabled")
    kms.replicate_key(KeyId=key, ReplicaRegion=WEST)
    becomes(strict, key, WEST, "Creating")
    becomes(strict, key, WEST, "Enabled")


def test_an_alias_needs_to_be_allowed_for_itself_and_for_its_key(plain, name):
    key = plain.aws("kms").create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
    alias, arn = f"alias/{name}", f"arn:aws:kms:{EAST}:000000000000"
    half = user(plain, f"{name}-half", may("kms:CreateAlias", f"{arn}:key/mrk-*"))("kms")
    assert f"{arn}:{alias}" in refused(half.create_alias, AliasName=alias, TargetKeyId=key)[1]
    whole = user(plain, name, may("kms:CreateAlias", [f"{arn}:key/mrk-*", f"{arn}:{alias}"]))("kms")
    whole.create_alias(AliasName=alias, TargetKeyId=key)
    assert "kms:DescribeKey" in refused(whole.describe_key, KeyId=alias)[1]

"""Secrets and their replicas."""

import pytest
from conftest import EAST, WEST, refused, wait_until

TOKEN, OTHER = "a" * 32, "b" * 32


@pytest.fixture
def replicated(plain, name):
    plain.aws("secretsmanager").create_secret(Name=name, SecretString="1", ClientRequestToken=TOKEN,
                                              AddReplicaRegions=[{"Region": WEST}])
    return plain.aws("secretsmanager"), plain.aws("secretsmanager", WEST)


def test_a_secret_is_created_with_its_replica(replicated, name):
    east, west = replicated
    assert [(entry["Region"], entry["Status"]) for entry in east.describe_secret(SecretId=name)["ReplicationStatus"]] \
        == [(WEST, "InSync")]
    assert west.describe_secret(SecretId=name)["PrimaryRegion"] == EAST
    assert west.get_secret_value(SecretId=name)["SecretString"] == "1"
    assert refused(west.put_secret_value, SecretId=name, SecretString="2")[0] == "InvalidRequestException"


def test_a_token_is_the_version_and_names_one_value(replicated, name):
    east, west = replicated
    assert list(east.describe_secret(SecretId=name)["VersionIdsToStages"]) == [TOKEN]
    again = dict(Name=name, SecretString="1", ClientRequestToken=TOKEN)
    assert east.create_secret(**again)["VersionId"] == TOKEN
    assert refused(east.create_secret, **{**again, "SecretString": "2"})[0] == "ResourceExistsException"
    put = dict(SecretId=name, SecretString="2", ClientRequestToken=OTHER)
    assert east.put_secret_value(**put)["VersionId"] == east.put_secret_value(**put)["VersionId"] == OTHER
    assert refused(east.put_secret_value, **{**put, "SecretString": "3"})[0] == "ResourceExistsException"
    assert west.get_secret_value(SecretId=name)["SecretString"] == "2"


def test_replicas_are_removed_before_the_secret(replicated, name):
    east, west = replicated
    assert "replica regions" in refused(east.delete_secret, SecretId=name)[1]
    assert east.remove_regions_from_replication(
        SecretId=name, RemoveReplicaRegions=[WEST])["ReplicationStatus"] == []
    assert refused(west.describe_secret, SecretId=name)[0] == "ResourceNotFoundException"
    east.delete_secret(SecretId=name)
    code, message = refused(east.create_secret, Name=name, SecretString="1")
    assert code == "InvalidRequestException" and "scheduled for deletion" in message
    east.restore_secret(SecretId=name)
    assert "DeletedDate" not in east.describe_secret(SecretId=name)


def test_removing_a_replica_that_failed_leaves_the_secret_that_has_its_name(replicated, name):
    east, west = replicated
    west.stop_replication_to_replica(SecretId=name)
    east.replicate_secret_to_regions(SecretId=name, AddReplicaRegions=[{"Region": WEST}])
    assert east.remove_regions_from_replication(SecretId=name, RemoveReplicaRegions=[WEST])["ReplicationStatus"] == []
    assert west.get_secret_value(SecretId=name)["SecretString"] == "1"


def test_a_replica_takes_another_key_and_nothing_else(replicated, plain, name):
    east, west = replicated
    key = plain.aws("kms", WEST).create_key()["KeyMetadata"]["Arn"]
    assert refused(west.update_secret, SecretId=name, Description="mine")[0] == "InvalidRequestException"
    west.update_secret(SecretId=name, KmsKeyId=key)
    assert west.describe_secret(SecretId=name)["KmsKeyId"] == key
    assert east.describe_secret(SecretId=name)["ReplicationStatus"][0]["KmsKeyId"] == key
    west.update_secret(SecretId=name, KmsKeyId="")
    assert "KmsKeyId" not in west.describe_secret(SecretId=name)


def test_a_replica_can_become_independent(replicated, name):
    east, west = replicated
    west.stop_replication_to_replica(SecretId=name)
    west.put_secret_value(SecretId=name, SecretString="west")
    assert "PrimaryRegion" not in west.describe_secret(SecretId=name)
    assert "ReplicationStatus" not in east.describe_secret(SecretId=name)
    assert east.get_secret_value(SecretId=name)["SecretString"] == "1"
    status, = east.replicate_secret_to_regions(
        SecretId=name, AddReplicaRegions=[{"Region": WEST}])["ReplicationStatus"]
    assert status["Status"] == "Failed" and "already exists" in status["StatusMessage"]
    status, = east.replicate_secret_to_regions(
        SecretId=name, AddReplicaRegions=[{"Region": WEST}], ForceOverwriteReplicaSecret=True)["ReplicationStatus"]
    assert status["Status"] == "InSync"
    assert west.get_secret_value(SecretId=name)["SecretString"] == "1"


def test_forced_deletion_of_nothing_succeeds(plain, name):
    plain.aws("secretsmanager").delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)


def test_replication_is_in_progress_first(strict, name):
    client = strict.aws("secretsmanager")
    client.create_secret(Name=name, SecretString="1", AddReplicaRegions=[{"Region": WEST}])

    def status():
        return client.describe_secret(SecretId=name)["ReplicationStatus"][0]["Status"]

    assert status() == "InProgress"
    wait_until(lambda: status() == "InSync")


def test_a_deleted_name_stays_taken_for_a_while(strict, name):
    client = strict.aws("secretsmanager")
    client.create_secret(Name=name, SecretString="1")
    client.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
    code, message = refused(client.create_secret, Name=name, SecretString="1")
    assert code == "InvalidRequestException" and "was deleted" in message

    def created():
        try:
            return client.create_secret(Name=name, SecretString="1")
        except client.exceptions.InvalidRequestException:
            return False

    wait_until(created)

"""Secrets Manager: replicas that come, go and become independent, and names that stay taken after a deletion."""

import json

from ministack.core.responses import get_account_id, get_region

from . import calls, clock, hooks, store

_REPLICATING = 0.6
_NAME_BLOCKED = 1.0
_COLLISION = "Secret with this name already exists in this region."

_secrets = hooks.module("secretsmanager")
# When a replica will be in sync, by secret name and region; when a name is free again.
_in_sync_at = store.account_wide("secretsmanager.in_sync_at")
_free_at = store.regional("secretsmanager.free_at")


def _invalid(call, message):
    return call.error("InvalidRequestException", message)


def _missing(call):
    return call.error("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")


@calls.around("secretsmanager", "CreateSecret")
async def secrets_are_created_with_token_and_replicas(call, proceed):
    """ministack ignores the token, which is the version's id, and the replica regions."""
    ask, existing = call.params, _secrets._secrets.get(call.params.get("Name"))
    token = ask.get("ClientRequestToken")
    if existing and existing.get("DeletedDate"):
        return _invalid(call, "You can't create this secret because a secret with this name is already scheduled for "
                        "deletion.")
    if existing and token in existing["Versions"]:
        if existing["Versions"][token].get("SecretString") != ask.get("SecretString"):
            return call.error("ResourceExistsException", "A resource with the ID you requested already exists.")
        return call.json({"ARN": existing["ARN"], "Name": ask["Name"], "VersionId": token})
    answer = await proceed()
    if answer[0] != 200:
        return answer
    created = json.loads(answer[2])
    if token:
        versions = _secrets._secrets[ask["Name"]]["Versions"]
        versions[token] = versions.pop(created["VersionId"])
        created["VersionId"] = token
    if ask.get("AddReplicaRegions"):
        created["ReplicationStatus"] = _replicate(ask["Name"], ask)
    return call.json(created)


@calls.around("secretsmanager", "ReplicateSecretToRegions")
async def replicate_to_regions(call, proceed):
    _, secret = _secrets._resolve(call.params.get("SecretId"))
    if not secret or secret.get("DeletedDate") or _secrets._is_replica(secret):
        return await proceed()
    return call.json({"ARN": secret["ARN"], "ReplicationStatus": _replicate(secret["Name"], call.params)})


def _replicate(name, ask):
    """Adds replicas; where another secret has the name and may not be replaced, the replica has failed instead."""
    secret = _secrets._secrets[name]
    for wanted in ask["AddReplicaRegions"]:
        region = wanted["Region"]
        status = {"Region": region, "Status": "Failed", "StatusMessage": _COLLISION}
        other = _secrets._secrets.get_scoped(get_account_id(), region, name)
        ours = other and _secrets._is_replica(other) and other["_PrimarySecretArn"] == secret["ARN"]
        if other is None or ours or ask.get("ForceOverwriteReplicaSecret"):
            _secrets._replicate_secret_to_regions({
                "SecretId": name, "AddReplicaRegions": [wanted], "ForceOverwriteReplicaSecret": True})
            _in_sync_at[name, region] = clock.after(_REPLICATING) if clock.STRICT else 0
        else:
            others = [entry for entry in secret["ReplicationStatus"] if entry["Region"] != region]
            secret["ReplicationStatus"] = others + [status]
    return _statuses(secret)


def _statuses(secret):
    """The replication status as it can be seen now."""
    shown = []
    for entry in secret.get("ReplicationStatus", []):
        if entry["Status"] == "InSync":
            entry = {key: value for key, value in entry.items() if key != "StatusMessage"}
            if _in_sync_at.get((secret["Name"], entry["Region"]), 0) > clock.now():
                entry["Status"] = "InProgress"
        shown.append(entry)
    return shown


@calls.around("secretsmanager", "DescribeSecret")
async def replication_takes_time(call, proceed):
    answer = await proceed()
    if answer[0] != 200:
        return answer
    described = json.loads(answer[2])
    if "ReplicationStatus" in described:
        described["ReplicationStatus"] = _statuses(described)
    return call.json(described)


@calls.around("secretsmanager", "RemoveRegionsFromReplication")
async def remove_regions(call, proceed):
    _, secret = _secrets._resolve(call.params.get("SecretId"))
    if not secret:
        return _missing(call)
    for region in call.params.get("RemoveReplicaRegions", []):
        gone = [entry for entry in secret["ReplicationStatus"] if entry["Region"] == region]
        # One that failed was never made: what has the name there is another secret.
        made = [entry for entry in gone if entry["Status"] != "Failed"]
        _secrets._delete_replicas({**secret, "ReplicationStatus": made})
        secret["ReplicationStatus"] = [entry for entry in secret["ReplicationStatus"] if entry not in gone]
    return call.json({"ARN": secret["ARN"], "ReplicationStatus": _statuses(secret)})


@calls.around("secretsmanager", "UpdateSecret")
async def a_replica_takes_another_key(call, proceed):
    """Its key is all that can be changed of a replica. An empty one is `aws/secretsmanager`."""
    _, secret = _secrets._resolve(call.params.get("SecretId"))
    if not secret or not _secrets._is_replica(secret) or call.params.keys() - {"SecretId", "ClientRequestToken"} != {
            "KmsKeyId"}:
        return await proceed()
    key = call.params["KmsKeyId"]
    primary = _secrets._secrets.get_scoped(get_account_id(), secret["_PrimaryRegion"], secret["Name"])
    for entry in [secret, *(entry for entry in primary["ReplicationStatus"] if entry["Region"] == get_region())]:
        entry.pop("KmsKeyId", None)
        entry.update({"KmsKeyId": key} if key else {})
    return call.json({"ARN": secret["ARN"], "Name": secret["Name"]})


@calls.around("secretsmanager", "StopReplicationToReplica")
async def stop_replication(call, proceed):
    _, secret = _secrets._resolve(call.params.get("SecretId"))
    if not secret:
        return _missing(call)
    if not _secrets._is_replica(secret):
        return _invalid(call, "The secret is not a replica.")
    _secrets._unlink_from_primary(secret)
    for link in ("_PrimarySecretArn", "_PrimaryRegion"):
        secret.pop(link)
    return call.json({"ARN": secret["ARN"]})


@calls.around("secretsmanager", "DeleteSecret")
async def replicas_go_first(call, proceed):
    key, secret = _secrets._resolve(call.params.get("SecretId"))
    force = call.params.get("ForceDeleteWithoutRecovery")
    if not secret and force:
        name = call.params["SecretId"]
        arn = f"arn:aws:secretsmanager:{get_region()}:{get_account_id()}:secret:{name}"
        return call.json({"ARN": arn, "Name": name, "DeletionDate": int(clock.now())})
    if secret and secret.get("ReplicationStatus"):
        regions = ", ".join(entry["Region"] for entry in secret["ReplicationStatus"])
        return _invalid(call, f"You can't delete secret {secret['Name']} that still has replica regions [{regions}].")
    answer = await proceed()
    if clock.STRICT and force and answer[0] == 200:
        _free_at[key] = clock.after(_NAME_BLOCKED)
    return answer


@calls.strictly("secretsmanager", "CreateSecret")
async def a_deleted_name_stays_taken(call, proceed):
    if _free_at.get(call.params.get("Name"), 0) > clock.now():
        return _invalid(call, "You can't perform this operation on the secret because it was deleted.")
    return await proceed()


@calls.around("secretsmanager", "PutSecretValue")
async def a_token_names_one_value(call, proceed):
    _, secret = _secrets._resolve(call.params.get("SecretId"))
    version = (secret or {}).get("Versions", {}).get(call.params.get("ClientRequestToken"))
    if version is None:
        return await proceed()
    if version.get("SecretString") != call.params.get("SecretString"):
        return call.error("ResourceExistsException", "A resource with the ID you requested already exists.")
    return call.json({"ARN": secret["ARN"], "Name": secret["Name"],
                      "VersionId": call.params["ClientRequestToken"], "VersionStages": version["Stages"]})

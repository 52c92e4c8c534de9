"""KMS: multi-Region keys whose deletion is only scheduled, replicas that take a moment, rotation that all members share."""

from ministack.core.responses import get_account_id, get_region, request_scope

from . import calls, clock, hooks

_CREATING = 0.5
_DAY = 86_400

_kms = hooks.module("kms")


def _invalid_state(call, key, state):
    return call.error("KMSInvalidStateException", f"{key['Arn']} is {state}.")


def _is_pending(key):
    return key["KeyState"] in ("PendingDeletion", "PendingReplicaDeletion")


def _is_replica(key):
    return key.get("_mrk_type") == "REPLICA"


@calls.around("kms", "ScheduleKeyDeletion")
async def a_deletion_is_scheduled(call, proceed):
    """A replica stays one until it is deleted, and its primary key waits for that. ministack lets it go at once."""
    key, days = _kms._resolve_key(call.params.get("KeyId")), call.params.get("PendingWindowInDays", 30)
    if key is None or not 7 <= days <= 30:
        return await proceed()
    if _is_pending(key):
        return _invalid_state(call, key, "pending deletion")
    waits = not _is_replica(key) and len(key.get("_mrk_regions") or []) > 1
    key.update(KeyState="PendingReplicaDeletion" if waits else "PendingDeletion", Enabled=False,
               _pending_window_days=days)
    answer = {"KeyId": key["Arn"], "KeyState": key["KeyState"], "PendingWindowInDays": days}
    if not waits:
        answer["DeletionDate"] = key["DeletionDate"] = int(clock.now() + days * _DAY)
    return call.json(answer)


@calls.around("kms", "CancelKeyDeletion")
async def only_a_scheduled_deletion_is_cancelled(call, proceed):
    key = _kms._resolve_key(call.params.get("KeyId"))
    if key is not None and not _is_pending(key):
        return _invalid_state(call, key, "not pending deletion")
    return await proceed()


@calls.around("kms", "EnableKey", "DisableKey", "UpdateKeyDescription", "CreateAlias", "UpdateAlias", "TagResource",
              "UntagResource", "EnableKeyRotation", "DisableKeyRotation")
async def a_key_about_to_go_is_not_changed(call, proceed):
    key = _kms._resolve_key(call.params.get("TargetKeyId") or call.params.get("KeyId"))
    if key is not None and _is_pending(key):
        return _invalid_state(call, key, "pending deletion")
    return await proceed()


@calls.around("kms", "EnableKeyRotation", "DisableKeyRotation")
async def rotation_is_set_on_the_primary_key(call, proceed):
    key = _kms._resolve_key(call.params.get("KeyId"))
    if key is None:
        return await proceed()
    if _is_replica(key):
        return call.error("UnsupportedOperationException", f"{key['Arn']} is a multi-Region replica key.")
    if key["KeyState"] == "Disabled":
        return call.error("DisabledException", f"{key['Arn']} is disabled.")
    answer = await proceed()
    for _, member in _kms._mrk_members(key):
        member["KeyRotationEnabled"] = key["KeyRotationEnabled"]
    return answer


@calls.around("kms", "GetKeyRotationStatus")
async def a_key_about_to_go_does_not_rotate(call, proceed):
    key = _kms._resolve_key(call.params.get("KeyId"))
    if key is not None and _is_pending(key):
        return call.json({"KeyId": key["KeyId"], "KeyRotationEnabled": False})
    return await proceed()


@calls.around("kms", "ReplicateKey")
async def replicas_share_the_rotation(call, proceed):
    answer = await proceed()
    if answer[0] == 200:
        key, replica = _kms._resolve_key(call.params["KeyId"]), _replica(call)
        replica["KeyRotationEnabled"] = key.get("KeyRotationEnabled", False)
    return answer


@calls.strictly("kms", "ReplicateKey")
async def replicas_take_time(call, proceed):
    answer = await proceed()
    if answer[0] == 200:
        replica = _replica(call)
        replica.update(KeyState="Creating", Enabled=False)
        clock.later(_CREATING, _finish, replica)
    return answer


def _replica(call):
    """What ReplicateKey made."""
    key = _kms._resolve_key(call.params["KeyId"])
    with request_scope(get_account_id(), call.params["ReplicaRegion"]):
        return _kms._resolve_key(key["KeyId"])


def _finish(replica):
    if replica["KeyState"] == "Creating":
        replica.update(KeyState="Enabled", Enabled=True)


def region_of(named):
    """The region of a key's ARN; any other name is meant in the region of the request."""
    return named.split(":")[3] if named.startswith("arn:") else get_region()


def is_managed(named):
    """Whether this is one of AWS's own keys, which always work, and which let nobody in but their service's callers."""
    return "alias/aws/" in named


def trouble(named):
    """Why a key cannot be used now: `missing`, `disabled` or `pending`; nothing if it can."""
    if is_managed(named):
        return None
    with request_scope(get_account_id(), region_of(named)):
        key = _kms._resolve_key(named)
    if key is None:
        return "missing"
    return {"Enabled": None, "Disabled": "disabled"}.get(key["KeyState"], "pending")

"""DynamoDB in strict mode: tables that take time to change, and refuse what AWS refuses meanwhile.

ministack makes every change at once. Here that change is hidden, or held back,
until it would be visible on AWS; `_Phase` says what a member looks like now.
"""

import copy
import json
from dataclasses import dataclass, field

from ministack.core.responses import get_account_id, get_region

from . import calls, clock, hooks, store
from .dynamodb import in_region, members, others, table_name
from .stale import Lagging

_CREATING = 0.4
_UPDATING = 0.5
_DELETING = 0.4
_BACKUPS_READY = 0.4
_REPLICA_LISTED = 0.3
_REPLICA_FOUND = 0.5
_REPLICA_ACTIVE = 1.0
_REPLICA_DELETING = 0.8
_TAGS_LOCKED = 0.3
_TAGS_LAG = 0.5
_TTL_CHANGING = 0.5
_TTL_COOL_DOWN = 5.0
_SOURCE_RULE = 24 * 3600

# What UpdateTable does one at a time. Capacity settings may come together.
_CONCERNS = {
    "BillingMode": "capacity",
    "ProvisionedThroughput": "capacity",
    "OnDemandThroughput": "capacity",
    "DeletionProtectionEnabled": "deletion protection",
    "SSESpecification": "encryption",
    "TableClass": "table class",
    "WarmThroughput": "warm throughput",
    "StreamSpecification": "stream",
    "ReplicaUpdates": "replicas",
    "GlobalSecondaryIndexUpdates": "indexes",
}

_dynamodb = hooks.module("dynamodb")


@dataclass
class _Phase:
    """Since when, or until when, one member of a table is in which state. Moments, not durations."""

    # When the other members list it, and when it can be described in its own region.
    listed_at: float = 0
    found_at: float = 0
    active_at: float = 0
    backups_at: float = 0
    updating_until: float = 0
    encrypting_until: float = 0
    deleting: bool = False
    tags_locked_until: float = 0
    ttl_changed_at: float = 0
    # When this member became the source of another one, by the other one's region.
    source_of: dict = field(default_factory=dict)

    def status(self):
        if self.deleting:
            return "DELETING"
        if clock.now() < self.active_at:
            return "CREATING"
        return "UPDATING" if clock.now() < self.updating_until else "ACTIVE"


_phases: dict = {}
store.on_reset(_phases.clear)


def _phase(name, region=None):
    return _phases.setdefault((get_account_id(), region or get_region(), name), _Phase())


def _forget(name, region=None):
    _phases.pop((get_account_id(), region or get_region(), name), None)


def _describe(original):
    """Shows the table as its phase says: its status, and those of the other members that can be seen yet."""

    def describe(name):
        description = original(name)
        description["TableStatus"] = _phase(name).status()
        if "SSEDescription" in description and clock.now() < _phase(name).encrypting_until:
            description["SSEDescription"] = {**description["SSEDescription"], "Status": "UPDATING"}
        replicas = []
        for replica in description.get("Replicas", []):
            phase = _phase(name, replica["RegionName"])
            if clock.now() >= phase.listed_at:
                replicas.append({**replica, "ReplicaStatus": phase.status()})
        if "Replicas" in description:
            description["Replicas"] = replicas
        return description

    return describe


def _in_use(call, name):
    return call.error("ResourceInUseException",
                      f"Attempt to change a resource which is still in use: Table is being updated: {name}")


def _not_found(call, name):
    return call.error("ResourceNotFoundException", f"Requested resource not found: Table: {name} not found")


def _invalid(call, message):
    return call.error("ValidationException", message)


@calls.strictly("dynamodb", "DescribeTable")
async def members_are_found_late(call, proceed):
    name = table_name(call)
    return _not_found(call, name) if clock.now() < _phase(name).found_at else await proceed()


@calls.strictly("dynamodb", "PutItem", "GetItem", "UpdateItem", "DeleteItem", "Query", "Scan", "DescribeTimeToLive",
                "UpdateTimeToLive", "DescribeContinuousBackups", "UpdateContinuousBackups", "TagResource",
                "UntagResource", "ListTagsOfResource")
async def a_table_being_created_is_only_described(call, proceed):
    name = table_name(call)
    return _not_found(call, name) if _phase(name).status() == "CREATING" else await proceed()


@calls.strictly("dynamodb", "CreateTable")
async def tables_take_time_to_create(call, proceed):
    answer = await proceed()
    if answer[0] != 200:
        return answer
    name = table_name(call)
    _forget(name)
    _start(_phase(name), _CREATING)
    return call.json({"TableDescription": _dynamodb._table_description(name)})


def _start(phase, seconds):
    phase.active_at = clock.after(seconds)
    phase.backups_at = clock.after(seconds + _BACKUPS_READY)


@calls.strictly("dynamodb", "UpdateTable")
async def one_concern_in_one_update(call, proceed):
    concerns = {_CONCERNS[key] for key in call.params if key in _CONCERNS}
    if len(concerns) > 1:
        return _invalid(call, "One or more parameter values were invalid: only one of the following may be changed "
                        f"in one request: {', '.join(sorted(concerns))}")
    updates = call.params.get("ReplicaUpdates", []) + call.params.get("GlobalSecondaryIndexUpdates", [])
    if len(updates) > 1 and not _changes_keys(call):
        return _invalid(call, "One or more parameter values were invalid: only one replica or index may be created or "
                        "deleted in one request")
    return await proceed()


@calls.strictly("dynamodb", "UpdateTable")
async def one_update_at_a_time(call, proceed):
    name = table_name(call)
    if name not in _dynamodb._tables or clock.now() < _phase(name).found_at:
        return _not_found(call, name)
    group = members(name) or [get_region()]
    if any(_phase(name, region).status() != "ACTIVE" for region in group):
        return _in_use(call, name)
    if refusal := _stream_refusal(call, _dynamodb._tables[name]):
        return refusal
    if "ReplicaUpdates" in call.params and not _changes_keys(call):
        return await _update_replicas(call, name, proceed)
    return await _update(call, name, proceed)


def _changes_keys(call):
    """Whether members are to be encrypted with other keys, which is done for all of them at once."""
    updates = call.params.get("ReplicaUpdates", [])
    return bool(updates) and all("KMSMasterKeyId" in update.get("Update", {}) for update in updates)


def _stream_refusal(call, table):
    wanted = call.params.get("StreamSpecification")
    current = table.get("StreamSpecification") or {}
    if wanted and others(table["TableName"]):
        return _invalid(call, "Cannot modify the stream of a table that has replicas.")
    if wanted and bool(wanted.get("StreamEnabled")) == bool(current.get("StreamEnabled")):
        return _invalid(call, f"Table already has {'an enabled' if current else 'a disabled'} stream: "
                        f"TableName: {table['TableName']}")
    return None


async def _update(call, name, proceed):
    answer = await proceed()
    instant = "DeletionProtectionEnabled" in call.params and not others(name)
    if answer[0] != 200 or instant:
        return answer
    for region in members(name) or [get_region()]:
        phase = _phase(name, region)
        phase.updating_until = clock.after(_UPDATING)
        if "SSESpecification" in call.params or _changes_keys(call):
            phase.encrypting_until = phase.updating_until
    return call.json({"TableDescription": _dynamodb._table_description(name)})


async def _update_replicas(call, name, proceed):
    (action, update), = call.params["ReplicaUpdates"][0].items()
    region = update["RegionName"]
    if action == "Delete":
        return await _remove_replica(call, name, region, proceed)
    answer = await proceed()
    if answer[0] != 200 or action != "Create":
        return answer
    _forget(name, region)
    replica = _phase(name, region)
    replica.listed_at, replica.found_at = clock.after(_REPLICA_LISTED), clock.after(_REPLICA_FOUND)
    _start(replica, _REPLICA_ACTIVE)
    _phase(name).updating_until = replica.active_at
    _phase(name).source_of[region] = clock.now()
    return call.json({"TableDescription": _dynamodb._table_description(name)})


async def _remove_replica(call, name, region, proceed):
    if region not in others(name):
        return await proceed()
    with in_region(region):
        refusal = _deletion_refusal(call, name)
    if refusal:
        return refusal
    _phase(name, region).deleting = True
    _phase(name).updating_until = clock.after(_REPLICA_DELETING)

    async def finish():
        _forget(name, region)
        _phase(name).source_of.pop(region, None)
        await proceed()

    clock.later(_REPLICA_DELETING, finish)
    return call.json({"TableDescription": _dynamodb._table_description(name)})


def _deletion_refusal(call, name):
    """Why this region's member cannot be deleted now."""
    if _dynamodb._tables[name].get("DeletionProtectionEnabled"):
        return _invalid(call, "Table is protected against deletion. To delete the table, disable deletion protection.")
    young = [since for region, since in _phase(name).source_of.items()
             if region in others(name) and since > clock.now() - clock.scaled(_SOURCE_RULE)]
    if young:
        return _invalid(call, "Replica cannot be deleted because it has acted as a source region for new replica(s) "
                        "being added to the table in the last 24 hours.")
    return None


@calls.strictly("dynamodb", "DeleteTable")
async def tables_take_time_to_delete(call, proceed):
    name = table_name(call)
    if name not in _dynamodb._tables:
        return await proceed()
    phase = _phase(name)
    if phase.status() != "ACTIVE" or clock.now() < phase.tags_locked_until:
        return _in_use(call, name)
    if refusal := _deletion_refusal(call, name):
        return refusal
    phase.deleting = True

    async def finish():
        _forget(name)
        await proceed()

    clock.later(_DELETING, finish)
    return call.json({"TableDescription": _dynamodb._table_description(name)})


@calls.strictly("dynamodb", "UpdateContinuousBackups")
async def backups_are_not_ready_at_once(call, proceed):
    name = table_name(call)
    if clock.now() < _phase(name).backups_at:
        return call.error("ContinuousBackupsUnavailableException",
                          f"Backups are being enabled for the table: {name}. Please retry later")
    return await proceed()


@calls.strictly("dynamodb", "UpdateTimeToLive")
async def time_to_live_cools_down(call, proceed):
    name = table_name(call)
    current = _dynamodb._ttl_settings.get(name, {}).get("TimeToLiveStatus") == "ENABLED"
    wanted = call.params.get("TimeToLiveSpecification", {}).get("Enabled")
    if name in _dynamodb._tables and bool(wanted) == current:
        return _invalid(call, f"TimeToLive is already {'enabled' if current else 'disabled'}")
    group = [_phase(name, region) for region in members(name) or [get_region()]]
    if any(clock.now() < phase.ttl_changed_at + clock.scaled(_TTL_COOL_DOWN) for phase in group):
        return _invalid(call, "Time to live has been modified multiple times within a fixed interval")
    answer = await proceed()
    if answer[0] == 200:
        for phase in group:
            phase.ttl_changed_at = clock.now()
    return answer


@calls.strictly("dynamodb", "DescribeTimeToLive")
async def time_to_live_takes_time(call, proceed):
    answer = await proceed()
    if answer[0] != 200 or clock.now() >= _phase(table_name(call)).ttl_changed_at + clock.scaled(_TTL_CHANGING):
        return answer
    body = json.loads(answer[2])
    shown = body["TimeToLiveDescription"]
    shown["TimeToLiveStatus"] = {"ENABLED": "ENABLING", "DISABLED": "DISABLING"}[shown["TimeToLiveStatus"]]
    return call.json(body)


_tags = Lagging(_TAGS_LAG, lambda: copy.deepcopy(dict(_dynamodb._tags.items())))


@calls.strictly("dynamodb", "TagResource", "UntagResource")
async def tags_are_locked_while_written(call, proceed):
    name = table_name(call)
    if clock.now() < _phase(name).tags_locked_until:
        return call.error("LimitExceededException",
                          "Subscriber limit exceeded: Table tags are being updated. Please retry later.")
    _tags.remember((get_account_id(), get_region()))
    answer = await proceed()
    if answer[0] == 200:
        _phase(name).tags_locked_until = clock.after(_TAGS_LOCKED)
    return answer


@calls.strictly("dynamodb", "ListTagsOfResource")
async def tags_are_listed_late(call, proceed):
    answer = await proceed()
    if answer[0] != 200:
        return answer
    past = _tags.past((get_account_id(), get_region()))
    if past is None:
        return answer
    return call.json({**json.loads(answer[2]), "Tags": past.get(call.params["ResourceArn"], [])})


def install():
    if clock.STRICT:
        hooks.wrap("dynamodb", "_table_description", _describe)

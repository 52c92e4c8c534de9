"""DynamoDB: global tables whose members share what they share on AWS.

What tables look like while they change, and what they then refuse, is in
`dynamodb_strict`.
"""

import copy
import functools
import json
import math

from ministack.core.responses import AccountRegionScopedDict, get_account_id, get_region, request_scope

from . import calls, clock, hooks, replication, store

# What UpdateTable changes in every member, whichever member it is sent to.
_SHARED = ("BillingModeSummary", "ProvisionedThroughput", "AttributeDefinitions", "GlobalSecondaryIndexes",
           "StreamSpecification", "OnDemandThroughput", "TableClassSummary")

# What one unit of capacity reads or writes.
_READ_BYTES = 4096
_WRITE_BYTES = 1024

_dynamodb = hooks.module("dynamodb")
_cloudwatch = hooks.module("cloudwatch")
_kms = hooks.module("kms")
# Point-in-time recovery of each table: since when, and for how many days.
_recovery = store.regional("dynamodb.recovery")
# When the current content of an item was written, wherever that was: the later write wins.
_written = AccountRegionScopedDict()
store.on_reset(_written.clear)


def members(name):
    """The regions of the global table `name`, as seen from this region's member."""
    table = _dynamodb._tables.get(name)
    return _dynamodb._replica_group(table) if table else []


def others(name):
    return [region for region in members(name) if region != get_region()]


def in_region(region):
    return request_scope(get_account_id(), region)


@calls.around("dynamodb", "UpdateTable")
async def members_share_their_settings(call, proceed):
    name = table_name(call)
    before = others(name)
    updates = call.params.get("ReplicaUpdates", [])
    if updates and all("KMSMasterKeyId" in update.get("Update", {}) for update in updates):
        return _change_keys(call, name, {update["Update"]["RegionName"]: update["Update"] for update in updates})
    if before and (call.params.get("SSESpecification") or {}).get("KMSMasterKeyId"):
        return _one_key_each(call)
    answer = await proceed()
    if answer[0] != 200:
        return answer
    if "SSESpecification" in call.params:
        for region in before:
            with in_region(region):
                _dynamodb._tables[name]["SSEDescription"] = _dynamodb._sse_description_from_spec(
                    call.params["SSESpecification"])
    for update in call.params.get("ReplicaUpdates", []):
        _settle_replica(name, update)
    table = _dynamodb._tables[name]
    for region in set(others(name)) & set(before):
        with in_region(region):
            _share(table, _dynamodb._tables[name])
    return answer


def _change_keys(call, name, updates):
    """Encrypts all members with other keys; ministack takes none for the member that is asked."""
    if set(updates) != set(members(name)):
        return _one_key_each(call)
    for region, update in updates.items():
        with in_region(region):
            _dynamodb._tables[name]["SSEDescription"] = _dynamodb._sse_description_from_spec(
                {"Enabled": True, "KMSMasterKeyId": update["KMSMasterKeyId"]})
    return call.json({"TableDescription": _dynamodb._table_description(name)})


def _one_key_each(call):
    return call.error("ValidationException", "One or more parameter values were invalid: KMSMasterKeyId must be "
                      "specified for each replica.")


def _share(source, target):
    for setting in _SHARED:
        if setting in source:
            target[setting] = copy.deepcopy(source[setting])
    for index in target.get("GlobalSecondaryIndexes", []):
        index["IndexArn"] = f"{target['TableArn']}/index/{index['IndexName']}"
    target.pop(_dynamodb._INDEX_MEMBERS, None)


def _settle_replica(name, update):
    """What ministack forgets when a member comes or goes: its own key, and the tags it had."""
    if create := update.get("Create"):
        with in_region(create["RegionName"]):
            replica = _dynamodb._tables[name]
            if create.get("KMSMasterKeyId"):
                replica["SSEDescription"] = _dynamodb._sse_description_from_spec(
                    {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": create["KMSMasterKeyId"]})
    if delete := update.get("Delete"):
        region = delete["RegionName"]
        with in_region(region):
            _dynamodb._tags.pop(f"arn:aws:dynamodb:{region}:{get_account_id()}:table/{name}", None)
            _recovery.pop(name, None)


def _sse_description(original):
    """Names the key by its ARN, however the request did; a table with an AWS-owned key has nothing to describe."""

    def describe(spec):
        if not (spec or {}).get("Enabled"):
            return None
        named = spec.get("KMSMasterKeyId")
        key = _kms._resolve_key(named) if named else None
        return original({**spec, "KMSMasterKeyId": key["Arn"]} if key else spec)

    return describe


def _describe(original):
    """Adds what a member has by itself to the entries of the others."""

    def describe(name):
        description = original(name)
        for replica in description.get("Replicas", []):
            with in_region(replica["RegionName"]):
                member = _dynamodb._tables.get(name) or {}
            if key := (member.get("SSEDescription") or {}).get("KMSMasterKeyArn"):
                replica["KMSMasterKeyId"] = key
        return description

    return describe


@calls.around("dynamodb", "UpdateContinuousBackups", "DescribeContinuousBackups")
async def recovery_has_a_period(call, proceed):
    name = table_name(call)
    wanted = call.params.get("PointInTimeRecoverySpecification", {})
    answer = await proceed()
    if answer[0] != 200:
        return answer
    if wanted.get("PointInTimeRecoveryEnabled"):
        since = _recovery.get(name, {}).get("since", int(clock.now()))
        _recovery[name] = {"since": since, "days": wanted.get("RecoveryPeriodInDays", 35)}
    elif wanted:
        _recovery.pop(name, None)
    body = json.loads(answer[2])
    if period := _recovery.get(name):
        body["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"].update(
            RecoveryPeriodInDays=period["days"],
            EarliestRestorableDateTime=period["since"],
            LatestRestorableDateTime=int(clock.now()),
        )
    return call.json(body)


@calls.around("dynamodb", "GetItem", "Query", "Scan")
async def reads_consume_capacity(call, proceed):
    answer = await proceed()
    if answer[0] == 200:
        found = json.loads(answer[2])
        found = found.get("Items", found.get("Item"))
        share = 1 if call.params.get("ConsistentRead") else 0.5
        _consume("ConsumedReadCapacityUnits", table_name(call), found, _READ_BYTES, share)
    return answer


@calls.around("dynamodb", "PutItem", "UpdateItem", "DeleteItem")
async def writes_consume_capacity(call, proceed):
    answer = await proceed()
    if answer[0] == 200:
        _consume("ConsumedWriteCapacityUnits", table_name(call), call.params.get("Item"), _WRITE_BYTES)
    return answer


def _consume(metric, table, items, unit, share=1):
    """Publishes what a call cost, by the size of its items; without any it costs one unit."""
    units = math.ceil(len(json.dumps(items)) / unit) if items else 1
    _cloudwatch.record_metric("AWS/DynamoDB", metric, units * share, "Count", {"TableName": table})


def _replicate(original):
    """Sends each write to the other members one by one, each on its own way."""

    def replicate(table, event, old_item, new_item):
        home, written = get_region(), clock.now()
        key = table["TableName"], json.dumps(
            [(new_item or old_item).get(name) for name in (table["pk_name"], table["sk_name"]) if name], sort_keys=True)
        _written[key] = written
        images = copy.deepcopy(old_item), copy.deepcopy(new_item)

        def deliver(region):
            with in_region(region):
                if _written.get(key, 0) > written:
                    return
                _written[key] = written
            _cloudwatch.record_metric("AWS/DynamoDB", "ReplicationLatency", (clock.now() - written) * 1000,
                                      "Milliseconds", {"TableName": table["TableName"], "ReceivingRegion": region})
            original({**table, "_global_regions": [home, region]}, event, *images)
            with in_region(region):
                _consume("ConsumedWriteCapacityUnits", table["TableName"], images[1], _WRITE_BYTES)

        for region in set(_dynamodb._replica_group(table)) - {home}:
            replication.carry(home, region, functools.partial(deliver, region))

    return replicate


def table_name(call):
    named = call.params.get("TableName") or call.params.get("ResourceArn") or ""
    return _dynamodb._normalize_table_name(named)


def install():
    hooks.wrap("dynamodb", "_table_description", _describe)
    hooks.wrap("dynamodb", "_sse_description_from_spec", _sse_description)
    hooks.wrap("dynamodb", "_replicate_write", _replicate)

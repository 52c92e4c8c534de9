"""S3: objects that take time to replicate, do not cross a dark region, and replicate only as configured."""

import copy
import functools
import re

from ministack.core.responses import get_account_id, request_scope

from . import calls, clock, hooks, kms, replication, store

_VERSIONING_SETTLES = 0.8
_BUCKET_WRITE = 0.1

_s3 = hooks.module("s3")
_iam = hooks.module("iam")
_cloudwatch = hooks.module("cloudwatch")
_versioned_at = store.account_wide("s3.versioned_at")
_being_changed: set = set()
_told_to_slow_down: set = set()


def _replicate(original):
    """Copies an object as it is now, and shows PENDING until the copy has arrived."""

    def replicate(bucket, key, obj, data, tags=None):
        rule, role = _s3._replication_rule_for(bucket, key, tags)
        target = rule and _s3._replication_destination(bucket, key, rule, role)
        if not target:
            return original(bucket, key, obj, data, tags)
        encrypted = "x-amz-server-side-encryption-aws-kms-key-id" in obj.get("preserved_headers", {})
        criteria = (rule.get("SourceSelectionCriteria") or {}).get("SseKmsEncryptedObjects") or {}
        if clock.STRICT and encrypted and criteria.get("Status") != "Enabled":
            return None
        obj["_drctl_written"] = written = clock.now()
        sent = copy.deepcopy(obj)
        copys_key = rule["Destination"]["EncryptionConfiguration"]["ReplicaKmsKeyID"] if encrypted and criteria else None
        if copys_key:
            sent["preserved_headers"]["x-amz-server-side-encryption-aws-kms-key-id"] = copys_key
        obj["replication_status"] = "PENDING"

        def deliver():
            if clock.STRICT and (role.rpartition("/")[2] not in _iam._roles or copys_key and kms.trouble(copys_key)):
                return _mark(bucket, key, obj, "FAILED")
            if _changed_since(target, key, written):
                return _mark(bucket, key, obj, "COMPLETED")
            original(bucket, key, sent, data, tags)
            if sent.get("_replica"):
                obj["_replica"] = sent["_replica"]
                _copy_tags(bucket, key, obj)
            _measure(bucket, rule, target, written)
            return _mark(bucket, key, obj, sent.get("replication_status"))

        return replication.carry(_s3.bucket_region(bucket), _s3.bucket_region(target[0]), deliver)

    return replicate


def _changed_since(target, key, moment):
    """Whether the destination has a newer object meanwhile: the later write wins."""
    current = target[2]["objects"].get(key) or {}
    return current.get("_drctl_written", 0) > moment


def _measure(bucket, rule, target, written):
    """Publishes the latency where AWS does, in the destination's region."""
    if (rule["Destination"].get("Metrics") or {}).get("Status") == "Enabled":
        with request_scope(get_account_id(), _s3.bucket_region(target[0])):
            _cloudwatch.record_metric(
                "AWS/S3", "ReplicationLatency", clock.now() - written, "Seconds",
                {"SourceBucket": bucket, "DestinationBucket": target[0], "RuleId": rule.get("ID", "")})


def _mark(bucket, key, obj, status):
    """Sets the status of the source object, in the current record and in its version."""
    obj["replication_status"] = status
    for version in _s3._object_versions.get((bucket, key), []):
        if version["version_id"] == obj.get("version_id"):
            version["replication_status"] = status


def _copy_tags(bucket, key, obj):
    tags = _s3._object_tags.get((bucket, key, obj.get("version_id")))
    if tags:
        name, version, account = obj["_replica"]
        with _s3._in_account(account):
            _s3._object_tags[name, key, version] = dict(tags)


def _replicate_delete_marker(original):
    """Sends a delete marker on the same way as objects."""

    def replicate(bucket, key):
        config = _s3._bucket_replication.get(bucket)
        rule = config and config["Rules"][0]
        target = rule and _s3._replication_destination(bucket, key, rule, config.get("Role", ""))
        if not target:
            return original(bucket, key)
        return replication.carry(_s3.bucket_region(bucket), _s3.bucket_region(target[0]),
                                 functools.partial(original, bucket, key))

    return replicate


@calls.strictly("s3", "PutBucketVersioning")
async def versioning_takes_time_to_settle(call, proceed):
    answer = await proceed()
    if answer[0] == 200:
        _versioned_at[_bucket(call)] = clock.after(_VERSIONING_SETTLES)
    return answer


@calls.strictly("s3", "PutBucketReplication")
async def replication_needs_settled_versioning(call, proceed):
    buckets = [_bucket(call), *re.findall(r"<Bucket>arn:aws:s3:::(.*?)</Bucket>", call.body.decode())]
    if any(_versioned_at.get(bucket, 0) > clock.now() for bucket in buckets):
        return call.error("InvalidRequest", "Versioning must be 'Enabled' on the bucket to apply a replication "
                          "configuration")
    return await proceed()


@calls.strictly("s3", "PutBucketVersioning", "PutBucketEncryption", "PutPublicAccessBlock",
                "PutBucketOwnershipControls", "PutBucketPolicy", "PutBucketLifecycleConfiguration",
                "PutBucketReplication", "PutBucketTagging", "DeleteBucketReplication", "DeleteBucketPolicy")
async def one_write_to_a_bucket_at_a_time(call, proceed):
    bucket = _bucket(call)
    if bucket in _being_changed:
        return call.error("OperationAborted", "A conflicting conditional operation is currently in progress against "
                          "this resource. Please try again.", 409)
    _being_changed.add(bucket)
    try:
        await clock.sleep(_BUCKET_WRITE)
        return await proceed()
    finally:
        _being_changed.discard(bucket)


@calls.around("s3", "PutBucketTagging")
async def the_tags_of_a_stack_stay(call, proceed):
    told = dict(re.findall(r"<Key>(.*?)</Key>\s*<Value>(.*?)</Value>", call.body.decode()))
    tags = _s3._bucket_tags.get(_bucket(call), {})
    if any(told.get(key) != value for key, value in tags.items() if key.startswith("aws:")):
        return call.error("InvalidTag", "System tags cannot be removed by requester")
    return await proceed()


@calls.strictly("s3", "DeleteObjects")
async def some_keys_are_not_deleted_at_once(call, proceed):
    """The first time in a bucket, the last of several keys is left, with an error inside a 200."""
    bucket, last = _bucket(call), call.body.rpartition(b"<Object>")
    if bucket in _told_to_slow_down or b"<Object>" not in last[0]:
        return await proceed()
    _told_to_slow_down.add(bucket)
    left, _, end = last[2].partition(b"</Object>")
    call.body = last[0] + end
    call.headers = {name: value for name, value in call.headers.items()
                    if name != "content-md5" and not name.startswith("x-amz-checksum")}
    status, headers, body = await proceed()
    what = b"".join(re.findall(rb"<(?:Key|VersionId)>.*?</(?:Key|VersionId)>", left))
    error = b"<Error>" + what + b"<Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
    open_body = re.sub(rb"(<DeleteResult[^>]*?) ?/>", rb"\1></DeleteResult>", body)
    return status, headers, open_body.replace(b"</DeleteResult>", error + b"</DeleteResult>")


@store.on_reset
def forget():
    _told_to_slow_down.clear()


def _bucket(call):
    return call.path.strip("/").split("/", 1)[0]


def install():
    # ministack gives new buckets their public access block under AUTH only.
    hooks.replace("s3", "_new_bucket_public_access_block",
                  lambda: {"_public_access_block": _s3._NEW_BUCKET_PUBLIC_ACCESS_BLOCK})
    hooks.wrap("s3", "_maybe_replicate", _replicate)
    hooks.wrap("s3", "_maybe_replicate_delete_marker", _replicate_delete_marker)

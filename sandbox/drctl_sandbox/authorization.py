"""Who may do what: users and assumed roles of IAM what their policies allow, the keys `test` everything.

ministack's own check (`AUTH=true`) is off: it has other names for some actions, no resource for many, and knows
nothing of the actions that AWS wants beside that of the call. Signatures are not looked at.
"""

from urllib.parse import unquote

from ministack.core import iam_evaluator, router
from ministack.core.responses import get_account_id

from . import errors, hooks

# Operations whose action has another name.
_ACTIONS = {
    "DeleteBucketReplication": "PutReplicationConfiguration",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetBucketReplication": "GetReplicationConfiguration",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
    "ListBuckets": "ListAllMyBuckets",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListObjectVersions": "ListBucketVersions",
    "ListObjectsV2": "ListBucket",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "PutBucketReplication": "PutReplicationConfiguration",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
}

# What fills a replica, in the name of whoever adds it.
_REPLICA = ["CreateTable", "CreateTableReplica", "Query", "Scan", "GetItem", "PutItem", "UpdateItem", "DeleteItem",
            "BatchWriteItem"]
_REPLICATION_ROLE = "role/aws-service-role/replication.dynamodb.amazonaws.com/AWSServiceRoleForDynamoDBReplication"

# Actions that nobody has to be allowed.
_FREE = {"sts:GetCallerIdentity", "iam:GetAccountSummary", "route53:GetCheckerIpRanges"}

_route53 = hooks.module("route53")


def refusal(call):
    """The answer to a call that its caller may not make; `None` if they may."""
    key = router.extract_access_key_id(call.headers, call.query)
    if iam_evaluator.is_root_access_key(key):
        return None
    caller = iam_evaluator.resolve_principal(key, get_account_id())
    if isinstance(caller, iam_evaluator.AuthError):
        return call.error("InvalidClientTokenId", caller.message, 403)
    for action, resource, keys in _needed(call):
        if action not in _FREE and not _allowed(caller, call, action, resource, keys):
            message = (f"User: {caller.arn} is not authorized to perform: {action} on resource: {resource} "
                       f"because no identity-based policy allows the {action} action")
            return call.error(errors.denied(call.service), message, 403)
    return None


def _allowed(caller, call, action, resource, keys):
    if caller.policies is None:
        return True
    region = "us-east-1" if call.region == "global" else call.region
    asked = iam_evaluator.EvalContext(
        caller.arn, caller.type, caller.account, action, resource, region,
        service_context={key.lower(): value for key, value in keys.items()}, principal_keys=caller.keys)
    return iam_evaluator.evaluate(asked, caller.policies, *caller.limits).decision == "Allow"


def _needed(call):
    """Every action with its resource and condition keys: first that of the call, then those beside it."""
    if call.service == "s3" and call.operation == "DeleteObjects":
        for key, version in _entries(call):
            yield f"s3:DeleteObject{'Version' if version else ''}", f"{_bucket(call)}/{key}", {}
        return
    action = _ACTIONS.get(call.operation, call.operation) if call.service == "s3" else call.operation
    own = _RESOURCES.get(call.service, lambda call: "*")(call) or "*"
    keys = _tags_of_keys if call.service == "kms" else _KEYS.get((call.service, call.operation), lambda call: {})
    yield f"{call.service}:{action}", own, keys(call)
    for beside, resource, keys in _BESIDE.get((call.service, call.operation), lambda call: ())(call):
        yield beside, resource or own, keys


def _arn(call, service, resource, region=None):
    return f"arn:aws:{service}:{region or call.region}:{get_account_id()}:{resource}"


def _role(call):
    name = call.params.get("RoleName")
    return name and f"arn:aws:iam::{get_account_id()}:role/{name}"


def _function(call):
    parts = [unquote(part) for part in call.path.split("/") if part]
    if parts[1:2] == ["tags"]:
        return "/".join(parts[2:])
    name = parts[2] if len(parts) > 2 else call.params.get("FunctionName") if call.method == "POST" else None
    return name and (name if name.startswith("arn:") else _arn(call, "lambda", f"function:{name}"))


def _table(call):
    name = call.params.get("TableName")
    return _arn(call, "dynamodb", f"table/{name}") if name else call.params.get("ResourceArn")


def _bucket(call):
    name, _, key = unquote(call.path).strip("/").partition("/")
    return name and f"arn:aws:s3:::{name}" + (f"/{key}" if key else "")


def _group(call):
    """Only the calls for tags know a group by its bare ARN."""
    name = call.params.get("logGroupName")
    return _arn(call, "logs", f"log-group:{name}:*") if name else call.params.get("resourceArn")


def _topic(call):
    ask = call.params
    return ask.get("TopicArn") or ask.get("ResourceArn") or (ask.get("Name") and _arn(call, "sns", ask["Name"]))


def _alarm(call):
    ask = call.params
    names = [ask["AlarmName"]] if "AlarmName" in ask else ask.get("AlarmNames", [])
    # Descriptions are of all alarms, whatever they are narrowed to.
    if names and call.operation != "DescribeAlarms":
        return _arn(call, "cloudwatch", f"alarm:{names[0]}")
    return ask.get("ResourceARN")


def _secret(call):
    """By its whole ARN, or the name alone while there is none."""
    name = call.params.get("SecretId") or call.params.get("Name")
    secret = name and hooks.module("secretsmanager")._resolve(name)[1]
    return secret["ARN"] if secret else name and _arn(call, "secretsmanager", f"secret:{name}")


def _key(call):
    """The key that is named, also by an alias; calls for the alias itself need both."""
    key, found = _named_key(call)
    return found["Arn"] if found else key and _arn(call, "kms", f"key/{key}")


def _named_key(call):
    key = call.params.get("TargetKeyId") or call.params.get("KeyId")
    return key, key and hooks.module("kms")._resolve_key(key)


def _tags_of_keys(call):
    """The tags that a key has, and those that a request brings along."""
    _, found = _named_key(call)
    has = {f"aws:ResourceTag/{tag['TagKey']}": tag["TagValue"] for tag in (found or {}).get("Tags") or []}
    return {**has, **_new_tags(call)}


def _new_tags(call):
    return {f"aws:RequestTag/{tag['TagKey']}": tag["TagValue"] for tag in call.params.get("Tags") or []}


def _with_key(call):
    """Who gives a policy has to be able to write it again: the check against locking oneself out knows no tags yet."""
    new, needed = _arn(call, "kms", "key/mrk-new"), []
    if call.params.get("Policy"):
        needed.append(("kms:PutKeyPolicy", new, {}))
    if call.params.get("Tags"):
        needed.append(("kms:TagResource", new, _new_tags(call)))
    return needed


def _with_replica_key(call):
    return [("kms:CreateKey", "*", {}), *_with_key(call)]


def _with_alias(call):
    return [(f"kms:{call.operation}", _arn(call, "kms", call.params["AliasName"]), {})]


def _in_route53(call):
    parts = call.path.strip("/").split("/")[1:]
    parts = parts[1:] if parts[0] == "tags" else parts
    return f"arn:aws:route53:::{parts[0]}/{parts[1]}" if len(parts) > 1 else None


_RESOURCES = {"iam": _role, "lambda": _function, "dynamodb": _table, "s3": _bucket, "logs": _group, "sns": _topic,
              "cloudwatch": _alarm, "secretsmanager": _secret, "route53": _in_route53, "kms": _key}


def _url_keys(call):
    return {"lambda:FunctionUrlAuthType": call.params["AuthType"]} if "AuthType" in call.params else {}


def _record_keys(call):
    sets = [found for found in call.xml.iter() if found.tag.endswith("}ResourceRecordSet")]
    names = [_route53._normalise_name(_route53._text(found, "Name")).rstrip(".") for found in sets]
    return {"route53:ChangeResourceRecordSetsNormalizedRecordNames": names,
            "route53:ChangeResourceRecordSetsRecordTypes": [_route53._text(found, "Type") for found in sets]}


# What a request says of itself for conditions.
_KEYS = {
    ("lambda", "CreateFunctionUrlConfig"): _url_keys,
    ("lambda", "UpdateFunctionUrlConfig"): _url_keys,
    ("route53", "ChangeResourceRecordSets"): _record_keys,
    ("sns", "Subscribe"): lambda call: {f"sns:{key}": call.params.get(key) for key in ("Endpoint", "Protocol")},
}


def _passed(role, service):
    return [("iam:PassRole", role, {"iam:PassedToService": f"{service}.amazonaws.com"})] if role else []


def _tagged(action, *names):
    """What a request needs that brings tags along."""
    return lambda call: [(action, None, {})] if any(call.params.get(name) for name in names) else []


def _with_function(call):
    return _passed(call.params.get("Role"), "lambda") + _tagged("lambda:TagResource", "Tags")(call)


def _with_bucket(call):
    needed = [("s3:PutBucketOwnershipControls", None, {})] if "x-amz-object-ownership" in call.headers else []
    return needed + ([("s3:TagResource", None, {})] if b"<Tags>" in call.body else [])


def _with_replicas(call):
    table = f"table/{call.params['TableName']}"
    for update in call.params.get("ReplicaUpdates", []):
        for kind, actions in (("Create", _REPLICA), ("Delete", ["DeleteTable", "DeleteTableReplica"])):
            if kind in update:
                there = _arn(call, "dynamodb", table, update[kind]["RegionName"])
                yield from ((f"dynamodb:{action}", there, {}) for action in actions)
        if "Create" in update:
            yield ("iam:CreateServiceLinkedRole", f"arn:aws:iam::{get_account_id()}:{_REPLICATION_ROLE}",
                   {"iam:AWSServiceName": "replication.dynamodb.amazonaws.com"})


def _with_secret(call):
    replicas = _tagged("secretsmanager:ReplicateSecretToRegions", "AddReplicaRegions")(call)
    return replicas + _tagged("secretsmanager:TagResource", "Tags")(call)


# What AWS wants beside the action of the call: IAM's dependent actions, and those for tags at creation.
_BESIDE = {
    ("cloudwatch", "PutMetricAlarm"): _tagged("cloudwatch:TagResource", "Tags"),
    ("dynamodb", "CreateTable"): _tagged("dynamodb:TagResource", "Tags"),
    ("dynamodb", "UpdateTable"): _with_replicas,
    ("iam", "CreateRole"): _tagged("iam:TagRole", "Tags.member.1.Key"),
    ("kms", "CreateAlias"): _with_alias,
    ("kms", "CreateKey"): _with_key,
    ("kms", "ReplicateKey"): _with_replica_key,
    ("kms", "UpdateAlias"): _with_alias,
    ("lambda", "CreateFunction"): _with_function,
    ("lambda", "GetFunction"): lambda call: [("lambda:ListTags", None, {})],
    ("lambda", "UpdateFunctionConfiguration"): lambda call: _passed(call.params.get("Role"), "lambda"),
    ("logs", "CreateLogGroup"): _tagged("logs:TagResource", "tags"),
    ("s3", "CreateBucket"): _with_bucket,
    ("s3", "PutBucketReplication"): lambda call: _passed(
        next((found.text for found in call.xml.iter() if found.tag.rpartition("}")[2] == "Role"), None), "s3"),
    ("secretsmanager", "CreateSecret"): _with_secret,
    ("sns", "CreateTopic"): _tagged("sns:TagResource", "Tags.member.1.Key"),
}


def _entries(call):
    """Key and version of everything a DeleteObjects names."""
    for entry in call.xml.iter():
        if entry.tag.rpartition("}")[2] == "Object":
            parts = {part.tag.rpartition("}")[2]: part.text for part in entry}
            yield parts["Key"], parts.get("VersionId")

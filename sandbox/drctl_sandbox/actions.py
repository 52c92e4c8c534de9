"""What a call has to be allowed: its action, those that AWS wants beside it, their resources and condition keys."""

from urllib.parse import unquote

from ministack.core.responses import get_account_id

from . import hooks

# Operations of S3 whose action has another name.
_S3_ACTIONS = {
    "CompleteMultipartUpload": "PutObject",
    "CopyObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "DeleteBucketCors": "PutBucketCORS",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    "DeleteBucketReplication": "PutReplicationConfiguration",
    "DeleteBucketTagging": "PutBucketTagging",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "GetBucketReplication": "GetReplicationConfiguration",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
    "ListBuckets": "ListAllMyBuckets",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListObjectVersions": "ListBucketVersions",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListParts": "ListMultipartUploadParts",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "PutBucketReplication": "PutReplicationConfiguration",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
}
# Of these a version is asked for by an action of its own.
_OF_VERSIONS = {"DeleteObject", "DeleteObjectTagging", "GetObject", "GetObjectAcl", "GetObjectAttributes",
                "GetObjectTagging", "PutObjectAcl", "PutObjectTagging"}

# What fills a replica, in the name of whoever adds it.
_REPLICA = ["CreateTable", "CreateTableReplica", "Query", "Scan", "GetItem", "PutItem", "UpdateItem", "DeleteItem",
            "BatchWriteItem"]
_REPLICATION_ROLE = "role/aws-service-role/replication.dynamodb.amazonaws.com/AWSServiceRoleForDynamoDBReplication"

# Transactions need the actions of their parts.
_IN_TRANSACTIONS = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "Get": "GetItem",
                    "ConditionCheck": "ConditionCheckItem"}

_route53 = hooks.module("route53")


def needed(call):
    """Every action with its resource and condition keys: first that of the call, then those beside it."""
    if whole := _WHOLE.get((call.service, call.operation)):
        yield from whole(call)
        return
    found = _RESOURCES.get(call.service, lambda call: None)(call) or "*"
    keys = (_tags_of_keys if call.service == "kms" else _KEYS.get((call.service, call.operation), lambda call: {}))(call)
    for own in found if isinstance(found, list) else [found]:
        yield f"{call.service}:{_action(call)}", own, keys
        for beside, resource, others in _BESIDE.get((call.service, call.operation), lambda call: ())(call):
            yield beside, resource or own, others


def _action(call):
    if call.service != "s3":
        return call.operation
    action = _S3_ACTIONS.get(call.operation, call.operation)
    return action.replace("Object", "ObjectVersion") if action in _OF_VERSIONS and "versionId" in call.query else action


def _arn(call, service, resource, region=None):
    return f"arn:aws:{service}:{region or call.region}:{get_account_id()}:{resource}"


def _members(ask, name):
    """A list of texts, from JSON or from a query request."""
    return ask[name] if name in ask else [ask[key] for key in ask if key.startswith(f"{name}.member.")]


# Resources: one, several, or none, which only a policy for `*` allows.

def _of_iam(call):
    """The role, user, group, profile or policy; one that is there has a path."""
    ask = call.params
    iam = hooks.module("iam")
    # What others are put into comes first.
    for key, kind, there in (("GroupName", "group", iam._groups),
                             ("InstanceProfileName", "instance-profile", iam._instance_profiles),
                             ("RoleName", "role", iam._roles), ("UserName", "user", iam._users)):
        if name := ask.get(key):
            made = f"arn:aws:iam::{get_account_id()}:{kind}{ask.get('Path') or '/'}{name}"
            return (there.get(name) or {}).get("Arn") or made
    name = ask.get("PolicyName")
    return ask.get("PolicyArn") or name and f"arn:aws:iam::{get_account_id()}:policy{ask.get('Path') or '/'}{name}"


def _of_sts(call):
    return call.params.get("RoleArn")


def _of_lambda(call):
    parts = [part for part in call.path.split("/") if part][1:]
    if parts[:1] == ["tags"]:
        return "/".join(parts[1:])
    if parts[:1] == ["event-source-mappings"] and len(parts) > 1:
        return _arn(call, "lambda", f"event-source-mapping:{parts[1]}")
    if parts[:1] == ["layers"] and len(parts) > 1:
        return _arn(call, "lambda", ":".join(["layer", parts[1], *parts[3:4]]))
    if parts[:1] != ["functions"]:
        return None
    name = parts[1] if len(parts) > 1 else call.params.get("FunctionName") if call.method == "POST" else None
    return name and (name if name.startswith("arn:") else _arn(call, "lambda", f"function:{name}"))


def _table(call, name):
    return name if name.startswith("arn:") else _arn(call, "dynamodb", f"table/{name}")


def _of_dynamodb(call):
    ask = call.params
    if "RequestItems" in ask:
        return [_table(call, name) for name in ask["RequestItems"]]
    if name := ask.get("TableName"):
        index = ask.get("IndexName")
        return _table(call, name) + (f"/index/{index}" if index else "")
    return ask.get("ResourceArn") or ask.get("TableArn") or ask.get("BackupArn") or ask.get("ExportArn")


def _of_s3(call):
    name, _, key = call.path.removeprefix("/").partition("/")
    return name and f"arn:aws:s3:::{name}" + (f"/{key}" if key else "")


def _of_logs(call):
    """Only the calls for tags know a group by its bare ARN."""
    name = call.params.get("logGroupName")
    return _arn(call, "logs", f"log-group:{name}:*") if name else call.params.get("resourceArn")


def _of_sns(call):
    ask = call.params
    named = ask.get("TopicArn") or ask.get("TargetArn") or ask.get("ResourceArn")
    return named or (ask.get("Name") and _arn(call, "sns", ask["Name"]))


def _of_cloudwatch(call):
    ask = call.params
    names = [ask["AlarmName"]] if "AlarmName" in ask else _members(ask, "AlarmNames")
    # Descriptions are of all alarms, whatever they are narrowed to.
    if names and call.operation != "DescribeAlarms":
        return [_arn(call, "cloudwatch", f"alarm:{name}") for name in names]
    return ask.get("ResourceARN")


def _of_secretsmanager(call):
    """By its whole ARN, or the name alone while there is none."""
    name = call.params.get("SecretId") or call.params.get("Name")
    secret = name and hooks.module("secretsmanager")._resolve(name)[1]
    return secret["ARN"] if secret else name and _arn(call, "secretsmanager", f"secret:{name}")


def _of_kms(call):
    """The key that is named, also by an alias; calls for the alias itself need both."""
    named, found = _named_key(call)
    return found["Arn"] if found else named and _arn(call, "kms", f"key/{named}")


def _named_key(call):
    ask = call.params
    named = ask.get("TargetKeyId") or ask.get("KeyId") or ask.get("AliasName")
    return named, named and hooks.module("kms")._resolve_key(named)


def _of_route53(call):
    parts = call.path.strip("/").split("/")[1:]
    parts = parts[1:] if parts[:1] == ["tags"] else parts
    return f"arn:aws:route53:::{parts[0]}/{parts[1]}" if len(parts) > 1 else None


_RESOURCES = {"iam": _of_iam, "sts": _of_sts, "lambda": _of_lambda, "dynamodb": _of_dynamodb, "s3": _of_s3,
              "logs": _of_logs, "sns": _of_sns, "cloudwatch": _of_cloudwatch,
              "secretsmanager": _of_secretsmanager, "route53": _of_route53, "kms": _of_kms}


# Condition keys: what a request says of itself.

def _url_keys(call):
    return {"lambda:FunctionUrlAuthType": call.params["AuthType"]} if "AuthType" in call.params else {}


def _record_keys(call):
    sets = [found for found in call.xml.iter() if found.tag.endswith("}ResourceRecordSet")]
    names = [_route53._normalise_name(_route53._text(found, "Name")).rstrip(".") for found in sets]
    return {"route53:ChangeResourceRecordSetsNormalizedRecordNames": names,
            "route53:ChangeResourceRecordSetsRecordTypes": [_route53._text(found, "Type") for found in sets]}


def _tags_of_keys(call):
    """The tags that a KMS key has, and those that a request brings along."""
    _, found = _named_key(call)
    has = {f"aws:ResourceTag/{tag['TagKey']}": tag["TagValue"] for tag in (found or {}).get("Tags") or []}
    return {**has, **_new_tags(call)}


def _new_tags(call):
    return {f"aws:RequestTag/{tag['TagKey']}": tag["TagValue"] for tag in call.params.get("Tags") or []}


_KEYS = {
    ("lambda", "CreateFunctionUrlConfig"): _url_keys,
    ("lambda", "UpdateFunctionUrlConfig"): _url_keys,
    ("route53", "ChangeResourceRecordSets"): _record_keys,
    ("sns", "Subscribe"): lambda call: {f"sns:{key}": call.params.get(key) for key in ("Endpoint", "Protocol")},
}


# What AWS wants beside the action of the call: IAM's dependent actions, and those for tags at creation.

def _passed(role, service):
    return [("iam:PassRole", role, {"iam:PassedToService": f"{service}.amazonaws.com"})] if role else []


def _tagged(action, *names):
    """What a request needs that brings tags along."""
    return lambda call: [(action, None, {})] if any(call.params.get(name) for name in names) else []


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
    return [(f"kms:{call.operation}", _arn(call, "kms", call.params.get("AliasName", "")), {})]


def _with_function(call):
    return _passed(call.params.get("Role"), "lambda") + _tagged("lambda:TagResource", "Tags")(call)


def _with_bucket(call):
    needed = [("s3:PutBucketOwnershipControls", None, {})] if "x-amz-object-ownership" in call.headers else []
    return needed + ([("s3:TagResource", None, {})] if b"<Tags>" in call.body else [])


def _with_source(call):
    """What is copied is read."""
    source, _, version = unquote(call.headers.get("x-amz-copy-source", "")).partition("?versionId=")
    action = "s3:GetObjectVersion" if version else "s3:GetObject"
    return [(action, f"arn:aws:s3:::{source.removeprefix('/')}", {})]


def _with_replicas(call):
    table = f"table/{call.params.get('TableName')}"
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


_BESIDE = {
    ("cloudwatch", "PutMetricAlarm"): _tagged("cloudwatch:TagResource", "Tags", "Tags.member.1.Key"),
    ("dynamodb", "CreateTable"): _tagged("dynamodb:TagResource", "Tags"),
    ("dynamodb", "UpdateTable"): _with_replicas,
    ("iam", "CreateRole"): _tagged("iam:TagRole", "Tags.member.1.Key"),
    ("kms", "CreateAlias"): _with_alias,
    ("kms", "CreateKey"): _with_key,
    ("kms", "DeleteAlias"): _with_alias,
    ("kms", "ReplicateKey"): _with_replica_key,
    ("kms", "UpdateAlias"): _with_alias,
    ("lambda", "CreateFunction"): _with_function,
    ("lambda", "UpdateFunctionConfiguration"): lambda call: _passed(call.params.get("Role"), "lambda"),
    ("logs", "CreateLogGroup"): _tagged("logs:TagResource", "tags"),
    ("s3", "CopyObject"): _with_source,
    ("s3", "CreateBucket"): _with_bucket,
    ("s3", "PutBucketReplication"): lambda call: _passed(
        next((found.text for found in call.xml.iter() if found.tag.rpartition("}")[2] == "Role"), None), "s3"),
    ("s3", "UploadPartCopy"): _with_source,
    ("secretsmanager", "CreateSecret"): _with_secret,
    ("sns", "CreateTopic"): _tagged("sns:TagResource", "Tags.member.1.Key"),
}


# Calls that have no action of their own, or one with other resources than their like.

def _delete_objects(call):
    for entry in call.xml.iter():
        if entry.tag.rpartition("}")[2] == "Object":
            parts = {part.tag.rpartition("}")[2]: part.text for part in entry}
            yield f"s3:DeleteObject{'Version' if parts.get('VersionId') else ''}", f"{_of_s3(call)}/{parts['Key']}", {}


def _transact(call):
    for entry in call.params.get("TransactItems", []):
        for kind, part in entry.items():
            yield f"dynamodb:{_IN_TRANSACTIONS.get(kind, kind)}", _table(call, part.get("TableName", "")), {}


def _invoke_url(call):
    """A request to a URL that wants a caller of AWS. It is the function's own business, so nothing of it is read."""
    account, region, name, qualifier, config = call.query["url"]
    function = f"arn:aws:lambda:{region}:{account}:function:{name}" + (f":{qualifier}" if qualifier else "")
    yield "lambda:InvokeFunctionUrl", function, {"lambda:FunctionUrlAuthType": config.get("AuthType")}
    yield "lambda:InvokeFunction", function, {"lambda:InvokedViaFunctionUrl": "true"}


_WHOLE = {
    ("dynamodb", "TransactGetItems"): _transact,
    ("dynamodb", "TransactWriteItems"): _transact,
    ("lambda", "InvokeFunctionUrl"): _invoke_url,
    ("s3", "DeleteObjects"): _delete_objects,
}

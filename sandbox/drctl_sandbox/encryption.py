"""What is encrypted with a customer key: it works as long as the key does, and for whom the key's policy says.

Roles are not asked: the account's statement in a key's policy leaves them to IAM.
"""

import json

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region

from . import calls, clock, hooks, kms

_kms = hooks.module("kms")
_s3 = hooks.module("s3")
_sns = hooks.module("sns")
_lambda = hooks.module("lambda_svc")
_dynamodb = hooks.module("dynamodb")
_secrets = hooks.module("secretsmanager")
_logs = hooks.module("cloudwatch_logs")
_cloudwatch = hooks.module("cloudwatch")

# How each service says that a key cannot be used.
_CODES = {
    "s3": {"missing": "KMS.NotFoundException", "disabled": "KMS.DisabledException",
           "pending": "KMS.KMSInvalidStateException"},
    "sns": {"missing": "KMSNotFound", "disabled": "KMSDisabled", "pending": "KMSInvalidState"},
    "lambda": {"missing": "KMSNotFoundException", "disabled": "KMSDisabledException",
               "pending": "KMSInvalidStateException"},
}


def _refusal(call, named, code=None, status=400):
    """The answer to a call that needs a key which cannot be used; nothing if it can."""
    trouble = kms.trouble(named) if named else None
    if trouble is None:
        return None
    return call.error(code or _CODES[call.service][trouble], f"The key {named} is {trouble}.", status)


@calls.strictly("dynamodb", "PutItem", "GetItem", "UpdateItem", "DeleteItem", "Query", "Scan")
async def items_need_the_key_of_their_member(call, proceed):
    table = _dynamodb._tables.get(_dynamodb._normalize_table_name(call.params.get("TableName") or "")) or {}
    key = (table.get("SSEDescription") or {}).get("KMSMasterKeyArn")
    return _refusal(call, key, "AccessDeniedException") or await proceed()


@calls.strictly("dynamodb", "CreateTable", "UpdateTable")
async def members_are_encrypted_with_keys_that_work(call, proceed):
    updates = [(action, update) for entry in call.params.get("ReplicaUpdates", []) for action, update in entry.items()]
    named = [((call.params.get("SSESpecification") or {}).get("KMSMasterKeyId"), get_region())]
    named += [(update.get("KMSMasterKeyId"), update["RegionName"]) for _, update in updates]
    for key, region in named:
        if key and kms.region_of(key) != region:
            return call.error("ValidationException", f"The key {key} is not in {region}.")
        if refusal := _refusal(call, key, "ValidationException"):
            return refusal
    return await proceed()


@calls.strictly("s3", "PutObject")
async def objects_are_written_with_a_key_that_works(call, proceed):
    bucket = call.path.strip("/").partition("/")[0]
    header = "x-amz-server-side-encryption-aws-kms-key-id"
    key = call.headers.get(header) or _s3._bucket_default_sse_headers(bucket).get(header)
    return _refusal(call, key) or await proceed()


@calls.strictly("s3", "GetObject")
async def objects_are_read_with_the_key_of_their_own(call, proceed):
    answer = await proceed()
    key = {name.lower(): value for name, value in answer[1].items()}.get("x-amz-server-side-encryption-aws-kms-key-id")
    return _refusal(call, key) or answer


@calls.strictly("secretsmanager", "GetSecretValue")
async def a_value_is_read_with_its_key(call, proceed):
    _, secret = _secrets._resolve(call.params.get("SecretId"))
    return _refusal(call, (secret or {}).get("KmsKeyId"), "DecryptionFailure") or await proceed()


@calls.strictly("secretsmanager", "CreateSecret", "UpdateSecret", "ReplicateSecretToRegions", "PutSecretValue")
async def a_value_is_written_with_a_key_that_works(call, proceed):
    _, secret = _secrets._resolve(call.params.get("SecretId")) if "SecretId" in call.params else (None, None)
    replicas = [replica.get("KmsKeyId") for replica in call.params.get("AddReplicaRegions", [])]
    for key in [call.params.get("KmsKeyId", (secret or {}).get("KmsKeyId")), *replicas]:
        if refusal := _refusal(call, key, "EncryptionFailure"):
            return refusal
    return await proceed()


@calls.strictly("sns", "Publish")
async def messages_need_the_key_of_their_topic(call, proceed):
    topic = _sns._topic_by_arn_any_scope(call.params.get("TopicArn") or "") or {"attributes": {}}
    return _refusal(call, topic["attributes"].get("KmsMasterKeyId")) or await proceed()


@calls.strictly("lambda", "CreateFunction", "UpdateFunctionConfiguration")
async def variables_are_encrypted_with_a_key_that_works(call, proceed):
    key = call.params.get("KMSKeyArn")
    if key and kms.trouble(key):
        return call.error("InvalidParameterValueException",
                          f"Lambda was unable to configure access to your environment variables because the KMS key is "
                          f"invalid for CreateGrant. KMS Message: {key} is {kms.trouble(key)}.")
    return await proceed()


@calls.strictly("lambda", "GetFunction", "GetFunctionConfiguration")
async def variables_are_told_while_their_key_works(call, proceed):
    answer = await proceed()
    told = json.loads(answer[2]) if answer[0] == 200 else {}
    config = told.get("Configuration", told)
    trouble = config.get("Environment") and config.get("KMSKeyArn") and kms.trouble(config["KMSKeyArn"])
    if not trouble:
        return answer
    config["Environment"] = {"Error": {"ErrorCode": _CODES["lambda"][trouble], "Message": "Lambda was unable to decrypt "
                                       f"the environment variables because the KMS key is {trouble}."}}
    return call.json(told)


@calls.strictly("lambda", "InvokeFunctionUrl")
async def variables_are_read_with_their_key(call, proceed):
    function = _lambda._functions.get_scoped(*call.query["url"][:3]) or {"config": {}}
    return _refusal(call, function["config"].get("KMSKeyArn"), status=502) or await proceed()


# Who comes without a role

@calls.around("logs", "AssociateKmsKey", "DisassociateKmsKey")
async def groups_take_and_leave_keys(call, proceed):
    group = _logs._log_groups.get(call.params.get("logGroupName"))
    if group is None:
        return call.error("ResourceNotFoundException", "The specified log group does not exist.")
    group["kmsKeyId"] = call.params.get("kmsKeyId") if call.operation == "AssociateKmsKey" else None
    return call.json({})


@calls.strictly("logs", "AssociateKmsKey", "CreateLogGroup")
async def groups_take_keys_that_let_them(call, proceed):
    name, key = call.params.get("logGroupName"), call.params.get("kmsKeyId")
    arn = f"arn:aws:logs:{get_region()}:{get_account_id()}:log-group:{name}"
    if key and not _lets_in(key, f"logs.{get_region()}.amazonaws.com", ["kms:Encrypt", "kms:Decrypt", "kms:DescribeKey"],
                            {"kms:EncryptionContext:aws:logs:arn": arn}):
        return call.error("InvalidParameterException", "The specified KMS key does not exist or is not allowed to be "
                          f"used with Arn '{arn}'")
    return await proceed()


def _lets_in(named, service, actions, context):
    """Whether a key that works may be used by a service of AWS."""
    if kms.is_managed(named) or kms.trouble(named):
        return False
    key = _kms._resolve_key(named)
    keys = {name.lower(): value for name, value in context.items()}

    def may(action):
        asked = iam_evaluator.EvalContext(service, "AWSService", "", action, key["Arn"], get_region(),
                                          service_context=keys)
        return iam_evaluator.evaluate_resource_policy(key["Policy"], asked, service).decision == "Allow"

    return all(may(action) for action in actions)


def _dispatch(original):
    """An alarm tells only the topics that it may, and its history tells what came of it."""

    def dispatch(alarm, before, state, reason):
        field = {"ALARM": "AlarmActions", "OK": "OKActions"}.get(state, "InsufficientDataActions")
        told, refused = [], []
        for arn in alarm.get(field) or []:
            (told if _may_publish(arn) else refused).append(arn)
        original({**alarm, field: told}, before, state, reason)
        if not alarm.get("ActionsEnabled", True):
            return
        for arn in told:
            _note(alarm, f"Successfully executed action {arn}")
        for arn in refused:
            _note(alarm, f"Failed to execute action {arn}. Received error: \"CloudWatch Alarms does not have "
                  "authorization to access the SNS topic encryption key.\"")

    return dispatch


def _may_publish(arn):
    topic = _sns._topic_by_arn_any_scope(arn)
    key = topic["attributes"].get("KmsMasterKeyId") if topic else None
    if not clock.STRICT or not key:
        return True
    return _lets_in(key, "cloudwatch.amazonaws.com", ["kms:Decrypt", "kms:GenerateDataKey"], {})


def _note(alarm, summary):
    _cloudwatch._record_history(alarm["AlarmName"], alarm["StateValue"], alarm["StateValue"], summary)
    _cloudwatch._history_entries()[-1].update(HistoryItemType="Action", HistorySummary=summary)


def install():
    hooks.wrap("cloudwatch", "_dispatch_alarm_actions", _dispatch)

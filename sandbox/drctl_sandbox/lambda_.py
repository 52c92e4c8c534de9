"""Lambda: function URLs as AWS guards them, and in strict mode states, conflicts and limits."""

import atexit
import hashlib
import json
import re
import shutil
import time

from ministack.core.responses import request_scope

from . import authorization, calls, clock, hooks, iam, store
from .calls import Call, dispatch

_TRANSITION = 0.5
_QUICK_TRANSITION = 0.05
_PERMISSION_WRITE = 0.15
_PERMISSION_SEEN = 0.5
# AWS keeps this much of an account's concurrency for functions without a reservation.
_UNRESERVED_MINIMUM = 100
_FORBIDDEN = ("Forbidden. For troubleshooting Function URL authorization issues, "
              "see: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html")

_app = hooks.module("app")
_cloudwatch = hooks.module("cloudwatch")
_lambda = hooks.module("lambda_svc")
_sts = hooks.module("sts")
_writing_permission: set = set()
# When the last permission of a function reaches its URL.
_permitted_at = store.regional("lambda.permitted_at")


def _name(call):
    """The function that a request's path names, by name or ARN."""
    named = re.search(r"/functions/([^/]+)", call.path)
    return _lambda._resolve_request_scoped_name(named[1]) if named else call.params.get("FunctionName", "")


# Function URLs

@calls.around("lambda", "InvokeFunctionUrl")
async def public_urls_need_two_permissions(call, proceed):
    account, region, name, qualifier, config = call.query["url"]
    with request_scope(account, region):
        policy = (_lambda._functions.get(name) or {}).get("policy", {}).get("Statement", [])
        arn = _lambda._policy_resource_arn(name, qualifier)
        settled = _permitted_at.get(name, 0) <= clock.now()
    if config.get("AuthType") == "NONE" and not (settled and _lets_everyone_in(policy, arn)):
        return 403, {"Content-Type": "application/json"}, json.dumps({"Message": _FORBIDDEN}).encode()
    return await proceed()


def _lets_everyone_in(policy, arn):
    return (any(_grants(s, arn, "lambda:InvokeFunctionUrl", "StringEquals", "lambda:FunctionUrlAuthType", "NONE")
                for s in policy)
            and any(_grants(s, arn, "lambda:InvokeFunction", "Bool", "lambda:InvokedViaFunctionUrl", "true")
                    for s in policy))


def _grants(statement, arn, action, operator, key, value):
    conditions = statement.get("Condition", {})
    return (statement["Effect"] == "Allow" and statement["Principal"] in ("*", {"AWS": "*"})
            and statement["Action"] in (action, "lambda:*") and statement["Resource"] == arn
            and conditions in ({}, {operator: {key: value}}))


def _through_the_door(original):
    """Makes a request to a function URL a call of the operation InvokeFunctionUrl, in the region of its function."""

    async def handle(host, path, method, headers, body, query, source_ip=None):
        parsed = _app._parse_lambda_url(host, path)
        resolved = _lambda.resolve_function_url(parsed[0]) if parsed else None
        if resolved is None:
            return await original(host, path, method, headers, body, query, source_ip)

        async def invoke(*_):
            begun = time.monotonic()
            answer = await original(host, path, method, headers, body, query, source_ip)
            _publish(resolved, answer[0], time.monotonic() - begun)
            return answer

        # Its query stays: it has the credentials of a presigned request.
        query_and_url = {**query, "url": resolved}
        call = Call("lambda", "InvokeFunctionUrl", resolved[1], method, path, headers, body, query_and_url)
        return await dispatch(call, invoke)

    return handle


def _publish(resolved, status, seconds):
    """Publishes what a request to a function URL was; a throttled one is told where it is throttled."""
    account, region, name, _, _ = resolved
    if status != 429:
        with request_scope(account, region):
            _lambda._emit_lambda_metrics(name, seconds * 1000, error=status == 502, throttle=False)


def _metrics(original):
    """AWS does not count a throttled call among the invocations."""

    def emit(function_name, duration_ms, error, throttle):
        if throttle:
            _cloudwatch.record_metric("AWS/Lambda", "Throttles", 1, "Count", {"FunctionName": function_name})
        else:
            original(function_name, duration_ms, error, throttle)

    return emit


# Functions

@calls.around("lambda", "UpdateFunctionCode", "UpdateFunctionConfiguration")
async def updated_functions_stay_active(call, proceed):
    """AWS shows an update in LastUpdateStatus alone; ministack sets the function Pending as well."""
    answer = await proceed()
    function = _lambda._functions.get(_name(call))
    if answer[0] != 200 or function is None:
        return answer
    active = {"State": "Active", "StateReason": "", "StateReasonCode": ""}
    function["config"].update(active)
    return answer[0], answer[1], json.dumps({**json.loads(answer[2]), **active}).encode()


@calls.around("lambda", "GetPolicy")
async def a_function_without_statements_has_no_policy(call, proceed):
    function = _lambda._functions.get(_name(call))
    if function and not function["policy"]["Statement"]:
        return call.error("ResourceNotFoundException", "The resource you requested does not exist.", 404)
    return await proceed()


@calls.around("lambda", "GetFunction")
async def who_may_not_list_tags_gets_none(call, proceed):
    answer = await proceed()
    reason = answer[0] == 200 and authorization.why_not_beside(call, "lambda:ListTags")
    if not reason:
        return answer
    body = json.loads(answer[2])
    body.pop("Tags", None)
    body["TagsError"] = {"ErrorCode": "AccessDeniedException", "Message": reason}
    return answer[0], answer[1], json.dumps(body).encode()


@calls.around("lambda", "DeleteFunction")
async def functions_take_their_url_along(call, proceed):
    answer = await proceed()
    if answer[0] == 204 and "Qualifier" not in call.query:
        for key in list(_lambda._function_urls):
            if key.partition(":")[0] == _name(call):
                _lambda._function_urls.pop(key)
    return answer


@calls.strictly("lambda", "CreateFunction", "UpdateFunctionConfiguration")
async def fresh_roles_cannot_be_assumed(call, proceed):
    role = call.params.get("Role")
    if role and not iam.is_assumable(role):
        return call.error("InvalidParameterValueException",
                          "The role defined for the function cannot be assumed by Lambda.")
    return await proceed()


@calls.strictly("lambda", "CreateFunction", "UpdateFunctionConfiguration")
async def some_variables_are_reserved(call, proceed):
    variables = (call.params.get("Environment") or {}).get("Variables") or {}
    if reserved := sorted(_lambda._RESERVED_RUNTIME_ENV_VARS & variables.keys()):
        return call.error("InvalidParameterValueException", "Lambda was unable to configure your environment variables "
                          "because the environment variables you have provided contains reserved keys that are "
                          "currently not supported for modification. Reserved keys used in this request: "
                          f"{', '.join(reserved)}")
    return await proceed()


@calls.strictly("lambda", "UpdateFunctionCode", "UpdateFunctionConfiguration", "PublishVersion",
                "PutFunctionConcurrency")
async def one_change_at_a_time(call, proceed):
    config = (_lambda._functions.get(_name(call)) or {}).get("config", {})
    if config.get("State") == "Pending":
        return call.error("ResourceConflictException", "The operation cannot be performed at this time. The function "
                          "is currently in the following state: Pending", 409)
    if config.get("LastUpdateStatus") == "InProgress" and call.operation != "PutFunctionConcurrency":
        return call.error("ResourceConflictException", "The operation cannot be performed at this time. An update is "
                          f"in progress for resource: {config['FunctionArn']}", 409)
    return await proceed()


@calls.strictly("lambda", "AddPermission", "RemovePermission")
async def permissions_are_written_one_by_one(call, proceed):
    key = call.region, _name(call)
    if key in _writing_permission:
        return call.error("ResourceConflictException", "The function could not be updated due to a concurrent update "
                          "operation.", 409)
    _writing_permission.add(key)
    try:
        await clock.sleep(_PERMISSION_WRITE)
        _permitted_at[_name(call)] = clock.after(_PERMISSION_SEEN)
        return await proceed()
    finally:
        _writing_permission.discard(key)


@calls.strictly("lambda", "PutFunctionConcurrency")
async def reservations_leave_some_concurrency(call, proceed):
    others = sum(function.get("concurrency") or 0 for name, function in _lambda._functions.items()
                 if name != _name(call))
    wanted = call.params.get("ReservedConcurrentExecutions", 0)
    if wanted and others + wanted > _lambda._ACCOUNT_CONCURRENCY_CAP - _UNRESERVED_MINIMUM:
        return call.error("InvalidParameterValueException", "Specified ReservedConcurrentExecutions for function "
                          "decreases account's UnreservedConcurrentExecution below its minimum value of "
                          f"[{_UNRESERVED_MINIMUM}].")
    return await proceed()


# Its role

def _of_its_role(original):
    """Functions call as their role, and may do what it may. ministack makes them the account otherwise."""

    def credentials(config):
        role = config.get("Role", "").rpartition("/")[2]
        if not role:
            return original(config)
        account, name = config["FunctionArn"].split(":")[4], config["FunctionName"]
        digest = hashlib.sha256(f"{config['FunctionArn']} {config['Role']}".encode()).hexdigest()
        key, secret, token = f"ASIA{digest[:16].upper()}", digest[16:56], digest
        _sts.register_session(key, {
            "Arn": f"arn:aws:sts::{account}:assumed-role/{role}/{name}", "UserId": f"{role}:{name}",
            "SecretAccessKey": secret, "SessionToken": token})
        return {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": token}

    return credentials


def install():
    # ministack leaves the unpacked code of its functions behind.
    atexit.register(shutil.rmtree, _lambda._PROVIDED_CODE_CACHE, ignore_errors=True)
    # Otherwise `/health` of every function URL would be answered by ministack.
    _app._HEALTH_PATHS = ("/_ministack/health",)
    hooks.wrap("app", "_handle_lambda_url_request", _through_the_door)
    hooks.wrap("lambda_svc", "_emit_lambda_metrics", _metrics)
    # The one that imported the other's function has a name of its own for it.
    for module in ("lambda_svc", "core.lambda_runtime"):
        hooks.wrap(module, "execution_credentials", _of_its_role)
    _lambda._LAMBDA_STATE_TRANSITION_DELAY = clock.scaled(_TRANSITION) if clock.STRICT else _QUICK_TRANSITION

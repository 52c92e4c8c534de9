"""Who may do what: users and assumed roles of IAM what their policies allow, the keys `test` everything.

ministack's own check (`AUTH=true`) is off: it has other names for some actions, no resource for many, and knows
nothing of the actions that AWS wants beside that of the call. Signatures are not looked at.
"""

from ministack.core import iam_evaluator, router
from ministack.core.responses import get_account_id

from . import actions, errors

# Actions that nobody has to be allowed.
_FREE = {"sts:GetCallerIdentity", "iam:GetAccountSummary", "route53:GetCheckerIpRanges"}


def refusal(call):
    """The answer to a call that its caller may not make; `None` if they may."""
    key = _key(call)
    if call.operation == "InvokeFunctionUrl":
        auth_type = call.query["url"][4].get("AuthType")
        if auth_type == "NONE":
            return None
        if not key:
            return call.error("AccessDeniedException", "Forbidden", 403)
    if iam_evaluator.is_root_access_key(key):
        return None
    caller = iam_evaluator.resolve_principal(key, get_account_id())
    if isinstance(caller, iam_evaluator.AuthError):
        return call.error(*errors.unknown_caller(call.service, caller.code, caller.message))
    for action, resource, keys in actions.needed(call):
        if reason := action not in _FREE and _why_not(caller, call, action, resource, keys):
            message = f"User: {caller.arn} is not authorized to perform: {action} on resource: {resource} {reason}"
            return call.error(errors.denied(call.service), message, 403)
    return None


def why_not_beside(call, action):
    """Why the caller of a call that they may make may not do `action` with the same resource; nothing if they may."""
    key = _key(call)
    if iam_evaluator.is_root_access_key(key):
        return None
    caller = iam_evaluator.resolve_principal(key, get_account_id())
    if isinstance(caller, iam_evaluator.AuthError):
        return caller.message
    _, resource, _ = next(iter(actions.needed(call)))
    reason = _why_not(caller, call, action, resource, {})
    return reason and f"User: {caller.arn} is not authorized to perform: {action} on resource: {resource} {reason}"


def _key(call):
    return router.extract_access_key_id(call.headers, call.query)


def _why_not(caller, call, action, resource, keys):
    """The end of the sentence with which AWS refuses an action; nothing if the caller may."""
    if caller.policies is None:
        return None
    region = "us-east-1" if call.region == "global" else call.region
    asked = iam_evaluator.EvalContext(
        caller.arn, caller.type, caller.account, action, resource, region,
        service_context={key.lower(): value for key, value in keys.items()}, principal_keys=caller.keys)
    decision = iam_evaluator.evaluate(asked, caller.policies, *caller.limits).decision
    if decision == "Allow":
        return None
    if decision == "Deny":
        return "with an explicit deny in an identity-based policy"
    return f"because no identity-based policy allows the {action} action"

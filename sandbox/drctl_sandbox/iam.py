"""IAM: lists of roles without tags, and in strict mode roles that can be assumed only once they are old enough."""

import re
from xml.sax.saxutils import escape

from . import calls, clock, hooks, store

_ASSUMABLE_AFTER = 1.5

_iam = hooks.module("iam")
_assumable_at = store.account_wide("iam.assumable_at")


@calls.around("iam", "ListRoles")
async def lists_have_no_tags(call, proceed):
    status, headers, body = await proceed()
    return status, headers, re.sub(rb"<Tags>.*?</Tags>", b"", body)


@calls.strictly("iam", "CreateRole")
async def new_roles_propagate(call, proceed):
    answer = await proceed()
    if answer[0] == 200:
        _assumable_at[call.params["RoleName"]] = clock.after(_ASSUMABLE_AFTER)
    return answer


def _role_xml(original):
    """Escapes a role's description and tags, which ministack writes into its XML as they are."""

    def role_xml(name, **kwargs):
        role = _iam._roles[name]
        _iam._roles[name] = {
            **role,
            "Description": escape(role.get("Description") or ""),
            "Tags": [{key: escape(value) for key, value in tag.items()} for tag in role.get("Tags") or []],
        }
        try:
            return original(name, **kwargs)
        finally:
            _iam._roles[name] = role

    return role_xml


def is_assumable(role_arn):
    """Whether services can already assume the role, judged by its existence and age alone."""
    name = role_arn.rpartition("/")[2]
    return name in _iam._roles and _assumable_at.get(name, 0) <= clock.now()


def install():
    hooks.wrap("iam", "_role_xml", _role_xml)

"""The Resource Groups Tagging API: every kind of resource drctl tags, in pages, a moment late in strict mode."""

import base64
import copy

from ministack.core.responses import get_account_id, get_region, request_scope

from . import calls, hooks
from .stale import Lagging

_LAG = 1.0
_PAGE = 100

_tagging = hooks.module("tagging")
_logs = hooks.module("cloudwatch_logs")
_cloudwatch = hooks.module("cloudwatch")
_route53 = hooks.module("route53")
_dynamodb = hooks.module("dynamodb")


def _collect_logs():
    for group in _logs._log_groups.values():
        yield group["arn"].removesuffix(":*"), _tagging._normalise_flat(group.get("tags"))


def _collect_alarms():
    for alarm in _cloudwatch._alarms.values():
        yield alarm["AlarmArn"], _tagging._normalise_flat(_cloudwatch._resource_tags.get(alarm["AlarmArn"]))


def _collect_route53():
    if get_region() != "us-east-1":
        return
    for (kind, identifier), tags in _route53._tags.items():
        known = _route53._zones if kind == "hostedzone" else _route53._health_checks
        if identifier in known:
            yield f"arn:aws:route53:::{kind}/{identifier}", _tagging._normalise_flat(tags)


def _collect_dynamodb():
    """Tables only: ministack keeps the tags of members that were removed from elsewhere."""
    for arn, tags in _collect_all_dynamodb():
        if arn.rpartition("/")[2] in _dynamodb._tables and f":{get_region()}:" in arn:
            yield arn, tags


_collect_all_dynamodb = _tagging._collect_dynamodb


def _everything():
    """All tagged resources of this account and region, in the order of their ARNs."""
    found = []
    for collect in dict.fromkeys(_tagging._COLLECTORS.values()):
        found += [(arn, tags) for arn, tags in collect() if tags]
    return sorted(found, key=lambda entry: entry[0])


_seen = Lagging(_LAG, lambda: copy.deepcopy(_everything()))


def _visible():
    past = _seen.past((get_account_id(), get_region()))
    return _everything() if past is None else past


@calls.before_changes
def remember(call):
    region = "us-east-1" if call.region == "global" else call.region
    with request_scope(get_account_id(), region):
        _seen.remember((get_account_id(), region))


@calls.around("tag", "GetResources")
async def get_resources(call, proceed):
    """ministack answers everything at once, and swallows what a collector raises."""
    ask = call.params
    if "ResourceARNList" in ask and ("TagFilters" in ask or "ResourceTypeFilters" in ask or "PaginationToken" in ask):
        return await proceed()
    wanted = [
        {"ResourceARN": arn, "Tags": tags}
        for arn, tags in _visible()
        if _tagging._matches_type_filters(arn, ask.get("ResourceTypeFilters"))
        and _tagging._matches_tag_filters(tags, ask.get("TagFilters"))
        and arn in ask.get("ResourceARNList", [arn])
    ]
    if after := ask.get("PaginationToken"):
        try:
            after = base64.urlsafe_b64decode(after).decode()
        except ValueError:
            return call.error("PaginationTokenExpiredException", "The pagination token is not valid.")
        wanted = [entry for entry in wanted if entry["ResourceARN"] > after]
    size = ask.get("ResourcesPerPage") or _PAGE
    page, rest = wanted[:size], wanted[size:]
    token = base64.urlsafe_b64encode(page[-1]["ResourceARN"].encode()).decode() if rest else ""
    return call.json({"ResourceTagMappingList": page, "PaginationToken": token})


def install():
    _tagging._COLLECTORS.update({
        "dynamodb": _collect_dynamodb,
        "logs": _collect_logs,
        "cloudwatch": _collect_alarms,
        "route53": _collect_route53,
        "secretsmanager": _tagging._collect_secretsmanager,
    })

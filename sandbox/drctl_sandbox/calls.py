"""The door every AWS request goes through: named, counted, subjected to faults and rules, then answered by ministack.

A rule is an async function `(call, proceed) -> response`, registered for
operations of a service with `around`. It may answer by itself, change the
request, or change what `await proceed()` returned.
"""

import functools
import json
from collections import Counter
from dataclasses import dataclass
from urllib.parse import parse_qsl

from defusedxml import ElementTree
from ministack import app
from ministack.core.responses import get_region, json_response

from . import authorization, clock, errors, faults, operations, store

# Services whose name in ministack is not the one IAM and this package use.
_NAMES = {"monitoring": "cloudwatch", "tagging": "tag"}
# Services without regions: their calls are counted, and can fail, in the region "global".
_GLOBAL = {"iam", "route53"}

_rules: dict = {}
_strict_rules: dict = {}
_watchers: list = []
_tally: Counter = Counter()


@dataclass
class Call:
    """One request to a service, as it reached the service."""

    service: str
    operation: str
    region: str
    method: str
    path: str
    headers: dict
    body: bytes
    query: dict

    @functools.cached_property
    def params(self):
        """The parameters of a JSON, CBOR or query request. REST XML requests have `xml` instead.

        A body that is no such thing has none: the service says what is wrong with it.
        """
        kind = self.headers.get("content-type", "")
        try:
            if "form-urlencoded" in kind:
                return dict(parse_qsl(self.body.decode(), keep_blank_values=True))
            found = _cbor(self.body) if "cbor" in kind else json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @functools.cached_property
    def xml(self):
        """The body of a REST XML request; an empty element if it is no XML."""
        try:
            return ElementTree.fromstring(self.body)
        except (ElementTree.ParseError, ValueError):
            return ElementTree.fromstring("<none/>")

    @property
    def changes_something(self):
        """Whether this is a control-plane write, judged by its name."""
        return self.operation.startswith(
            ("Create", "Delete", "Put", "Update", "Tag", "Untag", "Change", "Add", "Remove", "Set", "Subscribe",
             "Unsubscribe", "Replicate", "Restore", "Schedule", "Cancel", "Enable", "Disable", "Associate",
             "Disassociate", "Attach", "Detach")
        ) and not self.operation.endswith(("Object", "Objects", "Item", "MetricData", "LogEvents", "SecretValue"))

    def error(self, code, message, status=400):
        return errors.render(self.service, self.headers, code, message, status)

    def json(self, answer):
        return json_response(answer)


def _cbor(body):
    import cbor2

    try:
        return cbor2.loads(body)
    except cbor2.CBORDecodeError as error:
        raise ValueError from error


def around(service, *operations, rules=_rules):
    """Registers a rule for `operations` of `service`, inside those registered before. A decorator."""

    def register(rule):
        for operation in operations:
            rules.setdefault((service, operation), []).append(rule)
        return rule

    return register


def strictly(service, *operations):
    """Like `around`, in strict mode only, and outside all rules that fill gaps."""
    return around(service, *operations, rules=_strict_rules) if clock.STRICT else lambda rule: rule


def before_changes(watcher):
    """Calls `watcher(call)` before every control-plane write in strict mode. A decorator."""
    if clock.STRICT:
        _watchers.append(watcher)
    return watcher


async def dispatch(call, handler):
    """Answers one call: faults first, then who may make it, then the rules, then `handler`."""
    _tally[call.service, call.operation, call.region] += 1
    return await faults.subject(call, lambda: _follow(call, handler))


async def _follow(call, handler):
    if refusal := authorization.refusal(call):
        return refusal
    if call.changes_something:
        for watcher in _watchers:
            watcher(call)
    rules = [rule for table in (_strict_rules, _rules) for rule in table.get((call.service, call.operation), ())]

    async def step(position):
        if position < len(rules):
            return await rules[position](call, lambda: step(position + 1))
        return await handler(call.method, call.path, call.headers, call.body, call.query)

    return await step(0)


def counted():
    return [{"service": service, "operation": operation, "region": region, "count": count}
            for (service, operation, region), count in sorted(_tally.items())]


def install():
    for service, handler in app.SERVICE_HANDLERS.items():
        app.SERVICE_HANDLERS[service] = _behind_the_door(service, handler)


def _behind_the_door(ministack_name, handler):
    service = _NAMES.get(ministack_name, ministack_name)

    async def handle(method, path, headers, body, query):
        region = "global" if service in _GLOBAL else get_region()
        operation = operations.name(ministack_name, method, path, headers, body, query)
        return await dispatch(Call(service, operation, region, method, path, headers, body, query), handler)

    return handle


@store.on_reset
def forget():
    _tally.clear()

"""CloudWatch Logs: groups asked for by name, and metrics that functions write into their log (EMF)."""

import json

from ministack.core.responses import error_response_json

from . import clock, hooks

_cloudwatch = hooks.module("cloudwatch")
_logs = hooks.module("cloudwatch_logs")


def _append(original):
    def append(stream, events):
        original(stream, events)
        for event in events:
            _publish(event["message"])

    return append


def _publish(line):
    """Publishes the metrics of one log line, if it has any."""
    line = line.strip()
    if not (line.startswith("{") and '"_aws"' in line):
        return
    try:
        document = json.loads(line)
        directives = document["_aws"]["CloudWatchMetrics"]
        stamp = document["_aws"].get("Timestamp", clock.now() * 1000) / 1000
        for directive in directives:
            for names in directive.get("Dimensions", [[]]):
                dimensions = {name: str(document[name]) for name in names}
                for metric in directive["Metrics"]:
                    value = document[metric["Name"]]
                    many = value if isinstance(value, list) else None
                    _cloudwatch._store_datum(directive["Namespace"], metric["Name"], dimensions, stamp,
                                             metric.get("Unit", "None"), value, many, None, None)
    except (KeyError, TypeError, ValueError):
        # AWS ignores what is not quite the format, too.
        return


def _describe_log_groups(original):
    def describe(data):
        identifiers = data.get("logGroupIdentifiers")
        return original(data) if identifiers is None else _describe_identified(original, identifiers)

    return describe


def _describe_identified(original, identifiers):
    """The groups of these names or ARNs. What is not there is left out."""
    if len(identifiers) > 50:
        return error_response_json(
            "InvalidParameterException", "logGroupIdentifiers takes at most 50 entries.", 400)
    found = []
    for identifier in identifiers:
        name = identifier.removesuffix(":*").rpartition("log-group:")[2]
        status, headers, body = original({"logGroupNamePrefix": name, "limit": 1})
        found += [group for group in json.loads(body)["logGroups"] if group["logGroupName"] == name]
    return status, headers, json.dumps({"logGroups": found}).encode()


def install():
    hooks.wrap("cloudwatch_logs", "_describe_log_groups", _describe_log_groups)
    hooks.wrap("cloudwatch_logs", "_append_log_events", _append)

"""The health of Route 53's checks, from real probes at each check's interval, scaled.

A check of a function URL's official host is probed on this server. A check
starts healthy and changes after as many equal results in a row as its
threshold says. Its state is published as the metric HealthCheckStatus.
"""

import datetime
import http.client
import socket
import ssl
import threading
from dataclasses import dataclass

from ministack.core.responses import request_scope

from . import clock, hooks, store

# How often checks are looked at, which bounds how exact their intervals are.
_TICK = 1
# Of checks that watch an alarm or other checks.
_INTERVAL = 5
_CONNECT_TIMEOUT = 4
_ANSWER_TIMEOUT = 2
_SEARCHED_BYTES = 5120
_CHECKERS = {"us-east-1": "15.177.2.1", "us-west-1": "15.177.10.1", "us-west-2": "15.177.14.1",
             "eu-west-1": "15.177.34.1", "ap-southeast-1": "15.177.42.1", "ap-southeast-2": "15.177.46.1",
             "ap-northeast-1": "15.177.50.1", "sa-east-1": "15.177.58.1"}
_PROBED = ("HTTP", "HTTPS", "HTTP_STR_MATCH", "HTTPS_STR_MATCH", "TCP")

_app = hooks.module("app")
_route53 = hooks.module("route53")
_cloudwatch = hooks.module("cloudwatch")


@dataclass
class _State:
    """What is known about one check."""

    healthy: bool = True
    row: int = 0
    due: float = 0
    running: bool = False
    report: str = "Success: no check was made yet"
    failure: str = ""
    checked_at: float = 0
    failed_at: float = 0


_states: dict = {}
store.on_reset(_states.clear)


def forget(identifier):
    _states.pop(identifier, None)


def _state(identifier):
    return _states.setdefault(identifier, _State())


def is_healthy(identifier):
    """Whether Route 53 considers the check healthy now; a check that is gone counts as healthy."""
    check = _find(identifier)
    if check is None:
        return True
    config = check["config"]
    if config.get("Disabled"):
        return True
    return _raw(identifier, config) != bool(config.get("Inverted"))


def _find(identifier):
    for (_, key), check in list(_route53._health_checks._data.items()):
        if key == identifier:
            return check
    return None


def _raw(identifier, config):
    if config["Type"] == "CALCULATED":
        children = [is_healthy(child) for child in config.get("ChildHealthChecks", [])]
        return sum(children) >= config.get("HealthThreshold", 0)
    return _state(identifier).healthy


def observations(check, last_failure=False):
    """What each checker reports: region, its address, a sentence and the time."""
    state, config = _state(check["id"]), check["config"]
    report, at = (state.failure, state.failed_at) if last_failure else (state.report, state.checked_at)
    if config["Type"] == "CALCULATED":
        report, at = ("Success" if _raw(check["id"], config) else "Failure: too few children are healthy"), clock.now()
    if not report:
        return []
    stamp = datetime.datetime.fromtimestamp(at or clock.now(), datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    regions = config.get("Regions") or list(_CHECKERS)
    return [(region, _CHECKERS.get(region, "15.177.0.1"), report, stamp) for region in regions]


# Probing

def _start_due_probes():
    for (account, identifier), check in list(_route53._health_checks._data.items()):
        state = _state(identifier)
        if not state.running and clock.now() >= state.due:
            state.running = True
            threading.Thread(target=_check, args=(account, identifier, check, state), daemon=True).start()


def _check(account, identifier, check, state):
    config = check["config"]
    try:
        if config["Type"] in _PROBED:
            _note(state, _probe(config), config.get("FailureThreshold", 3))
        elif config["Type"] == "CLOUDWATCH_METRIC":
            _follow_alarm(account, config, state)
        with request_scope(account, "us-east-1"):
            _cloudwatch.record_metric("AWS/Route53", "HealthCheckStatus", float(is_healthy(identifier)), "None",
                                      {"HealthCheckId": identifier})
    finally:
        state.due = clock.after(config.get("RequestInterval", 30) if config["Type"] in _PROBED else _INTERVAL)
        state.running = False


def _note(state, failure, threshold):
    """Counts one result; `failure` is empty when the endpoint is well."""
    state.checked_at = clock.now()
    state.report = f"Failure: {failure}" if failure else "Success: HTTP Status Code 200, OK"
    if failure:
        state.failure, state.failed_at = state.report, state.checked_at
    state.row = 0 if bool(failure) != state.healthy else state.row + 1
    if state.row >= threshold:
        state.healthy, state.row = not failure, 0


def _follow_alarm(account, config, state):
    """A check of a metric is as healthy as its alarm; without data, as its setting says."""
    alarm = config.get("AlarmIdentifier", {})
    found = _cloudwatch._alarms.get_scoped(account, alarm.get("Region"), alarm.get("Name"))
    seen = (found or {}).get("StateValue", "INSUFFICIENT_DATA")
    state.checked_at = clock.now()
    if seen == "INSUFFICIENT_DATA":
        default = {"Healthy": True, "Unhealthy": False}.get(config.get("InsufficientDataHealthStatus"), state.healthy)
        state.healthy = default
    else:
        state.healthy = seen == "OK"
    state.report = f"{'Success' if state.healthy else 'Failure'}: alarm is in the state {seen}"


def _probe(config):
    """Asks the endpoint once. Returns why it is unhealthy, or nothing."""
    host = config.get("FullyQualifiedDomainName") or config.get("IPAddress", "")
    secure = config["Type"].startswith("HTTPS")
    port = int(config.get("Port") or (443 if secure else 80))
    if _app._LAMBDA_URL_RE.match(host):
        connection = http.client.HTTPConnection("127.0.0.1", int(_app._resolve_port()), timeout=_ANSWER_TIMEOUT)
    elif config["Type"] == "TCP":
        return _connect(config.get("IPAddress") or host, port)
    elif secure:
        context = ssl._create_unverified_context()
        connection = http.client.HTTPSConnection(config.get("IPAddress") or host, port, timeout=_ANSWER_TIMEOUT,
                                                 context=context)
    else:
        connection = http.client.HTTPConnection(config.get("IPAddress") or host, port, timeout=_ANSWER_TIMEOUT)
    return _ask(connection, host, config)


def _connect(host, port):
    try:
        socket.create_connection((host, port), _CONNECT_TIMEOUT).close()
    except OSError as error:
        return str(error)
    return ""


def _ask(connection, host, config):
    try:
        connection.request("GET", config.get("ResourcePath") or "/", headers={
            "Host": host, "User-Agent": "Amazon-Route53-Health-Check-Service (ref drctl-sandbox)"})
        answer = connection.getresponse()
        body = answer.read(_SEARCHED_BYTES)
    except (OSError, http.client.HTTPException) as error:
        return str(error) or type(error).__name__
    finally:
        connection.close()
    if not 200 <= answer.status < 400:
        return f"HTTP Status Code {answer.status}, {answer.reason}"
    if config.get("SearchString") and config["SearchString"].encode() not in body:
        return "the search string was not found"
    return ""


def install():
    clock.every(_TICK, _start_due_probes)

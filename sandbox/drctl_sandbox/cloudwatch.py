"""CloudWatch: alarms with metric math, judged continuously by their own dimensions, period by period.

Periods are divided by the sandbox's speed, so an alarm of five minutes fires
within seconds of a fast sandbox.
"""

import re

from ministack.core.responses import request_scope

from . import calls, clock, hooks

_TICK = 5.0
_FILL = re.compile(r"\s*FILL\(\s*(\w+)\s*,\s*(-?[\d.]+)\s*\)\s*$")
_IDENTIFIER = re.compile(r"\s*(\w+)\s*$")
_OF_ONE_METRIC = ("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Period", "Dimensions", "Unit")

_cloudwatch = hooks.module("cloudwatch")


@calls.around("cloudwatch", "PutMetricAlarm")
async def alarms_keep_their_metrics(call, proceed):
    """ministack drops `Metrics`, and gives every alarm a statistic of one metric."""
    answer = await proceed()
    alarm = _cloudwatch._alarms.get(call.params.get("AlarmName"))
    if answer[0] != 200 or alarm is None:
        return answer
    if metrics := call.params.get("Metrics"):
        alarm["Metrics"] = metrics
        for setting in _OF_ONE_METRIC:
            alarm.pop(setting, None)
    elif alarm.get("ExtendedStatistic"):
        alarm.pop("Statistic", None)
    _evaluate(alarm)
    return answer


def _evaluate(alarm):
    """Moves an alarm to the state that its data of the last periods asks for."""
    values = _values(alarm)
    if values is None:
        return
    state = _state(alarm, values)
    if state and state != alarm["StateValue"]:
        before, reason = alarm["StateValue"], f"Threshold Crossed: {values} against {alarm.get('Threshold')}"
        alarm.update(StateValue=state, StateReason=reason, StateUpdatedTimestamp=int(clock.now()))
        _cloudwatch._record_history(alarm["AlarmName"], before, state, reason)
        _cloudwatch._dispatch_alarm_actions(alarm, before, state, reason)
        _cloudwatch._evaluate_parent_alarms(alarm)


def _values(alarm):
    """One value for each of the last periods, newest first, with None where there is no data."""
    periods = alarm.get("EvaluationPeriods", 1)
    if "Metrics" not in alarm:
        statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic", "Average")
        return _series(alarm, statistic, alarm.get("Period", 60), periods)
    series = {}
    for query in alarm["Metrics"]:
        if stat := query.get("MetricStat"):
            series[query["Id"]] = _series(stat["Metric"], stat["Stat"], stat["Period"], periods)
    shown = next((query for query in alarm["Metrics"] if query.get("ReturnData", True)), {})
    return _math(shown["Expression"], series) if "Expression" in shown else series.get(shown.get("Id"))


def _math(expression, series):
    """The expressions that are understood: a metric's id, and FILL with a number."""
    if fill := _FILL.match(expression):
        return [float(fill[2]) if value is None else value for value in series.get(fill[1], [])]
    identifier = _IDENTIFIER.match(expression)
    return series.get(identifier[1]) if identifier else None


def _series(metric, statistic, period, periods):
    dimensions = _cloudwatch._dims_key(_cloudwatch._dims_from_list(metric.get("Dimensions", [])))
    points = _cloudwatch._metrics.get((metric.get("Namespace"), metric.get("MetricName"), dimensions), [])
    length, now = clock.scaled(period), clock.now()
    series = []
    for number in range(periods):
        end = now - number * length
        inside = [point for point in points if end - length <= point["Timestamp"] < end]
        stats = _cloudwatch._calc_stats(inside)
        series.append(_cloudwatch._stat_value(stats, statistic, inside) if stats else None)
    return series


def _state(alarm, values):
    treatment = alarm.get("TreatMissingData", "missing")
    if alarm.get("Namespace") == "AWS/DynamoDB":
        treatment = "ignore"
    present = [value for value in values if value is not None]
    if not present:
        return {"missing": "INSUFFICIENT_DATA", "breaching": "ALARM", "notBreaching": "OK"}.get(treatment)
    breaching = sum(_breaches(alarm, value) for value in present)
    if treatment == "breaching":
        breaching += len(values) - len(present)
    return "ALARM" if breaching >= (alarm.get("DatapointsToAlarm") or len(values)) else "OK"


def _breaches(alarm, value):
    threshold = alarm.get("Threshold", 0)
    return {
        "GreaterThanOrEqualToThreshold": value >= threshold,
        "GreaterThanThreshold": value > threshold,
        "LessThanThreshold": value < threshold,
        "LessThanOrEqualToThreshold": value <= threshold,
    }.get(alarm.get("ComparisonOperator"), False)


def _evaluate_all():
    for (account, region, _), alarm in _cloudwatch._alarms.all_items():
        with request_scope(account, region):
            _evaluate(alarm)


def install():
    hooks.replace("cloudwatch", "_evaluate_alarm", _evaluate)
    clock.every(_TICK, _evaluate_all)

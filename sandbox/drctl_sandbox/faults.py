"""Faults on demand: latency, errors, dropped connections, lost or broken answers, calls held, and regions gone dark.

A fault is a rule that matches calls by service, operation (with `*`), region
and whether they write; what it leaves out matches everything. Calls of IAM and
Route 53 are in the region `global`.
"""

import asyncio
from dataclasses import asdict, dataclass, field, fields
from fnmatch import fnmatchcase
from typing import Optional

from . import connection, errors, store

ACTIONS = ("latency", "error", "drop", "lose_answer", "hold", "hold_answer", "truncate", "garble", "dark")
_READS = ("Get", "List", "Describe", "Head", "Test", "Lookup", "Query", "Scan", "BatchGet")

active: list = []


@dataclass
class Fault:
    """One thing that goes wrong. `times` counts down; without it the fault lasts until it is removed.

    `dark` drops every call at once, or lets it hang for `delay_ms` first, and
    stops what flows between regions by itself: replication and health probes.
    `hold` keeps a call before its work is done, `hold_answer` after it, until
    the faults are set anew; then the connection is dropped. `held` counts them.
    A call meets the faults in their order, and the first that is more than a
    `latency` is its last.
    """

    action: str
    service: Optional[str] = None
    operation: Optional[str] = None
    region: Optional[str] = None
    code: Optional[str] = None
    status: Optional[int] = None
    message: Optional[str] = None
    delay_ms: int = 0
    times: Optional[int] = None
    writes: bool = False
    held: int = field(default=0, init=False)

    def strikes(self, call):
        return (self.service in (None, call.service)
                and self.region in (None, call.region)
                and not (self.writes and call.operation.startswith(_READS))
                and fnmatchcase(call.operation, self.operation or "*"))


def replace_all(rules):
    """Sets the faults from plain data, or raises ValueError and leaves them alone."""
    if not isinstance(rules, list):
        raise ValueError("faults are a list of rules, such as [{\"action\": \"latency\", \"delay_ms\": 100}]")
    faults = [_fault(f"rule {number}", rule) for number, rule in enumerate(rules, 1)]
    forget()
    active[:] = faults


def _fault(which, rule):
    if not isinstance(rule, dict):
        raise ValueError(f"{which} is no object")
    types = {known.name: known.type for known in fields(Fault) if known.init}
    for key, value in rule.items():
        if key not in types:
            raise ValueError(f"{which} has an unknown key `{key}`; the keys are {', '.join(types)}")
        if types[key] is bool:
            if not isinstance(value, bool):
                raise ValueError(f"`{key}` in {which} is true or false")
        elif types[key] in (int, Optional[int]):
            least = 1 if key in ("times", "status") else 0
            if type(value) is not int or value < least:
                raise ValueError(f"`{key}` in {which} is a whole number from {least}")
        elif not isinstance(value, str):
            raise ValueError(f"`{key}` in {which} is a text")
    action = rule.get("action")
    if action not in ACTIONS:
        raise ValueError(f"`action` in {which} is one of {', '.join(ACTIONS)}")
    if action == "latency" and not rule.get("delay_ms"):
        raise ValueError(f"{which} has no `delay_ms`, the length of its latency")
    if "times" in rule and action.startswith("hold"):
        raise ValueError(f"{which} has `times`; {action} holds every call until the faults are set anew")
    if said := [key for key in ("code", "status", "message") if key in rule and action != "error"]:
        raise ValueError(f"{which} has `{said[0]}`, which only an error has")
    if not 400 <= rule.get("status", 400) <= 599:
        raise ValueError(f"`status` in {which} is that of an error, 400 to 599")
    return Fault(**rule)


def listed():
    return [{name: value for name, value in asdict(fault).items() if value not in (None, 0)} for fault in active]


async def _hold(fault):
    """Waits until the faults are set anew."""
    fault.held += 1
    while _is_in_force(fault):
        await asyncio.sleep(0.01)
    return connection.drop()


def is_dark(region):
    """Whether nothing in `region` answers."""
    return any(f.action == "dark" and f.region == region and not f.writes
               and (f.service, f.operation, f.times) == (None, None, None) for f in active)


async def subject(call, work):
    """Does `work` for `call`, with the faults that strike it, up to the first that changes the answer."""
    for fault in [f for f in active if f.strikes(call)]:
        # Another call may have used it up, or the faults may be others, while this one waited.
        if not _use(fault):
            continue
        if fault.delay_ms:
            await asyncio.sleep(fault.delay_ms / 1000)
        if fault.action != "latency":
            return await _answer(fault, call, work)
    return await work()


async def _answer(fault, call, work):
    if fault.action == "error":
        code, status = errors.throttling(call.service)
        if fault.code:
            code, status = fault.code, errors.usual_status(fault.code)
        return call.error(code, fault.message or "injected by the sandbox", fault.status or status)
    if fault.action in ("drop", "dark"):
        return connection.drop()
    if fault.action == "hold":
        return await _hold(fault)
    answer = await work()
    if fault.action == "lose_answer":
        return connection.drop()
    if fault.action == "hold_answer":
        return await _hold(fault)
    return _broken(fault, *answer)


def _broken(fault, status, headers, body):
    """An answer cut in the middle, or one that is no answer at all."""
    body = body.encode() if isinstance(body, str) else body
    broken = body[:len(body) // 2] if fault.action == "truncate" else b"\x00<{garbled}"
    kept = {name: value for name, value in headers.items() if name.lower() != "content-length"}
    return status, kept, broken


def _is_in_force(fault):
    """Whether it is this very fault: another one may look the same."""
    return any(other is fault for other in active)


def _use(fault):
    """Counts a call that it strikes; whether there still was one for it."""
    if not _is_in_force(fault):
        return False
    if fault.times is not None:
        fault.times -= 1
        if fault.times == 0:
            active[:] = [other for other in active if other is not fault]
    return True


@store.on_reset
def forget():
    active.clear()

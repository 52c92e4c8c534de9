"""Faults on demand: latency, errors, dropped connections, lost answers, and regions gone dark.

A fault is a rule that matches calls by service, operation (with `*`) and
region; what it leaves out matches everything. Calls of IAM and Route 53 are in
the region `global`.
"""

import asyncio
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from typing import Optional

from . import connection, errors, store

ACTIONS = ("latency", "error", "drop", "lose_answer", "dark")

active: list = []


@dataclass
class Fault:
    """One thing that goes wrong. `times` counts down; without it the fault lasts until it is removed.

    `dark` drops every call at once, or lets it hang for `delay_ms` first, and
    stops what flows between regions by itself: replication and health probes.
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

    def __post_init__(self):
        if self.action not in ACTIONS:
            raise ValueError(f"`action` is one of {', '.join(ACTIONS)}, not `{self.action}`")

    def strikes(self, call):
        return (self.service in (None, call.service)
                and self.region in (None, call.region)
                and fnmatchcase(call.operation, self.operation or "*"))


def replace_all(rules):
    """Sets the faults from plain data, or raises ValueError or TypeError and leaves them alone."""
    active[:] = [Fault(**rule) for rule in rules]


def listed():
    return [{name: value for name, value in asdict(fault).items() if value not in (None, 0)} for fault in active]


def is_dark(region):
    """Whether nothing in `region` answers."""
    return any(f.action == "dark" and f.region == region and f.service is None for f in active)


async def subject(call, work):
    """Does `work` for `call`, with every fault that strikes it; of those that answer, the first one does."""
    lose_answer = False
    for fault in [f for f in active if f.strikes(call)]:
        _count_down(fault)
        if fault.delay_ms:
            await asyncio.sleep(fault.delay_ms / 1000)
        if fault.action == "error":
            code, status = errors.throttling(call.service)
            if fault.code:
                code, status = fault.code, errors.usual_status(fault.code)
            return call.error(code, fault.message or "injected by the sandbox", fault.status or status)
        if fault.action in ("drop", "dark"):
            return connection.drop()
        lose_answer = lose_answer or fault.action == "lose_answer"
    answer = await work()
    return connection.drop() if lose_answer else answer


def _count_down(fault):
    if fault.times is not None:
        fault.times -= 1
        if fault.times <= 0:
            active.remove(fault)


@store.on_reset
def forget():
    active.clear()

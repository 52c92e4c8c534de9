"""Reads that lag behind writes, as AWS's do: a tool for the other modules, and the configuration reads that use it.

Only reads are stale. A write meets the world as it is.
"""

import copy
import threading
from collections import deque

from . import calls, clock, hooks, store

_LAG = 0.3

# Service: its module in ministack, the stores that are seen late, and the operations that read them.
_READS = {
    "cloudwatch": ("cloudwatch", ["_alarms"], ["DescribeAlarms"]),
    "iam": ("iam", ["_roles"], ["GetRole", "ListRoles", "GetRolePolicy", "ListRolePolicies",
                                "ListAttachedRolePolicies", "ListRoleTags"]),
    "kms": ("kms", ["_keys", "_aliases"], ["DescribeKey", "GetKeyPolicy", "GetKeyRotationStatus", "ListAliases",
                                           "ListKeys", "ListResourceTags"]),
    "logs": ("cloudwatch_logs", ["_log_groups"], ["DescribeLogGroups", "ListTagsForResource"]),
    "sns": ("sns", ["_topics"], ["GetTopicAttributes", "ListTopics", "ListSubscriptionsByTopic",
                                 "ListTagsForResource"]),
    "s3": ("s3", ["_bucket_versioning", "_bucket_encryption", "_bucket_tags", "_bucket_policies",
                  "_bucket_lifecycle", "_bucket_replication"],
           ["GetBucketVersioning", "GetBucketEncryption", "GetBucketTagging", "GetBucketPolicy",
            "GetBucketLifecycleConfiguration", "GetBucketReplication"]),
}


# Held while old stores stand in the place of the present ones. Reads come one after the other, in one thread.
_door = threading.RLock()
_resetting = False


class Lagging:
    """What `take` returned a moment ago, if it was remembered before something changed.

    The moment is `lag` seconds long, scaled. `take` has to return a copy.
    """

    def __init__(self, lag, take):
        self._lag = clock.scaled(lag)
        self._take = take
        self._past = {}
        store.on_reset(self._past.clear)

    def remember(self, scope=None):
        """Keeps what is there now; to be called before each change."""
        self._recent(scope).append((clock.now(), self._take()))

    def past(self, scope=None):
        """What a stale read sees, or None when nothing changed recently."""
        past = self._recent(scope)
        return past[0][1] if past else None

    def _recent(self, scope):
        """What is remembered, without what no read sees any more."""
        past = self._past.setdefault(scope, deque())
        while past and past[0][0] < clock.now() - self._lag:
            past.popleft()
        return past


def _copy(value):
    """A copy of one resource. Log streams are shared: they are long, and nobody reads them here."""
    if isinstance(value, dict) and "streams" in value:
        return {**copy.deepcopy({**value, "streams": None}), "streams": value["streams"]}
    return copy.deepcopy(value)


def _install(service, module, names, operations):
    def stores():
        return [getattr(hooks.module(module), name) for name in names]

    lagging = Lagging(_LAG, lambda: [{key: _copy(value) for key, value in s._data.items()} for s in stores()])

    @calls.before_changes
    def remember(call):
        if call.service == service:
            lagging.remember()

    @calls.strictly(service, *operations)
    async def read_late(call, proceed):
        past = lagging.past()
        if past is None:
            return await proceed()
        # Nothing inside waits, so no other request can meet the old stores.
        with _door:
            if _resetting:
                return await proceed()
            now = stores()
            present = [s._data for s in now]
            for s, old in zip(now, past, strict=True):
                s._data = old
            try:
                return await proceed()
            finally:
                for s, new in zip(now, present, strict=True):
                    s._data = new


def _apart(original):
    """A reset runs in a thread of its own. It would empty the old stores, and leave the present ones as they are."""

    def reset():
        global _resetting
        with _door:
            _resetting = True
        try:
            original()
        finally:
            _resetting = False

    return reset


def install():
    hooks.wrap("app", "_reset_all_state", _apart)
    for service, (module, names, operations) in _READS.items():
        _install(service, module, names, operations)

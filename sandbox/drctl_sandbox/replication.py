"""How changes travel between regions: after a lag in strict mode, not while an end is dark, last writer first.

DynamoDB's items and S3's objects use the same `carry`.
"""

from . import clock, faults

# How long an item or object is on its way in strict mode.
LAG = 0.3
_DARK_RETRY = 0.2


def carry(source, target, deliver):
    """Runs `deliver` once what was written in `source` reaches `target`."""
    if clock.STRICT:
        clock.later(LAG, _arrive, source, target, deliver)
    else:
        _arrive(source, target, deliver)


def _arrive(source, target, deliver):
    if faults.is_dark(source) or faults.is_dark(target):
        clock.later(_DARK_RETRY, _arrive, source, target, deliver)
    else:
        deliver()

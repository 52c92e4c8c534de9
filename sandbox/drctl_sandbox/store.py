"""What the extension remembers, kept like ministack's own state: wiped by a reset, saved with the rest.

ministack knows this module as the service `drctl`, which has state but no requests.
"""

import copy
import sys

from ministack import app
from ministack.core.responses import AccountRegionScopedDict, AccountScopedDict

from . import clock

_stores: dict = {}
_on_reset: list = []


def regional(name):
    """A dictionary with entries of their own for each account and region."""
    return _stores.setdefault(name, AccountRegionScopedDict())


def account_wide(name):
    """A dictionary with entries of their own for each account."""
    return _stores.setdefault(name, AccountScopedDict())


def on_reset(action):
    """Runs `action` whenever the sandbox is reset. A decorator."""
    _on_reset.append(action)
    return action


def install():
    app.SERVICE_REGISTRY["drctl"] = {"module": "drctl"}
    app._state_map["drctl"] = "drctl"
    app._loaded_modules["drctl"] = sys.modules[__name__]


def reset():
    clock.forget_pending()
    for store in _stores.values():
        store.clear()
    for action in _on_reset:
        action()


def get_state():
    return copy.deepcopy(_stores)


def load_persisted_state(state):
    for name, saved in state.items():
        if name in _stores:
            _stores[name].update(saved)

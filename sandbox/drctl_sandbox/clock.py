"""Time in the sandbox: whether AWS's delays are imitated, how fast they pass, and work done later.

Every duration in this package is written in the seconds of an unhurried
sandbox and divided by `DRCTL_SANDBOX_SPEED` where it is used.
"""

import asyncio
import contextvars
import logging
import os
import threading
import time

from ministack import app

STRICT = os.environ.get("DRCTL_SANDBOX_STRICT") == "1"
SPEED = float(os.environ.get("DRCTL_SANDBOX_SPEED") or 1)

now = time.time

_logger = logging.getLogger("drctl_sandbox")

# What is to happen later, by its handle: the context to do it in, and what.
_pending: dict = {}
_running: set = set()


def scaled(seconds):
    """The real length of a wait that is `seconds` long at speed 1."""
    return seconds / SPEED


def after(seconds):
    """The moment `seconds` from now, scaled."""
    return now() + scaled(seconds)


async def sleep(seconds):
    """Waits inside a request. Handlers share one event loop, so nothing else may block."""
    await asyncio.sleep(scaled(seconds))


def later(seconds, action, *args):
    """Runs `action`, which may be async, after a scaled wait, with this request's account and region.

    Any thread may ask.
    """
    context = contextvars.copy_context()

    def run():
        _pending.pop(handle, None)
        result = action(*args)
        if asyncio.iscoroutine(result):
            _running.add(task := asyncio.ensure_future(result))
            task.add_done_callback(_running.discard)

    def schedule():
        nonlocal handle
        handle = app._MAIN_LOOP.call_later(scaled(seconds), run, context=context)
        _pending[handle] = context, action, args

    handle = None
    app._MAIN_LOOP.call_soon_threadsafe(schedule)


def every(seconds, action):
    """Runs `action` on the event loop again and again, for the life of the server."""

    def tick():
        while True:
            time.sleep(scaled(seconds))
            if app._MAIN_LOOP and not app._MAIN_LOOP.is_closed():
                app._MAIN_LOOP.call_soon_threadsafe(action)

    threading.Thread(target=tick, daemon=True).start()


def forget_pending():
    """Cancels everything that was to happen later: the world it belonged to is gone."""
    while _pending:
        _pending.popitem()[0].cancel()


async def settle():
    """Does at once what was to happen later, for a server that saves what it holds and ends."""
    await asyncio.sleep(0)  # What was asked for a moment ago is scheduled by now.
    while _pending:
        handle = next(iter(_pending))
        context, action, args = _pending.pop(handle)
        handle.cancel()
        try:
            result = context.run(action, *args)
            if asyncio.iscoroutine(result):
                await context.run(asyncio.ensure_future, result)
        except Exception:
            _logger.exception("what was to happen later failed: %s", action)
        await asyncio.sleep(0)
    await asyncio.gather(*_running, return_exceptions=True)

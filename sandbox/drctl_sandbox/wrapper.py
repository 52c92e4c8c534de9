"""The ASGI application around ministack's: it answers `/_drctl` itself, makes connections cuttable, and ends in order.

`GET` and `DELETE /_drctl/calls` read and clear the counts of AWS calls;
`GET`, `PUT` and `DELETE /_drctl/faults` read, set and clear the faults.
"""

import json

from ministack import app

from . import calls, clock, connection, faults


def install():
    ministack = app.app

    async def drctl(scope, receive, send):
        if scope["type"] == "lifespan":
            await ministack(scope, _settled(receive), send)
        elif scope["type"] != "http":
            await ministack(scope, receive, send)
        elif scope["path"].startswith("/_drctl/"):
            await _answer(scope, receive, send)
        else:
            await ministack(scope, receive, connection.enter(send).send)

    app.app = drctl


def _settled(receive):
    """Before ministack hears that it ends, and saves: faults end, and what is on its way arrives."""

    async def hear():
        message = await receive()
        if message["type"] == "lifespan.shutdown":
            faults.forget()
            await clock.settle()
        return message

    return hear


async def _answer(scope, receive, send):
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    status, answer = _control(scope["method"], scope["path"], body)
    payload = json.dumps(answer).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(payload)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": payload})


def _control(method, path, body):
    asked = method, path
    if asked == ("GET", "/_drctl/calls"):
        return 200, calls.counted()
    if asked == ("DELETE", "/_drctl/calls"):
        calls.forget()
        return 200, []
    if asked == ("PUT", "/_drctl/faults"):
        try:
            faults.replace_all(json.loads(body))
        except ValueError as error:
            return 400, {"error": str(error)}
    elif asked == ("DELETE", "/_drctl/faults"):
        faults.forget()
    elif asked != ("GET", "/_drctl/faults"):
        return 404, {"error": f"there is no {method} {path}"}
    return 200, faults.listed()

"""Starts the sandbox: environment, ministack, the check of its insides, our rules, then ministack's own `main`."""

import os
import signal
import threading
import time

# ministack reads its settings while it is imported.
for _name, _value in {
    "BIND_HOST": "127.0.0.1",
    "IOT_MTLS_ENABLED": "0",
    "SFTP_ENABLED": "0",
    # AWS's default; ministack's own depends on the memory of the machine.
    "LAMBDA_ACCOUNT_CONCURRENCY": "1000",
}.items():
    os.environ.setdefault(_name, _value)


def main():
    from ministack import app

    from . import hooks

    hooks.verify()

    # Those without an `install` are nothing but rules, which are registered when they are loaded.
    from . import (  # noqa: F401
        calls,
        cloudformation,
        cloudwatch,
        dynamodb,
        dynamodb_strict,
        encryption,
        health,
        iam,
        kms,
        lambda_,
        logs,
        route53,
        s3,
        secretsmanager,
        sns,
        stale,
        store,
        tagging,
        wrapper,
    )

    for module in (store, calls, cloudformation, cloudwatch, dynamodb, dynamodb_strict, encryption, health, iam,
                   lambda_, logs, route53, s3, tagging, stale, wrapper):
        module.install()
    if parent := os.environ.get("DRCTL_SANDBOX_PARENT"):
        threading.Thread(target=_end_with, args=(int(parent),), daemon=True).start()
    app.main()


def _end_with(parent):
    """Stops this server once the process `parent` is gone."""
    ours = os.getppid() == parent
    while _is_parent(parent) if ours else _exists(parent):
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)


def _is_parent(pid):
    # An orphan gets a new parent at once, even while its old one is a zombie.
    return os.getppid() == pid


def _exists(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


if __name__ == "__main__":
    main()

"""A sandbox of its own for these tests: one that only fills gaps, one that is strict."""

import io
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
import zipfile

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

PACKAGE = pathlib.Path(__file__).resolve().parent.parent
# Some tests load the extension into their own process.
sys.path.insert(0, str(PACKAGE))
EAST, WEST = "us-east-1", "us-west-2"


class Sandbox:
    """A running server, and what a test asks of it."""

    def __init__(self, inherits=(), **settings):
        # Somebody else may take the port before the server does.
        for _ in range(3):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self.port = probe.getsockname()[1]
            self.url = f"http://127.0.0.1:{self.port}"
            self._start(inherits, settings)
            wait_until(lambda: self._is_ready() or self.process.poll() is not None)
            if self.process.poll() is None:
                break
        assert self.process.poll() is None, "the sandbox did not start"
        self._clients = {}

    def _start(self, inherits, settings):
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            "PYTHONPATH": str(PACKAGE),
            "GATEWAY_PORT": str(self.port),
            "AWS_ENDPOINT_URL": self.url,
            "DRCTL_SANDBOX_PARENT": str(os.getpid()),
            "LOG_LEVEL": "WARNING",
            **settings,
        }
        self.process = subprocess.Popen([sys.executable, "-m", "drctl_sandbox"], env=environment, pass_fds=inherits)

    def _is_ready(self):
        try:
            return get(f"{self.url}/_ministack/health")[0] == 200
        except OSError:
            return False

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)

    def aws(self, service, region=EAST):
        """A client that asks once and never retries."""
        if (service, region) not in self._clients:
            self._clients[service, region] = boto3.client(
                service, region_name=region, endpoint_url=self.url, aws_access_key_id="test",
                aws_secret_access_key="test",
                config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, read_timeout=20))
        return self._clients[service, region]

    def faults(self, *rules):
        return put(f"{self.url}/_drctl/faults", rules)

    def calls(self):
        return json.loads(get(f"{self.url}/_drctl/calls")[1])

    def function(self, name, region=EAST, **settings):
        """A function that answers with the event it got."""
        client = self.aws("lambda", region)

        def created():
            try:
                return client.create_function(**new_function(name, **settings))
            except client.exceptions.InvalidParameterValueException:
                # The role is too young, in strict mode.
                return False

        wait_until(created)
        self.wait_for_function(name, region)

    def wait_for_function(self, name, region=EAST):
        def done():
            config = self.aws("lambda", region).get_function_configuration(FunctionName=name)
            return config["State"] == "Active" and config["LastUpdateStatus"] == "Successful"

        wait_until(done)

    def table(self, name, region=EAST, **settings):
        self.aws("dynamodb", region).create_table(
            TableName=name, BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}], **settings)
        self.wait_for_table(name, region)

    def wait_for_table(self, name, region=EAST, replicas=None):
        """Waits until the table and, when given, exactly these other members are active."""

        def done():
            table = self.describe(name, region)
            seen = {replica["RegionName"]: replica["ReplicaStatus"] for replica in table.get("Replicas", [])}
            return table["TableStatus"] == "ACTIVE" and replicas in (
                None, [region for region, status in seen.items() if status == "ACTIVE"]) and (
                replicas is None or len(seen) == len(replicas))

        wait_until(done)

    def describe(self, name, region=EAST):
        return self.aws("dynamodb", region).describe_table(TableName=name)["Table"]

    def global_table(self, name, **settings):
        self.table(name, **settings)
        self.aws("dynamodb").update_table(TableName=name, ReplicaUpdates=[{"Create": {"RegionName": WEST}}])
        self.wait_for_table(name, EAST, [WEST])
        self.wait_for_table(name, WEST)

    def bucket(self, name, region=EAST, versioning=True):
        place = {} if region == EAST else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        self.aws("s3", region).create_bucket(Bucket=name, **place)
        if versioning:
            self.aws("s3", region).put_bucket_versioning(
                Bucket=name, VersioningConfiguration={"Status": "Enabled"})


@pytest.fixture(scope="session")
def plain():
    sandbox = Sandbox()
    yield sandbox
    sandbox.stop()


@pytest.fixture(scope="session")
def strict():
    # Slower than usual, so that a busy machine still sees every state.
    sandbox = Sandbox(DRCTL_SANDBOX_STRICT="1", DRCTL_SANDBOX_SPEED="0.5")
    sandbox.aws("iam").create_role(RoleName="any", AssumeRolePolicyDocument="{}")
    yield sandbox
    sandbox.stop()


@pytest.fixture(params=["plain", "strict"])
def either(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def name():
    return f"t-{uuid.uuid4().hex[:10]}"


def get(url, method="GET", body=None, headers=()):
    """Status, body and headers of a plain HTTP request; an error status is an answer too."""
    request = urllib.request.Request(url, body, dict(headers), method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as answer:
        return answer.code, answer.read(), answer.headers


def put(url, value):
    status, body, _ = get(url, "PUT", json.dumps(value).encode())
    return status, json.loads(body)


def wait_until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {condition}"
        time.sleep(0.05)


def refused(operation, **parameters):
    """The error code and message with which a call is refused."""
    with pytest.raises(ClientError) as caught:
        operation(**parameters)
    error = caught.value.response["Error"]
    return error["Code"], error.get("Message", "")


def new_function(name, **settings):
    """What CreateFunction needs to know, with a role that every sandbox of these tests has."""
    return {"FunctionName": name, "Runtime": "provided.al2023", "Handler": "bootstrap",
            "Role": "arn:aws:iam::000000000000:role/any", "Code": {"ZipFile": bootstrap()}, **settings}


BOOTSTRAP = """#!/usr/bin/env python3
import json, os, urllib.request
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
while True:
    with urllib.request.urlopen(api + "next") as event:
        answer = {"event": json.load(event), "endpoint": os.environ.get("AWS_ENDPOINT_URL"),
                  "region": os.environ.get("AWS_REGION")}
        request_id = event.headers["Lambda-Runtime-Aws-Request-Id"]
    body = json.dumps({"statusCode": 200, "headers": {"x-made-by": "bootstrap"}, "body": json.dumps(answer)})
    urllib.request.urlopen(api + request_id + "/response", body.encode())
"""


def bootstrap(text=BOOTSTRAP):
    """A deployment package with an executable `bootstrap`."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = 0o755 << 16
        archive.writestr(entry, text)
    return packed.getvalue()

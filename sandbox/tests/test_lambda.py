"""Functions, their URLs, and what strict mode refuses."""

import datetime
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError
from conftest import EAST, WEST, bootstrap, get, new_function, refused, wait_until


def url(sandbox, name, region=EAST):
    """Makes a public URL without permissions; returns the local and the official form."""
    official = sandbox.aws("lambda", region).create_function_url_config(
        FunctionName=name, AuthType="NONE")["FunctionUrl"]
    identifier = official.split("//")[1].split(".")[0]
    return f"{sandbox.url}/_aws/lambda-url/{identifier}/", official


def permit(sandbox, name, *statements, region=EAST):
    all_statements = {
        "url": {"Action": "lambda:InvokeFunctionUrl", "FunctionUrlAuthType": "NONE"},
        "function": {"Action": "lambda:InvokeFunction", "InvokedViaFunctionUrl": True},
    }
    for statement in statements:
        sandbox.aws("lambda", region).add_permission(
            FunctionName=name, StatementId=statement, Principal="*", **all_statements[statement])


@pytest.fixture
def public(plain, name):
    plain.function(name, WEST)
    local, official = url(plain, name, WEST)
    permit(plain, name, "url", "function", region=WEST)
    return local, official


def test_a_public_url_needs_both_permissions(plain, name):
    plain.function(name)
    local, _ = url(plain, name)
    assert get(local)[0] == 403
    permit(plain, name, "url")
    assert get(local)[0] == 403
    permit(plain, name, "function")
    assert get(local)[0] == 200


def test_a_function_without_statements_has_no_policy(plain, name):
    plain.function(name)
    assert refused(plain.aws("lambda").get_policy, FunctionName=name)[0] == "ResourceNotFoundException"


def test_a_url_passes_method_path_query_headers_and_body(public):
    local, _ = public
    status, body, headers = get(f"{local}pay/now?a=1&b=two", "POST", b'{"amount":"1.00"}',
                                {"Content-Type": "application/json", "Idempotency-Key": "k"})
    event = json.loads(body)["event"]
    assert status == 200 and headers["x-made-by"] == "bootstrap"
    assert event["requestContext"]["http"]["method"] == "POST"
    assert event["rawPath"] == "/pay/now" and event["rawQueryString"] == "a=1&b=two"
    assert event["headers"]["idempotency-key"] == "k"
    assert event["body"] == '{"amount":"1.00"}' and event["isBase64Encoded"] is False


def test_a_url_answers_to_its_official_host(plain, public):
    _, official = public
    host = official.split("//")[1].rstrip("/")
    status, body, _ = get(f"{plain.url}/x", headers={"Host": host})
    assert status == 200 and json.loads(body)["event"]["rawPath"] == "/x"


def test_health_reaches_the_function(plain, public):
    local, official = public
    assert json.loads(get(f"{local}health")[1])["event"]["rawPath"] == "/health"
    body = get(f"{plain.url}/health", headers={"Host": official.split("//")[1].rstrip("/")})[1]
    assert json.loads(body)["event"]["rawPath"] == "/health"


def test_a_function_knows_its_region_and_the_sandbox(plain, public):
    answer = json.loads(get(public[0])[1])
    assert (answer["region"], answer["endpoint"]) == (WEST, plain.url)


def test_no_concurrency_means_429(plain, public, name):
    client = plain.aws("lambda", WEST)
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    assert get(public[0])[0] == 429
    assert refused(client.invoke, FunctionName=name)[0] == "TooManyRequestsException"
    client.delete_function_concurrency(FunctionName=name)
    assert get(public[0])[0] == 200


def test_a_reservation_limits_what_runs_at_once(plain, name):
    plain.aws("lambda").create_function(**new_function(name, Code={"ZipFile": bootstrap(SLOW)}, Timeout=30))
    plain.wait_for_function(name)
    plain.aws("lambda").put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    local, _ = url(plain, name)
    permit(plain, name, "url", "function")
    with ThreadPoolExecutor(3) as pool:
        statuses = sorted(status for status, *_ in pool.map(get, [local] * 3))
    assert statuses == [200, 429, 429]


SLOW = """#!/usr/bin/env python3
import os, time, urllib.request
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
while True:
    with urllib.request.urlopen(api + "next") as event:
        request_id = event.headers["Lambda-Runtime-Aws-Request-Id"]
    time.sleep(2)
    urllib.request.urlopen(api + request_id + "/response", b'{"statusCode": 200}')
"""


def test_a_deleted_function_takes_its_url_along(plain, public, name):
    client = plain.aws("lambda", WEST)
    client.delete_function(FunctionName=name)
    assert get(public[0])[0] == 404
    plain.function(name, WEST)
    assert refused(client.get_function_url_config, FunctionName=name)[0] == "ResourceNotFoundException"


def test_a_url_is_dark_with_its_region(plain, public):
    plain.faults({"region": WEST, "action": "dark"})
    with pytest.raises(OSError):
        get(public[0])
    plain.faults()
    assert get(public[0])[0] == 200


def test_requests_to_a_url_are_invocations(plain, public, name):
    def sums():
        now = datetime.datetime.now(datetime.timezone.utc)
        hour = datetime.timedelta(hours=1)
        return [
            sum(point["Sum"] for point in plain.aws("cloudwatch", WEST).get_metric_statistics(
                Namespace="AWS/Lambda", MetricName=metric, Dimensions=[{"Name": "FunctionName", "Value": name}],
                StartTime=now - hour, EndTime=now + hour, Period=3600, Statistics=["Sum"])["Datapoints"])
            for metric in ("Invocations", "Errors", "Throttles")
        ]

    local, _ = public
    assert get(local)[0] == 200
    assert sums() == [1, 0, 0]
    plain.aws("lambda", WEST).put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    assert get(local)[0] == 429
    assert sums() == [1, 0, 1]


def test_calls_of_a_url_are_counted(plain, public):
    get(f"{plain.url}/_drctl/calls", "DELETE")
    get(public[0])
    assert {"service": "lambda", "operation": "InvokeFunctionUrl", "region": WEST, "count": 1} in plain.calls()


def test_a_fresh_role_cannot_be_assumed(strict, name):
    role = strict.aws("iam").create_role(RoleName=name, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    create = new_function(name, Role=role)
    client = strict.aws("lambda")
    assert refused(client.create_function, **create) == (
        "InvalidParameterValueException", "The role defined for the function cannot be assumed by Lambda.")

    def accepted():
        try:
            return client.create_function(**create)
        except client.exceptions.InvalidParameterValueException:
            return False

    wait_until(accepted)


def test_a_role_that_is_not_there_cannot_be_assumed(strict, name):
    assert "cannot be assumed" in refused(
        strict.aws("lambda").create_function,
        **new_function(name, Role="arn:aws:iam::000000000000:role/nobody"))[1]


def test_reserved_variables_are_refused(strict, name):
    code, message = refused(strict.aws("lambda").create_function,
                            **new_function(name, Environment={"Variables": {"AWS_REGION": "x"}}))
    assert code == "InvalidParameterValueException" and "AWS_REGION" in message


def test_a_function_is_pending_and_then_active(strict, name):
    client = strict.aws("lambda")
    strict.function(f"{name}-first")
    state = client.create_function(**new_function(name))
    assert (state["State"], state["LastUpdateStatus"]) == ("Pending", "InProgress")
    assert refused(client.put_function_concurrency, FunctionName=name,
                   ReservedConcurrentExecutions=1)[0] == "ResourceConflictException"
    strict.wait_for_function(name)


def test_one_update_excludes_another(strict, name):
    strict.function(name)
    client = strict.aws("lambda")
    state = client.update_function_configuration(FunctionName=name, MemorySize=256)
    assert (state["State"], state["LastUpdateStatus"]) == ("Active", "InProgress")
    code, message = refused(client.update_function_code, FunctionName=name, ZipFile=bootstrap())
    assert code == "ResourceConflictException" and "in progress" in message
    strict.wait_for_function(name)
    client.update_function_code(FunctionName=name, ZipFile=bootstrap())


def test_permissions_are_added_one_by_one_and_once(strict, name):
    strict.function(name)

    def add(statement):
        try:
            strict.aws("lambda").add_permission(
                FunctionName=name, StatementId=statement, Principal="*", Action="lambda:InvokeFunction")
            return "added"
        except ClientError as error:
            return error.response["Error"]["Code"]

    strict.aws("lambda")
    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(add, ["a", "b"])) == ["ResourceConflictException", "added"]
    assert add("c") == "added" and add("c") == "ResourceConflictException"


def test_a_url_learns_of_its_permissions_late(strict, name):
    strict.function(name)
    local, _ = url(strict, name)
    permit(strict, name, "url", "function")
    assert get(local)[0] == 403
    wait_until(lambda: get(local)[0] == 200)


def test_reservations_leave_some_concurrency(strict, name):
    strict.function(name)
    client = strict.aws("lambda")
    assert client.get_account_settings()["AccountLimit"]["ConcurrentExecutions"] == 1000
    assert "UnreservedConcurrentExecution" in refused(
        client.put_function_concurrency, FunctionName=name, ReservedConcurrentExecutions=901)[1]
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=100)

"""The `/_drctl` API, faults, and the life of the server."""

import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError
from botocore.parsers import ResponseParserError
from conftest import EAST, PACKAGE, WEST, Sandbox, get, put, refused, wait_until


@pytest.fixture
def faulty(plain):
    yield plain
    plain.faults()


def test_calls_are_counted_by_service_operation_and_region(plain, name):
    get(f"{plain.url}/_drctl/calls", "DELETE")
    plain.aws("dynamodb", WEST).list_tables()
    plain.aws("dynamodb", WEST).list_tables()
    plain.aws("iam").list_roles()
    plain.aws("cloudwatch").describe_alarms()
    plain.aws("route53").list_hosted_zones()
    plain.aws("lambda").list_functions()
    plain.aws("s3").list_buckets()
    plain.aws("resourcegroupstaggingapi").get_resources()
    assert plain.calls() == [
        {"service": service, "operation": operation, "region": region, "count": count}
        for service, operation, region, count in [
            ("cloudwatch", "DescribeAlarms", EAST, 1), ("dynamodb", "ListTables", WEST, 2),
            ("iam", "ListRoles", "global", 1), ("lambda", "ListFunctions", EAST, 1),
            ("route53", "ListHostedZones", "global", 1), ("s3", "ListBuckets", EAST, 1),
            ("tag", "GetResources", EAST, 1)]]


@pytest.mark.parametrize("service, operation, changes", [
    ("iam", "AttachRolePolicy", True), ("iam", "DetachRolePolicy", True), ("s3", "DeleteBucket", True),
    ("s3", "DeleteObject", False), ("s3", "DeleteObjects", False), ("iam", "GetRole", False)])
def test_writes_of_the_control_plane_are_told_by_their_name(service, operation, changes):
    from drctl_sandbox.calls import Call

    assert Call(service, operation, EAST, "POST", "/", {}, b"", {}).changes_something == changes


def test_s3_operations_that_share_a_path_are_told_apart(plain, name):
    s3 = plain.aws("s3")
    plain.bucket(name)
    get(f"{plain.url}/_drctl/calls", "DELETE")
    s3.put_object(Bucket=name, Key="a/b", Body=b"1")
    s3.copy_object(Bucket=name, Key="c", CopySource=f"{name}/a/b")
    s3.get_object(Bucket=name, Key="a/b")
    s3.list_objects_v2(Bucket=name)
    s3.get_bucket_versioning(Bucket=name)
    upload = s3.create_multipart_upload(Bucket=name, Key="m")["UploadId"]
    s3.upload_part(Bucket=name, Key="m", UploadId=upload, PartNumber=1, Body=b"2")
    s3.upload_part_copy(Bucket=name, Key="m", UploadId=upload, PartNumber=2, CopySource=f"{name}/c")
    s3.list_parts(Bucket=name, Key="m", UploadId=upload)
    s3.abort_multipart_upload(Bucket=name, Key="m", UploadId=upload)
    assert [call["operation"] for call in plain.calls()] == [
        "AbortMultipartUpload", "CopyObject", "CreateMultipartUpload", "GetBucketVersioning", "GetObject",
        "ListObjectsV2", "ListParts", "PutObject", "UploadPart", "UploadPartCopy"]


@pytest.mark.parametrize("service, operation, ask, code, status", [
    ("dynamodb", "ListTables", "list_tables", "ThrottlingException", 400),
    ("lambda", "ListFunctions", "list_functions", "TooManyRequestsException", 429),
    ("s3", "ListBuckets", "list_buckets", "SlowDown", 503),
    ("iam", "ListRoles", "list_roles", "Throttling", 400),
    ("route53", "ListHostedZones", "list_hosted_zones", "Throttling", 400),
    ("sns", "ListTopics", "list_topics", "Throttling", 400),
    ("cloudwatch", "DescribeAlarms", "describe_alarms", "Throttling", 400),
    ("logs", "DescribeLogGroups", "describe_log_groups", "ThrottlingException", 400),
    ("secretsmanager", "ListSecrets", "list_secrets", "ThrottlingException", 400),
    ("tag", "GetResources", "get_resources", "ThrottledException", 400),
    ("sts", "GetCallerIdentity", "get_caller_identity", "Throttling", 400),
])
def test_throttling_has_the_form_of_each_service(faulty, service, operation, ask, code, status):
    faulty.faults({"service": service, "operation": operation, "action": "error", "times": 1})
    client = faulty.aws({"tag": "resourcegroupstaggingapi"}.get(service, service))
    with pytest.raises(ClientError) as caught:
        getattr(client, ask)()
    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    getattr(client, ask)()


@pytest.mark.parametrize("action, done", [("hold", False), ("hold_answer", True)])
def test_writes_can_be_held_before_or_after_their_work(faulty, name, action, done):
    faulty.faults({"writes": True, "action": action})
    faulty.aws("logs").describe_log_groups()
    with ThreadPoolExecutor() as pool:
        create = pool.submit(faulty.aws("logs").create_log_group, logGroupName=name)
        wait_until(lambda: json.loads(get(f"{faulty.url}/_drctl/faults")[1])[0].get("held") == 1)
        groups = faulty.aws("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        assert len(groups) == (1 if done else 0)
        faulty.faults()
        with pytest.raises(ConnectionClosedError):
            create.result()
    groups = faulty.aws("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    assert len(groups) == (1 if done else 0), "what was held before its work is never done"


def test_a_fault_that_was_used_up_while_a_call_waited_strikes_it_no_more(faulty):
    """Each call meets both faults before the first one is past the delay."""
    faulty.faults({"service": "sts", "action": "latency", "delay_ms": 300},
                  {"service": "sts", "action": "error", "times": 1})

    def ask(_):
        try:
            faulty.aws("sts").get_caller_identity()
            return "answered"
        except ClientError as error:
            return error.response["Error"]["Code"]

    faulty.aws("sts")
    with ThreadPoolExecutor() as pool:
        assert sorted(pool.map(ask, range(2))) == ["Throttling", "answered"]


def test_the_first_fault_that_changes_the_answer_decides(faulty, name):
    faulty.faults({"service": "logs", "operation": "CreateLogGroup", "action": "lose_answer", "times": 1},
                  {"service": "logs", "operation": "CreateLogGroup", "action": "error", "times": 1})
    with pytest.raises(ConnectionClosedError):
        faulty.aws("logs").create_log_group(logGroupName=name)
    assert len(faulty.aws("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]) == 1
    assert refused(faulty.aws("logs").create_log_group, logGroupName=name)[0] == "ThrottlingException"


@pytest.mark.parametrize("action", ["truncate", "garble"])
def test_answers_can_be_broken(faulty, action):
    faulty.faults({"service": "iam", "operation": "ListRoles", "action": action, "times": 1})
    with pytest.raises(ResponseParserError):
        faulty.aws("iam").list_roles()
    faulty.aws("iam").list_roles()


def test_an_error_may_be_any_code_status_and_message(faulty):
    faulty.faults({"service": "iam", "operation": "List*", "action": "error", "code": "AccessDenied",
                   "message": "a <b> & c"})
    assert refused(faulty.aws("iam").list_roles) == ("AccessDenied", "a <b> & c")
    assert refused(faulty.aws("iam").list_users) == ("AccessDenied", "a <b> & c")


def test_latency_delays(faulty):
    faulty.faults({"region": WEST, "action": "latency", "delay_ms": 400})
    started = time.monotonic()
    faulty.aws("sts", WEST).get_caller_identity()
    assert time.monotonic() - started >= 0.4


def test_a_dropped_call_never_happened(faulty, name):
    faulty.faults({"service": "logs", "operation": "CreateLogGroup", "action": "drop", "times": 1})
    with pytest.raises(ConnectionClosedError):
        faulty.aws("logs").create_log_group(logGroupName=name)
    assert faulty.aws("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"] == []


def test_a_lost_answer_leaves_the_work_done(faulty, name):
    faulty.faults({"service": "logs", "operation": "CreateLogGroup", "action": "lose_answer", "times": 1})
    with pytest.raises(ConnectionClosedError):
        faulty.aws("logs").create_log_group(logGroupName=name)
    assert len(faulty.aws("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]) == 1


def test_a_dark_region_answers_nothing_and_the_others_go_on(faulty):
    faulty.faults({"region": WEST, "action": "dark"})
    for ask in (faulty.aws("dynamodb", WEST).list_tables, faulty.aws("s3", WEST).list_buckets,
                faulty.aws("sts", WEST).get_caller_identity):
        with pytest.raises(ConnectionClosedError):
            ask()
    faulty.aws("dynamodb", EAST).list_tables()
    faulty.aws("iam").list_roles()


@pytest.mark.parametrize("narrower", [
    {}, {"service": "sns"}, {"operation": "List*"}, {"writes": True}, {"times": 3}])
def test_only_a_region_in_which_nothing_answers_is_dark_to_replication_and_probes(narrower):
    from drctl_sandbox import faults

    faults.replace_all([{"action": "dark", "region": WEST, **narrower}])
    assert faults.is_dark(WEST) == (narrower == {})
    assert not faults.is_dark(EAST)
    faults.forget()


def test_a_dark_region_may_let_calls_hang(faulty):
    faulty.faults({"region": WEST, "action": "dark", "delay_ms": 400})
    started = time.monotonic()
    with pytest.raises(ConnectionClosedError):
        faulty.aws("dynamodb", WEST).list_tables()
    assert time.monotonic() - started >= 0.4


def test_faults_are_listed_replaced_and_cleared(faulty):
    rule = {"action": "error", "service": "sns", "times": 3}
    assert faulty.faults(rule) == (200, [rule])
    assert get(f"{faulty.url}/_drctl/faults")[1] == b'[{"action": "error", "service": "sns", "times": 3}]'
    assert get(f"{faulty.url}/_drctl/faults", "DELETE")[:2] == (200, b"[]")


@pytest.mark.parametrize("rules, said", [
    ([{"action": "explode"}], "`action` in rule 1 is one of latency, error, drop, lose_answer, hold,"),
    ([{"action": "drop"}, {"action": "drop", "colour": 1}], "rule 2 has an unknown key `colour`; the keys are action,"),
    ([{}], "`action` in rule 1"), ([7], "rule 1 is no object"), (7, "faults are a list of rules"),
    ([{"action": "drop", "times": "2"}], "`times` in rule 1 is a whole number from 1"),
    ([{"action": "drop", "times": 0}], "`times` in rule 1 is a whole number from 1"),
    ([{"action": "latency", "delay_ms": -1}], "`delay_ms` in rule 1 is a whole number from 0"),
    ([{"action": "drop", "writes": 1}], "`writes` in rule 1 is true or false"),
    ([{"action": "latency"}], "rule 1 has no `delay_ms`"),
    ([{"action": "hold", "times": 1}], "rule 1 has `times`; hold holds every call"),
    ([{"action": "hold_answer", "times": 1}], "rule 1 has `times`; hold_answer holds every call"),
    ([{"action": "drop", "code": "SlowDown"}], "rule 1 has `code`, which only an error has"),
    ([{"action": "error", "status": 200}], "`status` in rule 1 is that of an error, 400 to 599"),
    ([{"action": "drop", "region": 1}], "`region` in rule 1 is a text"),
])
def test_a_senseless_fault_is_refused_with_its_number(faulty, rules, said):
    rule = {"action": "drop", "service": "sns"}
    faulty.faults(rule)
    status, answer = put(f"{faulty.url}/_drctl/faults", rules)
    assert status == 400 and answer["error"].startswith(said)
    assert get(f"{faulty.url}/_drctl/faults")[1] == b'[{"action": "drop", "service": "sns"}]'


def test_what_is_no_json_is_no_list_of_faults(faulty):
    assert get(f"{faulty.url}/_drctl/faults", "PUT", b"{")[0] == 400


def test_the_server_ends_with_the_process_it_belongs_to():
    parent = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    sandbox = Sandbox(DRCTL_SANDBOX_PARENT=str(parent.pid))
    parent.communicate(b"\n")
    assert sandbox.process.wait(20) == 0


def test_another_ministack_is_refused_with_a_sentence():
    patched = ("import drctl_sandbox.hooks as h; h.FUNCTIONS = {'lambda_svc.gone': 'x'}; h.verify()")
    result = subprocess.run([sys.executable, "-c", patched], capture_output=True, text=True,
                            cwd=PACKAGE)
    assert result.returncode == 1
    assert "written for ministack 1.5.33" in result.stderr and "`lambda_svc.gone` is missing" in result.stderr


def test_another_version_of_ministack_is_refused_even_if_all_names_are_the_same():
    patched = "import drctl_sandbox.hooks as h; h.VERSION = '1.0.0'; h.verify()"
    result = subprocess.run([sys.executable, "-c", patched], capture_output=True, text=True, cwd=PACKAGE)
    assert result.returncode == 1
    assert "written for ministack 1.0.0, and 1.5.33 is installed: nobody has looked" in result.stderr


def test_every_name_of_ministack_that_is_used_is_checked_at_start():
    from drctl_sandbox import hooks

    used = set()
    for file in (PACKAGE / "drctl_sandbox").glob("*.py"):
        text = file.read_text()
        if file.name != "hooks.py":
            used |= {f"app.{name}" for name in re.findall(r"(?<![\w.\"])app\.(\w+)", text)}
        for alias, *module in re.findall(r'^(_\w+) = hooks\.module\("([\w.]+)"\)([\w.]*)', text, re.M):
            used |= {f"{''.join(module)}.{name}" for name in re.findall(rf"(?<![\w.]){alias}\.(\w+)", text)}
        used |= {".".join(found) for found in re.findall(r'hooks\.module\("([\w.]+)"\)\.(\w+)', text)}
        used |= {".".join(found) for found in re.findall(r'hooks\.(?:wrap|replace)\("([\w.]+)", "(\w+)"', text)}
        for module in ("iam_actions", "iam_evaluator", "router"):
            used |= {f"core.{module}.{name}" for name in re.findall(rf"(?<![\w.]){module}\.(\w+)", text)}
    assert used - {*hooks.FUNCTIONS, *hooks.VALUES} == set()


def test_what_is_remembered_for_late_reads_is_forgotten_with_the_next_write():
    from drctl_sandbox.stale import Lagging

    lagging = Lagging(-1, dict)  # All is too old at once.
    for _ in range(100):
        lagging.remember()
    assert sum(map(len, lagging._past.values())) == 1


# The reset begins while a late read looks at the old topics, and ends before or after that, as it may.
RESET_DURING_A_LATE_READ = """
import asyncio, threading
from types import SimpleNamespace
from drctl_sandbox import calls, hooks, stale

stale._install("sns", "sns", ["_topics"], ["ListTopics"])
topics = hooks.module("sns")._topics
for watcher in calls._watchers:
    watcher(SimpleNamespace(service="sns"))
topics["arn"] = {}
reset = threading.Thread(target=stale._apart(topics.clear))

async def list_topics():
    assert "arn" not in topics, "the read is late"
    reset.start()
    reset.join(0.2)

late, = calls._strict_rules["sns", "ListTopics"]
asyncio.run(late(None, list_topics))
reset.join()
assert not list(topics), "the reset was undone"
"""


def test_a_late_read_does_not_undo_a_reset():
    result = subprocess.run([sys.executable, "-c", RESET_DURING_A_LATE_READ], capture_output=True, text=True,
                            cwd=PACKAGE, env={**os.environ, "DRCTL_SANDBOX_STRICT": "1"})
    assert result.returncode == 0, result.stderr


def test_what_the_extension_remembers_survives_a_restart_and_not_a_reset(tmp_path, name):
    saved = {"PERSIST_STATE": "1", "STATE_DIR": str(tmp_path / "state"), "S3_PERSIST": "1",
             "S3_DATA_DIR": str(tmp_path / "s3")}
    sandbox = Sandbox(**saved)
    sandbox.table(name)
    sandbox.aws("dynamodb").update_continuous_backups(
        TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True,
                                                          "RecoveryPeriodInDays": 7})
    sandbox.stop()
    again = Sandbox(**saved)
    backups = again.aws("dynamodb").describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["RecoveryPeriodInDays"] == 7
    get(f"{again.url}/_ministack/reset", "POST")
    assert again.calls() == [] and again.aws("dynamodb").list_tables()["TableNames"] == []
    again.stop()


def test_what_is_on_its_way_arrives_before_the_server_ends(tmp_path, name):
    saved = {"PERSIST_STATE": "1", "STATE_DIR": str(tmp_path / "state"), "S3_PERSIST": "1",
             "S3_DATA_DIR": str(tmp_path / "s3"), "DRCTL_SANDBOX_STRICT": "1", "DRCTL_SANDBOX_SPEED": "0.01"}
    sandbox = Sandbox(**saved)
    key = sandbox.aws("kms").create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
    sandbox.aws("kms").replicate_key(KeyId=key, ReplicaRegion=WEST)  # It is Creating for 50 s at this speed.
    sandbox.stop()
    again = Sandbox(**saved)
    assert again.aws("kms", WEST).describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Enabled"
    again.stop()


def test_a_server_holds_nothing_of_who_started_it():
    ours, inherited = os.pipe()
    sandbox = Sandbox(inherits=[inherited])
    os.close(inherited)
    os.set_blocking(ours, False)
    try:
        assert os.read(ours, 1) == b"", "nobody holds the other end"
    finally:
        os.close(ours)
        sandbox.stop()

"""Zones, records, health checks, and what the name servers answer."""

import http.server
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError
from conftest import EAST, WEST, Sandbox, wait_until
from test_lambda import permit, url


class Endpoint(http.server.ThreadingHTTPServer):
    """A server whose health a test decides."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.status, self.text = 200, "all is well"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self):
        return self.server_address[1]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(self.server.text.encode())

    def log_message(self, *_):
        """Says nothing."""


@pytest.fixture
def endpoint():
    server = Endpoint()
    yield server
    server.shutdown()


@pytest.fixture(scope="module")
def fast():
    """A sandbox in which thirty seconds pass in a third of one."""
    sandbox = Sandbox(DRCTL_SANDBOX_SPEED="100")
    yield sandbox
    sandbox.stop()


def zone(sandbox, name):
    return sandbox.aws("route53").create_hosted_zone(
        Name=f"{name}.example", CallerReference=name)["HostedZone"]["Id"].rpartition("/")[2]


def check(sandbox, reference, **config):
    config = {"Type": "HTTP", "IPAddress": "127.0.0.1", "Port": 1, "ResourcePath": "/", **config}
    return sandbox.aws("route53").create_health_check(
        CallerReference=reference,
        HealthCheckConfig={key: value for key, value in config.items() if value is not None})["HealthCheck"]["Id"]


def change(sandbox, zone_id, *records, action="CREATE"):
    return sandbox.aws("route53").change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch={"Changes": [
        {"Action": action, "ResourceRecordSet": record} for record in records]})["ChangeInfo"]


def weighted(name, region, weight, health=None):
    return {"Name": f"pay.{name}.example", "Type": "CNAME", "SetIdentifier": region, "Weight": weight, "TTL": 60,
            "ResourceRecords": [{"Value": region}], **({"HealthCheckId": health} if health else {})}


def answer(sandbox, zone_id, name, kind="CNAME"):
    return sandbox.aws("route53").test_dns_answer(
        HostedZoneId=zone_id, RecordName=f"pay.{name}.example", RecordType=kind)["RecordData"]


def statuses(sandbox, identifier):
    seen = sandbox.aws("route53").get_health_check_status(HealthCheckId=identifier)["HealthCheckObservations"]
    return {observation["StatusReport"]["Status"].split(":")[0] for observation in seen}


def test_booleans_are_read_back(plain, name):
    identifier = check(plain, name, Type="HTTPS", Port=443, Inverted=True, Disabled=True, EnableSNI=True,
                       MeasureLatency=True)
    config = plain.aws("route53").get_health_check(HealthCheckId=identifier)["HealthCheck"]["HealthCheckConfig"]
    assert [config[flag] for flag in ("Inverted", "Disabled", "EnableSNI", "MeasureLatency")] == [True] * 4


def test_a_caller_reference_makes_one_check_ever(plain, name):
    route53 = plain.aws("route53")
    identifier = check(plain, name)
    assert check(plain, name) == identifier
    with pytest.raises(route53.exceptions.HealthCheckAlreadyExists):
        check(plain, name, Port=2)
    route53.delete_health_check(HealthCheckId=identifier)
    with pytest.raises(route53.exceptions.HealthCheckAlreadyExists):
        check(plain, name)
    assert check(plain, f"{name}-1") != identifier


def test_a_zone_is_created_once(plain, name):
    zone(plain, name)
    with pytest.raises(plain.aws("route53").exceptions.HostedZoneAlreadyExists):
        zone(plain, name)


def test_an_update_names_the_version_it_knows_and_can_reset(plain, name):
    route53 = plain.aws("route53")
    identifier = check(plain, name)
    updated = route53.update_health_check(HealthCheckId=identifier, HealthCheckVersion=1, FailureThreshold=5,
                                          ResetElements=["ResourcePath"])["HealthCheck"]
    assert updated["HealthCheckVersion"] == 2 and updated["HealthCheckConfig"]["FailureThreshold"] == 5
    assert "ResourcePath" not in updated["HealthCheckConfig"]
    with pytest.raises(route53.exceptions.HealthCheckVersionMismatch):
        route53.update_health_check(HealthCheckId=identifier, HealthCheckVersion=1, FailureThreshold=4)


def test_tags_of_several_resources_and_in_the_tagging_api(plain, name):
    route53 = plain.aws("route53")
    identifiers = [check(plain, f"{name}-{number}") for number in range(2)]
    for identifier in identifiers:
        route53.change_tags_for_resource(ResourceType="healthcheck", ResourceId=identifier,
                                         AddTags=[{"Key": "system", "Value": name}])
    sets = route53.list_tags_for_resources(ResourceType="healthcheck", ResourceIds=identifiers)["ResourceTagSets"]
    assert [entry["ResourceId"] for entry in sets] == identifiers
    assert all(entry["Tags"] == [{"Key": "system", "Value": name}] for entry in sets)
    for region, expected in ((EAST, sorted(f"arn:aws:route53:::healthcheck/{i}" for i in identifiers)), (WEST, [])):
        found = plain.aws("resourcegroupstaggingapi", region).get_resources(
            TagFilters=[{"Key": "system", "Values": [name]}])["ResourceTagMappingList"]
        assert [entry["ResourceARN"] for entry in found] == expected


def test_health_follows_the_endpoint(fast, endpoint, name):
    identifier = check(fast, name, Port=endpoint.port, FailureThreshold=2)
    assert statuses(fast, identifier) == {"Success"}
    endpoint.status = 503
    wait_until(lambda: statuses(fast, identifier) == {"Failure"})
    endpoint.status = 200
    wait_until(lambda: statuses(fast, identifier) == {"Success"})
    failures = fast.aws("route53").get_health_check_last_failure_reason(HealthCheckId=identifier)
    assert "503" in failures["HealthCheckObservations"][0]["StatusReport"]["Status"]


@pytest.mark.parametrize("config, works", [
    ({"Type": "TCP", "ResourcePath": None}, True),
    ({"Type": "TCP", "ResourcePath": None, "Port": 1}, False),
    ({"Type": "HTTP_STR_MATCH", "SearchString": "well"}, True),
    ({"Type": "HTTP_STR_MATCH", "SearchString": "ill"}, False),
    ({"Type": "HTTPS"}, False),
])
def test_each_kind_of_check_asks_in_its_way(fast, endpoint, name, config, works):
    identifier = check(fast, name, **{"Port": endpoint.port, "FailureThreshold": 1, **config})
    wait_until(lambda: statuses(fast, identifier) == {"Success" if works else "Failure"})


def test_a_check_of_a_function_url_reaches_the_function(fast, name):
    fast.function(name, WEST)
    host = url(fast, name, WEST)[1].split("//")[1].rstrip("/")
    identifier = check(fast, name, Type="HTTPS", IPAddress=None, FullyQualifiedDomainName=host, Port=443,
                       FailureThreshold=1)
    wait_until(lambda: statuses(fast, identifier) == {"Failure"})
    permit(fast, name, "url", "function", region=WEST)
    wait_until(lambda: statuses(fast, identifier) == {"Success"})
    fast.faults({"region": WEST, "action": "dark"})
    wait_until(lambda: statuses(fast, identifier) == {"Failure"})
    fast.faults()


def test_health_is_a_metric_and_alarms_follow_it(fast, name):
    identifier = check(fast, name, FailureThreshold=1)
    cloudwatch = fast.aws("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName=name, Namespace="AWS/Route53", MetricName="HealthCheckStatus", Statistic="Minimum", Period=60,
        EvaluationPeriods=1, Threshold=1, ComparisonOperator="LessThanThreshold",
        Dimensions=[{"Name": "HealthCheckId", "Value": identifier}])
    wait_until(lambda: cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["StateValue"] == "ALARM")


def test_checks_of_checks_and_of_alarms(fast, endpoint, name):
    fast.aws("cloudwatch", WEST).put_metric_alarm(
        AlarmName=name, Namespace="latch", MetricName=name, Statistic="Maximum", Period=300, EvaluationPeriods=1,
        Threshold=1, ComparisonOperator="GreaterThanOrEqualToThreshold", TreatMissingData="ignore")
    child = check(fast, f"{name}-child", Port=endpoint.port)
    latch = check(fast, f"{name}-latch", Type="CLOUDWATCH_METRIC", IPAddress=None, Port=None, ResourcePath=None,
                  AlarmIdentifier={"Region": WEST, "Name": name}, InsufficientDataHealthStatus="LastKnownStatus")
    both = check(fast, f"{name}-both", Type="CALCULATED", IPAddress=None, Port=None, ResourcePath=None,
                 ChildHealthChecks=[child, latch], HealthThreshold=2)
    config = fast.aws("route53").get_health_check(HealthCheckId=both)["HealthCheck"]["HealthCheckConfig"]
    assert config["ChildHealthChecks"] == [child, latch]
    assert statuses(fast, both) == {"Success"}
    fast.aws("cloudwatch", WEST).put_metric_data(Namespace="latch", MetricData=[{"MetricName": name, "Value": 1}])
    wait_until(lambda: statuses(fast, both) == {"Failure"})


def test_weights_and_health_decide_the_answer(fast, endpoint, name):
    zone_id = zone(fast, name)
    checks = {region: check(fast, f"{name}-{region}", Port=endpoint.port) for region in (EAST, WEST)}
    change(fast, zone_id, weighted(name, EAST, 100, checks[EAST]), weighted(name, WEST, 0, checks[WEST]))
    assert answer(fast, zone_id, name) == [EAST]
    fast.aws("route53").update_health_check(HealthCheckId=checks[EAST], Inverted=True)
    assert answer(fast, zone_id, name) == [WEST]
    fast.aws("route53").update_health_check(HealthCheckId=checks[WEST], Inverted=True)
    assert answer(fast, zone_id, name) == [EAST]
    change(fast, zone_id, weighted(name, EAST, 0), weighted(name, WEST, 50), action="UPSERT")
    assert answer(fast, zone_id, name) == [WEST]


def test_failover_and_alias_decide_the_answer(fast, endpoint, name):
    zone_id = zone(fast, name)
    identifier = check(fast, name, Port=endpoint.port)
    for role, number in (("PRIMARY", 1), ("SECONDARY", 2)):
        change(fast, zone_id, {
            "Name": f"origin.{name}.example", "Type": "A", "SetIdentifier": role, "Failover": role, "TTL": 60,
            "ResourceRecords": [{"Value": f"192.0.2.{number}"}],
            **({"HealthCheckId": identifier} if number == 1 else {})})
    change(fast, zone_id, {"Name": f"pay.{name}.example", "Type": "A", "AliasTarget": {
        "HostedZoneId": zone_id, "DNSName": f"origin.{name}.example", "EvaluateTargetHealth": False}})
    assert answer(fast, zone_id, name, "A") == ["192.0.2.1"]
    fast.aws("route53").update_health_check(HealthCheckId=identifier, Inverted=True)
    assert answer(fast, zone_id, name, "A") == ["192.0.2.2"]
    assert answer(fast, zone_id, "nobody", "A") == []


def test_names_are_kept_in_lower_case(plain, name):
    zone_id = zone(plain, name.upper())
    change(plain, zone_id, {"Name": f"*.{name.upper()}.example", "Type": "A", "TTL": 60,
                            "ResourceRecords": [{"Value": "192.0.2.1"}]})
    found = plain.aws("route53").list_resource_record_sets(HostedZoneId=zone_id)["ResourceRecordSets"]
    assert [record["Name"] for record in found if record["Type"] == "A"] == [f"\\052.{name}.example."]
    assert plain.aws("route53").list_hosted_zones_by_name(DNSName=f"{name}.example")["HostedZones"]


def test_a_batch_leaves_the_zone_consistent(plain, name):
    zone_id = zone(plain, name)
    apex = {"Name": f"{name}.example", "Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": "x"}]}
    failover = {**weighted(name, "other", 1), "Failover": "PRIMARY"}
    failover.pop("Weight")
    change(plain, zone_id, weighted(name, EAST, 1))
    before = plain.aws("route53").list_resource_record_sets(HostedZoneId=zone_id)["ResourceRecordSets"]
    for record in (apex, failover, {**apex, "Name": f"pay.{name}.example", "Type": "TXT",
                                    "ResourceRecords": [{"Value": '"t"'}]}):
        with pytest.raises(ClientError) as caught:
            change(plain, zone_id, record)
        assert caught.value.response["Error"]["Code"] == "InvalidChangeBatch"
    assert plain.aws("route53").list_resource_record_sets(HostedZoneId=zone_id)["ResourceRecordSets"] == before
    old, new = weighted(name, EAST, 1), failover
    plain.aws("route53").change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch={"Changes": [
        {"Action": "DELETE", "ResourceRecordSet": old}, {"Action": "CREATE", "ResourceRecordSet": new}]})


def test_two_batches_at_once_are_refused(strict, name):
    zone_id = zone(strict, name)

    def add(number):
        record = {"Name": f"{number}.{name}.example", "Type": "A", "TTL": 60,
                  "ResourceRecords": [{"Value": "192.0.2.1"}]}
        try:
            return change(strict, zone_id, record)["Status"]
        except ClientError as error:
            return error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]

    strict.aws("route53")
    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(add, range(2)), key=str) == [("PriorRequestNotComplete", 400), "PENDING"]


def test_a_change_is_in_sync_after_a_while(strict, name):
    zone_id = zone(strict, name)
    identifier = change(strict, zone_id, weighted(name, EAST, 1))["Id"]

    def status():
        return strict.aws("route53").get_change(Id=identifier)["ChangeInfo"]["Status"]

    assert [status(), status()] == ["PENDING", "PENDING"]
    wait_until(lambda: status() == "INSYNC")

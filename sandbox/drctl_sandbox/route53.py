"""Route 53: booleans, tags in bulk, answers of the name servers, and in strict mode changes that take time.

How healthy a check is comes from `health`.
"""

import random
from xml.etree.ElementTree import SubElement

from . import calls, clock, health, hooks, store

_CHANGE = 0.15
_INSYNC = 1.0

_route53 = hooks.module("route53")
_being_changed: set = set()
# Caller references of deleted health checks, which can never be used again.
_used_references = store.account_wide("route53.used_references")
_insync_at = store.account_wide("route53.insync_at")


def _normalise_name(original):
    """Route 53 keeps names in lower case, and knows the asterisk by its code."""
    return lambda name: original(name).lower().replace(r"\052", "*")


def _build_record_set(original):
    return lambda parent, record: original(parent, {**record, "Name": record["Name"].replace("*", r"\052")})


def _build_health_check(original):
    """Spells booleans as XML does: ministack writes Python's `True`, which SDKs read as false."""

    def build(parent, check):
        config = {name: str(value).lower() if isinstance(value, bool) else value
                  for name, value in check.get("config", {}).items()}
        return original(parent, {**check, "config": config})

    return build


def _parse_health_check_config(original):
    """Reads the lists, too: ministack looks for each entry inside itself and finds nothing."""

    def parse(element):
        config = original(element)
        for name, entry in (("ChildHealthChecks", "ChildHealthCheck"), ("Regions", "Region")):
            if name in config:
                config[name] = [found.text for found in _route53._findall(_route53._find(element, name), entry)]
        return config

    return parse


@calls.around("route53", "CreateHealthCheck")
async def caller_references_are_used_once(call, proceed):
    reference = _route53._text(call.xml, "CallerReference")
    known = _route53._health_checks.get(_route53._hc_caller_refs.get(reference))
    wanted = _route53._parse_health_check_config(_route53._find(call.xml, "HealthCheckConfig"))
    if reference in _used_references or (known and known["config"] != wanted):
        return call.error("HealthCheckAlreadyExists", "The health check you're attempting to create already exists. "
                          f"Caller reference: {reference}", 409)
    return await proceed()


@calls.around("route53", "DeleteHealthCheck")
async def caller_references_stay_used(call, proceed):
    check = _route53._health_checks.get(_last(call.path))
    answer = await proceed()
    if check and answer[0] == 200:
        _used_references[check["caller_reference"]] = True
        health.forget(check["id"])
    return answer


@calls.around("route53", "UpdateHealthCheck")
async def updates_name_their_version_and_can_reset(call, proceed):
    check = _route53._health_checks.get(_last(call.path))
    version = _route53._text(call.xml, "HealthCheckVersion")
    if check and version and int(version) != check.get("version", 1):
        return call.error("HealthCheckVersionMismatch", "The value of HealthCheckVersion in the request doesn't match "
                          "the value of HealthCheckVersion in the health check.", 409)
    answer = await proceed()
    if answer[0] != 200:
        return answer
    reset = _route53._find(call.xml, "ResetElements")
    for element in _route53._findall(reset, "ResettableElementName") if reset is not None else ():
        check["config"].pop(element.text, None)
    # The Rust SDK minds the name of the outermost element.
    return _route53._xml_response("UpdateHealthCheckResponse", lambda root: _route53._build_health_check_el(root, check))


@calls.around("route53", "CreateHostedZone")
async def a_zone_is_created_once(call, proceed):
    if _route53._text(call.xml, "CallerReference") in _route53._caller_refs:
        return call.error("HostedZoneAlreadyExists", "A hosted zone has already been created with the specified caller "
                          "reference.", 409)
    return await proceed()


@calls.around("route53", "ListTagsForResources")
async def tags_of_several(call, proceed):
    kind = _last(call.path)
    identifiers = [element.text for element in _route53._findall(_route53._find(call.xml, "ResourceIds"), "ResourceId")]
    known = _route53._zones if kind == "hostedzone" else _route53._health_checks
    for identifier in identifiers:
        if identifier not in known:
            code = "NoSuchHostedZone" if kind == "hostedzone" else "NoSuchHealthCheck"
            return call.error(code, f"No {kind} exists with the specified ID {identifier}.", 404)

    def build(root):
        sets = SubElement(root, "ResourceTagSets")
        for identifier in identifiers:
            one = SubElement(sets, "ResourceTagSet")
            SubElement(one, "ResourceType").text = kind
            SubElement(one, "ResourceId").text = identifier
            tags = SubElement(one, "Tags")
            for key, value in _route53._tags.get((kind, identifier), {}).items():
                tag = SubElement(tags, "Tag")
                SubElement(tag, "Key").text = key
                SubElement(tag, "Value").text = value

    return _route53._xml_response("ListTagsForResourcesResponse", build)


@calls.around("route53", "GetHealthCheckStatus", "GetHealthCheckLastFailureReason")
async def what_the_checkers_saw(call, proceed):
    identifier = call.path.rstrip("/").split("/")[-2]
    check = _route53._health_checks.get(identifier)
    if not check:
        return call.error("NoSuchHealthCheck", f"No health check exists with the specified ID {identifier}.", 404)
    last_failure = call.operation == "GetHealthCheckLastFailureReason"

    def build(root):
        observations = SubElement(root, "HealthCheckObservations")
        for region, address, status, at in health.observations(check, last_failure):
            one = SubElement(observations, "HealthCheckObservation")
            SubElement(one, "Region").text = region
            SubElement(one, "IPAddress").text = address
            report = SubElement(one, "StatusReport")
            SubElement(report, "Status").text = status
            SubElement(report, "CheckedTime").text = at

    return _route53._xml_response(f"{call.operation}Response", build)


@calls.around("route53", "TestDNSAnswer")
async def test_dns_answer(call, proceed):
    zone_id = call.query["hostedzoneid"][0].rpartition("/")[2]
    name, kind = _route53._normalise_name(call.query["recordname"][0]), call.query["recordtype"][0]
    if zone_id not in _route53._zones:
        return call.error("NoSuchHostedZone", f"No hosted zone found with ID: {zone_id}", 404)
    chosen = _choose(zone_id, name, kind)

    def build(root):
        SubElement(root, "Nameserver").text = _route53._DEFAULT_NS[0]
        SubElement(root, "RecordName").text = name
        SubElement(root, "RecordType").text = kind
        data = SubElement(root, "RecordData")
        for value in chosen:
            SubElement(data, "RecordDataEntry").text = value
        SubElement(root, "ResponseCode").text = "NOERROR" if chosen else "NXDOMAIN"
        SubElement(root, "Protocol").text = "UDP"

    return _route53._xml_response("TestDNSAnswerResponse", build)


def _choose(zone_id, name, kind):
    """The values a resolver would get now: by failover, then by weight among what is healthy."""
    records = [record for record in _route53._records[zone_id]
               if record["Name"] == name and record["Type"] in (kind, "CNAME")]
    if not records:
        return []
    record = _by_failover(records) if records[0].get("Failover") else _by_weight(records)
    if alias := record.get("AliasTarget"):
        return _choose(zone_id, alias["DNSName"], kind) or [alias["DNSName"]]
    return record.get("ResourceRecords", [])


def _by_failover(records):
    primary = next((record for record in records if record["Failover"] == "PRIMARY"), records[0])
    secondary = next((record for record in records if record["Failover"] == "SECONDARY"), primary)
    # With both unhealthy, the primary is answered.
    return secondary if not _healthy(primary) and _healthy(secondary) else primary


def _by_weight(records):
    """Zero-weighted records stand by until all others are unhealthy; if all are, all count as healthy."""
    def weight(record):
        return record.get("Weight", 1)

    healthy = [record for record in records if _healthy(record)]
    pool = ([record for record in healthy if weight(record)] or healthy
            or [record for record in records if weight(record)] or records)
    return random.choices(pool, [weight(record) or 1 for record in pool])[0]


def _healthy(record):
    check = record.get("HealthCheckId")
    return not check or health.is_healthy(check)


@calls.around("route53", "ChangeResourceRecordSets")
async def a_batch_leaves_the_zone_consistent(call, proceed):
    zone_id = call.path.strip("/").split("/")[2]
    before = _route53._records.get(zone_id)
    answer = await proceed()
    if answer[0] == 200 and (problem := _inconsistency(zone_id)):
        _route53._records[zone_id] = before
        return call.error("InvalidChangeBatch", problem)
    return answer


def _inconsistency(zone_id):
    """What Route 53 would not have in a zone: a CNAME beside others, or two ways of routing for one name."""
    apex, types, routings = _route53._zones[zone_id]["name"], {}, {}
    for record in _route53._records[zone_id]:
        name, kind = record["Name"], record["Type"]
        types.setdefault(name, set()).add(kind)
        ways = [way for way in ("Weight", "Failover", "Region", "GeoLocation") if record.get(way) is not None]
        routings.setdefault((name, kind), set()).add(tuple(ways))
    for name, kinds in types.items():
        if "CNAME" in kinds and name == apex:
            return f"RRSet of type CNAME with DNS name {name} is not permitted at apex in zone {apex}"
        if "CNAME" in kinds and len(kinds) > 1:
            return (f"RRSet of type CNAME with DNS name {name} is not permitted as it conflicts with other records "
                    "with the same DNS name")
    for (name, kind), ways in routings.items():
        if len(ways) > 1:
            return (f"RRSet with DNS name {name}, type {kind} cannot be created as other RRSets exist with the same "
                    "name and type and another routing policy.")
    return None


@calls.strictly("route53", "ChangeResourceRecordSets")
async def one_batch_at_a_time(call, proceed):
    zone = call.path.strip("/").split("/")[2]
    if zone in _being_changed:
        return call.error("PriorRequestNotComplete", "The request was rejected because Route 53 was still processing a "
                          "prior request.")
    _being_changed.add(zone)
    try:
        await clock.sleep(_CHANGE)
        return await proceed()
    finally:
        _being_changed.discard(zone)


def _new_change(original):
    def new_change(comment=""):
        change = original(comment)
        _insync_at[change["id"]] = clock.after(_INSYNC) if clock.STRICT else 0
        return change

    return new_change


@calls.around("route53", "GetChange")
async def changes_are_in_sync_after_a_while(call, proceed):
    """ministack shows PENDING to the first who asks, however late."""
    change = _route53._changes.get(_last(call.path))
    if change:
        change["status"] = "PENDING" if _insync_at.get(change["id"], 0) > clock.now() else "INSYNC"
    return await proceed()


def _last(path):
    return path.rstrip("/").rpartition("/")[2]


def install():
    hooks.wrap("route53", "_normalise_name", _normalise_name)
    hooks.wrap("route53", "_build_record_set_el", _build_record_set)
    hooks.wrap("route53", "_parse_health_check_config", _parse_health_check_config)
    hooks.wrap("route53", "_build_health_check_el", _build_health_check)
    hooks.wrap("route53", "_new_change", _new_change)

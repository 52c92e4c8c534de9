use super::{Record, RecordSet};
use crate::aws::canned::Canned;
use crate::graph::{Address, Attributes, FailureClass, Input};
use crate::kinds::Found;
use crate::kinds::tests::{Case, owner, tags};

const ZONE: &str = "Z0123456789ABC";
const DOMAIN: &str = "payment-system.example.com";
const HOST: &str = "api.payment-system.example.com";

fn zone(id: &str, reference: &str) -> String {
    format!(
        "<HostedZone><Id>/hostedzone/{id}</Id><Name>{DOMAIN}.</Name><CallerReference>{reference}</CallerReference>\
         <Config><PrivateZone>false</PrivateZone></Config></HostedZone>"
    )
}

fn own_zone() -> String {
    zone(ZONE, &format!("{}/0", owner().reference(&Address::global("zone", "main"))))
}

fn zones(zones: &str) -> String {
    format!(
        "<ListHostedZonesByNameResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">\
         <HostedZones>{zones}</HostedZones><DNSName>{DOMAIN}</DNSName><IsTruncated>false</IsTruncated>\
         <MaxItems>100</MaxItems></ListHostedZonesByNameResponse>"
    )
}

fn weighted(region: &str, weight: u8) -> String {
    format!(
        "<ResourceRecordSet><Name>{HOST}.</Name><Type>CNAME</Type><SetIdentifier>{region}-prod-001</SetIdentifier>\
         <Weight>{weight}</Weight><TTL>60</TTL><ResourceRecords><ResourceRecord>\
         <Value>ABC.lambda-url.{region}.on.aws</Value></ResourceRecord></ResourceRecords>\
         <HealthCheckId>check-{region}</HealthCheckId></ResourceRecordSet>"
    )
}

fn sets(sets: &str) -> String {
    format!(
        "<ListResourceRecordSetsResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">\
         <ResourceRecordSets>{sets}</ResourceRecordSets><IsTruncated>false</IsTruncated><MaxItems>300</MaxItems>\
         </ListResourceRecordSetsResponse>"
    )
}

fn aws() -> Canned {
    let other = "<ResourceRecordSet><Name>www.payment-system.example.com.</Name><Type>CNAME</Type></ResourceRecordSet>";
    let both = format!("{}{}{other}", weighted("us-east-1", 100), weighted("us-west-2", 0));
    Canned::default().text("ListHostedZonesByName", zones(&own_zone())).text("ListResourceRecordSets", sets(&both))
}

fn case() -> Case<Record> {
    Case::global("route53", &format!("own/{DOMAIN}/{HOST}"), aws())
}

fn set(region: &str, weight: i64) -> (String, RecordSet) {
    let set = RecordSet {
        value: Input::Known(format!("abc.lambda-url.{region}.on.aws")),
        ttl: Some(60),
        weight: Some(weight),
        failover: None,
        health_check: Some(Input::Known(format!("check-{region}"))),
    };
    (format!("{region}-prod-001"), set)
}

#[test]
fn a_name_is_read_with_all_its_sets() {
    let resource = Record {
        zone: Some(Input::from(ZONE)),
        zone_name: DOMAIN.into(),
        name: HOST.into(),
        sets: [set("us-east-1", 100), set("us-west-2", 0)].into(),
    };
    let attributes: Attributes = tags(&[("zone", ZONE), ("name", HOST)]);
    assert_eq!(case().found(), Found { resource, attributes });
}

#[test]
fn an_alias_and_a_failover_role_are_told() {
    let alias = format!(
        "<ResourceRecordSet><Name>{HOST}.</Name><Type>CNAME</Type><SetIdentifier>us-east-1-prod-001</SetIdentifier>\
         <Failover>PRIMARY</Failover><AliasTarget><HostedZoneId>Z1</HostedZoneId><DNSName>Other.example.com.</DNSName>\
         <EvaluateTargetHealth>false</EvaluateTargetHealth></AliasTarget></ResourceRecordSet>"
    );
    let found = case().found_in(|aws| aws.text("ListResourceRecordSets", sets(&alias)));
    let set = &found.resource.sets["us-east-1-prod-001"];
    assert_eq!((set.value.known(), set.failover.as_deref()), ("alias of other.example.com", Some("PRIMARY")));
}

#[test]
fn a_name_is_absent_without_its_zone_or_without_sets() {
    case().is_absent_after(&[("ListResourceRecordSets", "NoSuchHostedZone")]);
    case().is_absent_in(|aws| aws.text("ListHostedZonesByName", zones("")));
    case().is_absent_in(|aws| aws.text("ListHostedZonesByName", zones(&zone(ZONE, "somebody else"))));
    case().is_absent_in(|aws| aws.text("ListResourceRecordSets", sets("")));
}

#[test]
fn in_a_zone_of_others_only_marked_sets_count_and_the_zone_must_be_plain() {
    let case = Case::<Record>::global("route53", &format!("existing/{DOMAIN}/{HOST}"), aws());
    let others = zone("Z9", "somebody else");
    let found = case.found_in(|aws| aws.text("ListHostedZonesByName", zones(&others)));
    assert_eq!((found.resource.zone, found.attributes["zone"].as_str()), (None, "Z9"));
    case.is_absent_in(|aws| {
        let theirs = weighted("us-east-1", 1).replace("prod-001", "theirs");
        aws.text("ListHostedZonesByName", zones(&others)).text("ListResourceRecordSets", sets(&theirs))
    });
    let two = zones(&format!("{others}{}", zone("Z8", "somebody else still")));
    let failure = case.failure_in(|aws| aws.text("ListHostedZonesByName", two));
    assert_eq!((failure.class, failure.code.as_str()), (FailureClass::Other, "AmbiguousZone"));
}

#[test]
fn being_denied_or_throttled_is_never_an_absence() {
    case().fails_with_every_operation();
}

#[test]
fn an_incomplete_answer_names_what_it_lacks() {
    let values = "<ResourceRecords><ResourceRecord><Value>ABC.lambda-url.us-east-1.on.aws</Value></ResourceRecord></ResourceRecords>";
    case().needs(&[
        ("ListHostedZonesByName", &format!("<Id>/hostedzone/{ZONE}</Id>"), "id of a zone"),
        ("ListResourceRecordSets", values, "value"),
    ]);
}

#[test]
fn whatever_aws_says_nothing_panics() {
    case().bears_any_answer();
}

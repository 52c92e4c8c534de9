use super::{Record, RecordSet};
use crate::aws::canned::Canned;
use crate::graph::{Address, Attributes, FailureClass, Input};
use crate::kinds::Found;
use crate::kinds::tests::{Case, owner, tags};
use crate::plan::Live;

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

fn marks(system: &str) -> String {
    let mark = |key: &str, value: &str| format!("<Tag><Key>{key}</Key><Value>{value}</Value></Tag>");
    let tags = if system.is_empty() { String::new() } else { mark("drctl:system", system) };
    let tags = format!("{tags}{}", mark("drctl:suffix", "prod-001"));
    format!(
        "<ListTagsForResourceResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><ResourceTagSet>\
         <ResourceType>hostedzone</ResourceType><ResourceId>Z9</ResourceId><Tags>{tags}</Tags></ResourceTagSet>\
         </ListTagsForResourceResponse>"
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
    case().is_absent_in(|aws| aws.text("ListHostedZonesByName", zones(&zone(ZONE, "drctl/another/zone.main/0"))));
    case().is_absent_in(|aws| aws.text("ListResourceRecordSets", sets("")));
}

#[test]
fn in_a_zone_of_others_unmarked_sets_are_told_and_the_zone_must_be_plain() {
    let others = zone("Z9", "somebody else");
    let aws = aws().text("ListTagsForResource", marks("")).text("ListHostedZonesByName", zones(&others));
    let case = Case::<Record>::global("route53", &format!("existing/{DOMAIN}/{HOST}"), aws);
    let found = case.found();
    assert_eq!((found.resource.zone, found.attributes["zone"].as_str()), (None, "Z9"));
    assert!(!found.attributes.contains_key(Live::UNMARKED));
    let theirs = sets(&weighted("us-east-1", 1).replace("prod-001", "theirs"));
    let found = case.found_in(|aws| aws.text("ListResourceRecordSets", theirs));
    assert!(found.attributes.contains_key(Live::UNMARKED));
    case.is_absent_in(|aws| aws.text("ListTagsForResource", marks("payment-dr")));
    let two = zones(&format!("{others}{}", zone("Z8", "somebody else still")));
    let failure = case.failure_in(|aws| aws.text("ListHostedZonesByName", two));
    assert_eq!((failure.class, failure.code.as_str()), (FailureClass::Other, "AmbiguousZone"));
}

#[test]
fn a_zone_is_own_by_its_marks_too_and_one_that_is_nobodys_is_told() {
    let by_hand = |system: &str| {
        let aws = aws().text("ListHostedZonesByName", zones(&zone("Z9", "by hand")));
        Case::<Record>::global(
            "route53",
            &format!("own/{DOMAIN}/{HOST}"),
            aws.text("ListTagsForResource", marks(system)),
        )
    };
    let theirs = || sets(&weighted("us-east-1", 1).replace("prod-001", "theirs"));
    let found = by_hand("payment-dr").found_in(|aws| aws.text("ListResourceRecordSets", theirs()));
    assert_eq!(found.resource.zone, Some(Input::from("Z9")));
    assert!(!found.attributes.contains_key(Live::UNMARKED), "an adopted zone is ours with every name in it");
    let found = by_hand("").found_in(|aws| aws.text("ListResourceRecordSets", theirs()));
    assert_eq!(found.resource.zone, Some(Input::from("Z9")));
    assert!(found.attributes.contains_key(Live::UNMARKED));
    by_hand("another").is_absent_in(|aws| aws);
    by_hand("").is_absent_in(|aws| aws);
    by_hand("").is_absent_in(|aws| {
        let two = format!("{}{}", zone("Z9", "by hand"), zone("Z8", "by hand, too"));
        aws.text("ListHostedZonesByName", zones(&two))
    });
}

#[test]
fn sets_with_health_checks_of_another_system_are_that_systems() {
    let aws = aws().text("ListHostedZonesByName", zones(&zone("Z9", "drctl/another/zone.main/0")));
    let aws = aws.text("ListResourceRecordSets", sets(&weighted("us-east-1", 1).replace("prod-001", "prod-002")));
    let case = Case::<Record>::global("route53", &format!("existing/{DOMAIN}/{HOST}"), aws);
    let found = case.found_in(|aws| aws.text("ListTagsForResource", marks("another")));
    assert!(found.attributes.contains_key(Live::UNMARKED));
    assert_eq!(found.attributes[Live::ANOTHERS], "another, suffix prod-001");
    for marked in [marks(""), marks("payment-dr")] {
        let found = case.found_in(|aws| aws.text("ListTagsForResource", marked));
        assert_eq!(found.attributes.get(Live::ANOTHERS), None);
    }
    let gone = case.found_in(|aws| aws.refusing("ListTagsForResource", "NoSuchHealthCheck", "there is none"));
    assert_eq!(gone.attributes.get(Live::ANOTHERS), None);
}

#[test]
fn a_mark_is_a_region_and_the_whole_suffix() {
    let others = zone("Z9", "drctl/another/zone.main/0");
    for identifier in
        ["us-east-1-blue-prod-001", "us-prod-001", "prod-001", "us-east-1-prod-0011", "us-east--1-prod-001"]
    {
        let aws = aws().text("ListHostedZonesByName", zones(&others)).text("ListTagsForResource", marks(""));
        let theirs = sets(&weighted("us-east-1", 1).replace("us-east-1-prod-001", identifier));
        let case = Case::<Record>::global("route53", &format!("existing/{DOMAIN}/{HOST}"), aws);
        let found = case.found_in(|aws| aws.text("ListResourceRecordSets", theirs));
        assert!(found.attributes.contains_key(Live::UNMARKED), "{identifier}");
    }
}

#[test]
fn a_set_of_another_type_is_told_with_it() {
    let address = format!(
        "<ResourceRecordSet><Name>{HOST}.</Name><Type>A</Type><TTL>60</TTL><ResourceRecords><ResourceRecord>\
         <Value>192.0.2.1</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>"
    );
    let found = case().found_in(|aws| aws.text("ListResourceRecordSets", sets(&address)));
    assert_eq!(found.resource.sets["A"].value.known(), "192.0.2.1");
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

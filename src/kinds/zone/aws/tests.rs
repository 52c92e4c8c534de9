use super::Zone;
use crate::aws::canned::Canned;
use crate::graph::{Address, Attributes};
use crate::kinds::Found;
use crate::kinds::tests::{Case, lookalikes, owner, tags};

const ID: &str = "Z0123456789ABC";
const NAME: &str = "<Name>payment-system.example.com.</Name>";

fn reference() -> String {
    owner().reference(&Address::global("zone", "main"))
}

fn aws() -> Canned {
    let zone = format!(
        "<?xml version=\"1.0\"?><GetHostedZoneResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">\
         <HostedZone><Id>/hostedzone/{ID}</Id>{NAME}<CallerReference>{}/1</CallerReference>\
         <Config><Comment>payments</Comment><PrivateZone>false</PrivateZone></Config>\
         <ResourceRecordSetCount>2</ResourceRecordSetCount></HostedZone>\
         <DelegationSet><NameServers><NameServer>ns-2.awsdns.org.</NameServer><NameServer>ns-1.awsdns.com</NameServer>\
         </NameServers></DelegationSet></GetHostedZoneResponse>",
        reference()
    );
    let tags = format!(
        "<ListTagsForResourceResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><ResourceTagSet>\
         <ResourceType>hostedzone</ResourceType><ResourceId>{ID}</ResourceId>\
         <Tags><Tag><Key>cost-center</Key><Value>payments</Value></Tag></Tags></ResourceTagSet></ListTagsForResourceResponse>"
    );
    Canned::default().text("GetHostedZone", zone).text("ListTagsForResource", tags)
}

fn case() -> Case<Zone> {
    Case::global("route53", ID, aws())
}

#[test]
fn a_zone_is_read_with_its_name_servers() {
    let resource = Zone {
        id: Some(ID.into()),
        reference: reference(),
        name: "payment-system.example.com".into(),
        comment: "payments".into(),
        tags: tags(&[("cost-center", "payments")]),
    };
    let attributes =
        [("id", ID), ("name", "payment-system.example.com"), ("name_servers", "ns-1.awsdns.com ns-2.awsdns.org")];
    let attributes: Attributes = tags(&attributes);
    assert_eq!(case().found(), Found { resource, attributes });
}

#[test]
fn a_zone_that_is_not_there_is_absent() {
    case().is_absent_after(&[("GetHostedZone", "NoSuchHostedZone"), ("ListTagsForResource", "NoSuchHostedZone")]);
}

#[test]
fn being_denied_or_throttled_is_never_an_absence() {
    case().fails_with_every_operation();
}

#[test]
fn an_incomplete_answer_names_what_it_lacks() {
    let operation = "GetHostedZone";
    let reference = format!("<CallerReference>{}/1</CallerReference>", reference());
    case().needs(&[(operation, NAME, "name"), (operation, &reference, "caller reference")]);
    let servers = "<NameServer>ns-2.awsdns.org.</NameServer><NameServer>ns-1.awsdns.com</NameServer>";
    case().needs(&[(
        operation,
        &format!("<DelegationSet><NameServers>{servers}</NameServers></DelegationSet>"),
        "delegation set",
    )]);
}

#[test]
fn whatever_aws_says_nothing_panics() {
    case().bears_any_answer();
}

#[test]
fn what_somebody_made_by_hand_could_be_ours() {
    let zone = |id: &str, name: &str, reference: &str| {
        format!(
            "<HostedZone><Id>/hostedzone/{id}</Id><Name>{name}.</Name><CallerReference>{reference}</CallerReference>\
             </HostedZone>"
        )
    };
    let name = "payment-system.example.com";
    let zones = [
        zone("Z1", name, "by hand"),
        zone("Z2", name, "drctl/another/zone.main/0"),
        zone("Z3", "z.example.com", "by hand, too"),
    ];
    let listed = format!(
        "<ListHostedZonesByNameResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><HostedZones>{}\
         </HostedZones><IsTruncated>false</IsTruncated><MaxItems>100</MaxItems></ListHostedZonesByNameResponse>",
        zones.concat()
    );
    let wanted = Zone { id: None, ..case().found().resource };
    assert_eq!(lookalikes(Canned::default().text("ListHostedZonesByName", listed), &wanted), ["Z1"]);
}

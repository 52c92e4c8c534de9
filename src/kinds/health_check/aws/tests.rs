use super::HealthCheck;
use crate::aws::canned::Canned;
use crate::graph::{Address, Attributes, Input};
use crate::kinds::Found;
use crate::kinds::tests::{Case, lookalikes, owner, tags};

const ID: &str = "5b3ed71c-0f5c-4a4e-9d0c-123456789abc";

const CONFIG: &str = "<HealthCheckConfig><Port>443</Port><Type>HTTPS</Type><ResourcePath>/health</ResourcePath>\
     <FullyQualifiedDomainName>abc.lambda-url.us-east-1.on.aws</FullyQualifiedDomainName>\
     <RequestInterval>30</RequestInterval><FailureThreshold>3</FailureThreshold><MeasureLatency>false</MeasureLatency>\
     <Inverted>false</Inverted><Disabled>false</Disabled><EnableSNI>true</EnableSNI></HealthCheckConfig>";

fn reference() -> String {
    owner().reference(&Address::global("health_check", "us-east-1"))
}

fn aws() -> Canned {
    let check = format!(
        "<?xml version=\"1.0\"?><GetHealthCheckResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">\
         <HealthCheck><Id>{ID}</Id><CallerReference>{}/3</CallerReference>{CONFIG}\
         <HealthCheckVersion>2</HealthCheckVersion></HealthCheck></GetHealthCheckResponse>",
        reference()
    );
    let tags = format!(
        "<ListTagsForResourceResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><ResourceTagSet>\
         <ResourceType>healthcheck</ResourceType><ResourceId>{ID}</ResourceId>\
         <Tags><Tag><Key>cost-center</Key><Value>payments</Value></Tag></Tags></ResourceTagSet></ListTagsForResourceResponse>"
    );
    Canned::default().text("GetHealthCheck", check).text("ListTagsForResource", tags)
}

fn case() -> Case<HealthCheck> {
    Case::global("route53", ID, aws())
}

fn check() -> HealthCheck {
    HealthCheck {
        id: Some(ID.into()),
        reference: reference(),
        protocol: "HTTPS".into(),
        host: Input::from("abc.lambda-url.us-east-1.on.aws"),
        port: 443,
        path: "/health".into(),
        sni: true,
        interval: 30,
        failure_threshold: 3,
        inverted: false,
        disabled: false,
        tags: tags(&[("cost-center", "payments")]),
    }
}

#[test]
fn a_check_is_read_without_the_generation_of_its_reference() {
    let attributes = Attributes::from([("id".into(), ID.into())]);
    assert_eq!(case().found(), Found { resource: check(), attributes });
}

#[test]
fn a_check_that_an_operator_inverted_or_disabled_says_so() {
    let found = case().found_in(|aws| {
        let aws = aws.replacing("GetHealthCheck", "<Inverted>false", "<Inverted>true");
        aws.replacing("GetHealthCheck", "<Disabled>false", "<Disabled>true")
    });
    assert_eq!(found.resource, HealthCheck { inverted: true, disabled: true, ..check() });
}

#[test]
fn without_a_path_the_checkers_ask_for_the_root() {
    let found = case().found_in(|aws| aws.without("GetHealthCheck", "<ResourcePath>/health</ResourcePath>"));
    assert_eq!(found.resource.path, "/");
}

#[test]
fn a_check_that_is_not_there_is_absent() {
    case().is_absent_after(&[("GetHealthCheck", "NoSuchHealthCheck"), ("ListTagsForResource", "NoSuchHealthCheck")]);
}

#[test]
fn being_denied_or_throttled_is_never_an_absence() {
    case().fails_with_every_operation();
}

#[test]
fn an_incomplete_answer_names_what_it_lacks() {
    let parts = [
        (CONFIG, "type"),
        ("<Port>443</Port>", "port"),
        ("<Type>HTTPS</Type>", "type"),
        ("<RequestInterval>30</RequestInterval>", "interval"),
        ("<FailureThreshold>3</FailureThreshold>", "threshold"),
    ];
    for (part, name) in parts {
        case().needs(&[("GetHealthCheck", part, name)]);
    }
}

#[test]
fn whatever_aws_says_nothing_panics() {
    case().bears_any_answer();
}

#[test]
fn what_probes_the_same_host_in_a_way_that_can_become_ours_could_be_ours() {
    let check = |id: &str, reference: &str, config: &str| {
        format!(
            "<HealthCheck><Id>{id}</Id><CallerReference>{reference}</CallerReference>{config}\
             <HealthCheckVersion>1</HealthCheckVersion></HealthCheck>"
        )
    };
    let fast = CONFIG.replace("<RequestInterval>30", "<RequestInterval>10");
    let checks = [
        check("other-path", "by hand 1", &CONFIG.replace("/health", "/")),
        check("other-host", "by hand 2", &CONFIG.replace("abc.lambda", "def.lambda")),
        check("other-interval", "by hand 3", &fast),
        check("anothers", "drctl/another/health_check.us-east-1/0", CONFIG),
    ];
    let listed = format!(
        "<ListHealthChecksResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><HealthChecks>{}\
         </HealthChecks><IsTruncated>false</IsTruncated><MaxItems>100</MaxItems></ListHealthChecksResponse>",
        checks.concat()
    );
    assert_eq!(lookalikes(Canned::default().text("ListHealthChecks", listed), &self::check()), ["other-path"]);
}

use serde_json::json;

use super::Role;
use crate::aws::canned::Canned;
use crate::graph::{Address, Attributes, Document, FailureClass, Place};
use crate::kinds::tests::{Case, observed, tags};
use crate::kinds::{Found, Target};

const NAME: &str = "payment-processor-us-east-1-prod-001";
const ARN: &str = "arn:aws:iam::123456789012:role/payment-processor-us-east-1-prod-001";

/// IAM writes policies percent-encoded.
const TRUST: &str = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C\
                     %22Principal%22%3A%7B%22Service%22%3A%22lambda.amazonaws.com%22%7D%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%5D%7D";
const POLICY: &str = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C\
                      %22Action%22%3A%22dynamodb%3APutItem%22%2C%22Resource%22%3A%22%2A%22%7D%7D";

fn aws() -> Canned {
    let role = format!(
        "<GetRoleResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><GetRoleResult><Role>\
         <Path>/</Path><RoleName>{NAME}</RoleName><RoleId>AROAEXAMPLE</RoleId><Arn>{ARN}</Arn>\
         <CreateDate>2026-11-24T10:00:00Z</CreateDate>\
         <AssumeRolePolicyDocument>{TRUST}</AssumeRolePolicyDocument>\
         <Description>runs payments</Description><MaxSessionDuration>3600</MaxSessionDuration>\
         <Tags><member><Key>cost-center</Key><Value>payments</Value></member>\
         <member><Key>aws:cloudformation:stack-id</Key><Value>old</Value></member></Tags>\
         <RoleLastUsed/></Role></GetRoleResult>\
         <ResponseMetadata><RequestId>7f3c</RequestId></ResponseMetadata></GetRoleResponse>"
    );
    let names = "<ListRolePoliciesResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><ListRolePoliciesResult>\
                 <PolicyNames><member>least-privilege</member></PolicyNames><IsTruncated>false</IsTruncated>\
                 </ListRolePoliciesResult></ListRolePoliciesResponse>";
    let policy = format!(
        "<GetRolePolicyResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><GetRolePolicyResult>\
         <RoleName>{NAME}</RoleName><PolicyName>least-privilege</PolicyName><PolicyDocument>{POLICY}</PolicyDocument>\
         </GetRolePolicyResult></GetRolePolicyResponse>"
    );
    let attached = "<ListAttachedRolePoliciesResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">\
         <ListAttachedRolePoliciesResult><AttachedPolicies>\
         <member><PolicyName>B</PolicyName><PolicyArn>arn:aws:iam::aws:policy/B</PolicyArn></member>\
         <member><PolicyName>A</PolicyName><PolicyArn>arn:aws:iam::aws:policy/A</PolicyArn></member>\
         </AttachedPolicies><IsTruncated>false</IsTruncated></ListAttachedRolePoliciesResult></ListAttachedRolePoliciesResponse>";
    Canned::default()
        .text("GetRole", role)
        .text("ListRolePolicies", names)
        .text("GetRolePolicy", policy)
        .text("ListAttachedRolePolicies", attached)
}

/// The roles of an account, in one answer.
fn details() -> Canned {
    Canned::default().text(
        "GetAccountAuthorizationDetails",
        format!(
            "<GetAccountAuthorizationDetailsResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">\
             <GetAccountAuthorizationDetailsResult><IsTruncated>false</IsTruncated><RoleDetailList>\
             <member><RoleName>somebody-elses</RoleName></member>\
             <member><RoleName>{NAME}</RoleName><Arn>{ARN}</Arn>\
             <AssumeRolePolicyDocument>{TRUST}</AssumeRolePolicyDocument>\
             <RolePolicyList><member><PolicyName>least-privilege</PolicyName>\
             <PolicyDocument>{POLICY}</PolicyDocument></member></RolePolicyList>\
             <AttachedManagedPolicies>\
             <member><PolicyName>B</PolicyName><PolicyArn>arn:aws:iam::aws:policy/B</PolicyArn></member>\
             <member><PolicyName>A</PolicyName><PolicyArn>arn:aws:iam::aws:policy/A</PolicyArn></member>\
             </AttachedManagedPolicies>\
             <Tags><member><Key>cost-center</Key><Value>payments</Value></member></Tags>\
             </member></RoleDetailList></GetAccountAuthorizationDetailsResult></GetAccountAuthorizationDetailsResponse>"
        ),
    )
}

fn case() -> Case<Role> {
    Case::global("iam", NAME, aws())
}

fn role(description: &str) -> Found<Role> {
    let allow = |principal, action: &str, resource| {
        let mut statement = json!({ "Effect": "Allow", "Action": action });
        for (part, value) in [("Principal", principal), ("Resource", resource)] {
            if let Some(value) = value {
                statement[part] = value;
            }
        }
        Document::new(json!({ "Version": "2012-10-17", "Statement": [statement] }))
    };
    let policy = allow(None, "dynamodb:PutItem", Some(json!("*")));
    Found {
        resource: Role {
            name: NAME.into(),
            description: description.into(),
            trust: allow(Some(json!({ "Service": "lambda.amazonaws.com" })), "sts:AssumeRole", None),
            policies: [("least-privilege".to_owned(), policy)].into(),
            attached: vec!["arn:aws:iam::aws:policy/A".into(), "arn:aws:iam::aws:policy/B".into()],
            tags: tags(&[("cost-center", "payments")]),
        },
        attributes: Attributes::from([("arn".into(), ARN.into())]),
    }
}

fn targets() -> [Target; 2] {
    [NAME, "gone-prod-001"].map(|name| Target { address: Address::global("role", name), id: name.into() })
}

#[test]
fn a_role_is_put_together_from_four_answers() {
    assert_eq!(case().found(), role("runs payments"));
}

#[test]
fn several_roles_come_with_one_call() {
    let (mut seen, calls) = observed::<Role>(details(), &Place::Global, &targets());
    assert_eq!(seen.remove(&targets()[0].address), Some(Ok(Some(role("")))));
    assert_eq!(seen.remove(&targets()[1].address), None);
    assert_eq!(calls, 1);
}

#[test]
fn several_roles_are_read_one_by_one_if_the_one_call_is_denied() {
    let aws = aws().refusing("GetAccountAuthorizationDetails", "AccessDenied", "not you");
    let (mut seen, _) = observed::<Role>(aws, &Place::Global, &targets()[..]);
    assert_eq!(seen.remove(&targets()[0].address), Some(Ok(Some(role("runs payments")))));
    let aws = details().refusing("GetAccountAuthorizationDetails", "Throttling", "not now");
    let (seen, _) = observed::<Role>(aws, &Place::Global, &targets());
    let classes: Vec<_> = seen.values().map(|seen| seen.as_ref().map_err(|failure| failure.class).err()).collect();
    assert_eq!(classes, [Some(FailureClass::Throttled); 2]);
}

#[test]
fn a_role_that_is_not_there_is_absent() {
    let gone = [("GetRole", "NoSuchEntity"), ("ListRolePolicies", "NoSuchEntity"), ("GetRolePolicy", "NoSuchEntity")];
    case().is_absent_after(&gone);
}

#[test]
fn being_denied_or_throttled_is_never_an_absence() {
    case().fails_with_every_operation();
}

#[test]
fn an_incomplete_answer_names_what_it_lacks() {
    let trust = format!("<AssumeRolePolicyDocument>{TRUST}</AssumeRolePolicyDocument>");
    case().needs(&[
        ("GetRole", &trust, "trust policy"),
        ("GetRole", &format!("<Arn>{ARN}</Arn>"), "ARN"),
        ("GetRolePolicy", &format!("<PolicyDocument>{POLICY}</PolicyDocument>"), "no policy"),
        ("GetRole", TRUST, "the policy is not JSON"),
    ]);
}

#[test]
fn an_incomplete_answer_about_all_roles_names_what_it_lacks() {
    let trust = format!("<AssumeRolePolicyDocument>{TRUST}</AssumeRolePolicyDocument>");
    for (part, name) in [(trust.as_str(), "trust policy"), (&format!("<Arn>{ARN}</Arn>"), "ARN")] {
        let aws = details().without("GetAccountAuthorizationDetails", part);
        let (mut seen, _) = observed::<Role>(aws, &Place::Global, &targets());
        let failure = seen.remove(&targets()[0].address).expect("it was looked for").expect_err("it lacks something");
        assert_eq!((failure.class, failure.message.contains(name)), (FailureClass::Malformed, true), "{failure}");
    }
}

#[test]
fn whatever_aws_says_nothing_panics() {
    case().bears_any_answer();
}

//! JSON policy documents, compared by meaning.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Reference;

/// A policy document in one normal form, so that `==` compares its meaning.
///
/// AWS re-orders lists, turns lists of one into scalars, writes `*` for
/// `{"AWS": "*"}` and a bare account id as its root ARN. The constructor undoes
/// all of it; it is the only way in.
///
/// A value that comes from another resource stands alone where there could be a list: nobody
/// knows yet where it would come in the order of several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Document(Value);

impl Document {
    /// Brings a policy into normal form.
    pub fn new(policy: Value) -> Self {
        Self(normal_policy(policy))
    }

    /// Reads a policy as AWS returns it: plain JSON, or percent-encoded JSON from IAM.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        let plain = if text.trim_start().starts_with('{') { text.to_owned() } else { percent_decoded(text) };
        serde_json::from_str(&plain).map(Self::new)
    }

    /// The text to send to AWS. A condition with one value has no list around it: AWS takes both forms, and some
    /// of the tools that judge policies only this one.
    pub fn to_text(&self) -> String {
        let mut policy = self.0.clone();
        let statements = policy.get_mut("Statement").and_then(Value::as_array_mut).into_iter().flatten();
        let conditions = statements.filter_map(|statement| statement.get_mut("Condition")?.as_object_mut());
        let operators = conditions.flat_map(Map::values_mut).filter_map(Value::as_object_mut);
        for value in operators.flat_map(Map::values_mut) {
            if let Some([alone]) = value.as_array().map(Vec::as_slice) {
                *value = alone.clone();
            }
        }
        policy.to_string()
    }

    /// The same policy with these statements, too.
    pub fn and(&self, statements: &[Value]) -> Self {
        let mut policy = self.0.clone();
        if let Some(all) = policy.get_mut("Statement").and_then(Value::as_array_mut) {
            all.extend(statements.iter().cloned());
        }
        Self::new(policy)
    }

    /// The statements, in normal order.
    pub fn statements(&self) -> &[Value] {
        self.0.get("Statement").and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }
}

fn normal_policy(policy: Value) -> Value {
    let Value::Object(map) = policy else { return policy };
    let mut out = Map::new();
    if let Some(version) = map.get("Version") {
        out.insert("Version".into(), version.clone());
    }
    for (name, value) in map {
        match name.as_str() {
            "Version" => {}
            "Statement" => {
                let mut statements: Vec<_> = listed(value).into_iter().map(normal_statement).collect();
                statements.sort_by_key(Value::to_string);
                out.insert(name, Value::Array(statements));
            }
            _ => {
                out.insert(name, value);
            }
        }
    }
    Value::Object(out)
}

/// The order in which people write the parts of a statement.
const PARTS: [&str; 9] =
    ["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"];

fn normal_statement(statement: Value) -> Value {
    let Value::Object(mut map) = statement else { return statement };
    let mut out = Map::new();
    for part in PARTS {
        let Some(value) = map.remove(part) else { continue };
        let value = match part {
            "Action" | "NotAction" => sorted(value, |action| normal_action(&action)),
            "Resource" | "NotResource" => sorted(value, |text| text),
            "Principal" | "NotPrincipal" => normal_principal(value),
            "Condition" => normal_condition(value),
            _ => value,
        };
        out.insert(part.into(), value);
    }
    out.extend(map);
    Value::Object(out)
}

/// Service prefixes are case-insensitive and so are action names; AWS prints them as `service:Action`.
fn normal_action(action: &str) -> String {
    match action.split_once(':') {
        Some((service, name)) => format!("{}:{name}", service.to_ascii_lowercase()),
        None => action.to_owned(),
    }
}

fn normal_principal(principal: Value) -> Value {
    match principal {
        Value::Object(map) => {
            let entries = map.into_iter().map(|(name, value)| {
                let value = if name == "AWS" { sorted(value, account_root) } else { sorted(value, |text| text) };
                (name, value)
            });
            Value::Object(sorted_map(entries.collect()))
        }
        Value::String(text) => serde_json::json!({ "AWS": [text] }),
        other => other,
    }
}

fn account_root(principal: String) -> String {
    if principal.len() == 12 && principal.bytes().all(|byte| byte.is_ascii_digit()) {
        format!("arn:aws:iam::{principal}:root")
    } else {
        principal
    }
}

fn normal_condition(condition: Value) -> Value {
    let Value::Object(map) = condition else { return condition };
    let operators = map.into_iter().map(|(operator, keys)| {
        let keys = match keys {
            Value::Object(keys) => Value::Object(sorted_map(
                keys.into_iter().map(|(key, value)| (key, sorted(value, |text| text))).collect(),
            )),
            other => other,
        };
        (operator, keys)
    });
    Value::Object(sorted_map(operators.collect()))
}

fn sorted_map(map: Map<String, Value>) -> Map<String, Value> {
    let mut entries: Vec<_> = map.into_iter().collect();
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    entries.into_iter().collect()
}

fn listed(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items,
        one => vec![one],
    }
}

/// A list of texts in order: scalars become lists of one, booleans and numbers become text.
fn sorted(value: Value, each: impl Fn(String) -> String) -> Value {
    if Reference::of(&value).is_some() {
        return Value::Array(vec![value]);
    }
    let mut texts: Vec<_> = listed(value)
        .into_iter()
        .map(|item| match item {
            Value::String(text) => each(text),
            other => other.to_string(),
        })
        .collect();
    texts.sort();
    texts.dedup();
    texts.into()
}

/// Decodes RFC 3986 percent-encoding; what is no valid escape stays as it is.
fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%').then(|| bytes.get(at + 1..at + 3)).flatten();
        let byte = escaped
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Input, Properties};
    use serde_json::json;

    #[test]
    fn policies_that_mean_the_same_are_equal() {
        let ours = Document::new(json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject"], "Resource": ["b", "a"],
             "Condition": {"Bool": {"aws:SecureTransport": false}, "StringEquals": {"aws:SourceAccount": ["123456789012"]}}},
        ]}));
        let theirs = Document::new(
            json!({"Statement": {"Resource": ["a", "b"], "Action": "S3:GetObject", "Effect": "Allow",
            "Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}, "Bool": {"aws:SecureTransport": "false"}},
            "Principal": {"AWS": "*"}}, "Version": "2012-10-17"}),
        );
        assert_eq!(ours, theirs);
        assert_eq!(ours.to_text(), theirs.to_text());
        assert!(ours.to_text().contains(r#""aws:SecureTransport":"false""#), "{}", ours.to_text());
        assert_eq!(Document::parse(&ours.to_text()).unwrap(), ours);
    }

    #[test]
    fn an_account_id_is_its_root_arn() {
        let bare = Document::new(json!({"Statement": [{"Principal": {"AWS": "123456789012"}}]}));
        let root = Document::new(json!({"Statement": [{"Principal": {"AWS": "arn:aws:iam::123456789012:root"}}]}));
        assert_eq!(bare, root);
    }

    #[test]
    fn a_value_of_another_resource_is_filled_in_to_the_same_form() {
        let reference = Reference { address: "global/key.main".parse().unwrap(), attribute: "arn.us-east-1".into() };
        let policy = |resource: Value| {
            let statement = json!({"Effect": "Allow", "Action": "kms:Decrypt", "Resource": resource});
            Properties::of(&json!({ "policy": Document::new(json!({ "Statement": statement })) }))
        };
        let wanted = policy(json!(Input::From(reference.clone())));
        assert_eq!(wanted.references(), [reference]);
        assert_eq!(wanted.resolve(&|_| Some("arn:x".into())), policy(json!("arn:x")));
    }

    #[test]
    fn a_different_effect_is_a_different_policy() {
        let allow = Document::new(json!({"Statement": [{"Effect": "Allow", "Action": "a:B"}]}));
        let deny = Document::new(json!({"Statement": [{"Effect": "Deny", "Action": "a:B"}]}));
        assert_ne!(allow, deny);
    }

    #[test]
    fn what_iam_returns_is_decoded() {
        let read = Document::parse("%7B%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%7D%5D%7D").unwrap();
        assert_eq!(read, Document::new(json!({"Statement": [{"Effect": "Allow"}]})));
        assert!(Document::parse("%7B%zz%2").is_err());
    }
}

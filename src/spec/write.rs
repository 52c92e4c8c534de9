//! A tree as TOML in one form, whatever form it was written in, and as JSON.

use serde_json::Value as Json;

use super::node::{Node, Table, Value};

/// Where lines end, in characters, unless one value alone is longer.
const WIDTH: usize = 100;

impl Node {
    /// The tree as a TOML document: values, then a section for each table, what fits on a line inside of it.
    pub fn to_toml(&self) -> String {
        let Value::Table(root) = &self.value else { return inline(&self.value) };
        let mut out = String::new();
        let (tables, values): (Vec<_>, Vec<_>) = root.iter().partition(|(_, (_, node))| as_table(node).is_some());
        for (name, (_, node)) in values {
            out += &line(name, &node.value);
        }
        for (name, table) in tables.iter().filter_map(|(name, (_, node))| Some((name, as_table(node)?))) {
            let mut children = table.iter().filter_map(|(child, (_, node))| Some((child, as_table(node)?))).peekable();
            if children.peek().is_some() && table.values().all(|(_, node)| as_table(node).is_some()) {
                children.for_each(|(child, table)| section(&mut out, &format!("{}.{}", key(name), key(child)), table));
            } else {
                section(&mut out, &key(name), table);
            }
        }
        out
    }

    /// The tree as JSON. What JSON has no number for is a text.
    pub fn to_json(&self) -> Json {
        match &self.value {
            Value::Text(text) => Json::from(text.as_str()),
            Value::Integer(number) => Json::from(*number),
            Value::Float(number) if number.is_finite() => Json::from(*number),
            Value::Float(_) | Value::Other { .. } => Json::from(inline(&self.value)),
            Value::Boolean(value) => Json::from(*value),
            Value::List(items) => items.iter().map(Node::to_json).collect(),
            Value::Table(table) => table.iter().map(|(name, (_, node))| (name.clone(), node.to_json())).collect(),
        }
    }
}

/// A table with its header; tables in it that are too long for a line follow with theirs.
fn section(out: &mut String, path: &str, table: &Table) {
    if !out.is_empty() {
        out.push('\n');
    }
    *out += &format!("[{path}]\n");
    let mut long = Vec::new();
    for (name, (_, node)) in table {
        let line = line(name, &node.value);
        match as_table(node) {
            Some(table) if line.chars().count() > WIDTH => long.push((name, table)),
            _ => *out += &line,
        }
    }
    for (name, table) in long {
        section(out, &format!("{path}.{}", key(name)), table);
    }
}

/// `key = value` with a line's end. A long list has a line for each of its items.
fn line(name: &str, value: &Value) -> String {
    let line = entry(name, value);
    match value {
        Value::List(items) if line.chars().count() > WIDTH => {
            let items: String = items.iter().map(|item| format!("    {},\n", inline(&item.value))).collect();
            format!("{} = [\n{items}]\n", key(name))
        }
        _ => line + "\n",
    }
}

/// `key = value`; a table of one entry continues the key.
fn entry(name: &str, value: &Value) -> String {
    match value {
        Value::Table(table) if table.len() == 1 => {
            table.iter().map(|(child, (_, node))| format!("{}.{}", key(name), entry(child, &node.value))).collect()
        }
        _ => format!("{} = {}", key(name), inline(value)),
    }
}

fn inline(value: &Value) -> String {
    match value {
        Value::Text(text) => quoted(text),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) if number.is_nan() => "nan".into(),
        Value::Float(number) => format!("{number:?}"),
        Value::Boolean(value) => value.to_string(),
        Value::Other { written, .. } => written.clone(),
        Value::List(items) => {
            let items: Vec<_> = items.iter().map(|item| inline(&item.value)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Table(table) if table.is_empty() => "{}".into(),
        Value::Table(table) => {
            let entries: Vec<_> = table.iter().map(|(name, (_, node))| entry(name, &node.value)).collect();
            format!("{{ {} }}", entries.join(", "))
        }
    }
}

/// A key, in quotes if it needs them.
fn key(name: &str) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if !name.is_empty() && name.bytes().all(bare) { name.to_owned() } else { quoted(name) }
}

fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' => out += "\\\"",
            '\\' => out += "\\\\",
            '\n' => out += "\\n",
            '\r' => out += "\\r",
            '\t' => out += "\\t",
            c if c.is_control() => out += &format!("\\u{:04X}", u32::from(c)),
            c => out.push(c),
        }
    }
    out + "\""
}

fn as_table(node: &Node) -> Option<&Table> {
    match &node.value {
        Value::Table(table) => Some(table),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use insta::assert_snapshot;
    use proptest::prelude::*;

    use super::super::{At, Key, Problems, Sources};
    use super::*;

    #[track_caller]
    fn parsed(text: &str) -> Node {
        let (mut sources, mut problems) = (Sources::default(), Problems::default());
        let node = sources.parse(Path::new("spec.toml"), text, &mut problems);
        assert!(problems.is_empty(), "{problems:?}\n{text}");
        node
    }

    #[test]
    fn the_shipped_specs_read_well_in_their_one_form() {
        assert_snapshot!(parsed(include_str!("../../specs/minimal.toml")).to_toml(), @r#"
        schema = 1

        [system]
        name = "payment-dr"
        environment = "test"
        suffix = "mini-001"

        [region]
        primary = "us-east-1"
        secondary = "us-west-2"

        [table.payment-transactions]
        key = "transactionId"

        [function.payment-processor]
        source = "../functions/payment-processor"
        url.auth = "none"
        uses.table.payment-transactions = "write"
        "#);
        assert_snapshot!(parsed(include_str!("../../specs/production.toml")).to_toml(), @r#"
        schema = 1

        [system]
        name = "payment-dr"
        environment = "production"
        suffix = "prod-001"
        tags.cost-center = "payments"

        [region]
        primary = "us-east-1"
        secondary = "us-west-2"

        [alert]
        emails = ["ops@example.com"]

        [table.payment-transactions]
        key = "transactionId"
        ttl = "expiresAt"
        index.by-customer = { key = "customerId", sort = "createdAt" }

        [bucket.transaction-logs]
        replication = "two-way"
        lifecycle = [{ after = "30d", class = "STANDARD_IA" }, { after = "90d", class = "GLACIER" }]

        [secret.payment-api-keys]
        description = "Payment gateway API credentials"

        [function.payment-processor]
        source = "../functions/payment-processor"
        memory = 256
        timeout = "10s"
        reserved-concurrency = 100
        url.auth = "none"

        [function.payment-processor.uses]
        table.payment-transactions = "write"
        bucket.transaction-logs = "write"
        secret.payment-api-keys = "read"

        [function.health-check]
        source = "../functions/health-check"
        timeout = "5s"
        url.auth = "none"

        [function.health-check.uses]
        table.payment-transactions = "read"
        bucket.transaction-logs = "read"
        function.payment-processor = "read"

        [dns]
        zone = "payment-system.example.com"
        record = "api"
        weight = { primary = 100, secondary = 0 }
        health-check = { function = "health-check", interval = "30s", failure-threshold = 3 }

        [alarm.lambda-errors]
        on = "function.payment-processor"
        metric = "Errors"
        above = 10
        over = "5m"

        [guard]
        protect = ["key", "table", "bucket", "secret", "zone"]
        "#);
    }

    #[test]
    fn what_is_long_is_broken_where_a_reader_would() {
        let emails: Vec<_> = (0..4).map(|n| format!("\"somebody-{n}@payments.example.com\"")).collect();
        let tags: Vec<_> = (0..5).map(|n| format!("\"a tag: {n}\" = \"its long value\"")).collect();
        let text =
            format!("alert.emails = [{}]\nempty = {{}}\n[system]\ntags = {{{}}}\n", emails.join(", "), tags.join(", "));
        assert_snapshot!(parsed(&text).to_toml(), @r#"
        [alert]
        emails = [
            "somebody-0@payments.example.com",
            "somebody-1@payments.example.com",
            "somebody-2@payments.example.com",
            "somebody-3@payments.example.com",
        ]

        [empty]

        [system.tags]
        "a tag: 0" = "its long value"
        "a tag: 1" = "its long value"
        "a tag: 2" = "its long value"
        "a tag: 3" = "its long value"
        "a tag: 4" = "its long value"
        "#);
    }

    fn node(value: Value) -> Node {
        Node { value, at: At { source: 0, start: 0, end: 0 } }
    }

    fn tables(of: impl Strategy<Value = Node> + 'static) -> impl Strategy<Value = Value> {
        let names = prop_oneof![".{0,6}", "[a-z-]{1,40}"];
        prop::collection::vec((names, of), 0..5).prop_map(|entries| {
            let entry = |(text, node): (String, Node)| {
                let at = node.at;
                (text.clone(), (Key { text, at }, node))
            };
            Value::Table(entries.into_iter().map(entry).collect())
        })
    }

    fn trees() -> impl Strategy<Value = Node> {
        let leaf = prop_oneof![
            ".{0,30}".prop_map(Value::Text),
            any::<i64>().prop_map(Value::Integer),
            any::<f64>().prop_map(Value::Float),
            any::<bool>().prop_map(Value::Boolean),
            Just(Value::Other { is: "a date", written: "1979-05-27T07:32:00Z".into() }),
            Just(Value::Other { is: "an integer", written: "9223372036854775808".into() }),
        ];
        let tree = leaf.prop_map(node).prop_recursive(4, 24, 4, |inner| {
            let list = prop::collection::vec(inner.clone(), 0..4).prop_map(Value::List);
            prop_oneof![list, tables(inner)].prop_map(node)
        });
        tables(tree).prop_map(node)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_written_reads_back_the_same(tree in trees()) {
            let text = tree.to_toml();
            let again = parsed(&text);
            prop_assert_eq!(again.to_json(), tree.to_json(), "{}", text);
            prop_assert_eq!(again.to_toml(), text);
        }
    }
}

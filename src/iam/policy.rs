//! From grants to policy documents.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::permissions::Grant;
use crate::graph::{Graph, Place, Properties, Reference, Region};

/// How many characters a managed policy takes, white space not counted.
pub const MANAGED_POLICY: usize = 6_144;

/// What texts of grants are filled in with.
#[derive(Clone, Copy, Debug)]
pub struct System<'a> {
    /// Twelve digits.
    pub account: &'a str,
    /// `[system] name`
    pub name: &'a str,
    /// Where it is.
    pub regions: &'a [Region],
    /// The end of its names.
    pub suffix: &'a str,
    /// Its resources.
    pub graph: &'a Graph,
}

/// Operator, key and values of each condition.
type Conditions = BTreeMap<(&'static str, &'static str), BTreeSet<String>>;

/// What somebody is allowed, and nothing else.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Policy {
    /// The actions on each resource, by what requests have to be like.
    allowed: BTreeMap<(Conditions, String), BTreeSet<&'static str>>,
}

/// Actions that are allowed on the same resources.
#[derive(Clone, Debug)]
struct Statement {
    conditions: Conditions,
    actions: BTreeSet<&'static str>,
    resources: Vec<String>,
}

impl Policy {
    /// Allows what concerns no single resource.
    pub fn allow(&mut self, grants: &[Grant], system: System<'_>) {
        self.add(grants, &Fill { system, resource: None });
    }

    /// Allows what concerns one resource: of the system, or one that it uses.
    pub fn allow_on(&mut self, grants: &[Grant], system: System<'_>, place: &Place, properties: &Properties) {
        self.add(grants, &Fill { system, resource: Some((place, properties)) });
    }

    fn add(&mut self, grants: &[Grant], fill: &Fill<'_>) {
        for grant in grants.iter().filter(|grant| fill.needs(grant)) {
            let condition = |condition: &super::Condition| {
                ((condition.operator, condition.key), fill.texts(condition.value).into_iter().collect())
            };
            let conditions: Conditions = grant.only.iter().map(condition).collect();
            for resource in grant.on.iter().flat_map(|arn| fill.texts(arn)) {
                self.allowed.entry((conditions.clone(), resource)).or_default().extend(grant.actions);
            }
        }
    }

    /// Every action that is allowed on something.
    pub fn actions(&self) -> BTreeSet<&'static str> {
        self.allowed.values().flatten().copied().collect()
    }

    /// The whole policy as one document.
    pub fn document(&self) -> Value {
        document(&self.statements())
    }

    /// The policy in documents of at most so many characters each, white space not counted.
    pub fn documents(&self, most: usize) -> Vec<Value> {
        let mut documents: Vec<Vec<Statement>> = Vec::new();
        for statement in self.statements().into_iter().flat_map(|statement| statement.pieces(most)) {
            match documents.last_mut() {
                Some(last) if length(&document(last)) + length(&statement.to_value()) < most => last.push(statement),
                _ => documents.push(vec![statement]),
            }
        }
        documents.iter().map(|statements| document(statements)).collect()
    }

    fn statements(&self) -> Vec<Statement> {
        let mut together: BTreeMap<_, Vec<String>> = BTreeMap::new();
        for ((conditions, resource), actions) in &self.allowed {
            together.entry((conditions, actions)).or_default().push(resource.clone());
        }
        let statement = |((conditions, actions), resources): ((&Conditions, &BTreeSet<_>), _)| Statement {
            conditions: conditions.clone(),
            actions: actions.clone(),
            resources,
        };
        together.into_iter().map(statement).collect()
    }
}

impl Statement {
    fn to_value(&self) -> Value {
        let mut value = json!({ "Effect": "Allow", "Action": self.actions, "Resource": self.resources });
        for ((operator, key), values) in &self.conditions {
            value["Condition"][operator][key] = json!(values);
        }
        value
    }

    /// The same as statements each of which has room in a document.
    fn pieces(self, most: usize) -> Vec<Self> {
        if self.resources.len() < 2 || length(&document(std::slice::from_ref(&self))) <= most {
            return vec![self];
        }
        let (first, second) = self.resources.split_at(self.resources.len() / 2);
        let half = |resources: &[String]| Self { resources: resources.to_vec(), ..self.clone() };
        [half(first), half(second)].into_iter().flat_map(|half| half.pieces(most)).collect()
    }
}

fn document(statements: &[Statement]) -> Value {
    let statements: Vec<_> = statements.iter().map(Statement::to_value).collect();
    json!({ "Version": "2012-10-17", "Statement": statements })
}

/// Characters without white space, of which names, actions and ARNs have none.
fn length(value: &Value) -> usize {
    value.to_string().len()
}

/// What stands for the names in braces.
struct Fill<'a> {
    system: System<'a>,
    resource: Option<(&'a Place, &'a Properties)>,
}

impl Fill<'_> {
    fn needs(&self, grant: &Grant) -> bool {
        grant.given.is_none_or(|(property, value)| self.property(property) == Some(value))
    }

    /// A text with every name filled in; several where a name stands for several.
    fn texts(&self, template: &str) -> Vec<String> {
        let Some((before, (name, after))) =
            template.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
        else {
            return vec![template.to_owned()];
        };
        let rests = self.texts(after);
        let value = |value: String| rests.iter().map(move |rest| format!("{before}{value}{rest}"));
        self.values(name).into_iter().flat_map(|text| value(text).collect::<Vec<_>>()).collect()
    }

    fn values(&self, name: &str) -> Vec<String> {
        let place = self.resource.and_then(|(place, _)| place.region());
        let regions = || self.system.regions.iter().map(ToString::to_string).collect();
        match (name, place) {
            ("account", _) => vec![self.system.account.to_owned()],
            ("system", _) => vec![self.system.name.to_owned()],
            ("suffix", _) => vec![self.system.suffix.to_owned()],
            ("region", Some(region)) => vec![region.to_string()],
            ("region" | "regions", _) => regions(),
            _ => self.property(name).map(str::to_owned).into_iter().collect(),
        }
    }

    /// A property of the resource, or of the one that a property refers to.
    fn property(&self, path: &str) -> Option<&str> {
        let (_, properties) = self.resource?;
        let Some((property, of_other)) = path.split_once('.') else { return properties.text(path) };
        let other = Reference::of(properties.get(property)?)?;
        self.system.graph.get(&other.address)?.properties.text(of_other)
    }
}

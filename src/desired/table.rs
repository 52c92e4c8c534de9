//! `[table.NAME]`: a DynamoDB global table with a member in each region.

use std::collections::BTreeMap;

use super::{Scope, Spec, scope::suffixed};
use crate::graph::{Address, Resource};
use crate::kinds::table::{Table, TableKey};
use crate::kinds::table_replica::TableReplica;
use crate::spec::{At, Problem, Problems, Spanned, TableReader};

/// `[table.NAME]`
#[derive(Debug)]
pub struct TableSection {
    key: TableKey,
    ttl: Option<String>,
    indexes: BTreeMap<String, TableKey>,
    at: At,
}

impl TableSection {
    pub(super) fn read(mut reader: TableReader<'_>) -> Option<Self> {
        let at = reader.at();
        let partition = attribute(&mut reader, "key", true);
        let sort = attribute(&mut reader, "sort", false);
        two_attributes(&mut reader, partition.as_ref(), sort.as_ref());
        let ttl = attribute(&mut reader, "ttl", false);
        let mut indexes = BTreeMap::new();
        reader.each("index", |name, node, problems, path| {
            let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
            if !(3..=255).contains(&name.len()) || !name.bytes().all(legal) {
                problems.push(
                    Problem::new("name", name.at, format!("`{}` is no name of an index", **name))
                        .help("write 3 to 255 letters, digits, `_`, `.` or `-`"),
                );
            }
            let Some(mut index) = TableReader::new(path, name.at, node, problems) else { return };
            let (partition, sort) = (attribute(&mut index, "key", true), attribute(&mut index, "sort", false));
            two_attributes(&mut index, partition.as_ref(), sort.as_ref());
            index.finish();
            if let Some(partition) = partition {
                indexes.insert(
                    name.value.clone(),
                    TableKey { partition: partition.value, sort: sort.map(|sort| sort.value) },
                );
            }
        });
        reader.finish();
        let key = TableKey { partition: partition?.value, sort: sort.map(|sort| sort.value) };
        Some(Self { key, ttl: ttl.map(|ttl| ttl.value), indexes, at })
    }

    pub(super) fn check(&self, name: &str, spec: &Spec, problems: &mut Problems) {
        let aws_name = suffixed(spec, name);
        if !(3..=255).contains(&aws_name.len()) {
            let message = format!("the table would be called `{aws_name}`, and DynamoDB takes 3 to 255 characters");
            problems.push(Problem::new("length", self.at, message).help("choose another name or suffix"));
        }
        if self.indexes.len() > 20 {
            problems.push(
                Problem::new("count", self.at, "DynamoDB takes at most 20 global secondary indexes").help("keep 20"),
            );
        }
    }

    pub(super) fn emit(&self, name: &str, scope: &mut Scope<'_>) {
        let aws_name = scope.suffixed(name);
        let address = Address::global(Table::KIND, name);
        let table = Table {
            name: aws_name.clone(),
            key: self.key.clone(),
            indexes: self.indexes.clone(),
            billing: "PAY_PER_REQUEST".into(),
            stream: Some("NEW_AND_OLD_IMAGES".into()),
            ttl: self.ttl.clone(),
            encryption: scope.keys(),
            home: scope.spec.region.primary.clone(),
            regions: scope.regions().into(),
            tags: scope.tags(&address),
        };
        let users = scope.key_users(Table::KIND, name, &scope.regions());
        scope.add(address.clone(), &table, users, self.at);
        for region in scope.regions() {
            let replica = TableReplica {
                name: aws_name.clone(),
                point_in_time_recovery: true,
                deletion_protection: scope.spec.guard.protect.contains(Table::KIND),
                tags: scope.tags(&address),
            };
            scope.add(Address::regional(&region, TableReplica::KIND, name), &replica, [address.clone()], self.at);
        }
    }
}

/// The name of an attribute: DynamoDB takes 1 to 255 bytes for keys.
fn attribute(reader: &mut TableReader<'_>, key: &'static str, required: bool) -> Option<Spanned<String>> {
    let name =
        if required { reader.required::<String>(key, "\"transactionId\"") } else { reader.optional::<String>(key) }?;
    if (1..=255).contains(&name.len()) {
        return Some(name);
    }
    reader.problems().push(
        Problem::new("length", name.at, format!("`{key}` has {} bytes", name.len()))
            .help("an attribute's name has 1 to 255 bytes"),
    );
    None
}

/// A key's two parts are two attributes.
fn two_attributes(reader: &mut TableReader<'_>, partition: Option<&Spanned<String>>, sort: Option<&Spanned<String>>) {
    if let (Some(partition), Some(sort)) = (partition, sort)
        && partition.value == sort.value
    {
        let problem = Problem::new("key", sort.at, format!("`key` and `sort` are both {}", sort.value));
        reader.problems().push(problem.help("name another attribute, or leave `sort` out"));
    }
}

//! `[function.NAME]`: a Lambda function in each region, with its role, its log group and its URL.

mod size;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::scope::{capital, suffixed};
use super::{Scope, Spec, bucket};
use crate::graph::{Address, Document, Region, Resource};
use crate::kinds::bucket::Bucket;
use crate::kinds::function::Function;
use crate::kinds::function_url::FunctionUrl;
use crate::kinds::log_group::LogGroup;
use crate::kinds::role::Role;
use crate::kinds::secret::Secret;
use crate::kinds::table::Table;
use crate::package::Architecture;
use crate::spec::{
    At, Days, FromNode, Mismatch, Node, Problem, Problems, Seconds, Spanned, TableReader, Value as TomlValue,
    did_you_mean,
};

/// `[function.NAME]`
#[derive(Debug)]
pub struct FunctionSection {
    /// A Cargo package or a zip, as the spec says it.
    pub source: Spanned<String>,
    /// What it is built for.
    pub architecture: Architecture,
    memory: i32,
    timeout: i32,
    reserved_concurrency: Option<i32>,
    url: Option<UrlAuth>,
    log_retention: Option<u32>,
    tracing: Tracing,
    uses: Vec<Use>,
    at: At,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum UrlAuth {
    Public,
    Iam,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tracing {
    PassThrough,
    Active,
}

/// One line of `uses`: what the function may do with another part of the system.
#[derive(Debug)]
struct Use {
    /// `table`, `bucket`, `secret` or `function`
    kind: &'static str,
    name: Spanned<String>,
    access: Access,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    Read,
    Write,
}

/// Lambda's bounds and drctl's defaults.
const DEFAULT_MEMORY: i32 = 256;
const DEFAULT_TIMEOUT: i32 = 10;
const DEFAULT_LOG_RETENTION: u32 = 30;

impl FunctionSection {
    /// Without a source it is a problem, and what else it says can be checked all the same.
    pub(super) fn read(mut reader: TableReader<'_>) -> Option<Self> {
        let at = reader.at();
        let source = reader.required::<String>("source", "\"../functions/NAME\"");
        let architecture =
            reader.choice("architecture", &[("x86_64", Architecture::X86_64), ("arm64", Architecture::Arm64)]);
        let memory = reader.integer("memory", 128..=10_240, " (megabytes)");
        let timeout = timeout(&mut reader);
        let reserved_concurrency =
            reader.integer("reserved-concurrency", 0..=100_000, "; leave it out to share the account's concurrency");
        let url = reader.table("url").and_then(|mut url| {
            let auth = url.choice("auth", &[("none", UrlAuth::Public), ("iam", UrlAuth::Iam)]);
            if !url.has("auth") {
                let at = url.at();
                url.problems().push(
                    Problem::new("missing", at, "`url` says no `auth`")
                        .help("write `url = { auth = \"none\" }` for a public endpoint, or `\"iam\"`"),
                );
            }
            url.finish();
            auth.map(|auth| auth.value)
        });
        let log_retention = log_retention(&mut reader);
        let tracing = reader.choice("tracing", &[("pass-through", Tracing::PassThrough), ("active", Tracing::Active)]);
        let uses = uses(&mut reader);
        reader.finish();
        let number = |value: Option<Spanned<i64>>| value.and_then(|value| i32::try_from(value.value).ok());
        Some(Self {
            source: source.unwrap_or(Spanned { value: String::new(), at }),
            architecture: architecture.map_or(Architecture::X86_64, |architecture| architecture.value),
            memory: number(memory).unwrap_or(DEFAULT_MEMORY),
            timeout: timeout.unwrap_or(DEFAULT_TIMEOUT),
            reserved_concurrency: number(reserved_concurrency),
            url,
            log_retention: log_retention.unwrap_or(Some(DEFAULT_LOG_RETENTION)),
            tracing: tracing.map_or(Tracing::PassThrough, |tracing| tracing.value),
            uses,
            at,
        })
    }

    pub(super) fn has_url(&self) -> bool {
        self.url.is_some()
    }

    /// Whether anybody may call it.
    pub(super) fn has_public_url(&self) -> bool {
        self.url == Some(UrlAuth::Public)
    }

    /// Whether a part of the account's concurrency is its own.
    pub(super) fn has_reserved_concurrency(&self) -> bool {
        self.reserved_concurrency.is_some()
    }

    /// Whether it may change data.
    pub(super) fn writes(&self) -> bool {
        self.uses.iter().any(|used| used.access == Access::Write)
    }

    /// Whether it looks at another function.
    pub(super) fn watches(&self) -> bool {
        self.uses.iter().any(|used| used.kind == Function::KIND)
    }

    /// Whether it works on something whose key it then needs.
    pub(super) fn opens(&self, kind: &str, name: &str) -> bool {
        self.uses.iter().any(|used| used.kind == kind && *used.name == name && used.key().is_some())
    }

    pub(super) fn check(&self, name: &str, spec: &Spec, problems: &mut Problems) {
        let longest = spec
            .regions()
            .into_iter()
            .map(|region| role_name(spec, name, &region))
            .max_by_key(String::len)
            .unwrap_or_default();
        if longest.len() > 64 {
            let message = format!(
                "the function's role would be called `{longest}`: {} characters, and IAM takes 64",
                longest.len()
            );
            problems.push(Problem::new("length", self.at, message).help("choose a shorter name or suffix"));
        }
        for used in &self.uses {
            let names = spec.declared(used.kind);
            if !names.contains(&used.name.as_str()) {
                let help = match did_you_mean(&used.name, &names) {
                    Some(question) => question,
                    None if names.is_empty() => format!("add a `[{}.{}]` table", used.kind, *used.name),
                    None => {
                        format!("use one of: {}; or add a `[{}.{}]` table", names.join(", "), used.kind, *used.name)
                    }
                };
                let problem = Problem::new(
                    "unknown_name",
                    used.name.at,
                    format!("there is no {} named `{}`", used.kind, *used.name),
                );
                problems.push(problem.label("named here").help(help));
            }
        }
        self.check_size(name, spec, problems);
    }

    pub(super) fn emit(&self, name: &str, scope: &mut Scope<'_>) {
        for region in scope.regions() {
            self.emit_in(&region, name, scope);
        }
    }

    fn emit_in(&self, region: &Region, name: &str, scope: &mut Scope<'_>) {
        let function_name = scope.suffixed(name);
        let function_arn = arn("lambda", region, scope.account, &format!("function:{function_name}"));
        let log_group_name = log_group_name(&function_name);

        let role_address = role_address(name, region);
        let role = Role {
            name: role_name(scope.spec, name, region),
            description: format!("Lets {function_name} in {region} do what it is for"),
            trust: trust(scope.account, &function_arn),
            policies: BTreeMap::from([(Role::POLICY.to_owned(), self.policy(region, &function_name, scope))]),
            attached: Vec::new(),
            tags: scope.tags(&role_address),
        };
        scope.add(role_address.clone(), &role, [], self.at);

        let log_group_address = Address::regional(region, LogGroup::KIND, name);
        let log_group = LogGroup {
            name: log_group_name,
            retention_days: self.log_retention,
            kms_key: scope.key_in(region),
            tags: scope.tags(&log_group_address),
        };
        scope.add(log_group_address.clone(), &log_group, [], self.at);

        let address = Address::regional(region, Function::KIND, name);
        let function = Function {
            name: function_name.clone(),
            description: format!("{name} of {}", scope.spec.system.name.as_str()),
            code_sha256: scope.code.get(name).cloned().unwrap_or_default(),
            architecture: self.architecture.to_string(),
            runtime: "provided.al2023".into(),
            handler: "bootstrap".into(),
            role: scope.refer::<Role>(&role_address, "arn"),
            memory: self.memory,
            timeout: self.timeout,
            environment: self.uses.iter().map(|used| used.variable(region, scope)).collect(),
            kms_key: scope.key_in(region),
            reserved_concurrency: self.reserved_concurrency,
            tracing: match self.tracing {
                Tracing::PassThrough => "PassThrough".into(),
                Tracing::Active => "Active".into(),
            },
            tags: scope.tags(&address),
        };
        let buckets = self.uses.iter().filter(|used| used.kind == Bucket::KIND);
        let ready =
            buckets.filter_map(|used| Some(scope.spec.buckets.get(&*used.name)?.ready(scope.spec, &used.name, region)));
        let after: Vec<_> = ready.chain([log_group_address]).collect();
        scope.add(address.clone(), &function, after, self.at);

        let url = self.url.map(|auth| match auth {
            UrlAuth::Public => FunctionUrl::public(&function_name, &function_arn),
            UrlAuth::Iam => FunctionUrl::iam(&function_name),
        });
        if let Some(url) = url {
            scope.add(Address::regional(region, FunctionUrl::KIND, name), &url, [address], self.at);
        }
    }

    /// Only what the function's code calls, only on its own region's resources. It may not
    /// create log groups: one made by Lambda would have no retention and no tags.
    fn policy(&self, region: &Region, function_name: &str, scope: &Scope<'_>) -> Document {
        let log_group = format!("log-group:{}", log_group_name(function_name));
        let log_group_arn = arn("logs", region, scope.account, &log_group);
        let mut statements =
            vec![allow("Logs", &["logs:CreateLogStream", "logs:PutLogEvents"], &[format!("{log_group_arn}:*")])];
        statements.extend(self.uses.iter().map(|used| used.statement(region, scope)));
        for action in ["kms:Decrypt", "kms:GenerateDataKey"] {
            let services = self.uses.iter().filter_map(Use::key).filter(|(needed, _)| *needed == action);
            statements.extend(scope.key_statement(region, &[action], services.map(|(_, service)| service)));
        }
        if self.tracing == Tracing::Active {
            statements.push(allow(
                "Tracing",
                &["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
                &["*".to_owned()],
            ));
        }
        Document::new(json!({ "Version": "2012-10-17", "Statement": statements }))
    }
}

impl Use {
    /// What it takes to do with what is encrypted with a key, and the service that does it for the function. A bucket
    /// is only looked at, not read.
    fn key(&self) -> Option<(&'static str, &'static str)> {
        match (self.kind, self.access) {
            (Table::KIND, _) => Some(("kms:Decrypt", "dynamodb")),
            (Secret::KIND, _) => Some(("kms:Decrypt", "secretsmanager")),
            (Bucket::KIND, Access::Write) => Some(("kms:GenerateDataKey", "s3")),
            _ => None,
        }
    }

    /// The environment variable that tells the function what the other part is called in AWS.
    fn variable(&self, region: &Region, scope: &Scope<'_>) -> (String, String) {
        let name = self.name.to_ascii_uppercase().replace('-', "_");
        (format!("{}_{name}", self.kind.to_ascii_uppercase()), self.aws_name(region, scope))
    }

    /// What the other part is called in this region: names of buckets are global, all others are not.
    fn aws_name(&self, region: &Region, scope: &Scope<'_>) -> String {
        match self.kind {
            Bucket::KIND => bucket::aws_name(scope.spec, &self.name, region),
            _ => scope.suffixed(&self.name),
        }
    }

    fn statement(&self, region: &Region, scope: &Scope<'_>) -> Value {
        let aws_name = self.aws_name(region, scope);
        let (service, resource, action) = match (self.kind, self.access) {
            (Table::KIND, Access::Read) => ("dynamodb", format!("table/{aws_name}"), "dynamodb:GetItem"),
            (Table::KIND, Access::Write) => ("dynamodb", format!("table/{aws_name}"), "dynamodb:PutItem"),
            // Buckets have neither region nor account in their ARNs. HeadBucket asks for s3:ListBucket.
            (Bucket::KIND, access) => {
                let (resource, action) = match access {
                    Access::Read => (Bucket::arn(&aws_name), "s3:ListBucket"),
                    Access::Write => (format!("{}/*", Bucket::arn(&aws_name)), "s3:PutObject"),
                };
                return allow(&sid(self.kind, &self.name), &[action], &[resource]);
            }
            // Six characters that only AWS knows end every secret's ARN.
            (Secret::KIND, _) => {
                ("secretsmanager", format!("secret:{aws_name}-??????"), "secretsmanager:GetSecretValue")
            }
            _ => ("lambda", format!("function:{aws_name}"), "lambda:GetFunction"),
        };
        let resource = arn(service, region, scope.account, &resource);
        allow(&sid(self.kind, &self.name), &[action], &[resource])
    }
}

fn allow(sid: &str, actions: &[&str], resources: &[String]) -> Value {
    json!({ "Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources })
}

/// Statement ids have letters and digits only.
fn sid(kind: &str, name: &str) -> String {
    std::iter::once(kind).chain(name.split('-')).map(capital).collect()
}

/// Who may assume the role: Lambda, and only for this one function (confused deputy).
fn trust(account: &str, function_arn: &str) -> Document {
    Document::new(json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": { "Service": "lambda.amazonaws.com" },
        "Action": "sts:AssumeRole",
        "Condition": { "StringEquals": { "aws:SourceAccount": account }, "ArnLike": { "aws:SourceArn": function_arn } },
    }] }))
}

fn arn(service: &str, region: &Region, account: &str, resource: &str) -> String {
    format!("arn:aws:{service}:{region}:{account}:{resource}")
}

fn log_group_name(function_name: &str) -> String {
    format!("/aws/lambda/{function_name}")
}

/// Where the role of a function in a region is.
pub(super) fn role_address(name: &str, region: &Region) -> Address {
    Address::global(Role::KIND, format!("{name}-{region}"))
}

/// Roles are global, so their names tell the regions apart.
fn role_name(spec: &Spec, name: &str, region: &Region) -> String {
    suffixed(spec, &format!("{name}-{region}"))
}

fn timeout(reader: &mut TableReader<'_>) -> Option<i32> {
    let timeout = reader.optional::<Seconds>("timeout")?;
    if (1..=900).contains(&timeout.0) {
        return i32::try_from(timeout.0).ok();
    }
    reader.problems().push(
        Problem::new("range", timeout.at, format!("`timeout` is {} s, outside of what AWS takes", timeout.0))
            .help("write \"1s\" to \"15m\""),
    );
    None
}

/// `"30d"`, or `"never"`.
enum Retention {
    Days(u32),
    Never,
}

impl FromNode for Retention {
    fn from_node(node: &Node) -> Result<Self, Mismatch> {
        if matches!(&node.value, TomlValue::Text(text) if text == "never") {
            return Ok(Retention::Never);
        }
        let days = Days::from_node(node)?.0;
        if LogGroup::RETENTION_DAYS.contains(&days) {
            return Ok(Retention::Days(days));
        }
        let longer = LogGroup::RETENTION_DAYS.iter().find(|allowed| **allowed > days);
        let help = longer
            .map_or_else(|| "write \"never\"".to_owned(), |longer| format!("write \"{longer}d\", the next longer one"));
        Err(Mismatch::new(format!("CloudWatch Logs does not keep logs for {days} days"), help))
    }
}

/// `Some(None)` is "for ever".
fn log_retention(reader: &mut TableReader<'_>) -> Option<Option<u32>> {
    reader.optional::<Retention>("log-retention").map(|retention| match retention.value {
        Retention::Days(days) => Some(days),
        Retention::Never => None,
    })
}

fn uses(reader: &mut TableReader<'_>) -> Vec<Use> {
    let mut found = Vec::new();
    let Some(mut uses) = reader.table("uses") else { return found };
    const READ: (&str, Access) = ("read", Access::Read);
    const WRITE: (&str, Access) = ("write", Access::Write);
    for (kind, choices) in
        [("table", &[READ, WRITE] as &[_]), ("bucket", &[READ, WRITE]), ("secret", &[READ]), ("function", &[READ])]
    {
        uses.each(kind, |name, node, problems, path| {
            let word = String::from_node(node).ok();
            match choices.iter().find(|(word_of, _)| word.as_deref() == Some(*word_of)) {
                Some((_, access)) => found.push(Use { kind, name: name.clone(), access: *access }),
                None => {
                    let words: Vec<_> = choices.iter().map(|(word, _)| format!("\"{word}\"")).collect();
                    problems.push(
                        Problem::new("value", node.at, format!("`{path}` says no access that there is"))
                            .help(format!("write {}", words.join(" or "))),
                    );
                }
            }
        });
    }
    uses.finish();
    found
}

//! `[alert]`: who is told when an alarm fires. A topic in each region, because alarms reach only their own.

use super::{Scope, Spec, scope::suffixed};
use crate::graph::{Address, Region, Resource};
use crate::kinds::subscription::Subscription;
use crate::kinds::topic::Topic;
use crate::spec::{At, Problem, Problems, TableReader};

/// `[alert]`
#[derive(Debug)]
pub struct AlertSection {
    emails: Vec<String>,
    /// Where the table stands.
    pub(super) at: At,
}

/// The topic's name in addresses.
const TOPIC: &str = "alerts";

impl AlertSection {
    pub(super) fn read(mut reader: TableReader<'_>) -> Self {
        let at = reader.at();
        let emails = emails(&mut reader);
        reader.finish();
        Self { emails, at }
    }

    pub(super) fn check(&self, spec: &Spec, problems: &mut Problems) {
        let name = topic_name(spec);
        if name.len() > 256 {
            let message = format!("the topic would be called `{name}`: {} characters, and SNS takes 256", name.len());
            problems.push(Problem::new("length", self.at, message).help("choose a shorter system name or suffix"));
        }
    }

    pub(super) fn emit(&self, scope: &mut Scope<'_>) {
        let name = topic_name(scope.spec);
        for region in scope.regions() {
            let address = Self::topic(&region);
            let arn = Topic::arn(region.as_str(), scope.account, &name);
            let topic = Topic {
                name: name.clone(),
                policy: Topic::for_alarms(&arn, scope.account),
                kms_key: scope.key_in(&region),
                tags: scope.tags(&address),
            };
            scope.add(address.clone(), &topic, [], self.at);
            for email in &self.emails {
                let subscription = Subscription::email(&name, email);
                let subscribed = Address::regional(&region, Subscription::KIND, email);
                scope.add(subscribed, &subscription, [address.clone()], self.at);
            }
        }
    }

    /// The topic that a region's alarms publish to.
    pub fn topic(region: &Region) -> Address {
        Address::regional(region, Topic::KIND, TOPIC)
    }
}

fn topic_name(spec: &Spec) -> String {
    suffixed(spec, &format!("{}-{TOPIC}", spec.system.name.as_str()))
}

fn emails(reader: &mut TableReader<'_>) -> Vec<String> {
    const KEY: &str = "emails";
    if !reader.has(KEY) {
        let problem = Problem::new("missing", reader.at(), "`[alert]` has no `emails`").label("this table");
        reader.problems().push(problem.help("add `emails = [\"ops@example.com\"]`"));
    }
    let mut emails: Vec<String> = Vec::new();
    let Some(listed) = reader.strings(KEY) else { return emails };
    if listed.is_empty() {
        let problem = Problem::new("missing", reader.at(), "`emails` is empty, so nobody would be told");
        reader.problems().push(problem.help("write at least one address, or leave `[alert]` out"));
    }
    for email in listed {
        if !is_email(&email) {
            let problem = Problem::new("email", email.at, format!("`{}` is no e-mail address", *email));
            reader.problems().push(problem.help("write it as in \"ops@example.com\""));
        } else if emails.iter().any(|known| known.eq_ignore_ascii_case(&email)) {
            let problem = Problem::new("twice", email.at, format!("`{}` is listed twice", *email));
            reader.problems().push(problem.help("remove one of the two: every mail would come twice"));
        } else {
            emails.push(email.value);
        }
    }
    emails
}

/// Whether mail could go there. Only the mail that asks for confirmation can tell whether it does.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let in_local = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    let dotted = |text: &str| text.split('.').all(|part| !part.is_empty());
    text.len() <= 254
        && (1..=64).contains(&local.len())
        && local.chars().all(in_local)
        && dotted(local)
        && domain.contains('.')
        && domain.split('.').all(label)
}

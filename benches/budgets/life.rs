//! A system's life: first apply, plans and applies of nothing, destroy.

use std::time::{Duration, Instant};

use drctl::sandbox::set_faults;
use serde_json::{Value, json};

use crate::row::{Row, Table};
use crate::system::Size;
use crate::world::World;

const PLAN: &str = "plan --detailed-exitcode";
const APPLY: &str = "apply --yes";
const DESTROY: &str = "destroy --confirm prod-001 --lift-protection --empty-buckets";

/// What a call takes when AWS is far away.
const LATENCY: Duration = Duration::from_millis(100);

/// The longest chain of calls in a plan of which each needs the answer of the one before.
const CHAIN: [&str; 4] = [
    "sts:GetCallerIdentity",
    "tag:GetResources, and iam:ListRoles beside it",
    "dynamodb:DescribeTable",
    "dynamodb:DescribeContinuousBackups",
];

/// What a command took.
struct Took {
    calls: Vec<Value>,
    time: Duration,
}

impl Took {
    fn count(&self, counts: impl Fn(&str) -> bool) -> u64 {
        let operation = |call: &Value| call["operation"].as_str().expect("an operation").to_owned();
        let counted = self.calls.iter().filter(|call| counts(&operation(call)));
        counted.map(|call| call["count"].as_u64().expect("a count")).sum()
    }

    fn total(&self) -> u64 {
        self.count(|_| true)
    }

    /// Calls that ask how far something is, and pages of buckets. What asks how far something is also looks at it:
    /// once for the plan, which is `look`, and once in the end.
    fn waiting(&self, look: &Took) -> u64 {
        let polls = |took: &Took| {
            took.count(|operation| ["DescribeTable", "DescribeSecret", "GetFunction", "GetChange"].contains(&operation))
        };
        let pages = self
            .count(|operation| ["ListObjectVersions", "ListMultipartUploads", "DeleteObjects"].contains(&operation));
        polls(self).saturating_sub(2 * polls(look)) + pages
    }

    fn is_read_only(&self) -> bool {
        self.count(|operation| !["Get", "List", "Describe", "Head"].iter().any(|read| operation.starts_with(read))) == 0
    }

    fn row(&self, what: &str, budget: Option<(String, bool)>) -> Row {
        Row { what: what.into(), calls: Some(self.total()), time: Some(self.time), budget, ..Row::default() }
    }
}

fn run(world: &World, command: &str) -> Took {
    world.calls();
    let begun = Instant::now();
    world.drctl(command).ends_with(0);
    let time = begun.elapsed();
    Took { calls: world.calls().as_array().expect("a list").clone(), time }
}

/// The shipped spec, call by call.
pub(crate) fn production(table: &mut Table) {
    let world = World::new();
    // Built before anything is measured.
    world.drctl("package").ends_with(0);
    let [apply, plan, nothing, destroy] = [APPLY, PLAN, APPLY, DESTROY].map(|command| run(&world, command));
    // Polls and bucket pages take as many calls as AWS takes time, and as there are objects.
    let held_to = |most: u64, what: &str, took: &Took| {
        let counted = took.total() - took.waiting(&plan);
        let row = took.row(what, Some((format!("at most {most} such calls"), counted <= most)));
        Row { note: format!("{counted} without polls and bucket pages"), ..row }
    };
    table.add(held_to(230, "first apply", &apply));
    let kept = plan.total() <= 70 && plan.is_read_only();
    table.add(plan.row("plan of nothing", Some(("at most 70 calls, no write".into(), kept))));
    table.add(nothing.row("apply of nothing", Some(("no write".into(), nothing.is_read_only()))));
    table.add(held_to(200, "destroy", &destroy));
}

/// The same, each call 100 ms away.
pub(crate) fn far_away(table: &mut Table) {
    let world = World::new();
    let latency = json!([{ "action": "latency", "delay_ms": LATENCY.as_millis() as u64 }]);
    world.block_on(set_faults(world.endpoint(), Some(&latency))).expect("the sandbox takes faults");
    let apply = run(&world, APPLY);
    table.add(apply.row("first apply, 100 ms a call", None));
    let plan = run(&world, PLAN);
    let chain = LATENCY * CHAIN.len() as u32;
    let budget = format!("at most {} ms", (chain * 3 / 2).as_millis());
    let row = plan.row("plan of nothing, 100 ms a call", Some((budget, plan.time <= chain * 3 / 2)));
    let note = format!("the longest chain is {}: {}", CHAIN.len(), CHAIN.join(" > "));
    table.add(Row { note, ..row });
    let nothing = run(&world, APPLY);
    table.add(nothing.row("apply of nothing, 100 ms a call", None));
    let destroy = run(&world, DESTROY);
    table.add(destroy.row("destroy, 100 ms a call", None));
}

/// What a system of 1, 10 and 100 functions costs.
pub(crate) fn growth(table: &mut Table) {
    let sizes = [
        Size { functions: 1, tables: 1, buckets: 1, alarms: 3 },
        Size { functions: 10, tables: 2, buckets: 4, alarms: 30 },
        Size { functions: 100, tables: 20, buckets: 40, alarms: 300 },
    ];
    let mut first = None;
    for size in sizes {
        let world = World::new();
        size.write(&world);
        let Size { functions, tables, buckets, alarms } = size;
        let system = format!("{functions} functions, {tables} tables, {buckets} buckets, {alarms} alarms");
        let steps = [("first apply", APPLY), ("plan of nothing", PLAN), ("destroy", DESTROY)];
        let took = steps.map(|(step, command)| {
            let took = run(&world, command);
            table.add(Row { note: system.clone(), ..took.row(&format!("{step}, {functions} functions"), None) });
            took.total()
        });
        let first = *first.get_or_insert(took);
        if functions > 1 {
            let times = |step: usize| took[step] as f64 / first[step] as f64;
            let kept = (0..3).all(|step| times(step) < functions as f64 / 2.0);
            table.add(Row {
                what: format!("growth to {functions} functions"),
                note: format!("{:.1}, {:.1} and {:.1} times the calls of one", times(0), times(1), times(2)),
                budget: Some((format!("far less than {functions} times"), kept)),
                ..Row::default()
            });
        }
    }
}

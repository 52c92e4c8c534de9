//! What a large system costs. By hand, because it takes minutes:
//!
//! ```sh
//! cargo test --test it e2e::scale -- --ignored --nocapture
//! ```

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Instant;

use super::world::World;

/// A system of a size.
#[derive(Clone, Copy)]
struct Size {
    functions: usize,
    tables: usize,
    buckets: usize,
    alarms: usize,
}

const ONE: Size = Size { functions: 1, tables: 1, buckets: 1, alarms: 3 };
const LARGE: Size = Size { functions: 100, tables: 20, buckets: 40, alarms: 300 };

impl Size {
    /// A spec of that many things. Each tenth function has a URL, and all have the same code.
    fn spec(self) -> String {
        let mut spec = "schema = 1\n[system]\nname = \"large\"\nenvironment = \"test\"\nsuffix = \"prod-001\"\n\
                        [region]\nprimary = \"us-east-1\"\nsecondary = \"us-west-2\"\n\
                        [alert]\nemails = [\"ops@example.com\"]\n"
            .to_owned();
        let mut add = |text: String| spec.write_str(&text).expect("memory is enough");
        (0..self.tables).for_each(|number| add(format!("[table.t{number}]\nkey = \"id\"\n")));
        (0..self.buckets).for_each(|number| add(format!("[bucket.b{number}]\nreplication = \"two-way\"\n")));
        for number in 0..self.functions {
            let url = if number % 10 == 0 { "url = { auth = \"none\" }\n" } else { "" };
            let table = number % self.tables;
            add(format!("[function.f{number}]\nsource = \"code.zip\"\n{url}uses = {{ table.t{table} = \"write\" }}\n"));
        }
        for number in 0..self.alarms {
            let function = number % self.functions;
            let above = number + 1;
            add(format!(
                "[alarm.a{number}]\non = \"function.f{function}\"\nmetric = \"Errors\"\nabove = {above}\nover = \"5m\"\n"
            ));
        }
        spec
    }
}

/// What each step of a system's life takes: calls by operation.
struct Life {
    apply: BTreeMap<String, u64>,
    plan: BTreeMap<String, u64>,
    destroy: BTreeMap<String, u64>,
}

fn total(calls: &BTreeMap<String, u64>) -> u64 {
    calls.values().sum()
}

fn live(size: Size) -> Life {
    let world = World::new();
    world.write_spec(|_| size.spec());
    let code = world.beside_the_spec("code.zip");
    let mut zip = zip::ZipWriter::new(std::fs::File::create(code).expect("a file"));
    let executable = zip::write::SimpleFileOptions::default().unix_permissions(0o755);
    zip.start_file("bootstrap", executable)
        .and_then(|()| Ok(zip.write_all(b"#!/bin/sh\n")?))
        .expect("a file in the zip");
    zip.finish().expect("a zip");
    let step = |what: &str, arguments: &str| {
        world.calls();
        let begun = Instant::now();
        world.drctl(arguments).ends_with(0);
        let took = begun.elapsed();
        let mut calls = BTreeMap::new();
        for entry in world.calls().as_array().expect("a list") {
            let name = format!(
                "{}:{}",
                entry["service"].as_str().expect("a service"),
                entry["operation"].as_str().expect("an operation")
            );
            *calls.entry(name).or_default() += entry["count"].as_u64().expect("a count");
        }
        println!("\n{what}: {} calls in {:.0} s", total(&calls), took.as_secs_f64());
        calls.iter().for_each(|(operation, count)| println!("{count:>6} {operation}"));
        calls
    };
    Life {
        apply: step("first apply", "apply --yes"),
        plan: step("plan of nothing", "plan --detailed-exitcode"),
        destroy: step("destroy", "destroy --confirm prod-001 --lift-protection --empty-buckets"),
    }
}

#[test]
#[ignore = "takes minutes; for the numbers"]
fn a_hundred_functions_cost_far_less_than_a_hundred_times_one() {
    let (one, large) = (live(ONE), live(LARGE));
    for (step, one, large) in
        [("apply", one.apply, large.apply), ("plan", one.plan, large.plan), ("destroy", one.destroy, large.destroy)]
    {
        println!("{step}: {} and {} calls", total(&one), total(&large));
        assert!(total(&large) * 3 < total(&one) * 100, "{step}");
    }
}

//! Desired resources as a drawing: each with arrows to what it needs, in a frame for each place.

use std::collections::BTreeMap;

use crate::graph::{Address, Graph, Place};

/// For Graphviz.
pub fn graph_dot(graph: &Graph) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let mut out = String::from("digraph {\n  rankdir = LR\n  node [shape = box]\n");
    for (place, addresses) in places(graph) {
        let place = place.to_string();
        out += &format!("  subgraph {} {{\n    label = {}\n", quoted(&format!("cluster_{place}")), quoted(&place));
        for address in addresses {
            out += &format!("    {} [label = {}]\n", quoted(&address.to_string()), quoted(&address.without_place()));
        }
        out += "  }\n";
    }
    for (address, need) in edges(graph) {
        out += &format!("  {} -> {}\n", quoted(&address.to_string()), quoted(&need.to_string()));
    }
    out + "}\n"
}

/// For Mermaid, as GitHub and GitLab show it in Markdown.
pub fn graph_mermaid(graph: &Graph) -> String {
    // Ids with signs in them can be taken for syntax.
    let ids: BTreeMap<_, _> = graph.iter().enumerate().map(|(n, (address, _))| (address, format!("r{n}"))).collect();
    let quoted = |text: &str| format!("\"{}\"", text.replace('#', "#35;").replace('"', "#quot;"));
    let mut out = String::from("flowchart LR\n");
    for (n, (place, addresses)) in places(graph).into_iter().enumerate() {
        out += &format!("  subgraph p{n}[{}]\n", quoted(&place.to_string()));
        for address in addresses {
            out += &format!("    {}[{}]\n", ids[address], quoted(&address.without_place()));
        }
        out += "  end\n";
    }
    for (address, need) in edges(graph) {
        if let (Some(from), Some(to)) = (ids.get(address), ids.get(&need)) {
            out += &format!("  {from} --> {to}\n");
        }
    }
    out
}

fn places(graph: &Graph) -> BTreeMap<&Place, Vec<&Address>> {
    let mut places: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (address, _) in graph.iter() {
        places.entry(&address.place).or_default().push(address);
    }
    places
}

fn edges(graph: &Graph) -> impl Iterator<Item = (&Address, Address)> {
    graph.iter().flat_map(|(address, _)| graph.needs(address).into_iter().map(move |need| (address, need)))
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::graph::Origin;
    use crate::kinds::subscription::Subscription;
    use crate::run::fake::System;
    use crate::tests::{SPEC, at};

    #[test]
    fn a_drawing_for_graphviz_has_an_arrow_to_all_that_is_needed() {
        assert_snapshot!(graph_dot(&System::new(SPEC).graph), @r#"
        digraph {
          rankdir = LR
          node [shape = box]
          subgraph "cluster_global" {
            label = "global"
            "global/role.pay-us-east-1" [label = "role.pay-us-east-1"]
            "global/role.pay-us-west-2" [label = "role.pay-us-west-2"]
            "global/table.payments" [label = "table.payments"]
          }
          subgraph "cluster_us-east-1" {
            label = "us-east-1"
            "us-east-1/function.pay" [label = "function.pay"]
            "us-east-1/function_url.pay" [label = "function_url.pay"]
            "us-east-1/log_group.pay" [label = "log_group.pay"]
            "us-east-1/table_replica.payments" [label = "table_replica.payments"]
          }
          subgraph "cluster_us-west-2" {
            label = "us-west-2"
            "us-west-2/function.pay" [label = "function.pay"]
            "us-west-2/function_url.pay" [label = "function_url.pay"]
            "us-west-2/log_group.pay" [label = "log_group.pay"]
            "us-west-2/table_replica.payments" [label = "table_replica.payments"]
          }
          "us-east-1/function.pay" -> "global/role.pay-us-east-1"
          "us-east-1/function.pay" -> "us-east-1/log_group.pay"
          "us-east-1/function_url.pay" -> "us-east-1/function.pay"
          "us-east-1/table_replica.payments" -> "global/table.payments"
          "us-west-2/function.pay" -> "global/role.pay-us-west-2"
          "us-west-2/function.pay" -> "us-west-2/log_group.pay"
          "us-west-2/function_url.pay" -> "us-west-2/function.pay"
          "us-west-2/table_replica.payments" -> "global/table.payments"
        }
        "#);
    }

    #[test]
    fn a_drawing_for_mermaid_has_the_same_arrows() {
        assert_snapshot!(graph_mermaid(&System::new(SPEC).graph), @r#"
        flowchart LR
          subgraph p0["global"]
            r0["role.pay-us-east-1"]
            r1["role.pay-us-west-2"]
            r2["table.payments"]
          end
          subgraph p1["us-east-1"]
            r3["function.pay"]
            r4["function_url.pay"]
            r5["log_group.pay"]
            r6["table_replica.payments"]
          end
          subgraph p2["us-west-2"]
            r7["function.pay"]
            r8["function_url.pay"]
            r9["log_group.pay"]
            r10["table_replica.payments"]
          end
          r3 --> r0
          r3 --> r5
          r4 --> r3
          r6 --> r2
          r7 --> r1
          r7 --> r9
          r8 --> r7
          r10 --> r2
        "#);
    }

    #[test]
    fn signs_that_mean_something_in_a_drawing_are_escaped() {
        let mut graph = Graph::default();
        let origin = Origin { file: "spec.toml".into(), line: 1 };
        let subscription = Subscription::email("t", "a#b@example.com");
        graph.add(at("us-east-1/subscription.\"a#b\\"), &subscription, Default::default(), origin);
        assert!(graph_dot(&graph).contains(r#""us-east-1/subscription.\"a#b\\" [label"#), "{}", graph_dot(&graph));
        assert!(graph_mermaid(&graph).contains(r#"["subscription.#quot;a#35;b\"]"#), "{}", graph_mermaid(&graph));
    }
}

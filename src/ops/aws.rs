//! Calls that operators make by hand, past the reconciler: what a demo, a drill or a
//! check does to a live system.

use futures::future::try_join_all;

use crate::aws::{Call, Clients, Regional};
use crate::graph::{Failure, Region};

fn regional<'a>(clients: &'a Clients, region: &Region) -> Result<&'a Regional, Failure> {
    clients.regions.get(region).ok_or_else(|| Failure::malformed("drctl", format!("{region} is not connected")))
}

/// Sets a function's reserved concurrency; 0 stops it, which is how operators simulate a lost region.
pub async fn set_concurrency(
    clients: &Clients,
    region: &Region,
    function: &str,
    concurrency: i32,
) -> Result<(), Failure> {
    let call = regional(clients, region)?.lambda.put_function_concurrency().function_name(function);
    let answer = call.reserved_concurrent_executions(concurrency).send().await;
    answer.call("lambda:PutFunctionConcurrency").map(|_| ())
}

/// How many items a table has in one region right now, counted by scanning it.
pub async fn count_items(clients: &Clients, region: &Region, table: &str) -> Result<usize, Failure> {
    let scan = regional(clients, region)?.dynamodb.scan().table_name(table).into_paginator().items().send();
    let items = scan.collect::<Result<Vec<_>, _>>().await.call("dynamodb:Scan")?;
    Ok(items.len())
}

/// Everything in the account whose name ends with the suffix, asked of each service
/// itself and not through tags or state.
pub async fn inventory(clients: &Clients, suffix: &str) -> Result<Vec<String>, Failure> {
    let roles = clients.iam.list_roles().into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    let mut names: Vec<String> =
        roles.call("iam:ListRoles")?.into_iter().map(|role| format!("role {}", role.role_name)).collect();
    for found in try_join_all(clients.regions.values().map(in_region)).await? {
        names.extend(found);
    }
    names.retain(|name| name.ends_with(suffix));
    Ok(names)
}

async fn in_region(regional: &Regional) -> Result<Vec<String>, Failure> {
    let Regional { region, lambda, dynamodb, logs, .. } = regional;
    let functions = lambda.list_functions().into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    let tables = dynamodb.list_tables().into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    let groups = logs.describe_log_groups().into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    let functions = functions.call("lambda:ListFunctions")?.into_iter().filter_map(|function| function.function_name);
    let groups = groups.call("logs:DescribeLogGroups")?.into_iter().filter_map(|group| group.log_group_name);
    let named = |kind: &'static str| move |name: String| format!("{region} {kind} {name}");
    Ok(functions
        .map(named("function"))
        .chain(tables.call("dynamodb:ListTables")?.into_iter().map(named("table")))
        .chain(groups.map(named("log group")))
        .collect())
}

"""CloudWatch Logs."""

from conftest import EAST


def test_groups_are_found_by_their_names_and_arns(plain, name):
    logs = plain.aws("logs")
    names = [f"{name}-{number:02}" for number in range(60)]
    for group in [*names, f"{name}-590"]:
        logs.create_log_group(logGroupName=group)
    wanted = [names[59], f"arn:aws:logs:{EAST}:000000000000:log-group:{names[58]}:*", f"{name}-missing"]
    answer = logs.describe_log_groups(logGroupIdentifiers=wanted)
    assert [group["logGroupName"] for group in answer["logGroups"]] == [names[59], names[58]]
    assert "nextToken" not in answer
    first = logs.describe_log_groups(logGroupNamePrefix=name)
    assert len(first["logGroups"]) == 50 and first["nextToken"]

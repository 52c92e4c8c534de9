"""The tagging API."""

from conftest import EAST, WEST, wait_until


def found(sandbox, name, region=EAST, **ask):
    answer = sandbox.aws("resourcegroupstaggingapi", region).get_resources(
        TagFilters=[{"Key": "system", "Values": [name]}], **ask)
    return [entry["ResourceARN"] for entry in answer["ResourceTagMappingList"]], answer["PaginationToken"]


def test_tables_functions_and_log_groups_are_found_in_their_region(plain, name):
    tags = {"system": name}
    as_list = [{"Key": "system", "Value": name}]
    for region in (EAST, WEST):
        plain.table(name, region, Tags=as_list)
        plain.function(name, region, Tags=tags)
        plain.aws("logs", region).create_log_group(logGroupName=f"/aws/lambda/{name}", tags=tags)
    for region in (EAST, WEST):
        assert found(plain, name, region)[0] == [
            f"arn:aws:dynamodb:{region}:000000000000:table/{name}",
            f"arn:aws:lambda:{region}:000000000000:function:{name}",
            f"arn:aws:logs:{region}:000000000000:log-group:/aws/lambda/{name}",
        ]
    assert found(plain, name, ResourceTypeFilters=["lambda:function"])[0] == [
        f"arn:aws:lambda:{EAST}:000000000000:function:{name}"]


def test_answers_come_in_pages(plain, name):
    for number in range(5):
        plain.aws("logs").create_log_group(logGroupName=f"{name}-{number}", tags={"system": name})
    first, token = found(plain, name, ResourcesPerPage=2)
    second, token = found(plain, name, ResourcesPerPage=2, PaginationToken=token)
    third, token = found(plain, name, ResourcesPerPage=2, PaginationToken=token)
    assert [len(page) for page in (first, second, third)] == [2, 2, 1] and token == ""
    assert len(set(first + second + third)) == 5


def test_tags_are_seen_late(strict, name):
    strict.aws("logs").create_log_group(logGroupName=name, tags={"system": name})
    assert found(strict, name)[0] == []
    wait_until(lambda: len(found(strict, name)[0]) == 1)
    strict.aws("logs").delete_log_group(logGroupName=name)
    assert len(found(strict, name)[0]) == 1
    wait_until(lambda: found(strict, name)[0] == [])

"""What users of IAM and functions may do: what their policies allow, and what AWS wants beside that."""

import json

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from conftest import EAST, WEST, bootstrap, get, new_function, refused, wait_until

ACCOUNT = "000000000000"


def document(*statements):
    return json.dumps({"Version": "2012-10-17",
                       "Statement": [{"Effect": "Allow", **statement} for statement in statements]})


def with_key(sandbox, key, secret="secret", token=None):
    """What makes clients with these credentials."""

    def aws(service, region=EAST):
        return boto3.client(service, region_name=region, endpoint_url=sandbox.url, aws_access_key_id=key,
                            aws_secret_access_key=secret, aws_session_token=token,
                            config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}))

    return aws


def user(sandbox, name, *statements):
    """Makes a user who may do this, and returns what makes their clients."""
    iam = sandbox.aws("iam")
    iam.create_user(UserName=name)
    if statements:
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document(*statements))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return with_key(sandbox, key["AccessKeyId"], key["SecretAccessKey"])


def may(actions, resource, **condition):
    return {"Action": actions, "Resource": resource, **({"Condition": condition} if condition else {})}


def arn(service, resource):
    return f"arn:aws:{service}:{EAST}:{ACCOUNT}:{resource}"


def test_everybody_may_ask_who_they_are_and_nothing_else(plain, name):
    aws = user(plain, name)
    assert aws("sts").get_caller_identity()["Account"] == ACCOUNT
    for service, code in (("s3", "AccessDenied"), ("lambda", "AccessDeniedException"), ("sns", "AuthorizationError")):
        operation = {"s3": "list_buckets", "lambda": "list_functions", "sns": "list_topics"}[service]
        assert refused(getattr(aws(service), operation))[0] == code


def test_a_refusal_names_caller_action_and_resource(plain, name):
    code, message = refused(user(plain, name)("dynamodb").describe_table, TableName="t")
    assert code == "AccessDeniedException"
    assert f"User: arn:aws:iam::{ACCOUNT}:user/{name} is not authorized to perform: dynamodb:DescribeTable" in message
    assert f"on resource: arn:aws:dynamodb:{EAST}:{ACCOUNT}:table/t " in message


def test_actions_of_s3_have_names_of_their_own(plain, name):
    plain.bucket(name)
    plain.aws("s3").put_object(Bucket=name, Key="a", Body=b"")
    bucket = f"arn:aws:s3:::{name}"
    aws = user(plain, name, may(["s3:ListBucket", "s3:ListBucketVersions", "s3:GetEncryptionConfiguration"], bucket),
               may("s3:DeleteObject", f"{bucket}/*"))("s3")
    aws.head_bucket(Bucket=name)
    aws.get_bucket_encryption(Bucket=name)
    version, = aws.list_object_versions(Bucket=name)["Versions"]
    delete = {"Objects": [{"Key": "a", "VersionId": version["VersionId"]}]}
    assert "s3:DeleteObjectVersion" in refused(aws.delete_objects, Bucket=name, Delete=delete)[1]
    aws.delete_objects(Bucket=name, Delete={"Objects": [{"Key": "a"}]})


def test_tags_at_creation_are_an_action_of_their_own(plain, name):
    logs = user(plain, name, may("logs:CreateLogGroup", f"arn:aws:logs:{EAST}:{ACCOUNT}:log-group:{name}:*"))("logs")
    assert "logs:TagResource" in refused(logs.create_log_group, logGroupName=name, tags={"a": "1"})[1]
    logs.create_log_group(logGroupName=name)


def test_a_role_is_passed_to_one_service(plain, name):
    plain.aws("iam").create_role(RoleName=name, AssumeRolePolicyDocument="{}")
    role = f"arn:aws:iam::{ACCOUNT}:role/{name}"
    create = may("lambda:CreateFunction", f"arn:aws:lambda:{EAST}:{ACCOUNT}:function:{name}")

    def passing(service):
        return may("iam:PassRole", role, StringEquals={"iam:PassedToService": f"{service}.amazonaws.com"})

    function = {**new_function(name), "Role": role}
    wrong = user(plain, f"{name}-s3", create, passing("s3"))("lambda")
    assert "iam:PassRole" in refused(wrong.create_function, **function)[1]
    user(plain, f"{name}-lambda", create, passing("lambda"))("lambda").create_function(**function)


def test_a_replica_needs_rights_where_it_is_made(plain, name):
    plain.table(name)
    here = may("dynamodb:UpdateTable", f"arn:aws:dynamodb:{EAST}:{ACCOUNT}:table/{name}")
    aws = user(plain, name, here)("dynamodb")
    message = refused(aws.update_table, TableName=name, ReplicaUpdates=[{"Create": {"RegionName": WEST}}])[1]
    assert f"dynamodb:CreateTable on resource: arn:aws:dynamodb:{WEST}:{ACCOUNT}:table/{name} " in message


def test_conditions_hold_what_a_request_says(plain, name):
    zone = plain.aws("route53").create_hosted_zone(Name=f"{name}.example.com", CallerReference=name)["HostedZone"]["Id"]
    mine = {"ForAllValues:StringEquals": {
        "route53:ChangeResourceRecordSetsNormalizedRecordNames": [f"api.{name}.example.com"]}}
    aws = user(plain, name, may("route53:ChangeResourceRecordSets", "arn:aws:route53:::hostedzone/*", **mine))("route53")

    def upsert(record):
        sets = {"Name": record, "Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": "example.org"}]}
        return {"HostedZoneId": zone, "ChangeBatch": {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": sets}]}}

    aws.change_resource_record_sets(**upsert(f"api.{name}.example.com."))
    assert refused(aws.change_resource_record_sets, **upsert(f"www.{name}.example.com"))[0] == "AccessDenied"


def test_a_deny_wins_and_says_so(plain, name):
    aws = user(plain, name, may("sns:*", "*"), {"Effect": "Deny", **may("sns:Create*", arn("sns", f"{name}-no"))})
    aws("sns").create_topic(Name=f"{name}-yes")
    code, message = refused(aws("sns").create_topic, Name=f"{name}-no")
    assert code == "AuthorizationError"
    assert message.endswith(f":{name}-no with an explicit deny in an identity-based policy")


def test_what_a_statement_excepts_it_does_not_allow(plain, name):
    aws = user(plain, name, {"NotAction": "sns:ListTopics", "Resource": "*"})
    aws("logs").describe_log_groups()
    assert "sns:ListTopics" in refused(aws("sns").list_topics)[1]
    aws = user(plain, f"{name}-2", {"Action": "sns:CreateTopic", "NotResource": arn("sns", f"{name}-no")})
    aws("sns").create_topic(Name=f"{name}-yes")
    assert "sns:CreateTopic" in refused(aws("sns").create_topic, Name=f"{name}-no")[1]


def test_actions_have_wildcards_and_no_case_and_resources_have_case(plain, name):
    aws = user(plain, name, may("SNS:create?opic", arn("sns", f"{name}-*-A")))
    aws("sns").create_topic(Name=f"{name}-any-A")
    assert "sns:CreateTopic" in refused(aws("sns").create_topic, Name=f"{name}-any-a")[1]


@pytest.mark.parametrize("service, ask, code, status", [
    ("s3", "list_buckets", "InvalidAccessKeyId", 403),
    ("iam", "list_users", "InvalidClientTokenId", 403),
    ("sts", "get_caller_identity", "InvalidClientTokenId", 403),
    ("lambda", "list_functions", "UnrecognizedClientException", 403),
    ("dynamodb", "list_tables", "UnrecognizedClientException", 400),
])
def test_an_unknown_key_is_refused_as_each_service_does(plain, service, ask, code, status):
    client = with_key(plain, "AKIANOBODYHASTHISKEY")(service)
    with pytest.raises(client.exceptions.ClientError) as caught:
        getattr(client, ask)()
    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


def test_a_session_may_do_what_its_role_may(plain, name):
    iam = plain.aws("iam")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(
        {"Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}))["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document(may("sns:ListTopics", "*")))
    assert refused(user(plain, f"{name}-no", may("sts:AssumeRole", f"{role}-2"))("sts").assume_role,
                   RoleArn=role, RoleSessionName="session")[0] == "AccessDenied"
    sts = user(plain, name, may("sts:AssumeRole", role))("sts")
    keys = sts.assume_role(RoleArn=role, RoleSessionName="session")["Credentials"]
    aws = with_key(plain, keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    aws("sns").list_topics()
    message = refused(aws("sns").create_topic, Name=name)[1]
    assert message.startswith(f"User: arn:aws:sts::{ACCOUNT}:assumed-role/{name}/session is not authorized")


def test_everything_that_a_call_names_has_to_be_allowed(plain, name):
    for table in ("a", "b"):
        plain.table(f"{name}-{table}")
    one = arn("dynamodb", f"table/{name}-a")
    both = arn("dynamodb", f"table/{name}-?")
    item = {"id": {"S": "1"}}

    def batch(*tables):
        return {"RequestItems": {f"{name}-{table}": {"Keys": [item]} for table in tables}}

    def transaction(*tables):
        return {"TransactItems": [{"Put": {"TableName": f"{name}-{table}", "Item": item}} for table in tables]}

    actions = ["dynamodb:BatchGetItem", "dynamodb:PutItem"]
    dynamodb = user(plain, name, may(actions, one))("dynamodb")
    dynamodb.batch_get_item(**batch("a"))
    dynamodb.transact_write_items(**transaction("a"))
    assert f"dynamodb:BatchGetItem on resource: {one[:-1]}b " in refused(dynamodb.batch_get_item, **batch("a", "b"))[1]
    assert "dynamodb:PutItem" in refused(dynamodb.transact_write_items, **transaction("a", "b"))[1]
    dynamodb = user(plain, f"{name}-2", may(actions, both))("dynamodb")
    dynamodb.batch_get_item(**batch("a", "b"))
    dynamodb.transact_write_items(**transaction("a", "b"))

    cloudwatch = user(plain, f"{name}-3", may("cloudwatch:DeleteAlarms", arn("cloudwatch", f"alarm:{name}-a")))
    delete = cloudwatch("cloudwatch").delete_alarms
    delete(AlarmNames=[f"{name}-a"])
    assert f"alarm:{name}-b " in refused(delete, AlarmNames=[f"{name}-a", f"{name}-b"])[1]


def test_an_index_is_a_resource_of_its_own(plain, name):
    aws = user(plain, name, may("dynamodb:Query", arn("dynamodb", f"table/{name}")))("dynamodb")
    query = {"TableName": name, "KeyConditionExpression": "id = :id", "ExpressionAttributeValues": {":id": {"S": "1"}}}
    assert refused(aws.query, **query)[0] == "ResourceNotFoundException"
    assert f"table/{name}/index/by-day " in refused(aws.query, IndexName="by-day", **query)[1]


def test_calls_of_iam_name_users_roles_groups_and_policies(plain, name):
    account = f"arn:aws:iam::{ACCOUNT}"
    iam = user(plain, name, may("iam:*User", f"{account}:user/x/{name}-*"), may("iam:*", f"{account}:policy/{name}"),
               may("iam:AddUserToGroup", f"{account}:group/{name}"))("iam")
    iam.create_user(UserName=f"{name}-1", Path="/x/")
    iam.get_user(UserName=f"{name}-1")
    assert f"on resource: {account}:user/{name}-2 " in refused(iam.create_user, UserName=f"{name}-2")[1]
    policy = iam.create_policy(PolicyName=name, PolicyDocument=document(may("s3:*", "*")))["Policy"]["Arn"]
    iam.get_policy(PolicyArn=policy)
    plain.aws("iam").create_group(GroupName=name)
    iam.add_user_to_group(GroupName=name, UserName=f"{name}-1")


def test_an_alias_goes_with_rights_to_it_and_to_its_key(plain, name):
    key = plain.aws("kms").create_key()["KeyMetadata"]
    alias = f"alias/{name}"
    plain.aws("kms").create_alias(AliasName=alias, TargetKeyId=key["KeyId"])
    only_key = user(plain, name, may("kms:DeleteAlias", key["Arn"]))("kms")
    assert f"on resource: {arn('kms', alias)} " in refused(only_key.delete_alias, AliasName=alias)[1]
    user(plain, f"{name}-2", may("kms:DeleteAlias", [key["Arn"], arn("kms", alias)]))("kms").delete_alias(AliasName=alias)


def test_objects_are_written_in_parts_copied_and_versioned_with_the_right_actions(plain, name):
    plain.bucket(name)
    objects = f"arn:aws:s3:::{name}/in/*"
    s3 = user(plain, name, may("s3:PutObject", objects), may("s3:GetObject", f"arn:aws:s3:::{name}/from"))("s3")
    for key in ("from", "hidden"):
        version = plain.aws("s3").put_object(Bucket=name, Key=key, Body=b"1")["VersionId"]
    upload = {"Bucket": name, "Key": "in/parts"}
    upload["UploadId"] = s3.create_multipart_upload(**upload)["UploadId"]
    part = s3.upload_part(**upload, PartNumber=1, Body=b"2")
    assert "s3:ListMultipartUploadParts" in refused(s3.list_parts, **upload)[1]
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})
    s3.copy_object(Bucket=name, Key="in/copy", CopySource=f"{name}/from")
    hidden = {"Bucket": name, "Key": "in/copy", "CopySource": f"{name}/hidden"}
    assert f"s3:GetObject on resource: arn:aws:s3:::{name}/hidden " in refused(s3.copy_object, **hidden)[1]
    hidden["CopySource"] += f"?versionId={version}"
    assert f"s3:GetObjectVersion on resource: arn:aws:s3:::{name}/hidden " in refused(s3.copy_object, **hidden)[1]
    s3.get_object(Bucket=name, Key="from")
    old = {"Bucket": name, "Key": "from", "VersionId": version}
    assert "s3:GetObjectVersion " in refused(s3.get_object, **old)[1]
    assert "s3:DeleteObjectVersion " in refused(s3.delete_object, **old)[1]
    for folder in ("in/folder/", "in/a%20b"):
        s3.put_object(Bucket=name, Key=folder, Body=b"")
        message = refused(s3.delete_object, Bucket=name, Key=folder)[1]
        assert f"on resource: arn:aws:s3:::{name}/{folder} " in message


def test_configurations_of_buckets_are_removed_with_the_action_that_puts_them(plain, name):
    plain.bucket(name)
    actions = ["PutEncryptionConfiguration", "PutLifecycleConfiguration", "PutBucketTagging",
               "PutBucketPublicAccessBlock", "ListBucket"]
    s3 = user(plain, name, may([f"s3:{action}" for action in actions], f"arn:aws:s3:::{name}"))("s3")
    for remove in (s3.delete_bucket_encryption, s3.delete_bucket_lifecycle, s3.delete_bucket_tagging,
                   s3.delete_public_access_block, s3.list_objects):
        remove(Bucket=name)


def test_who_may_not_list_tags_gets_a_function_without_them(plain, name):
    function = arn("lambda", f"function:{name}")
    plain.function(name, Tags={"a": "1"})
    answer = user(plain, name, may("lambda:GetFunction", function))("lambda").get_function(FunctionName=name)
    assert "Tags" not in answer and answer["TagsError"]["ErrorCode"] == "AccessDeniedException"
    allowed = user(plain, f"{name}-2", may(["lambda:GetFunction", "lambda:ListTags"], function))("lambda")
    assert allowed.get_function(FunctionName=name)["Tags"] == {"a": "1"}


def test_a_url_of_iam_wants_two_actions_on_its_function(plain, name):
    plain.function(name)
    official = plain.aws("lambda").create_function_url_config(FunctionName=name, AuthType="AWS_IAM")["FunctionUrl"]
    url = f"{plain.url}/_aws/lambda-url/{official.split('//')[1].split('.')[0]}/pay"
    function = arn("lambda", f"function:{name}")
    through_url = may("lambda:InvokeFunctionUrl", function, StringEquals={"lambda:FunctionUrlAuthType": "AWS_IAM"})
    invoke = may("lambda:InvokeFunction", function, Bool={"lambda:InvokedViaFunctionUrl": "true"})

    def pay(aws):
        request = AWSRequest("POST", url, {"Content-Type": "text/plain"}, b"no JSON")
        if aws:
            SigV4Auth(aws("lambda")._request_signer._credentials, "lambda", EAST).add_auth(request)
        return get(url, "POST", request.data, dict(request.headers))[0]

    assert pay(None) == 403
    assert pay(user(plain, name, through_url)) == 403
    assert pay(user(plain, f"{name}-2", through_url, invoke)) == 200


def test_a_body_that_is_no_json_is_an_answer_and_no_failure(plain, name):
    key = plain.aws("iam")
    key.create_user(UserName=name)
    key = key.create_access_key(UserName=name)["AccessKey"]["AccessKeyId"]
    signed = {"Authorization": f"AWS4-HMAC-SHA256 Credential={key}/20260101/{EAST}/dynamodb/aws4_request, "
                               "SignedHeaders=host, Signature=0",
              "X-Amz-Target": "DynamoDB_20120810.GetItem", "Content-Type": "application/x-amz-json-1.0"}
    for body in (b"{", b"[1]", b"\xff"):
        status, answer, _ = get(plain.url, "POST", body, signed)
        assert status == 403 and b"dynamodb:GetItem" in answer


# Asks DynamoDB for the list of tables with the credentials that it was given, and answers with what it heard.
CALLER = """#!/usr/bin/env python3
import json, os, urllib.error, urllib.request
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
while True:
    with urllib.request.urlopen(api + "next") as event:
        request_id = event.headers["Lambda-Runtime-Aws-Request-Id"]
    credential = os.environ["AWS_ACCESS_KEY_ID"] + "/20260101/" + os.environ["AWS_REGION"] + "/dynamodb/aws4_request"
    request = urllib.request.Request(os.environ["AWS_ENDPOINT_URL"], b"{}", {
        "Authorization": f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0",
        "X-Amz-Security-Token": os.environ["AWS_SESSION_TOKEN"],
        "X-Amz-Target": "DynamoDB_20120810.ListTables", "Content-Type": "application/x-amz-json-1.0"})
    try:
        with urllib.request.urlopen(request) as answer:
            heard = [answer.status, answer.read().decode()]
    except urllib.error.HTTPError as answer:
        heard = [answer.code, answer.read().decode()]
    urllib.request.urlopen(api + request_id + "/response", json.dumps(heard).encode())
"""


def test_a_function_may_do_what_its_role_may(either, name):
    iam = either.aws("iam")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    either.function(name, Role=role, Code={"ZipFile": bootstrap(CALLER)})

    def called():
        return json.load(either.aws("lambda").invoke(FunctionName=name)["Payload"])

    status, answer = called()
    assert status == 403 and "AccessDeniedException" in answer
    assert f"User: arn:aws:sts::{ACCOUNT}:assumed-role/{name}/{name} is not authorized" in answer
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document(may("dynamodb:ListTables", "*")))
    wait_until(lambda: called()[0] == 200)


def test_tags_tell_whose_key_it_is(plain, name):
    kms = plain.aws("kms")
    key = kms.create_key(Tags=[{"TagKey": "owner", "TagValue": name}])["KeyMetadata"]["KeyId"]
    other = kms.create_key(Tags=[{"TagKey": "owner", "TagValue": "other"}])["KeyMetadata"]["KeyId"]
    bare = kms.create_key()["KeyMetadata"]["KeyId"]
    aws = user(plain, name, may("kms:CreateKey", "*"),
               may("kms:DisableKey", "*", StringEquals={"aws:ResourceTag/owner": name}),
               may("kms:TagResource", "*", StringEquals={"aws:RequestTag/owner": name}))("kms")
    aws.disable_key(KeyId=key)
    for foreign in (other, bare):
        assert "kms:DisableKey" in refused(aws.disable_key, KeyId=foreign)[1]
    tags = [[{"TagKey": "owner", "TagValue": owner}] for owner in (name, "other")]
    aws.create_key(Tags=tags[0])
    aws.tag_resource(KeyId=key, Tags=tags[0])
    assert "kms:TagResource" in refused(aws.create_key, Tags=tags[1])[1]
    assert "kms:PutKeyPolicy" in refused(aws.create_key, Tags=tags[0], Policy='{"Statement": []}')[1]
    assert "kms:TagResource" in refused(aws.tag_resource, KeyId=key, Tags=tags[1])[1]

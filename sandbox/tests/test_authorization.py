"""What users of IAM may do: what their policies allow, and what AWS wants beside that."""

import json

import boto3
from botocore.config import Config
from conftest import EAST, WEST, new_function, refused

ACCOUNT = "000000000000"


def user(sandbox, name, *statements):
    """Makes a user who may do this, and returns what makes their clients."""
    iam = sandbox.aws("iam")
    iam.create_user(UserName=name)
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement} for statement in statements]}
    if statements:
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(document))
    key = iam.create_access_key(UserName=name)["AccessKey"]

    def aws(service, region=EAST):
        return boto3.client(service, region_name=region, endpoint_url=sandbox.url,
                            aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"],
                            config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}))

    return aws


def may(actions, resource, **condition):
    return {"Action": actions, "Resource": resource, **({"Condition": condition} if condition else {})}


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

"""CloudFormation: buckets carry the tags of their stack, too."""

from . import hooks

_provisioners = hooks.module("cloudformation").provisioners
_s3 = hooks.module("s3")


def _put_tags(bucket, tags):
    _s3._bucket_tags[bucket] = {tag["Key"]: tag["Value"] for tag in tags}


def _delete_tags(bucket):
    _s3._bucket_tags.pop(bucket, None)


def install():
    _provisioners._STACK_TAG_PROPERTY["AWS::S3::Bucket"] = ("Tags", "list")
    tags = ("Tags", lambda tags: tags or [], _put_tags, _delete_tags)
    _provisioners._S3_BUCKET_CONFIGURATIONS = (*_provisioners._S3_BUCKET_CONFIGURATIONS, tags)

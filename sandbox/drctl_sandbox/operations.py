"""Which API operation a request is, as the SDKs spell it."""

import functools
import re
from urllib.parse import unquote

from ministack.core import iam_actions

_CBOR_PATH = re.compile(r"/service/[^/]+/operation/(\w+)$")

# Where the models list two operations for one request, and the first is not the one that was meant.
_S3_PREFERRED = {
    "AbortMultipartUpload": "DeleteObject",
    "ListParts": "GetObject",
    "GetBucketLifecycle": "GetBucketLifecycleConfiguration",
    "PutBucketLifecycle": "PutBucketLifecycleConfiguration",
    "GetBucketNotification": "GetBucketNotificationConfiguration",
    "PutBucketNotification": "PutBucketNotificationConfiguration",
}


def name(service, method, path, headers, body, query):
    """The operation of a request to ministack's `service`, or `Unknown`."""
    target = headers.get("x-amz-target", "")
    if "." in target:
        return target.rpartition(".")[2]
    if cbor := _CBOR_PATH.search(path):
        return cbor[1]
    if "form-urlencoded" in headers.get("content-type", ""):
        action = re.search(rb"(?:^|&)Action=(\w+)", body)
        return action[1].decode() if action else "Unknown"
    if "Action" in query:
        return query["Action"][0]
    if service == "s3":
        return _of_s3(method, path, headers, query)
    return _most_specific(_routes(service), method, unquote(path), query)


@functools.lru_cache(maxsize=None)
def _routes(service):
    return iam_actions._load_botocore_routes(service)


def _most_specific(routes, method, path, query):
    """The first match: ministack sorts the routes of a service by how much of them is literal."""
    for route_method, pattern, operation, _, required in routes:
        if route_method == method and pattern.match(path) and all(
                key in query and value in ("", query[key][0]) for key, value in required.items()):
            return operation
    return "Unknown"


def _of_s3(method, path, headers, query):
    """The models do not tell apart the operations that differ by a header or an optional parameter."""
    if path.strip("/") == "":
        return "ListBuckets" if method == "GET" else "Unknown"
    on_object = "/" in path.strip("/")
    copying = "x-amz-copy-source" in headers
    if "uploadId" in query:
        return {"PUT": "UploadPartCopy" if copying else "UploadPart", "GET": "ListParts",
                "POST": "CompleteMultipartUpload", "DELETE": "AbortMultipartUpload"}.get(method, "Unknown")
    routes = [route for route in _routes("s3") if ("/.+?/" in route[1].pattern) == on_object]
    operation = _most_specific(routes, method, path, query)
    if operation in ("PutObject", "CopyObject", "UploadPart", "UploadPartCopy"):
        return "CopyObject" if copying else "PutObject"
    return _S3_PREFERRED.get(operation, operation)

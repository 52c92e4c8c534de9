"""Errors in the form each service gives them: JSON, query XML, REST XML or CBOR."""

import json
import uuid
from xml.sax.saxutils import escape

_NAMESPACES = {
    "iam": "https://iam.amazonaws.com/doc/2010-05-08/",
    "sts": "https://sts.amazonaws.com/doc/2011-06-15/",
    "sns": "http://sns.amazonaws.com/doc/2010-03-31/",
    "cloudwatch": "http://monitoring.amazonaws.com/doc/2010-08-01/",
    "route53": "https://route53.amazonaws.com/doc/2013-04-01/",
}

# How a service says "slow down": its code and status. All others say ThrottlingException, 400.
_THROTTLED = {
    "lambda": ("TooManyRequestsException", 429),
    "s3": ("SlowDown", 503),
    "route53": ("Throttling", 400),
    "iam": ("Throttling", 400),
    "sts": ("Throttling", 400),
    "sns": ("Throttling", 400),
    "cloudwatch": ("Throttling", 400),
    "tag": ("ThrottledException", 400),
}

_STATUSES = {
    "AccessDenied": 403,
    "AccessDeniedException": 403,
    "AuthorizationError": 403,
    "InternalError": 500,
    "InternalFailure": 500,
    "InternalServerError": 500,
    "InternalServiceError": 500,
    "OperationAborted": 409,
    "ServiceUnavailable": 503,
    "ServiceException": 500,
    "SlowDown": 503,
    "TooManyRequestsException": 429,
}


def throttling(service):
    """The code and status with which `service` refuses a caller who is too fast."""
    return _THROTTLED.get(service, ("ThrottlingException", 400))


def denied(service):
    """The code with which `service` refuses a caller who may not."""
    if service == "sns":
        return "AuthorizationError"
    return "AccessDenied" if service in ("s3", "iam", "route53", "sts") else "AccessDeniedException"


def unknown_caller(service, code, message):
    """Code, message and status with which `service` refuses credentials: it says in its own way what ministack found."""
    expired = code.startswith("Expired")
    if service == "s3":
        if expired:
            return "ExpiredToken", "The provided token has expired.", 400
        return "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", 403
    if service in _NAMESPACES:
        return "ExpiredToken" if expired else "InvalidClientTokenId", message, 403
    code = "ExpiredTokenException" if expired else "UnrecognizedClientException"
    return code, message, 403 if service == "lambda" else 400


def usual_status(code):
    return _STATUSES.get(code, 400)


def render(service, headers, code, message, status):
    """An error answer of `service`, in the encoding that the request with `headers` arrived in."""
    if service == "s3":
        return _xml(status, f"<Error><Code>{code}</Code><Message>{escape(message)}</Message>"
                            f"<RequestId>{uuid.uuid4()}</RequestId></Error>")
    if service == "cloudwatch" and "cbor" in headers.get("content-type", "") + headers.get("smithy-protocol", ""):
        import cbor2

        return (status, {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor",
                         "x-amzn-query-error": f"{code};{_fault(status)}"},
                cbor2.dumps({"__type": code, "message": message}))
    if service in _NAMESPACES and "json" not in headers.get("content-type", ""):
        return _xml(status, f'<ErrorResponse xmlns="{_NAMESPACES[service]}"><Error><Type>{_fault(status)}</Type>'
                            f"<Code>{code}</Code><Message>{escape(message)}</Message></Error>"
                            f"<RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>")
    body = {"__type": code, "message": message}
    if service == "lambda":
        body = {"Type": "User" if status < 500 else "Service", "Message": message, "message": message}
    return status, {"Content-Type": "application/json", "x-amzn-errortype": code}, json.dumps(body).encode()


def _fault(status):
    return "Sender" if status < 500 else "Receiver"


def _xml(status, body):
    return status, {"Content-Type": "application/xml"}, f'<?xml version="1.0" encoding="UTF-8"?>\n{body}'.encode()

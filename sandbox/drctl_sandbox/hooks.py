"""The private names of ministack that this package relies on, and the check that they are still what they were.

ministack promises nothing about its insides. Each function we replace or build
on is listed with a hash of its source, so that another version fails at start,
with a sentence, and not later with a wrong answer. What is not listed may have
changed too, so only the version written here is taken. After reviewing another
one, write it here; `python -m drctl_sandbox.hooks` prints the table for it.
"""

import hashlib
import importlib.metadata
import inspect
import sys

from ministack import app

VERSION = "1.5.33"

FUNCTIONS = {
    "app._build_persistence_save_dict": "9a6393cc953d",
    "app._dispatch_service_request": "17e5ef6dcfa0",
    "app._handle_lambda_url_request": "5220afd5488a",
    "app._load_persisted_state": "03de3b870e8f",
    "app._parse_lambda_url": "f94e5f2c5a14",
    "app._reset_all_state": "e7a4c161847d",
    "app._resolve_port": "08773515e275",
    "app.app": "ab1297bd6cd5",
    "app.main": "aae886212adb",
    "core.iam_actions._compile_uri": "ad280d2df69f",
    "core.iam_actions._load_botocore_routes": "e7d63c41b546",
    "core.iam_evaluator.AuthError": "b2f6d1552ce2",
    "core.iam_evaluator.EvalContext": "f5769904b3fa",
    "core.iam_evaluator.evaluate": "2a5dd6932d1a",
    "core.iam_evaluator.evaluate_resource_policy": "e49ce7161ad6",
    "core.iam_evaluator.is_root_access_key": "e6ae3b633355",
    "core.iam_evaluator.resolve_principal": "b6c6131e24bf",
    "core.lambda_runtime.execution_credentials": "cffaadc4f396",
    "core.router.extract_access_key_id": "4f0df6b2b1cd",
    "cloudwatch._calc_stats": "889e1bfc89dc",
    "cloudwatch._dims_from_list": "ebc530b8a5dc",
    "cloudwatch._dims_key": "a304eb3ef986",
    "cloudwatch._dispatch_alarm_actions": "fcf47c0d1e6e",
    "cloudwatch._evaluate_alarm": "a0b0acd3d432",
    "cloudwatch._evaluate_parent_alarms": "24a65a9e43d5",
    "cloudwatch._put_metric_alarm": "953a67ff4bb1",
    "cloudwatch._history_entries": "64a21c7a6a3b",
    "cloudwatch._record_history": "c5890b06e5c8",
    "cloudwatch._stat_value": "cfaad9598233",
    "cloudwatch._store_datum": "e0194e701d56",
    "cloudwatch.record_metric": "7f777bfbe523",
    "cloudwatch_logs._append_log_events": "e47cae7a15a4",
    "cloudwatch_logs._describe_log_groups": "675b9c94231f",
    "dynamodb._apply_replica_updates": "cd04ee6026c8",
    "dynamodb._create_replica": "efdf96ccad37",
    "dynamodb._delete_table": "c1dc27be8166",
    "dynamodb._normalize_table_name": "904f676618e4",
    "dynamodb._replica_group": "fb98a3bae782",
    "dynamodb._replicate_write": "3dc2a4ec09c5",
    "dynamodb._sse_description_from_spec": "190b59f83f13",
    "dynamodb._table_description": "e6f5cce379b8",
    "dynamodb._update_table": "dd1170ef031c",
    "iam._create_role": "fef5dffbcd31",
    "iam._list_roles": "5b55e8129162",
    "iam._role_xml": "f53852817744",
    "kms._cancel_key_deletion": "cb8634482612",
    "kms._key_metadata": "ee6ca8cd7d04",
    "kms._mrk_members": "56d4e768579c",
    "kms._replicate_key": "94f63469daaf",
    "kms._resolve_key": "90e6b84ded7c",
    "kms._schedule_key_deletion": "5462496f0a55",
    "lambda_svc._acquire_execution_slot": "ed3b38149e2e",
    "lambda_svc._emit_lambda_metrics": "3b6689d77cf6",
    "lambda_svc._get_policy": "3f1ea49b41d8",
    "lambda_svc._policy_resource_arn": "23968d7b2a44",
    "lambda_svc._resolve_request_scoped_name": "7c6bf4ec0abd",
    "lambda_svc._schedule_state_transition": "f072b21e2fd9",
    "lambda_svc.execution_credentials": "cffaadc4f396",
    "lambda_svc.handle_function_url_request": "c9d31efac5f1",
    "lambda_svc.resolve_function_url": "514d2a316d1f",
    "route53._build_health_check_el": "8b8fda74069e",
    "route53._build_record_set_el": "b8a9edf04de2",
    "route53._create_health_check": "630b2095d491",
    "route53._create_hosted_zone": "47c692cf4062",
    "route53._delete_health_check": "9be4d7c09f58",
    "route53._find": "4373341a62cc",
    "route53._findall": "19ed955fae9a",
    "route53._get_change": "67b0f148d576",
    "route53._get_health_check": "af41fd728b12",
    "route53._new_change": "62ef8c0d3f2c",
    "route53._normalise_name": "91a39e52156f",
    "route53._parse_health_check_config": "fffd8cf8c7a1",
    "route53._text": "9174bdfeb1cf",
    "route53._update_health_check": "29b93d2a9bf3",
    "route53._xml_response": "113e580847b3",
    "s3._bucket_default_sse_headers": "e7f8158dbf30",
    "s3._get_public_access_block": "c62ca3b86b75",
    "s3._in_account": "48f6799e81a6",
    "s3._maybe_replicate": "cb2dd6521e3d",
    "s3._maybe_replicate_delete_marker": "019420d946a9",
    "s3._new_bucket_public_access_block": "f13a5784ee7e",
    "s3._replication_destination": "41275c80d1b6",
    "s3._replication_rule_for": "53970a6a11c1",
    "s3.bucket_region": "27516e1df8bb",
    "secretsmanager._create_secret": "d3de7fac76ba",
    "secretsmanager._delete_replicas": "74a3ee579dd9",
    "secretsmanager._delete_secret": "ab8f3c8efe5a",
    "secretsmanager._is_replica": "120b6b404081",
    "secretsmanager._put_secret_value": "d09b0557e169",
    "secretsmanager._replicate_secret_to_regions": "0c131c92374c",
    "secretsmanager._resolve": "457901fe05e6",
    "secretsmanager._secret_arn_for_region": "820371e8af83",
    "secretsmanager._unlink_from_primary": "d03625db9001",
    "sns._confirm_subscription": "9cbdb0a3a4dc",
    "sns._find_subscription": "a2b05961f0a3",
    "sns._refresh_subscription_counts": "cbba9c55348f",
    "sns._subscribe": "db260c543268",
    "sns._topic_by_arn_any_scope": "419963ad2e7d",
    "sns._unsubscribe": "07cdcd2f8e21",
    "sns._xml": "869f002c1cff",
    "sts.register_session": "a84ec986ec01",
    "tagging._collect_dynamodb": "11388dc0e784",
    "tagging._collect_secretsmanager": "72cd17d03655",
    "tagging._matches_tag_filters": "da0837aa5a85",
    "tagging._matches_type_filters": "53df891bff31",
    "tagging._normalise_flat": "3c3c24913f87",
}

VALUES = [
    "app.SERVICE_HANDLERS",
    "app.SERVICE_REGISTRY",
    "app._HEALTH_PATHS",
    "app._LAMBDA_URL_RE",
    "app._MAIN_LOOP",
    "app._loaded_modules",
    "app._state_map",
    "cloudformation.provisioners",
    "cloudformation.provisioners._S3_BUCKET_CONFIGURATIONS",
    "cloudformation.provisioners._STACK_TAG_PROPERTY",
    "cloudwatch._alarms",
    "cloudwatch._metrics",
    "cloudwatch._resource_tags",
    "cloudwatch_logs._log_groups",
    "dynamodb._INDEX_MEMBERS",
    "dynamodb._tables",
    "dynamodb._tags",
    "dynamodb._ttl_settings",
    "iam._groups",
    "iam._instance_profiles",
    "iam._roles",
    "iam._users",
    "kms._aliases",
    "kms._keys",
    "lambda_svc._ACCOUNT_CONCURRENCY_CAP",
    "lambda_svc._LAMBDA_STATE_TRANSITION_DELAY",
    "lambda_svc._PROVIDED_CODE_CACHE",
    "lambda_svc._RESERVED_RUNTIME_ENV_VARS",
    "lambda_svc._function_urls",
    "lambda_svc._functions",
    "route53._DEFAULT_NS",
    "route53._caller_refs",
    "route53._changes",
    "route53._hc_caller_refs",
    "route53._health_checks",
    "route53._records",
    "route53._tags",
    "route53._zones",
    "s3._NEW_BUCKET_PUBLIC_ACCESS_BLOCK",
    "s3._bucket_encryption",
    "s3._bucket_lifecycle",
    "s3._bucket_policies",
    "s3._bucket_replication",
    "s3._bucket_tags",
    "s3._bucket_versioning",
    "s3._object_tags",
    "s3._object_versions",
    "secretsmanager._secrets",
    "sns._sub_arn_to_topic",
    "sns._topics",
    "tagging._COLLECTORS",
]


class Unsupported(Exception):
    """The installed ministack is not the one this package was written for."""


def module(name):
    """A module of ministack: `app`, `core.…`, or a service, loaded so that reset and persistence see it."""
    if name == "app":
        return app
    if name.startswith("core."):
        return importlib.import_module(f"ministack.{name}")
    return app._get_module(name)


def replace(module_name, name, new):
    """Puts `new` in the place of a function of ministack."""
    setattr(module(module_name), name, new)


def wrap(module_name, name, wrapper):
    """Puts `wrapper(original)` in the place of a function of ministack."""
    replace(module_name, name, wrapper(getattr(module(module_name), name)))


def fingerprint(function):
    return hashlib.sha256(inspect.getsource(function).encode()).hexdigest()[:12]


def _find(path):
    head, *names = path.split(".")
    found = module(f"core.{names.pop(0)}" if head == "core" else head)
    for name in names:
        if not hasattr(found, name):
            raise Unsupported(f"`{path}` is missing")
        found = getattr(found, name)
    return found


def verify():
    """Checks every name listed above, before anything is replaced."""
    version = importlib.metadata.version("ministack")
    try:
        if version != VERSION:
            raise Unsupported("nobody has looked at what is different")
        for path in VALUES:
            _find(path)
        for path, expected in FUNCTIONS.items():
            if fingerprint(_find(path)) != expected:
                raise Unsupported(f"`{path}` has changed")
    except Unsupported as reason:
        sys.exit(
            f"drctl_sandbox was written for ministack {VERSION}, and {version} is installed: {reason}. "
            f"Install ministack=={VERSION}."
        )


if __name__ == "__main__":
    for path in FUNCTIONS:
        print(f'    "{path}": "{fingerprint(_find(path))}",')

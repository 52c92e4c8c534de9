//! What passes on an emulator and breaks on AWS: for each of these traps, the code that meets it, the test that makes
//! the sandbox set it, and the test that shows drctl getting past it.

use std::path::Path;

/// One trap.
struct Trap {
    number: u8,
    what: &'static str,
    met: Met,
}

enum Met {
    /// The code, as `file: a text in it`; the tests, as `file: name`.
    By { code: &'static str, tests: &'static [&'static str] },
    /// Nothing that drctl can do; where users are told.
    Told { where_: &'static str },
    /// Not met yet, and why.
    Open { because: &'static str },
}

use Met::{By, Open, Told};

const LIFECYCLE: &str = "tests/it/e2e/lifecycle.rs: a_system_takes_payments_in_both_regions_and_goes_without_a_trace";

#[rustfmt::skip]
const TRAPS: &[Trap] = &[
    Trap { number: 1, what: "a role just made cannot be assumed by Lambda yet",
        met: By { code: "src/kinds/function/aws.rs: ROLE_SETTLING", tests: &["sandbox/tests/test_lambda.py: test_a_fresh_role_cannot_be_assumed", LIFECYCLE] } },
    Trap { number: 2, what: "a public function URL needs two permissions",
        met: By { code: "src/kinds/function_url/mod.rs: InvokeFunction", tests: &["sandbox/tests/test_lambda.py: test_a_public_url_needs_both_permissions", "src/desired/tests/function.rs: a_public_url_has_both_permissions_and_an_iam_url_none", LIFECYCLE] } },
    Trap { number: 3, what: "permissions are added one by one",
        met: By { code: "src/kinds/function_url/mod.rs: fn locks", tests: &["sandbox/tests/test_lambda.py: test_permissions_are_added_one_by_one_and_once", LIFECYCLE] } },
    Trap { number: 4, what: "one change of a function at a time",
        met: By { code: "src/kinds/function/aws.rs: BUSY", tests: &["sandbox/tests/test_lambda.py: test_one_update_excludes_another", "tests/it/e2e/drift.rs: the_spec_changes_things_in_place"] } },
    Trap { number: 5, what: "reserved concurrency beyond what the account has left",
        met: By { code: "src/render/hint.rs: UnreservedConcurrentExecution", tests: &["sandbox/tests/test_lambda.py: test_reservations_leave_some_concurrency", "src/render/tests.rs: a_known_failure_comes_with_what_to_do_about_it"] } },
    Trap { number: 6, what: "a name of one's own that leads to a function URL: TLS and host do not match",
        met: Told { where_: "README.md: a function URL has a certificate for its own name only" } },
    Trap { number: 7, what: "the source of a table outlives its replica",
        met: By { code: "src/kinds/table/aws.rs: remove_member", tests: &["sandbox/tests/test_dynamodb.py: test_a_source_outlives_its_replica", LIFECYCLE] } },
    Trap { number: 8, what: "a new replica is listed late",
        met: By { code: "src/kinds/table/aws.rs: not listed", tests: &["sandbox/tests/test_dynamodb.py: test_a_replica_appears_late_is_created_and_then_active", LIFECYCLE] } },
    Trap { number: 9, what: "one concern an UpdateTable, one change at a time",
        met: By { code: "src/kinds/table/aws.rs: One change of the table", tests: &["sandbox/tests/test_dynamodb.py: test_one_update_has_one_concern", "sandbox/tests/test_dynamodb.py: test_a_change_takes_time_and_excludes_others", LIFECYCLE] } },
    Trap { number: 10, what: "recovery, tags and protection are each member's own",
        met: By { code: "src/kinds/table_replica/mod.rs: point_in_time_recovery", tests: &["sandbox/tests/test_dynamodb.py: test_a_member_has_its_own_protection_recovery_and_tags", "src/desired/tests/table.rs: a_table_is_a_group_with_a_member_in_each_region"] } },
    Trap { number: 11, what: "backups are unavailable just after creation",
        met: By { code: "src/kinds/table_replica/aws.rs: ContinuousBackupsUnavailableException", tests: &["sandbox/tests/test_dynamodb.py: test_backups_are_unavailable_shortly_after_creation", LIFECYCLE] } },
    Trap { number: 12, what: "tags of a table are locked for a moment after a change",
        met: By { code: "src/kinds/table_replica/aws.rs: tags are being updated", tests: &["sandbox/tests/test_dynamodb.py: test_tags_are_locked_and_listed_late", "tests/it/e2e/crash.rs: any_write_may_be_the_last_of_its_run"] } },
    Trap { number: 13, what: "TTL changes once in half an hour",
        met: By { code: "src/kinds/table/aws.rs: put_ttl", tests: &["sandbox/tests/test_dynamodb.py: test_time_to_live_takes_time_and_cools_down", "tests/it/e2e/faults.rs: one_apply_gets_there_though_each_of_its_calls_goes_wrong_once"] } },
    Trap { number: 14, what: "CreateBucket in us-east-1 takes no location and says 200 of one's own bucket",
        met: By { code: "src/kinds/bucket/aws.rs: BucketLocationConstraint", tests: &["tests/it/e2e/bucket.rs: a_bucket_of_somebody_else_is_left_alone", LIFECYCLE] } },
    Trap { number: 15, what: "replication right after versioning is refused; with a wrong role it fails silently",
        met: By { code: "src/kinds/bucket_replication/aws.rs: SETTLING", tests: &["sandbox/tests/test_s3.py: test_versioning_has_to_settle_before_replication", "sandbox/tests/test_s3.py: test_a_wrong_role_fails_silently", "tests/it/e2e/bucket.rs: what_is_written_in_one_region_is_there_in_the_other"] } },
    Trap { number: 16, what: "versions and delete markers remain; DeleteObjects has errors inside a 200",
        met: By { code: "src/kinds/bucket/empty/aws.rs: answer.errors", tests: &["sandbox/tests/test_s3.py: test_deleting_many_answers_200_with_an_error_inside", "tests/it/e2e/bucket.rs: a_destroy_empties_buckets_only_when_told_to"] } },
    Trap { number: 17, what: "small objects never move to another class; buckets block SSE-C by themselves",
        met: By { code: "src/desired/bucket.rs: minimum", tests: &["src/desired/tests/bucket.rs: every_lifecycle_rule_has_an_id_and_every_transition_a_size"] } },
    Trap { number: 18, what: "a deleted secret's name is taken for weeks, and a replica keeps it from being deleted",
        met: By { code: "src/kinds/secret/aws.rs: restore_secret", tests: &["sandbox/tests/test_secretsmanager.py: test_replicas_are_removed_before_the_secret", "sandbox/tests/test_secretsmanager.py: test_a_deleted_name_stays_taken_for_a_while", "tests/it/e2e/secret.rs: a_destroyed_secret_comes_back_with_its_value"] } },
    Trap { number: 19, what: "an e-mail subscription stays pending, cannot be deleted, and mails again if asked again",
        met: By { code: "src/kinds/subscription/aws.rs: lapses", tests: &["sandbox/tests/test_sns.py: test_an_address_is_pending_until_it_confirms", "tests/it/e2e/alerts.rs: a_mail_to_confirm_is_sent_once_and_waited_for_without_end"] } },
    Trap { number: 20, what: "an alarm cannot publish to a topic that is encrypted with alias/aws/sns",
        met: By { code: "src/kinds/topic/mod.rs: kms", tests: &["src/desired/tests/encryption.rs: a_retired_one_encrypts_nothing_and_what_is_encrypted_with_it_can_be_read_and_copied", "sandbox/tests/test_encryption.py: test_an_alarm_reaches_a_topic_whose_key_lets_it"] } },
    Trap { number: 21, what: "metrics that exist in one region or with all their dimensions only",
        met: By { code: "src/desired/alarm/mod.rs: RuleId", tests: &["sandbox/tests/test_s3.py: test_latency_is_measured_where_the_copy_arrives", "src/desired/tests/alarm.rs: what_s3_copies_is_watched_where_it_arrives_and_what_it_fails_to_copy_where_it_is_from"] } },
    Trap { number: 22, what: "a caller reference is taken for ever; a zone made twice is two zones",
        met: By { code: "src/graph/resource.rs: generation", tests: &["sandbox/tests/test_route53.py: test_a_caller_reference_makes_one_check_ever", "sandbox/tests/test_route53.py: test_a_zone_is_created_once", "tests/it/e2e/dns.rs: what_a_run_made_and_did_not_come_to_tag_is_taken_up"] } },
    Trap { number: 23, what: "one change of a zone at a time; throttling is a 400",
        met: By { code: "src/kinds/zone/aws.rs: PriorRequestNotComplete", tests: &["sandbox/tests/test_route53.py: test_two_batches_at_once_are_refused", "sandbox/tests/test_control.py: test_throttling_has_the_form_of_each_service", LIFECYCLE] } },
    Trap { number: 24, what: "policies come back percent-encoded, in another order and form",
        met: By { code: "src/graph/document.rs: pub struct Document", tests: &["sandbox/tests/test_iam.py: test_policies_are_percent_encoded", "src/plan/tests/document.rs: a_policy_that_aws_writes_differently_is_the_same_policy"] } },
    Trap { number: 25, what: "failing over needs control planes that are down with the region; a health function of its own stays green",
        met: Open { because: "failing over comes with `drctl failover`; that a red payment function turns its region red is met by functions/health-check and shown by tests/it/e2e/drift.rs: concurrency_0_turns_the_region_red_and_is_repaired" } },
];

/// Whether `file: text` is so.
fn holds(claim: &str) -> bool {
    let (file, text) = claim.split_once(": ").expect("`file: text`");
    let read = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file));
    // Prose is wrapped anywhere.
    let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    read.is_ok_and(|content| flat(&content).contains(&flat(text)))
}

#[test]
fn every_trap_is_met_where_the_table_says() {
    let numbers: Vec<u8> = TRAPS.iter().map(|trap| trap.number).collect();
    assert_eq!(numbers, (1..=25).collect::<Vec<_>>());
    let mut wrong = Vec::new();
    for trap in TRAPS {
        let claims: Vec<String> = match &trap.met {
            By { code, tests } => {
                let test = |test: &&str| {
                    let definition = if test.contains(".py: ") { "def " } else { "fn " };
                    test.replacen(": ", &format!(": {definition}"), 1) + "("
                };
                std::iter::once((*code).to_owned()).chain(tests.iter().map(test)).collect()
            }
            Told { where_ } => vec![(*where_).to_owned()],
            Open { because } => {
                assert!(!because.is_empty());
                Vec::new()
            }
        };
        for claim in claims.into_iter().filter(|claim| !holds(claim)) {
            wrong.push(format!("{} ({}): {claim}", trap.number, trap.what));
        }
    }
    assert!(wrong.is_empty(), "not so: {wrong:#?}");
}

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from consent.decision import decide
from consent.policy import load_policy
from consent.precedence import newest_versions, standing
from tests.consent.sample import consent, directives, request, rule

DENY = load_policy("deny")
OLD = datetime(2025, 1, 1, tzinfo=UTC)
NEW = datetime(2026, 1, 1, tzinfo=UTC)
permit = consent(rule("permit"), id="p", date_time=OLD)
dissent = consent(rule("deny"), id="d", date_time=OLD)


def permitted(*some) -> bool:
    return decide(request(), some, DENY).permitted


def test_the_newest_of_two_consents_under_one_policy_wins():
    assert permitted(dissent, replace(permit, date_time=NEW))
    assert not permitted(permit, replace(dissent, date_time=NEW))


def test_consents_under_different_policies_do_not_replace_each_other():
    assert not permitted(dissent, replace(permit, date_time=NEW, policies=frozenset({"urn:policy:2"})))
    assert not permitted(dissent, replace(permit, date_time=NEW, controller="Organization/2"))


def test_consents_that_name_no_policy_do_not_replace_each_other():
    none = frozenset()
    assert not permitted(replace(dissent, policies=none), replace(permit, policies=none, date_time=NEW))


def test_where_no_date_tells_the_order_the_denial_stands():
    assert not permitted(replace(dissent, date_time=None), permit)
    assert not permitted(dissent, permit)


def test_a_newer_version_of_a_consent_replaces_the_older_one_by_number():
    assert not permitted(replace(permit, version="9"), replace(permit, version="10", status="inactive"))
    assert permitted(replace(permit, version="10"), replace(permit, version="9", root=rule("deny")))


def test_versions_without_number_are_ordered_by_date():
    assert not permitted(replace(permit, version="a"), replace(dissent, id="p", version="b", date_time=NEW))


def test_a_newer_version_moved_out_of_the_listed_categories_takes_the_older_one_along():
    assert not permitted(permit, replace(permit, version="2", categories=frozenset({"other"})))


def test_a_newer_withdrawal_takes_the_permission_and_leaves_the_denial():
    withdrawn = replace(permit, id="w", status="inactive", date_time=NEW)
    assert not permitted(permit, withdrawn)
    [stands] = standing([dissent, withdrawn])
    assert stands.directive == dissent
    silent = load_policy("treat-when-silent")
    assert not decide(request(), (dissent, withdrawn), silent).permitted


def test_a_consent_given_again_after_a_withdrawal_counts():
    withdrawn = replace(permit, id="w", status="inactive", date_time=OLD)
    assert permitted(replace(permit, date_time=NEW), withdrawn)


def test_a_draft_or_an_error_replaces_nothing():
    assert permitted(permit, replace(dissent, status="draft", date_time=NEW))
    assert not permitted(dissent, replace(permit, status="entered-in-error", date_time=NEW))


@given(st.lists(directives, max_size=5))
def test_only_active_consents_stand_and_none_is_invented(some):
    standing_ones = [each.directive for each in standing(newest_versions(some))]
    assert all(each.status == "active" and each in some for each in standing_ones)

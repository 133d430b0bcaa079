from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest

from gateway.demonstration.hospital import EhrClient, EhrRefused, load
from gateway.demonstration.patients import cohort

pytestmark = pytest.mark.peer

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
NOBODY = {"resourceType": "Patient", "id": "demo-somebody", "gender": "female"}


def test_every_version_written_is_the_one_read(client: EhrClient) -> None:
    first = client.put(NOBODY)
    second = client.put(NOBODY | {"gender": "other"})
    read = client.read("Patient", "demo-somebody")
    assert read == second
    assert first["meta"]["versionId"] != second["meta"]["versionId"]


def test_what_is_not_there_reads_as_none(client: EhrClient) -> None:
    assert client.read("Patient", "demo-nobody") is None


def test_a_client_may_do_only_what_its_scopes_say(client_of: Callable[[str, str], EhrClient]) -> None:
    reader = client_of("reader", "system/*.read")
    with pytest.raises(EhrRefused) as refused:
        reader.put(NOBODY)
    assert refused.value.status == 403


def test_an_unknown_search_parameter_is_refused_and_not_ignored(client: EhrClient) -> None:
    with pytest.raises(EhrRefused):
        list(client.search("Observation", flavour="sweet"))


def test_the_whole_cohort_is_accepted_and_found_again_over_pages(client: EhrClient) -> None:
    patients = cohort(NOW, np.random.default_rng(1))
    resources = [each for patient in patients for each in patient.resources]
    load(client, resources)
    for kind in ("Patient", "Observation", "Consent", "MedicationRequest", "Condition"):
        written = {each["id"] for each in resources if each["resourceType"] == kind}
        assert written <= {each["id"] for each in client.search(kind, _count="100")}

"""Variants of a file stand beside what the EHR shows, under the EHR's consents, until they are taken back."""

from __future__ import annotations

import orjson
import pytest

from gateway.cli import main
from gateway.errors import BadRequest, NotPermitted
from gateway.operations import genotype
from gateway.operations.backfill import enrol
from gateway.operations.genotype import Brought, Source
from gateway.operations.synchronise import synchronise
from gateway.operations.trial import tried
from tests.fhir_mapping.genomics.vcf.files import record, write
from tests.fhir_mapping.genomics.vcf.test_calls import STAR2
from tests.support import person
from tests.support.site import NOW
from twin_engine import store
from twin_engine.twin import Genotype


@pytest.fixture
def ward(plain_site):
    for resource in person.adult("ada", NOW):
        plain_site.ehr.enter(resource)
    return plain_site


@pytest.fixture
def source(tmp_path):
    return Source(write(tmp_path / "ada.vcf", STAR2))


def known(site):
    with site.services.journal.reading() as connection:
        records = store.current_evidence(connection, site.services.vault, site.twin_id("ada"))
    return [item for one in records for item in one.items]


def variants(site):
    return [(item.gene, item.variant) for item in known(site) if isinstance(item, Genotype)]


def bring(site, source):
    return genotype.bring_in(site.services, site.hospital_id, "ada", source)


def read_in_full(site):
    enrol(site.services, site.services.hospital(site.hospital_id), ["ada"])
    synchronise(site.services, site.twin_id("ada"))


STAR2_KNOWN = [("CYP2C19", "NM_000769.4:c.681G>A")]


def test_variants_of_a_file_stand_beside_what_the_ehr_shows(ward, source):
    assert bring(ward, source) == Brought(observations=1, left={})
    assert variants(ward) == STAR2_KNOWN
    assert len(known(ward)) > 1
    assert ward.assessments("ada")["prevent"].live


def test_a_later_reading_of_the_ehr_leaves_them_standing(ward, source):
    bring(ward, source)
    ward.clock.advance(minutes=1)
    ward.ehr.remove("Observation", "ada-cholesterol")
    before = len(known(ward))
    read_in_full(ward)
    assert len(known(ward)) == before - 1
    assert variants(ward) == STAR2_KNOWN


def test_a_file_adds_to_an_earlier_one_and_the_same_file_adds_nothing(ward, source, tmp_path):
    bring(ward, source)
    told = {"GENEINFO": "PKP2:5318"}
    other = write(tmp_path / "other.vcf", record("chr12", 32851235, ("G", "A"), (0, 1), info=told))
    bring(ward, Source(other))
    bring(ward, source)
    assert sorted(variants(ward)) == [*STAR2_KNOWN, ("PKP2", "NC_000012.12:32851234:G:A")]


def test_what_was_brought_in_is_taken_back(ward, source):
    bring(ward, source)
    before = len(known(ward))
    genotype.forget(ward.services, ward.hospital_id, "ada")
    assert variants(ward) == []
    assert len(known(ward)) == before - 1


def test_nothing_is_kept_where_consent_denies(ward, source):
    ward.ehr.enter(person.denial("no", "ada", NOW))
    with pytest.raises(NotPermitted):
        bring(ward, source)
    assert known(ward) == []


def test_reading_the_file_into_the_twin_is_in_the_audit_log(ward, source):
    before, _ = ward.services.audit.size_and_root()
    bring(ward, source)
    size, _ = ward.services.audit.size_and_root()
    entries = list(ward.services.audit.entries(before, size))
    assert {"consent-decision", "pull", "twin-update"} <= {entry.leaf.kind for entry in entries}


def test_a_patient_whom_the_ehr_does_not_know_is_refused(ward, source):
    with pytest.raises(BadRequest, match="does not know"):
        genotype.bring_in(ward.services, ward.hospital_id, "nobody", source)


def test_an_ehr_that_is_away_is_said(ward, source):
    ward.ehr.away = True
    with pytest.raises(BadRequest, match="try again"):
        bring(ward, source)


def test_a_file_that_is_no_vcf_is_refused_before_anything_is_read(ward, tmp_path):
    broken = tmp_path / "broken.vcf"
    broken.write_text("no vcf")
    with pytest.raises(BadRequest, match="no VCF"):
        bring(ward, Source(broken))
    assert ("get", "Patient") not in ward.ehr.seen


def test_regions_name_the_genes_to_read(ward, tmp_path):
    plain = write(tmp_path / "plain.vcf", {**STAR2, "info": {}})
    bed = tmp_path / "panel.bed"
    bed.write_text("chr10\t94781000\t94782000\tNEWGENE\n")
    assert bring(ward, Source(plain, regions=bed)).observations == 1
    assert variants(ward) == [("NEWGENE", "NC_000010.11:94781858:G:A")]
    bed.write_text("chr10 94781000\n")
    with pytest.raises(BadRequest, match="line of the regions"):
        bring(ward, Source(plain, regions=bed))


def test_the_command_wants_a_file_or_to_forget():
    from click.testing import CliRunner

    answered = CliRunner().invoke(main, ["genotype", "ward", "ada"])
    assert answered.exit_code == 2
    assert "--forget" in answered.output


def test_a_try_of_what_holds_no_result_says_why():
    order = {
        "resourceType": "ServiceRequest",
        "id": "order",
        "status": "active",
        "intent": "order",
        "subject": {"reference": "Patient/ada"},
    }
    (found,) = tried(orjson.dumps(order), NOW)
    (issue,) = found.outcome["issue"]
    assert (issue["severity"], issue["diagnostics"]) == ("information", "an order tells of no result")

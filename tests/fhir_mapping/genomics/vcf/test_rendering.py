"""What a file says comes back as what it is once it has gone through FHIR."""

from datetime import UTC, datetime

import pytest

from fhir_mapping import resource, validation
from fhir_mapping.genomics.vcf import calls, is_imported
from fhir_mapping.genomics.vcf.regions import regions
from fhir_mapping.genomics.vcf.rendering import observations
from tests.fhir_mapping.genomics.vcf.files import record, write
from tests.fhir_mapping.genomics.vcf.test_calls import GENES, STAR2

NOW = datetime(2026, 3, 2, tzinfo=UTC)
BED = regions("chr10\t94780000\t94790000\tCYP2C19\nchr12\t100\t900\tPKP2\nchrM\t0\t16569\tMT-RNR1\n")


def rendered(path, *records, patient="p", **described):
    found = calls.read(write(path, *records, **described), GENES, BED)
    return observations(found.found, found.build, patient, found.made)


def items(path, *records):
    return [item for one in rendered(path, *records) for item in resource.read(one, NOW).items]


@pytest.fixture
def vcf(tmp_path):
    return tmp_path / "a.vcf"


def test_what_is_rendered_is_valid_fhir_of_the_patient(vcf):
    for one in rendered(vcf, STAR2):
        validation.check(one)
        assert one["subject"] == {"reference": "Patient/p"}
        assert is_imported(f"Observation/{one['id']}")


def test_a_call_comes_back_with_its_names_and_zygosity(vcf):
    (found,) = items(vcf, STAR2)
    assert (found.gene, found.variant, found.zygosity) == ("CYP2C19", "NM_000769.4:c.681G>A", "heterozygous")
    assert (
        found.names
        == ("NC_000010.11:94781858:G:A", "NM_000769.4:p.Pro227=", "rs4244285")[:1] + found.names[1:]
    )
    assert (found.origin, found.state) == ("germline", "present")


def test_absent_and_uncalled_alleles_come_back_as_such(vcf):
    states = {}
    for genotype in ((0, 0), (None, None)):
        (found,) = items(vcf, {**STAR2, "call": {"GT": genotype, "phased": False}})
        states[genotype] = found.state
    assert states == {(0, 0): "absent", (None, None): "no-call"}


def test_a_deletion_comes_back_with_its_ends_and_copy_number(vcf):
    (found,) = items(
        vcf, record("chr12", 200, ("G", "<DEL>"), (0, 1), CN=1, stop=500, info={"SVTYPE": "DEL"})
    )
    assert (found.gene, found.kind, found.copy_number) == ("PKP2", "copy-number", 1)
    assert found.variant == "NC_000012.12:201_500x1"


def test_a_variant_of_the_mitochondrion_is_homoplasmic_or_not(vcf):
    (found,) = items(vcf, record("chrM", 1555, ("A", "G"), (1,)))
    assert (found.gene, found.zygosity) == ("MT-RNR1", "homoplasmic")


@pytest.mark.parametrize(("second", "related"), [((0, 1), "cis"), ((1, 0), "trans")])
def test_two_phased_variants_of_a_gene_are_in_cis_or_in_trans(vcf, second, related):
    phased = {**STAR2, "call": {"GT": (0, 1), "phased": True}}
    other = record("chr10", 94781900, ("C", "T"), second, phased=True)
    *variants, phase = items(vcf, phased, other)
    assert phase.effect == (related,)
    assert [f"{one.source.split('/_history')[0]}" for one in variants] == list(phase.derived_from)


def test_the_same_call_has_the_same_id_and_another_patient_another(vcf):
    first, again = (
        rendered(vcf, STAR2, lines=(line,)) for line in ("##fileDate=20260105", "##fileDate=20250105")
    )
    assert [one["id"] for one in first] == [one["id"] for one in again]
    assert {one["id"] for one in rendered(vcf, STAR2, patient="q")}.isdisjoint(one["id"] for one in first)


def test_an_id_of_an_ehr_is_not_taken_for_one_of_a_file():
    assert not is_imported("Observation/vcf-1")
    assert not is_imported("Observation/17")

"""What came from a file is never referred to as if the EHR held it."""

from fhir_mapping import evidence
from gateway.web.pages.evidence import link

IMPORTED = f"Observation/vcf-{'0' * 40}/_history/sha256-0123456789abcdef"
HELD = "Observation/17/_history/3"


def test_our_resources_name_it_by_an_identifier_and_read_it_back():
    written = [evidence.render(source) for source in (IMPORTED, HELD)]
    assert [set(one) for one in written] == [{"type", "identifier"}, {"reference"}]
    assert evidence.listed(written) == (IMPORTED, HELD)


def test_the_page_gives_it_no_address_at_the_ehr():
    assert link("https://ehr.example/fhir", IMPORTED).url is None
    assert link("https://ehr.example/fhir", HELD).url == f"https://ehr.example/fhir/{HELD}"

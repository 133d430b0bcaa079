"""An address that two parsers could read differently is not called."""

import pytest

from gateway.hospitals.address import Base
from gateway.hospitals.errors import ForeignLink, UnsafeAddress

BASE = Base.of("https://ehr.example/fhir/")


@pytest.mark.parametrize(
    "url",
    [
        "http://ehr.example/fhir",
        "ftp://ehr.example/fhir",
        "file:///etc/passwd",
        "https:///fhir",
        "ehr.example/fhir",
        "https://user:secret@ehr.example/fhir",
        "https://ehr.example/fhir#top",
        "https://ehr.example/fhir?x=1",
        "http://127.0.0.1\\@x.good.example/",
        "https://ehr.example/\nfhir",
        "https://ehr.example/fhir ",
        "https://éhr.example/fhir",
        "http://127.1/fhir",
        "http://0x7f.1/fhir",
        "http://2130706433/fhir",
        "http://localhost.evil.example/fhir",
        "",
    ],
)
def test_an_unsafe_base_address_is_refused(url):
    with pytest.raises(UnsafeAddress):
        Base.of(url)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8090/fhir", "http://localhost/fhir", "http://[::1]:80/fhir"]
)
def test_http_is_for_this_machine_only(url):
    assert Base.of(url).url == url


def test_http_elsewhere_has_to_be_allowed_by_name():
    assert Base.of("http://ehr.example/fhir", allow_http=True).url == "http://ehr.example/fhir"


@pytest.mark.parametrize(
    "link",
    [
        "https://ehr.example/fhir/Observation?page=2",
        "https://EHR.example:443/fhir?_getpages=abc&x=a|b",
        "Observation?page=2",
        "/fhir/Observation?page=2",
        "?page=2",
    ],
)
def test_a_link_under_the_base_is_followed(link):
    assert BASE.follow(link).lower().startswith("https://ehr.example")


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/fhir/Observation?page=2",
        "http://ehr.example/fhir/Observation",
        "https://ehr.example:8443/fhir/Observation",
        "https://ehr.example/fhirx/Observation",
        "https://ehr.example/admin",
        "https://ehr.example/fhir/../admin",
        "https://ehr.example/fhir/%2e%2e/admin",
        "https://ehr.example/fhir/..%2fadmin",
        "https://ehr.example@evil.example/fhir/",
        "https://ehr.example\\@evil.example/fhir",
        "//evil.example/fhir/Observation",
        "/admin",
        "https://[::1/fhir",
        "javascript:alert(1)",
    ],
)
def test_a_link_elsewhere_is_not_followed(link):
    with pytest.raises(ForeignLink):
        BASE.follow(link)


def test_references_to_this_ehr_are_read_relative_and_others_stay_whole():
    assert BASE.relative("https://ehr.example/fhir/Patient/1/_history/2") == "Patient/1"
    assert BASE.relative("Patient/1") == "Patient/1"
    assert BASE.relative("https://evil.example/fhir/Patient/1") == "https://evil.example/fhir/Patient/1"

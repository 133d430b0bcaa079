from fhir_mapping import codes
from fhir_mapping.coverage import Row, rows
from fhir_mapping.resource import MAPPINGS


def test_every_signal_and_resource_type_has_its_row():
    found = {(row.what, row.name) for row in rows()}
    assert {("resource type read", kind) for kind in MAPPINGS} <= found
    assert {
        ("signal", target.name) for target in codes.TARGETS.values() if isinstance(target, codes.Signal)
    } <= found
    assert {
        ("finding", each.name) for each in codes.TARGETS.values() if isinstance(each, codes.Question)
    } <= found
    assert {("release", "R4"), ("release", "R4B"), ("release", "R5"), ("treatment", "statin")} <= found


def test_a_row_tells_unit_and_codes():
    expected = Row("signal", "systolic-blood-pressure", "mm[Hg]", "LOINC 3, SNOMED CT 1, IEEE 11073 2")
    assert expected in rows()


def test_no_row_is_there_twice():
    assert len({(row.what, row.name) for row in rows()}) == len(rows())

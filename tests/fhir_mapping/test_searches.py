from fhir_mapping import resource, searches
from fhir_mapping.codes import LOINC
from twin_engine.model import Inputs, Signal, registered

PLAIN = ["Condition", "MedicationRequest", "MedicationStatement"]


def kinds(**inputs):
    return [kind for kind, _ in searches.searches((Inputs(**inputs),))]


def test_searches_ask_only_for_what_the_models_declare_and_for_genomics():
    inputs = Inputs(
        signals=(Signal("systolic-blood-pressure", "mm[Hg]"),), findings=(Signal("pregnancy", ""),)
    )
    (kind, ((key, value),)), *others = searches.searches((inputs,))
    assert (kind, key) == ("Observation", "code")
    wanted = set(value.split(","))
    assert {f"{LOINC}|{code}" for code in ("8480-6", "85354-9", "82810-3", "69548-6")} <= wanted
    assert f"{LOINC}|2093-3" not in wanted
    assert others == [(kind, ()) for kind in PLAIN]


def test_a_type_is_searched_only_where_a_model_has_use_for_it():
    assert kinds(conditions=("diabetes",)) == ["Observation", *PLAIN]
    assert kinds(conditions=("cardiovascular-disease",))[4:] == ["Procedure"]
    assert kinds(doses=("fast-acting-insulin",))[4:] == ["MedicationAdministration"]
    assert kinds(relatives=("diabetes",))[4:] == ["FamilyMemberHistory"]
    assert kinds(genes=("PKP2",))[4:] == ["DiagnosticReport", "MolecularSequence"]


def test_without_models_in_mind_all_that_can_be_mapped_is_searched():
    assert {kind for kind, _ in searches.searches()} == set(resource.MAPPINGS) - {"Patient"}


def test_what_a_medication_refers_to_is_read_too():
    assert searches.kinds((Inputs(),)) == ("Observation", *PLAIN, "Medication")


def test_subscriptions_cover_every_type_and_are_never_filtered_by_status():
    criteria = searches.criteria()
    searched = [kind for kind, _ in searches.searches()]
    assert [each.partition("?")[0] for each in criteria] == [*searched, "Patient", "Consent"]
    assert all("?" in each and "status=" not in each for each in criteria)


def test_subscriptions_leave_out_the_types_that_no_model_needs_but_no_observation():
    narrow = searches.criteria((Inputs(),))
    assert [each.partition("?")[0] for each in narrow] == ["Observation", *PLAIN, "Patient", "Consent"]
    assert narrow[0] == searches.criteria()[0]


def test_the_models_at_hand_need_procedures():
    inputs = [model.inputs for model in registered().values()]
    assert "Procedure" in searches.kinds(inputs)

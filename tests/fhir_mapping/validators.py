"""What we write is valid for everybody: two libraries' models, a validator in Rust, our own border."""

import importlib

import fhirkit
import orjson
from fhir.resources.R4B import get_fhir_model_class

from fhir_mapping import guard, validation


def accepted_by_all(resource):
    """Return True, or raise with what one of them has against it."""
    kind = resource["resourceType"]
    body = orjson.dumps(resource)
    get_fhir_model_class(kind).model_validate_json(body)
    model = getattr(importlib.import_module(f"fhirclient.models.{kind.lower()}"), kind)
    model(orjson.loads(body), strict=True)
    assert fhirkit.validate(body.decode()) == []
    assert validation.problems(guard.parse(body)) == ()
    return True

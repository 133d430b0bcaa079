"""Resources of any size, in every shape in which one can grow."""

UCUM = "http://unitsofmeasure.org"
GLUCOSE = {"coding": [{"system": "http://loinc.org", "code": "2339-0"}]}
RESULT = {
    "resourceType": "Observation",
    "id": "a",
    "status": "final",
    "code": GLUCOSE,
    "subject": {"reference": "Patient/p"},
    "effectiveDateTime": "2026-01-01T00:00:00Z",
}
DIV = '<div xmlns="http://www.w3.org/1999/xhtml">'
LONGEST = 2**20


def result(**changed):
    return RESULT | changed


def bundle(resources):
    entries = [
        {"fullUrl": f"http://example.org/{number}", "resource": one} for number, one in enumerate(resources)
    ]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def narrated(div):
    return {"resourceType": "Patient", "text": {"status": "generated", "div": div}}


def organizations(count):
    return [{"resourceType": "Organization", "id": f"o{number}", "name": "a"} for number in range(count)]


def last_entry_wrong(count):
    return bundle([*[result()] * count, {}])


def last_extension_wrong(count):
    right, wrong = ({"url": "http://example.org/e", "valueCode": each} for each in ("a", "a  b"))
    return result(extension=[*[right] * count, wrong])


def unlike_codings(count):
    coded = [{"coding": [{"code": str(number)}]} for number in range(2 * count)]
    parts = [{"code": each, "valueString": "a"} for each in coded[:count]]
    return result(
        code={"coding": [each["coding"][0] for each in coded[count:]]}, component=parts, valueString="a"
    )


def contained(count):
    performers = [{"reference": f"#o{number}"} for number in range(count)]
    return result(contained=organizations(count), performer=performers)


def contained_in_contained(count):
    made = result()
    for _ in range(count // 20):
        held = {"resourceType": "Parameters", "id": "q", "parameter": [{"name": "a", "resource": made}]}
        made = result(contained=[held], performer=[{"reference": "#q"}])
    return made


def bundles_in_bundles(count):
    made = result(status="unheard-of")
    for _ in range(count // 20):
        made = bundle([made])
    return made


def parts_in_parts(count):
    inner = {"name": "c", "valueString": "a"}
    middle = {"name": "b", "part": [inner] * 5}
    return {"resourceType": "Parameters", "parameter": [{"name": "a", "part": [middle] * 4}] * count}


def extended_names(count):
    beside = [None] * (count - 1) + [{"extension": [{"url": "urn:a", "valueString": "b"}]}]
    return {"resourceType": "Patient", "name": [{"given": ["a"] * count, "_given": beside}]}


GROWING = {
    "entries": lambda count: bundle([result()] * count),
    "the last entry is wrong": last_entry_wrong,
    "components": lambda count: result(
        component=[{"code": GLUCOSE, "valueQuantity": {"value": 1, "system": UCUM, "code": "kg"}}] * count
    ),
    "codings that repeat": lambda count: result(
        component=[{"code": {"coding": GLUCOSE["coding"] * 3}}] * count, valueString="a"
    ),
    "codings that do not": unlike_codings,
    "references to another server": lambda count: result(
        performer=[{"reference": "https://example.org/a/Practitioner/1"}] * count
    ),
    "contained": contained,
    "contained for nothing": lambda count: result(contained=organizations(count)),
    "parts in parts": parts_in_parts,
    "periods that end before they begin": lambda count: result(
        extension=[{"url": "urn:a", "valuePeriod": {"start": "2024", "end": "2023"}}] * count
    ),
    "the last extension is wrong": last_extension_wrong,
    "parts of primitives": extended_names,
    "leap days": lambda count: result(note=[{"text": "a", "time": "2024-02-29T00:00:00Z"}] * count),
    "elements of a narrative": lambda count: narrated(f"{DIV}{'<p>a</p>' * count}</div>"),
    "elements in elements of a narrative": lambda count: narrated(
        f"{DIV}{'<p>' * count}a{'</p>' * count}</div>"
    ),
}
"""From a count to a resource that is as many times as large."""

DEEPENING = {
    "contained in what is contained": contained_in_contained,
    "Bundles in Bundles": bundles_in_bundles,
}
"""The same, up to the depth that the guard allows: a count of 200."""

ENDLESS = {
    "spaces": result(note=[{"text": " " * LONGEST}]),
    "words": result(code={"coding": [{"code": f"{'a ' * (LONGEST // 2)} "}]}),
    "an address": result(implicitRules=f"urn:{'a' * LONGEST} "),
    "numbers of an object": result(extension=[{"url": "urn:a", "valueOid": f"urn:oid:1{'.1' * LONGEST}x"}]),
    "a fraction of a second": result(issued=f"2026-01-01T00:00:00.{'0' * LONGEST}"),
    "base64": {"resourceType": "Binary", "contentType": "text/plain", "data": "YWJj" * LONGEST + "!"},
    "gaps in base64": {"resourceType": "Binary", "contentType": "text/plain", "data": "Y \n" * LONGEST + "!"},
    "samples": result(
        valueSampledData={"origin": {"value": 0}, "period": 1, "dimensions": 1, "data": "1.5 " * LONGEST}
    ),
    "digits of samples": result(
        valueSampledData={"origin": {"value": 0}, "period": 1, "dimensions": 1, "data": "1" * LONGEST + "x"}
    ),
    "a tag that does not end": narrated(f"{DIV}<p {' ' * LONGEST}!</div>"),
    "attributes of a tag that does not end": narrated(f"""{DIV}<p{" id='a'" * (LONGEST // 7)}!</div>"""),
    "names of attributes": narrated(f"{DIV}<p {'a' * LONGEST}!</div>"),
    "comments that do not end": narrated(f"{DIV}{'<!--' * (LONGEST // 4)}</div>"),
    "ends of comments": narrated(f"{DIV}<!--{'-->' * (LONGEST // 3)}</div><"),
    "a reference": result(subject={"reference": f"Patient/{'/' * LONGEST}"}),
}
"""Each holds one text of a megabyte, and is wrong at its very end."""

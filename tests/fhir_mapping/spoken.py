"""What models may say, as hypothesis draws it: texts with markup and from every script."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from fhir_mapping import codes
from fhir_mapping.device import Software
from fhir_mapping.heading import Heading
from twin_engine.twin import Contribution, Forecast, Reason, Refusal, Risk

AT = datetime(2026, 1, 15, 12, tzinfo=UTC)
SOFTWARE = Software(
    "prevent", "1.0.0", "AHA PREVENT 2023", "sha256:ab", ("doi:10.1161/CIRCULATIONAHA.123.067626",)
)
HEADING = Heading(
    "abc123", "Patient/17", ("urn:didymos:hospital:demo", "abc123"), SOFTWARE, frozenset({"R", "PSY"})
)
SOURCES = (
    "Observation/1/_history/3",
    "Observation/2/_history/sha256-0123456789abcdef",
    "Patient/17/_history/1",
)
GRADES = ("low", "low-medium", "medium", "moderate", "high")
# No control, no surrogate and no separator but the plain space: FHIR's string is `[ \r\n\t\S]+`.
_DRAWN = st.text(st.characters(exclude_categories=["C", "Z"]) | st.just(" "), min_size=1, max_size=40)
TEXT = st.sampled_from(["<b>&amp;</b>", "]]><script>", '"it\'s" 5 < 6', "Ärztin 診断 🫀 e\u0301"]) | (
    _DRAWN.map(str.strip).filter(bool)
)
INSTANTS = st.integers(0, 3_000_000_000_000).map(
    lambda millisecond: datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=millisecond)
)
EARLIER = st.integers(0, 1_000_000_000_000).map(lambda each: AT - timedelta(milliseconds=each))
LATER = st.integers(0, 1_000_000_000_000).map(lambda each: AT + timedelta(milliseconds=each))
SHARES = st.floats(0, 1)
SOFTWARES = st.builds(
    Software,
    st.sampled_from(["prevent", "news2"]),
    st.from_regex(r"[0-9]\.[0-9]\.[0-9](\+[a-z]{1,4})?", fullmatch=True),
    TEXT,
    TEXT,
    st.lists(TEXT, max_size=2).map(tuple),
)
HEADINGS = st.builds(
    Heading,
    id=st.from_regex(r"[a-z2-7]{32}", fullmatch=True),
    subject=st.sampled_from(["Patient/17", "Patient/a-b.c"]),
    identifier=st.tuples(st.just("urn:didymos:assessment"), TEXT),
    software=SOFTWARES,
    labels=st.frozensets(st.sampled_from(["R", "N", "PSY", "HIV", "urn:local|secret"])),
)
BASES = st.lists(st.sampled_from(SOURCES), unique=True).map(tuple)
RISKS = st.builds(
    Risk,
    outcome=st.sampled_from([*sorted(codes.OUTCOMES), "an-outcome-of-a-plugin"]),
    until=st.none() | LATER,
    probability=st.none() | SHARES,
    low=st.none() | SHARES,
    high=st.none() | SHARES,
    qualitative=st.none() | st.sampled_from(GRADES),
)
CONTRIBUTIONS = st.builds(
    Contribution, TEXT, TEXT, st.floats(-5, 5), st.none() | st.sampled_from(SOURCES), TEXT
)
FORECASTS = st.builds(
    Forecast,
    family=st.just("cardiovascular-disease"),
    at=EARLIER,
    expires=LATER,
    risks=st.lists(RISKS, min_size=1, max_size=4).map(tuple),
    basis=BASES,
    rationale=TEXT,
    contributions=st.lists(CONTRIBUTIONS, max_size=2).map(tuple),
    score=st.none() | st.floats(0, 20),
    scale=st.sampled_from(["points", "log-odds"]),
    trend=st.none() | TEXT,
    notes=st.lists(TEXT, max_size=2).map(tuple),
)
REASONS = st.builds(
    Reason,
    st.sampled_from(["missing-input", "stale-input", "out-of-range", "out-of-scope", "unit", "unconfirmed"]),
    st.sampled_from(["", "systolic-blood-pressure", "smoking-status", "diabetes", "of-a-plugin"]),
    TEXT,
)
REFUSALS = st.builds(
    Refusal,
    family=st.just("cardiovascular-disease"),
    at=INSTANTS,
    reasons=st.lists(REASONS, max_size=3).map(tuple),
    basis=BASES,
    retry=st.none() | INSTANTS,
)


def forecast(**changes):
    fields = {
        "family": "cardiovascular-disease",
        "at": AT,
        "expires": AT + timedelta(days=30),
        "risks": (Risk("total-cvd-10y", AT + timedelta(days=3652), 0.146839, 0.1, 0.2, "moderate"),),
        "basis": SOURCES,
        "rationale": "Blood pressure and smoking weigh most.",
    }
    return Forecast(**(fields | changes))


def deterioration(grade, **changes):
    risk = Risk("clinical-deterioration", None, qualitative=grade)
    return forecast(
        family="clinical-deterioration",
        risks=(risk,),
        rationale=f"NEWS2: {grade} clinical risk.",
        **changes,
    )

"""A gateway with real databases, keys and log, an EHR on paper, and a client that may read."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import orjson
from sqlalchemy import insert, update

from audit.log import AuditUnavailable
from consent.policy import Directive, Provision
from fhir_mapping import provenance, risk_assessment
from fhir_mapping.device import Software
from fhir_mapping.heading import Heading
from gateway import jose
from gateway.app import create
from gateway.hospitals.profile import Profile
from gateway.operations import clients, directives
from gateway.operations.assess import IDENTIFIER, assessment_id
from gateway.operations.receive import seal_patient
from gateway.operations.registry import Access
from gateway.settings import Settings
from gateway.storage import inbox, outbox
from gateway.storage.engine import to_us
from gateway.storage.outbox import Version
from gateway.storage.schema import hospital, twin
from gateway.wiring import wire
from twin_engine.twin import Forecast, Risk

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
URL = "https://twins.example"
TOKEN_URL = f"{URL}/oauth/token"
EHR = "https://ehr.example/fhir"
SCOPES = ("system/RiskAssessment.rs", "system/Provenance.rs")
ALL = " ".join(SCOPES)
KEY = jose.generate_key()
MODEL = Software("prevent", "1.0.0", "AHA PREVENT", "sha256:0")
PROFILE = Profile("4.0.1", "paper", "subscription", "kept-here", False, True, True, {})


class Clock:
    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now

    def forward(self, **span):
        self.now += timedelta(**span)


class Silent:
    """A queue that nobody listens to."""

    def __init__(self):
        self.calls = []

    def synchronise(self, twin, delay):
        self.calls.append(twin)

    def resolve(self, hospital):
        self.calls.append(hospital)

    def catch_up(self, subscription):
        self.calls.append(subscription)


class Closed:
    """A log that takes nothing."""

    def append(self, *_events):
        raise AuditUnavailable("closed")


class Ground:
    def __init__(self, folder=None, tenant="north", settings=None):
        self.clock, self.queue = Clock(), Silent()
        chosen = settings or Settings(state_dir=folder, tenant=tenant)
        self.settings = chosen.model_copy(update={"public_url": URL})
        self.services = wire(self.settings, clock=self.clock, queue=self.queue)
        self.app = create(self.services)
        self.client_id = self.register("analytics", KEY)
        self.hospital = self.hospital_at("ward", EHR)

    def close(self):
        self.services.journal.close()

    def register(self, name, key, scopes=SCOPES):
        return clients.register(self.services, name, jose.public_jwks(key), scopes)

    def hospital_at(self, name, url, policy="treat-when-silent"):
        services = self.services
        identifier = services.pseudonyms.of("hospital", name)
        access = services.seal(services.ours, "hospital.access", identifier, msgspec.json.encode(Access()))
        row = {
            "id": identifier,
            "tenant": self.settings.tenant,
            "name": name,
            "base_url": url,
            "policy": policy,
            "profile": msgspec.json.encode(PROFILE).decode(),
            "access": access,
            "actors": "",
            "labels_attested": False,
            "created": 0,
        }
        with services.journal.transaction() as connection:
            connection.execute(insert(hospital).values(**row))
        return identifier

    def enrol(self, patient, consents=(), *, state="current", at=None):
        """Have a twin whose Consents were read; None: they never were."""
        services, where = self.services, at or self.hospital
        identifier = services.twin_id(where, patient)
        with services.journal.transaction() as connection:
            inbox.enrol(connection, where, identifier, seal_patient(services, identifier, patient), 0)
            connection.execute(update(twin).where(twin.c.id == identifier).values(state=state))
            if consents is not None:
                directives.remember(connection, services, identifier, tuple(consents))
        return identifier

    def assess(self, patient, number=1, labels=frozenset(), at=None, grade=None):
        """Keep a version of the assessment of a patient; return its id. With a grade it is of NEWS2."""
        identifier = self.services.twin_id(at or self.hospital, patient)
        version = self._version(patient, identifier, number, labels, grade)
        with self.services.journal.transaction() as connection:
            outbox.append(connection, version, 0, outbox.KEPT)
        return version.id

    def _version(self, patient, twin_id, number, labels, grade):
        services, now = self.services, self.clock()
        model, family, risk = "prevent", "cardiovascular-disease", Risk("total-cvd-10y", None, 0.07)
        if grade is not None:
            model, family = "news2", "clinical-deterioration"
            risk = Risk(family, None, qualitative=grade)
        name = assessment_id(services, twin_id, model, family)
        frame = Heading(name, f"Patient/{patient}", (IDENTIFIER, name), MODEL, labels)
        basis = ("Observation/17/_history/3",)
        forecast = Forecast(family, now, now + timedelta(days=90), (risk,), basis, "because")
        target = f"RiskAssessment/{name}/_history/{number}"
        act = provenance.Act(f"{name}-{number}", target, now, MODEL, basis)
        row = f"{name}/{number}"
        sealed = [
            services.seal(f"twin/{twin_id}", column, row, orjson.dumps(resource))
            for column, resource in (
                ("assessment.sealed", risk_assessment.render(risk_assessment.foretold(frame, forecast))),
                ("assessment.provenance", provenance.render(act)),
            )
        ]
        return Version(
            name,
            number,
            twin_id,
            self.settings.tenant,
            model,
            family,
            True,
            number,
            to_us(now),
            *sealed,
            " ".join(labels),
        )

    def ask_token(self, *, key=KEY, client=None, scope=ALL, claims=None, **form):
        """Send a token request with a good assertion, but for what is changed."""
        assertion = assertion_of(client or self.client_id, self.clock(), key, claims)
        given = {
            "grant_type": "client_credentials",
            "scope": scope,
            "client_assertion_type": jose.ASSERTION_TYPE,
            "client_assertion": assertion,
        } | form
        return self.app.test_client().post("/oauth/token", data=given)

    def bearer(self, **how):
        return {"Authorization": f"Bearer {self.ask_token(**how).json['access_token']}"}

    def get(self, path, headers=None, **how):
        return self.app.test_client().get(path, headers=(headers or {}) | self.bearer(**how))

    def without_audit(self):
        """Return an application like this one whose log is out of reach."""
        return create(replace(self.services, audit=Closed())).test_client()

    def events(self, kind):
        """Return outcome, actor, detail and resources of the log's entries of one kind, oldest first."""
        size, _ = self.services.audit.size_and_root()
        return [
            (entry.leaf.outcome, entry.operational.actor, entry.operational.detail, entry.personal.resources)
            for entry in self.services.audit.entries(0, size)
            if entry.leaf.kind == kind
        ]


def assertion_of(client, now, key=KEY, claims=None, typ="JWT"):
    seconds = int(now.timestamp())
    good = {
        "iss": client,
        "sub": client,
        "aud": TOKEN_URL,
        "iat": seconds,
        "exp": seconds + 240,
        "jti": jose.secrets.token_urlsafe(16),
    }
    return jose.sign(good | (claims or {}), key, typ=typ)


def consent(base, *exceptions):
    """Return an active Consent with a base rule."""
    return Directive(
        id="c1",
        version="1",
        status="active",
        scope="patient-privacy",
        categories=frozenset({"59284-0"}),
        root=Provision(base, provisions=exceptions),
        date_time=datetime(2026, 1, 1, tzinfo=UTC),
    )

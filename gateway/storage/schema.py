"""The tables of the journal. Times are microseconds since 1970 UTC; what can name a patient is sealed."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData()

# SQLite numbers rows by itself only in a column declared exactly INTEGER PRIMARY KEY.
RowId = BigInteger().with_variant(Integer, "sqlite")

hospital = Table(
    "hospital",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("tenant", String(40), nullable=False),
    Column("name", String(80), nullable=False, unique=True),
    Column("base_url", Text, nullable=False),
    Column("policy", String(40), nullable=False),
    Column("profile", Text, nullable=False),
    Column("access", LargeBinary, nullable=False),  # sealed: client, keys, scopes; empty: disconnected
    Column("actors", Text, nullable=False),
    Column("labels_attested", Boolean, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("revision", Integer, nullable=False, server_default="1"),  # grows with every change of the above
    Column("searched", BigInteger, nullable=False, server_default="0"),  # for new patients, where polled
)

subscription = Table(
    "subscription",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("hospital", ForeignKey("hospital.id"), nullable=False),
    Column("channel", LargeBinary, nullable=False, unique=True),  # SHA-256 of the unguessable path
    Column("secret", LargeBinary, nullable=False),  # SHA-256 of the secret
    Column("sealed", LargeBinary, nullable=False),  # path and secret, to register again
    Column("criteria", Text, nullable=False),
    Column("remote_id", String(64)),
    Column("status", String(16), nullable=False),
    Column("dirty", BigInteger),  # the last notification that left open what changed
    Column("event_number", BigInteger),  # the highest that was told, where the EHR counts
    Column("caught_up", BigInteger, nullable=False),  # everything before this has been read
    Column("checked", BigInteger, nullable=False),
    Column("lease", BigInteger, nullable=False, server_default="0"),
    Column("fence", Integer, nullable=False, server_default="0"),
)

twin = Table(
    "twin",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("hospital", ForeignKey("hospital.id"), nullable=False),
    Column("patient", LargeBinary, nullable=False),  # sealed
    Column("seq", BigInteger, nullable=False),
    Column("done_seq", BigInteger, nullable=False),
    Column("queued", BigInteger),  # when the queue was last told; None: idle
    Column("lease", BigInteger, nullable=False, server_default="0"),
    Column("fence", Integer, nullable=False, server_default="0"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("parked", String(80)),  # why nobody tries any more
    Column("due", BigInteger),  # when time alone changes the forecast
    Column("full", BigInteger),  # a full re-read is wanted since
    Column("read", BigInteger, nullable=False, server_default="0"),  # last read of any kind
    Column("reconciled", BigInteger, nullable=False, server_default="0"),  # last full read
    Column("state", String(16), nullable=False, server_default="new"),  # new, current, denied, unknown
    Column("created", BigInteger, nullable=False),
)
Index("twin_waiting", twin.c.queued)
Index("twin_due", twin.c.due)

inbox = Table(
    "inbox",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("hospital", ForeignKey("hospital.id"), nullable=False),
    Column("dedupe", LargeBinary, nullable=False, unique=True),
    Column("twin", String(32)),  # None: the subject is not known yet
    Column("seq", BigInteger),
    Column("received", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False),  # the change as notified
    Column("outcome", String(24)),
    Column("detail", LargeBinary),  # sealed
    Column("done", BigInteger),
    Column("tries", Integer, nullable=False, server_default="0"),  # asked in vain whose it is
    Column("again", BigInteger, nullable=False, server_default="0"),  # not asked before
)
Index("inbox_of_twin", inbox.c.twin, inbox.c.seq)
Index("inbox_open", inbox.c.outcome, inbox.c.twin)

assessment = Table(
    "assessment",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("twin", String(32), nullable=False),
    Column("tenant", String(40), nullable=False),
    Column("model", String(60), nullable=False),
    Column("family", String(60), nullable=False),
    Column("live", Boolean, nullable=False),  # False: says that there is no current forecast
    Column("seq", BigInteger, nullable=False),
    Column("recorded", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False),  # RiskAssessment
    Column("provenance", LargeBinary, nullable=False),  # sealed
    Column("labels", Text, nullable=False),
)
Index("assessment_of_twin", assessment.c.twin)

delivery = Table(
    "delivery",
    metadata,
    Column("id", String(32), primary_key=True),  # the assessment's
    Column("twin", String(32), nullable=False),
    Column("version", Integer, nullable=False),  # wanted
    Column("written", Integer, nullable=False, server_default="0"),  # stands in the EHR, read back
    Column("state", String(16), nullable=False),
    Column("reason", String(120)),
    Column("remote", LargeBinary),  # sealed: id and version in the EHR
    Column("intended", BigInteger),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next", BigInteger, nullable=False),
    Column("lease", BigInteger, nullable=False, server_default="0"),
    Column("fence", Integer, nullable=False, server_default="0"),
)
Index("delivery_of_twin", delivery.c.twin)
Index("delivery_waiting", delivery.c.state, delivery.c.next)

holder = Table(
    "holder",
    metadata,
    Column("resource", LargeBinary, primary_key=True),  # keyed hash of hospital and reference
    Column("twin", String(32), nullable=False),
)

readback = Table(
    "readback",
    metadata,
    Column("id", String(32), primary_key=True),  # the assessment's
    Column("version", Integer, primary_key=True),
    Column("twin", String(32), nullable=False),
    Column("seq", BigInteger, nullable=False),  # every event up to this one is in it
    Column("confirmed", BigInteger, nullable=False),
)
Index("readback_of_twin", readback.c.twin, readback.c.seq)

quarantine = Table(
    "quarantine",
    metadata,
    Column("twin", String(32), primary_key=True),
    Column("resource", LargeBinary, primary_key=True),  # keyed hash of the reference
    Column("sealed", LargeBinary, nullable=False),  # the reference
    Column("problems", Text, nullable=False),  # codes and texts, free of values
    Column("since", BigInteger, nullable=False),
)

client = Table(
    "client",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("tenant", String(40), nullable=False),
    Column("name", String(80), nullable=False),
    Column("jwks", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
)

replay = Table(
    "replay",
    metadata,
    Column("jti", LargeBinary, primary_key=True),  # SHA-256 of issuer and jti
    Column("expires", BigInteger, nullable=False),
)

person = Table(
    "person",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("tenant", String(40), nullable=False),
    Column("name", String(80), nullable=False, unique=True),
    Column("role", String(20), nullable=False),
    Column("ticket", LargeBinary),  # SHA-256 of the one-time sign-in ticket
    Column("ticket_expires", BigInteger),
    Column("created", BigInteger, nullable=False),
)

site_key = Table(
    "site_key",
    metadata,
    Column("use", String(20), primary_key=True),  # "ehr": we to EHRs; "tokens": our access tokens
    Column("sealed", LargeBinary, nullable=False),
)

directives = Table(
    "directives",
    metadata,
    Column("twin", String(32), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),  # the patient's Consents as last read
    Column("read", BigInteger, nullable=False),
)

model_state = Table(
    "model_state",
    metadata,
    Column("model", String(60), primary_key=True),
    Column("version", String(60), primary_key=True),  # "": whatever the version
    Column("hospital", String(32), primary_key=True),  # "": every EHR
    Column("state", String(8), nullable=False),  # on, silent, off
    Column("since", BigInteger, nullable=False),
    Column("by", String(80), nullable=False),
    Column("reason", String(200), nullable=False),
)

awaited_outcome = Table(
    "awaited_outcome",
    metadata,
    Column("id", String(32), primary_key=True),  # keyed hash of the forecast
    Column("twin", String(32), nullable=False),
    Column("model", String(60), nullable=False),
    Column("version", String(60), nullable=False),
    Column("passed", BigInteger, nullable=False),  # what was to be known until then is scored or given up
    Column("due", BigInteger, nullable=False),  # when to look next
    Column("sealed", LargeBinary, nullable=False),  # the forecast
)
Index("awaited_of_twin", awaited_outcome.c.twin, awaited_outcome.c.due)
Index("awaited_by_time", awaited_outcome.c.due)

forecast_score = Table(
    "forecast_score",
    metadata,
    Column("id", String(32), primary_key=True),  # keyed hash of the forecast and of what was scored of it
    Column("twin", String(32), nullable=False),
    Column("hospital", String(32), nullable=False),
    Column("model", String(60), nullable=False),
    Column("version", String(60), nullable=False),
    Column("kind", String(8), nullable=False),  # course, risk
    Column("what", String(60), nullable=False),
    Column("horizon", BigInteger, nullable=False),  # seconds
    Column("made", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("apart", Boolean, nullable=False),  # begun after the last such one of this twin was over
    Column("counted", BigInteger),  # the epoch of the tally that it is in; None: in none yet
    Column("sealed", LargeBinary, nullable=False),  # who, and how it went
)
Index("score_of_twin", forecast_score.c.twin, forecast_score.c.until)
Index("score_uncounted", forecast_score.c.counted, forecast_score.c.until)

calibration = Table(
    "calibration",
    metadata,
    Column("hospital", String(32), primary_key=True),
    Column("model", String(60), primary_key=True),
    Column("version", String(60), primary_key=True),
    Column("epoch", BigInteger, primary_key=True),  # when the model was last started; 0: never stopped
    Column("kind", String(8), primary_key=True),
    Column("what", String(60), primary_key=True),
    Column("horizon", BigInteger, primary_key=True),
    Column("sex", String(16), primary_key=True),
    Column("band", String(16), primary_key=True),
    Column("between", String(48), primary_key=True),
    Column("apart", Boolean, primary_key=True),
    Column("n", BigInteger, nullable=False),
    Column("loss", Double, nullable=False),
    Column("observed", Double, nullable=False),
    Column("expected", Double, nullable=False),
    Column("width", Double, nullable=False),
)

Index("assessment_by_time", assessment.c.recorded, assessment.c.id)

"""The topics to which an R5 EHR lets itself be subscribed.

R5 has no Subscriptions to a search of the client's own. Where a type that is read has no topic, the EHR's
Subscriptions would leave that type unheard, so it is polled instead.
"""

from __future__ import annotations

from collections.abc import Mapping

from fhir_mapping.capability import Capabilities
from fhir_mapping.subscription_topic import Topic, topics
from gateway.hospitals.connection import Connection
from gateway.hospitals.errors import HospitalError

_TOPIC = "SubscriptionTopic"


def offered(connection: Connection, stated: Capabilities) -> Mapping[str, Topic]:
    """Return the topics by resource type; none where the EHR does not let us look."""
    if not (stated.offers("Subscription", "create") and stated.offers(_TOPIC, "search-type")):
        return {}
    try:
        found = connection.asking((f"system/{_TOPIC}.s",)).search(_TOPIC, [("status", "active")])
        return topics(each.resource for each in found)
    except HospitalError:
        return {}

"""The demonstration: a third-party EHR, patients, events and a live view."""

"""One EHR: connection, token, reading, writing, subscribing."""

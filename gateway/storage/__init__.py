"""The journal of notifications, the work of each twin, and deliveries."""

"""The numerical core: values, models and their state."""

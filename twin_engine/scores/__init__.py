"""What published scores have in common, from the newest values of a person to a forecast or a refusal."""

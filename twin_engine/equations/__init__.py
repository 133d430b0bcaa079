"""Pure published equations that several models share."""

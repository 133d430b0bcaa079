"""The consent core: decisions, keys and the vault."""

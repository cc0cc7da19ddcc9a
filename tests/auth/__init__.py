"""Who calls: tokens, keys and roles."""

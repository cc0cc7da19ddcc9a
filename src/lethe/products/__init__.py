"""Who else must forget: the identity graph, the profile store, the journeys."""

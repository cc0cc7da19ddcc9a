"""Durable work: what carries an accepted order to its end."""

"""Which datasets, schemas, sandboxes and namespaces there are, as far as configuration says it."""

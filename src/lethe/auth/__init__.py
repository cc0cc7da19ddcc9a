"""Who calls: tokens and their keys, and what each role may do, as one table.

A bearer token passes through `tokens`: it finds the trusted issuer, and that issuer's keys (`key_sets`: the built-in
ones on disk, `signing_keys`; or an external issuer's, `remote_keys` by way of `fetch`), checks the signature with an
allowed algorithm (`algorithms`), and reads the caller from the claims (`claims`, `roles`). The built-in `issuer` makes
such tokens for configured clients, so that Lethe needs no identity provider.

Doubt refuses: whatever is malformed, unknown or unavailable is an invalid token or grants nothing.
"""

"""A product behind a customer's own HTTP service.

    POST {base}          forget these identities, or this dataset      ─► {"status": …}
    GET  {base}/{key}    how far is the request of this key            ─► {"status": …}, or 404: never heard of it
    POST {base}/verify   how many traces are left (where declared)     ─► {"remaining": 3}

`status` is `pending`, `in_progress`, `completed` (with `removed`, a count) or `refused` (with `reason`, one of
`answers.REASONS`). The shape is OpenDSR's in spirit: one request of type `erasure` under one key, polled until it ends.

Every request is signed after Standard Webhooks (`webhook-id`, `webhook-timestamp`, `webhook-signature`), and carries
its key as `Idempotency-Key` too. What the service says in words is never repeated: it might quote an identity.
"""

"""What the API costs: accepting 100,000 identities, and small GETs, on SQLite and PostgreSQL.

    python -m bench.api [--runs N] [--requests N] [--json FILE]

A real `lethe serve` runs in a process of its own. CPU times are that process's, from the kernel, so they do not depend
on what else the machine does; latencies and throughput do. What PostgreSQL's own processes do is not in them.
"""

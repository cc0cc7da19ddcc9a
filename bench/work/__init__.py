"""What work costs: orders that share a pass, a long queue, and the API while a large table is rewritten.

    python -m bench.work [sharing|queue|latency …] [--rows N] [--orders N] [--latency-rows N] [--json FILE]

`sharing`: thirty orders over one table, beside one. CPU seconds of the worker, after its start, so that they hold on a
machine that does other things. `queue`: ten thousand small orders, most of them of one organization: how fast they are
accepted and completed, the memory of server and worker, and how long the small organizations waited. `latency`: small
requests while ten million rows are rewritten, by a worker inside `lethe serve` and by one beside it; what the same
requests take while nothing is done stands beside it.
"""

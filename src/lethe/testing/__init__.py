"""A Lethe for the tests of other projects.

With Lethe installed, pytest knows two fixtures, and nothing needs to be imported:

    def test_forgetting(lethe, tmp_path):
        dataset = lethe.datasets.register("Orders", format="parquet", location=str(tmp_path), …)
        lethe.work_orders.create(dataset.dataset_id, {"Email": ["ann@example.com"]}).wait(timeout=60)

`lethe` is a client of a real server, `lethe_server` the server: one for the whole run, on a free loopback port, with
its data in a temporary directory. It works at once: no lead before an expiry, no window before a bundle runs, no grace
for other writers. Other test frameworks use `lethe.testing.server.LetheServer` as a context manager.
"""

"""Why pages are not cut: the file is broken, or it has a feature that is for the other rewriter."""

from lethe.engines.rewrite.interface import RewriteRefused


class Damaged(RewriteRefused):
    """The file contradicts itself; no row of it is certain."""


class Unfit(Exception):
    """Pages with this feature are not cut; the reason names it. The row group goes through Arrow instead."""

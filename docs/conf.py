"""The documentation's site: `make site` builds it into build/site, and fails on a reference that leads nowhere."""

from lethe import __version__

project = "Lethe"
release = version = __version__
author = "The Lethe project"
project_copyright = "The Lethe project, Apache-2.0"

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
exclude_patterns: list[str] = []
nitpicky = True

html_theme = "furo"
html_title = "Lethe"
html_show_sphinx = False
html_copy_source = False
html_show_sourcelink = False
html_extra_path = ["reference/openapi.json"]

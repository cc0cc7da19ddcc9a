"""Writes docs/demo.md: what `lethe demo` prints, captured from a real run. `make recording` runs it."""

import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parent / "demo.md"


def main() -> int:
    """Run the demo, and write the page if everything held."""
    ended = subprocess.run([sys.executable, "-m", "lethe", "demo"], capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        sys.stderr.write(ended.stdout + ended.stderr)
        return 1
    printed = re.sub(r"[ \t]+\n", "\n", ended.stdout).strip()
    PAGE.write_text(f"""# What the demo prints

`make demo`, in a terminal with colours and bars; here as plain text. `make recording` writes this page from a real run.

```text
{printed}
```
""")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Write the published contract into a folder, by default docs/contract below the current one."""

import argparse
from pathlib import Path

from contract.published.files import write


def main() -> None:
    """Write the files, and say how many; one line and exit code 1 where they cannot be written."""
    parser = argparse.ArgumentParser(prog="python -m contract.published", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("docs", "contract"))
    folder = parser.parse_args().folder
    try:
        number = write(folder)
    except OSError as error:
        raise SystemExit(f"penstock: cannot write the contract: {error}") from None
    print(f"{number} files in {folder}")


if __name__ == "__main__":
    main()

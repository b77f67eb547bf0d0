"""THIRD_PARTY.txt: who made what ships, under which licence, with the licences' own texts."""

from pathlib import Path

from .lock import RuntimeLock
from .tree import licence_texts

RULE = "=" * 78


def third_party(lock: RuntimeLock, files: dict[str, Path]) -> str:
    """Return the notices for every file of the lock that ships, in the lock's order."""
    parts = [
        "fleetlab ships the work of others. Each file is listed with its version, its sha256 and\n"
        "its licence, followed by the licence texts that came with it.\n"
    ]
    for file in lock.shipped:
        parts.append(
            f"{RULE}\n{file.name}\nversion {file.version}\nlicence {file.licence}\n"
            f"sha256  {file.sha256}\n"
        )
        if file.notice:
            parts.append(file.notice.strip() + "\n")
        if file.name.endswith(".whl"):
            for path, text in licence_texts(files[file.name]).items():
                parts.append(f"--- {path} ---\n\n{text}\n")
    return "\n".join(parts)

"""The page's content-security-policy: its own origin and nothing else (docs/security.md)."""

import base64
import hashlib
import re

INLINE = re.compile(
    r"<script(?![^>]*\bsrc=)(?![^>]*(?:application/json|text/plain))[^>]*>(.*?)</script>", re.DOTALL
)
DIRECTIVES = {
    "default-src": "'none'",
    "script-src": "'self' 'wasm-unsafe-eval' 'unsafe-eval'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "worker-src": "'self' blob: data:",
    "manifest-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
}


def with_policy(page: str) -> str:
    """Return the page with its policy in a meta element; its own inline scripts by their hashes."""
    hashes = "".join(f" '{_hash(text)}'" for text in INLINE.findall(page))
    directives = DIRECTIVES | {"script-src": DIRECTIVES["script-src"] + hashes}
    text = "; ".join(f"{name} {value}" for name, value in directives.items())
    meta = f'<meta http-equiv="Content-Security-Policy" content="{text}">'
    charset = re.search(r"<meta\s+charset=[^>]*>", page)
    at = charset.end() if charset else 0
    return page[:at] + meta + page[at:]


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

"""The offline edition's page and files, and the policy of the other one."""

import base64
import hashlib
import io
import zipfile

from builder.offline import FOLDER, address, carried, offline_page, offline_zip
from builder.policy import with_policy

PAGE = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    '<link rel="modulepreload" href="a.js" integrity="sha256-x">'
    '<link rel="stylesheet" href="style.css" integrity="sha256-y">'
    '<script type="module" src="page.js" integrity="sha256-z"></script></head></html>'
)
SITE = {
    "index.html": PAGE.encode(),
    "page.js": b'import { a } from "./a.js";',
    "a.js": b"export const a = 1;",
    "style.css": b"p {}",
    "sw.js": b"",
    "worker.js": b"work()",
    "runtime/lean.gz": b"lean",
}
MODULES = ["a.js", "page.js"]


def test_a_module_inside_the_page_imports_by_name() -> None:
    text = base64.b64decode(address(SITE["page.js"].decode()).partition(",")[2]).decode()
    assert text == 'import { a } from "fleetlab/a.js";'


def test_the_offline_page_asks_a_disk_for_nothing_that_it_refuses() -> None:
    page = offline_page(PAGE, SITE, MODULES)
    assert '<html data-edition="offline" lang="en">' in page
    assert "integrity" not in page
    assert "modulepreload" not in page
    assert 'src="page.js"' not in page
    assert '"fleetlab/page.js": "data:text/javascript;base64,' in page


def test_a_carried_file_comes_back_as_it_was() -> None:
    script = carried("worker.js", b"work()").decode()
    assert script == f'fleetlabFile("worker.js","{base64.b64encode(b"work()").decode()}")'


def test_the_zip_holds_what_the_page_needs_and_is_the_same_every_time() -> None:
    made = offline_zip(SITE, MODULES, ("runtime/lean.gz",))
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        assert sorted(archive.namelist()) == [
            f"{FOLDER}/files/worker.js.js",
            f"{FOLDER}/index.html",
            f"{FOLDER}/style.css",
        ]
    assert made == offline_zip(SITE, MODULES, ("runtime/lean.gz",))


def test_an_inline_script_is_allowed_by_its_hash_and_data_is_not_a_script() -> None:
    page = '<meta charset="utf-8"><script>one()</script><script type="application/json">{}</script>'
    policy = with_policy(page)
    digest = base64.b64encode(hashlib.sha256(b"one()").digest()).decode()
    assert f"'sha256-{digest}'" in policy
    assert policy.count("sha256-") == 1

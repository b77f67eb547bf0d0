"""The page: figures filled in, files pinned, mistakes named with file and line."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from builder import pages
from builder.say import BuildError

SHA256 = hashlib.sha256(b"x").hexdigest()
FILES = ("page.js", "style.css", "icon.svg", "bokeh.js")
MANIFEST = {name: {"size": 1, "sha256": SHA256} for name in FILES}
START = pages.Start("guard()", "begin()", "work()", ["page.js"], ["bokeh.js"])


def test_a_figure_is_filled_in_before_the_prose_is_rendered(tmp_path: Path) -> None:
    (tmp_path / "titan").mkdir()
    (tmp_path / "titan" / "brief.md").write_text("It is **{{ figures.ceiling }}**.")
    content = pages.render_content(tmp_path, {"ceiling": "89 %"})
    assert content == {"titan/brief": "<p>It is <strong>89 %</strong>.</p>\n"}


def test_an_unknown_figure_is_an_error_with_file_line_and_name(tmp_path: Path) -> None:
    content = tmp_path / "content"
    content.mkdir()
    (content / "math.md").write_text("One.\n\nTwo {{ figures.lost }}.")
    with pytest.raises(BuildError, match=r"content/math\.md, line 3: .*'lost'.*computes found"):
        pages.render_content(content, {"found": "1"})


def test_a_template_that_uses_an_unknown_name_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<head></head>{{ nobody }}")
    with pytest.raises(BuildError, match=r"index\.html: 'nobody' is undefined"):
        pages.render_page(tmp_path / "index.html")


def test_scripts_and_styles_are_pinned_and_icons_are_not() -> None:
    page = (
        '<head><meta charset="utf-8"><link rel="icon" href="icon.svg">'
        '<link rel="stylesheet" href="style.css"></head>'
        '<script type="module" src="page.js"></script>'
    )
    pinned = pages.pin(page, MANIFEST, START)
    hash_ = pages.integrity(SHA256)
    assert f'<link rel="stylesheet" href="style.css" integrity="{hash_}" crossorigin>' in pinned
    assert f'<script type="module" src="page.js" integrity="{hash_}" crossorigin>' in pinned
    assert f'<link rel="modulepreload" href="page.js" integrity="{hash_}" crossorigin>' in pinned
    assert '<link rel="icon" href="icon.svg">' in pinned
    # By its name and hash, as the service worker keeps it.
    address = f"bokeh.js?{SHA256}"
    assert f'<link rel="preload" as="script" href="{address}" integrity="{hash_}"' in pinned
    begin = [
        "guard()",
        "fleetlab-manifest",
        "work()",
        "begin()",
        'href="style.css"',
        "modulepreload",
    ]
    assert [pinned.index(part) for part in begin] == sorted(map(pinned.index, begin))


def test_a_file_that_the_page_names_and_the_site_lacks_is_an_error() -> None:
    with pytest.raises(BuildError, match=r"refers to gone\.css"):
        pages.pin('<head><link rel="stylesheet" href="gone.css"></head>', MANIFEST, START)


def test_the_list_of_files_cannot_end_its_script_element() -> None:
    manifest = {**MANIFEST, "</script><b>": {"size": 1, "sha256": SHA256}}
    assert "</script><b>" not in pages.pin("<head></head>", manifest, START)


def test_a_worker_s_script_that_would_end_its_element_is_refused() -> None:
    with pytest.raises(BuildError, match="</script"):
        pages.pin("<head></head>", MANIFEST, replace(START, worker='"</script>"'))


def test_modules_are_listed_after_those_they_import(tmp_path: Path) -> None:
    (tmp_path / "page.js").write_text('import { a } from "./a.js";\nimport "./b.js";')
    (tmp_path / "a.js").write_text('import * as b from "./b.js";')
    (tmp_path / "b.js").write_text("")
    assert pages.module_files(tmp_path) == ["b.js", "a.js", "page.js"]


def test_integrity_is_the_hash_in_base64() -> None:
    assert pages.integrity("00" * 32) == "sha256-" + "A" * 43 + "="

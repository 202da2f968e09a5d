"""The site that `make docs` builds: without a warning, and without a dead link."""

import html.parser
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import lrfinder

import pytest

pytest.importorskip('furo', reason='the site needs the extra "docs"')

ROOT = Path(__file__).resolve().parent.parent
HANGS = 1800  # seconds: the build takes less than ten

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2 * HANGS)]


class Page(html.parser.HTMLParser):
    """What a page links to, and what can be linked to in it."""

    def __init__(self, text):
        super().__init__()
        self.links, self.anchors = [], set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.links += [found[name] for name in ('href', 'src') if found.get(name)]
        self.anchors.add(found.get('id'))


@pytest.fixture(scope='module')
def site(tmp_path_factory):
    """The pages by their paths."""
    out = tmp_path_factory.mktemp('site')
    command = [sys.executable, '-m', 'sphinx', '-W', '--keep-going', '-q', '-b', 'html', str(ROOT / 'docs'), str(out)]
    environment = {**os.environ, 'PYTHONPATH': str(ROOT), 'OMP_NUM_THREADS': '1'}
    built = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=HANGS)
    assert built.returncode == 0, built.stderr
    return {path: Page(path.read_text(encoding='utf-8')) for path in out.rglob('*.html')}


def test_no_link_is_dead(site):
    dead = []
    for path, page in site.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            there = target in site and (not parts.fragment or unquote(parts.fragment) in site[target].anchors)
            if not there and not (target.exists() and target.suffix != '.html'):
                dead.append(f'{path.name}: {link}')
    assert dead == []


def test_every_page_is_in_the_menu(site):
    (index,) = [page for path, page in site.items() if path.name == 'index.html' and path.parent.name != '_modules']
    pages = {path.stem for path in (ROOT / 'docs').glob('*.md')} - {'index'}
    assert {f'{page}.html' for page in pages} <= set(index.links)


def test_every_public_name_can_be_linked_to(site):
    (reference,) = [page for path, page in site.items() if path.name == 'reference.html']
    names = {f'lrfinder.{name}' for name in lrfinder.__all__ if name != '__version__'}
    assert names | {'clr.training.extensions.CLR', 'clr.policies.triangular'} <= reference.anchors

"""The site: `make docs` builds it from the pages beside this file and from the docstrings."""

import re
from typing import Any

import clr  # makes Chainer importable, before autodoc imports what needs it

project = 'lrfinder'
author = copyright = 'The lrfinder developers'
release = clr.__version__
html_title = f'lrfinder {release}'
html_theme = 'furo'
html_theme_options = {'navigation_with_keys': True}
root_doc = 'index'
exclude_patterns = ['_build']
extensions = ['myst_parser', 'sphinx.ext.autodoc', 'sphinx.ext.napoleon', 'sphinx.ext.viewcode']

# The pages are Markdown that a code host shows, too.
myst_enable_extensions = ['html_image']
myst_heading_anchors = 3

# The docstrings are Google's style; types come from the signatures.
napoleon_numpy_docstring = False
napoleon_use_ivar = True
autodoc_member_order = 'bysource'
autodoc_typehints = 'description'
autodoc_typehints_description_target = 'documented_params'
python_maximum_signature_line_length = 80

# A name that the reference does not have is an error, unless it belongs to another project.
nitpicky = True
nitpick_ignore_regex = [('py:.*', r'(chainer|numpy|np|npt|pandas|pd|matplotlib|collections|typing)\..*')]


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect('source-read', add_contents)


def add_contents(app: Any, page: str, source: list[str]) -> None:
    """Makes the site's menu from the links of the index: a code host would show a table of contents as code."""
    if page == root_doc:
        pages = re.findall(r'\]\(([\w-]+)\.md\)', source[0])
        source[0] += '\n'.join(['', '```{toctree}', ':hidden:', '', *dict.fromkeys(pages), '```', ''])

"""The site: `make docs` builds it from the pages beside this file and from the docstrings."""

import inspect
import re
from typing import Any

import clr  # makes Chainer importable, before autodoc imports what needs it

project = 'lrfinder'
author = copyright = 'The lrfinder developers'
release = clr.__version__
html_title = f'lrfinder {release}'
html_theme = 'furo'
html_theme_options = {'navigation_with_keys': True}
html_static_path = ['_static']
html_css_files = ['site.css']
root_doc = 'index'
exclude_patterns = ['_build']
extensions = ['myst_parser', 'sphinx.ext.autodoc', 'sphinx.ext.napoleon']

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

# A name that the reference does not have is an error, unless it belongs to another project or is a type's short name.
nitpicky = True
nitpick_ignore_regex = [
    ('py:.*', r'(chainer|numpy|np|npt|os|pandas|pd|matplotlib|collections|typing)\..*|callable|Build|OnRow|Outcome')
]


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect('source-read', add_contents)
    app.connect('autodoc-process-docstring', drop_docstring_of_type)
    app.connect('missing-reference', search_everywhere)


def add_contents(app: Any, page: str, source: list[str]) -> None:
    """Makes the site's menu from the links of the index: a code host would show a table of contents as code."""
    if page == root_doc:
        pages = re.findall(r'\]\(([\w-]+)\.md\)', source[0])
        source[0] += '\n'.join(['', '```{toctree}', ':hidden:', '', *dict.fromkeys(pages), '```', ''])


def drop_docstring_of_type(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Leaves out what Python says of every tuple and dict, where a constant says nothing of itself."""
    if what == 'data' and inspect.getdoc(type(thing)) == '\n'.join(lines).strip():
        lines.clear()


def search_everywhere(app: Any, env: Any, node: Any, content: Any) -> Any:
    """Finds a name that a docstring gives without its module, as the code beside it does."""
    if node.get('refdomain') != 'py' or node.get('refspecific'):
        return None
    node['refspecific'] = True  # as a leading dot would
    domain = env.get_domain('py')
    return domain.resolve_xref(env, node['refdoc'], app.builder, node['reftype'], node['reftarget'], node, content)

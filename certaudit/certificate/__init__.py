"""The certificate file, format 1: docs/certificate-format.md.

``write`` makes one from proofs and the claims they decide; ``read`` reads one without trust; ``replay``
checks every line again with the core.  The modules below them: ``numbers`` and ``strict`` (text to exact
values), ``codec`` (frozen dataclasses to JSON and back), ``data``, ``record`` (the file's parts),
``schema`` (the format as a JSON Schema).
"""

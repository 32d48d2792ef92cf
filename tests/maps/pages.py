"""What Bokeh is told by a page with a map."""

import json
import re


def parts_of(path):
    """Return the attributes of every part of a page's map, by the name of its kind."""
    text = path.read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json"[^>]*>(.*?)</script>', text, re.S)
    told = json.loads(found[1])
    parts = {}

    def walk(node):
        if isinstance(node, dict):
            if "name" in node and "attributes" in node:
                parts.setdefault(node["name"], []).append(node["attributes"])
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(told)
    return parts

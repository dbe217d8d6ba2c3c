"""The API's reference page, from its OpenAPI description: a page of our own, so that it needs no script of others."""

from __future__ import annotations

from typing import Any, NamedTuple

from fastapi import FastAPI

from vitruvian.service.access import permission_of, routes_of


class Parameter(NamedTuple):
    """One parameter of an operation."""

    name: str
    where: str
    kind: str
    required: bool
    text: str


class Operation(NamedTuple):
    """One method of one path."""

    method: str
    path: str
    text: str
    permission: str
    parameters: list[Parameter]
    body: str


def sections(description: dict[str, Any], app: FastAPI) -> dict[str, list[Operation]]:
    """Operations by their tag, in the order of the description."""
    permissions = {
        (path, method): permission
        for route in routes_of(app)
        if (path := getattr(route, "path", "")) and (permission := permission_of(route))
        for method in getattr(route, "methods", None) or ()
    }
    made: dict[str, list[Operation]] = {}
    for path, methods in description["paths"].items():
        for method, one in methods.items():
            tag = (one.get("tags") or ["other"])[0]
            permission = permissions.get((path, method.upper()))
            made.setdefault(tag, []).append(
                Operation(
                    method.upper(), path, one.get("description", ""), str(permission or ""),
                    [_parameter(item) for item in one.get("parameters", ())], _body(one, description),
                )
            )  # fmt: skip
    return made


def _parameter(item: dict[str, Any]) -> Parameter:
    schema = item.get("schema", {})
    kinds = [str(one.get("type")) for one in schema.get("anyOf", (schema,)) if one.get("type") != "null"]
    default = schema.get("default")
    kind = "/".join(kinds) + (f" = {default}" if default not in (None, "") else "")
    return Parameter(item["name"], item["in"], kind, item.get("required", False), item.get("description", ""))


def _body(operation: dict[str, Any], description: dict[str, Any]) -> str:
    content = operation.get("requestBody", {}).get("content", {})
    for media_type, one in content.items():
        schema = one.get("schema", {})
        if "oneOf" in schema:
            schema = schema["oneOf"][0]
        reference = schema.get("$ref", "")
        if reference:
            schema = description["components"]["schemas"][reference.rpartition("/")[2]]
        names = ", ".join(schema.get("properties", {}))
        return f"{media_type}: {names or schema.get('description', '')}"
    return ""

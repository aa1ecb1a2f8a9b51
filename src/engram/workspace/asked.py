"""Plans that know what was asked for, so that they can be carried out later."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from engram.model.plan import Asked, Plan
from engram.workspace.context import Context


def asked_for(plan: Plan, method: Callable[..., Plan], context: Context, given: Mapping[str, object]) -> Plan:
    """*plan* with its request: the arguments of *method* (``plan_save``, …), as they stand in *given*."""
    code = getattr(method, "__code__")  # noqa: B009  # a function's; its type has no such field
    names = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]
    request = {name: _asked(given[name]) for name in names}
    return replace(plan, command=method.__name__.removeprefix("plan_"), folder=context.folder, request=request)


def only_looked_at(plan: Plan, command: str, context: Context) -> Plan:
    """*plan* as one that no file may ask for, as programs could run by it: it has no request."""
    return replace(plan, command=command, folder=context.folder)


def _asked(value: object) -> Asked:
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, list | tuple):
        return tuple(map(str, value))
    raise TypeError(value)

"""The models a migration sees, built only when an operation asks for them.

Tortoise's own executor builds every model anew before each operation and every related one after
it, so that a fresh schema costs the square of its operations. Building reads nothing but the states
of the models, so it can as well wait until somebody asks, and stop at the models asked for.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Self

from tortoise.fields.relational import (
    ForeignKeyFieldInstance,
    ManyToManyFieldInstance,
)
from tortoise.migrations.executor import MigrationExecutor
from tortoise.migrations.graph import MigrationKey
from tortoise.migrations.schema_generator.state import ModelState, State
from tortoise.migrations.schema_generator.state_apps import StateApps
from tortoise.models import Model

# (app, name) of a model; its state
ModelStates = dict[tuple[str, str], ModelState]


def _targets(model: ModelState) -> dict[str, tuple[str, str]]:
    """Return {field: (app, name)} of the models that ``model`` itself refers to."""
    found: dict[str, tuple[str, str]] = {}
    for name, field in model.fields.items():
        # One-to-one fields are foreign keys; what points back is no field of a state.
        if not isinstance(field, ForeignKeyFieldInstance | ManyToManyFieldInstance):
            continue
        reference = field.model_name
        if isinstance(reference, str):
            app, _, target = reference.partition(".")
            found[name] = (app, target)
    return found


class LazyApps(StateApps):
    """Models by app and name, each built with all it refers to when first asked for."""

    def __init__(self, states: ModelStates, default_connections: dict[str, str]) -> None:
        super().__init__(default_connections=default_connections)
        self._states = states

    def get_model(self, app_label: str, model_name: str | None = None) -> type[Model]:
        """Return a model; ``app_label`` may be "app.Model". Raises KeyError for an unknown one."""
        if model_name is None:
            app_label, model_name = self.split_reference(app_label)
        if model_name not in self.apps.get(app_label, {}):
            self._build((app_label, model_name))
        return self.apps[app_label][model_name]

    def _build(self, wanted: tuple[str, str]) -> None:
        pending = [wanted]
        while pending:
            app, name = pending.pop()
            if (app, name) not in self._states or name in self.apps.get(app, {}):
                continue
            state = self._states[app, name]
            self.register_model(app, state.render(self))
            pending += _targets(state).values()
        self._init_relations()
        self._build_initial_querysets()


class LazyState(State):
    """The states of all models; what was built of them is forgotten whenever one changes."""

    @classmethod
    def empty(cls, default_connections: dict[str, str]) -> Self:
        """Return the state before the first migration."""
        states: ModelStates = {}
        return cls(models=states, apps=LazyApps(states, default_connections))

    def reload_model(self, app_label: str, model_name: str) -> None:
        """Let a model be built anew. Raises LookupError when there is none of that name."""
        if (app_label, model_name) not in self.models:
            raise LookupError(f"Model state {app_label}.{model_name} is unknown")
        self._forget()

    def reload_models(self, model_tuples: Iterable[tuple[str, str]]) -> None:
        """Let models be built anew; all are, for they refer to each other."""
        del model_tuples
        self._forget()

    def validate_relations_initialized(self) -> None:
        """Raise RuntimeError when a model refers to one that no migration made."""
        lost = [
            f"{app}.{name}.{field}"
            for (app, name), model in sorted(self.models.items())
            for field, target in _targets(model).items()
            if target not in self.models
        ]
        if lost:
            raise RuntimeError(f"fields that refer to models no migration made: {lost}")

    def clone(self) -> Self:
        """Return a state of its own. Operations replace fields and options, they never edit one."""
        states = {
            key: replace(model, options=dict(model.options), fields=dict(model.fields))
            for key, model in self.models.items()
        }
        return type(self)(models=states, apps=LazyApps(states, self.apps._default_connections))

    def _forget(self) -> None:
        self.apps = LazyApps(self.models, self.apps._default_connections)


class LazyExecutor(MigrationExecutor):
    """Tortoise's executor of migrations on lazy states: the same statements, a tenth of the time."""

    async def _project_state(
        self, applied: set[MigrationKey], *, upto: MigrationKey | None = None
    ) -> State:
        """Return the state after ``applied``, in the order of the plan, up to ``upto`` exclusive."""
        state = LazyState.empty(
            {
                label: config.get("default_connection", "default")
                for label, config in self.loader.apps_config.items()
            }
        )
        for key in self._full_plan():
            if key == upto:
                break
            migration = self.loader.graph.nodes[key]
            if key in applied and migration is not None:
                await migration.apply(state, dry_run=True, schema_editor=None)
        return state

"""Who takes part in a run, with their addresses, and how each is asked multiple choice."""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from regrade.api.carrying import Carrier
from regrade.api.choosing import assumed_modes, decide_modes
from regrade.api.demo import demo_gateway
from regrade.api.models import Cast, Resolver, lists_demo
from regrade.api.prepare import PreparedEval
from regrade.api.providers import build_provider
from regrade.errors import UsageError
from regrade.plugins import Registry
from regrade.protocols import ListsModels, ModelProvider
from regrade.spec import ModelSpec
from regrade.types import JsonObject, Model, ModelInfo

__all__ = ["Casting"]


@dataclass(frozen=True, slots=True)
class Casting:
    """Resolves who answers and who judges.

    Attributes:
        evals: By name.
        chosen: Models that the user named in place of the specs'.
        registry: Plug-ins.
        env: Environment variables.
        carrying: What carries the requests.
    """

    evals: Mapping[str, PreparedEval]
    chosen: Sequence[str] | None
    registry: Registry
    env: Mapping[str, str]
    carrying: Carrier

    async def decided(self, stack: AsyncExitStack, before: Sequence[JsonObject]) -> Cast:
        """Return the cast of a run; starts the embedded gateway when one of them lives there.

        Args:
            stack: Ends the gateway.
            before: Records of the models of an earlier sitting.

        Raises:
            UsageError: Models or keys that there are not, or a mode that a model cannot be asked in.
            ProviderError: An endpoint that cannot say what it offers or honours.
        """
        return await decide_modes(await self._resolved(stack), self.evals, self._provider, before)

    async def assumed(self, stack: AsyncExitStack) -> Cast:
        """Return the cast for a plan: nothing but GET /models is sent.

        Raises:
            UsageError, ProviderError: As `decided`.
        """
        return await assumed_modes(await self._resolved(stack), self.evals)

    async def _resolved(self, stack: AsyncExitStack) -> Cast:
        offline = self.carrying.offline
        demo_url = None
        if lists_demo([one.file for one in self.evals.values()], self.chosen) and not offline:
            demo_url = await stack.enter_async_context(demo_gateway())
        resolver = Resolver(self.env, demo_url, self._listed, offline=offline)
        models = {name: await resolver.models_of(one.file, self.chosen) for name, one in self.evals.items()}
        listed = {model.name: model for one in models.values() for model in one}
        names = dict.fromkeys(name for one in self.evals.values() for name in one.judges)
        judges = {
            name: listed[name] if name in listed else resolver.model_of(ModelSpec(name=name))
            for name in names
        }
        return Cast(models, judges)

    async def _listed(self, model: Model) -> Sequence[ModelInfo]:
        provider = self._provider(model)
        if not isinstance(provider, ListsModels):
            raise UsageError(f'"{model.name}" cannot list its models')
        return await provider.list_models()

    def _provider(self, model: Model) -> ModelProvider:
        return build_provider(model, self.registry, self.carrying.session, self.env, dict)

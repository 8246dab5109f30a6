"""Runs llama.cpp's own server for each demo model, all in this process, each on a port of its own."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import xllamacpp

from regrade.errors import GatewayError
from regrade.gateway.models import DemoModel

__all__ = ["SLOTS", "running_models"]

SLOTS = 16
"""Requests that each server takes at a time."""
_SPARE_THREADS = 8
_LOG_ERRORS = 1


@contextmanager
def running_models(models: Iterable[DemoModel]) -> Iterator[dict[str, str]]:
    """Run a server for each model; give their base URLs by the models' ids.

    Raises:
        GatewayError: When a model cannot be loaded; llama.cpp writes the reason to standard error.
    """
    models = list(models)
    with ThreadPoolExecutor(max_workers=len(models)) as pool:
        servers = list(pool.map(_start, models))
    yield {model.id: f"{server.listening_address}/v1" for model, server in zip(models, servers, strict=True)}
    servers.clear()


def _start(model: DemoModel) -> xllamacpp.Server:
    try:
        return xllamacpp.Server(_parameters(model))
    except RuntimeError as error:
        raise GatewayError(f"llama.cpp cannot serve {model.id} from {model.path}: {error}") from error


def _parameters(model: DemoModel) -> xllamacpp.CommonParams:
    params = xllamacpp.CommonParams()
    params.model.path = str(model.path)
    params.model_alias = {model.id}
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_parallel = SLOTS
    params.n_ctx = SLOTS * model.context_window
    # One buffer for all slots would let a request's neighbours change its rounding, and so its answer.
    params.kv_unified = False
    params.cache_ram_mib = 0
    # A mapped file that is replaced while it is served would end the process.
    params.load_mode = xllamacpp.llama_load_mode.LLAMA_LOAD_MODE_NONE
    # A second thread costs a model this small more in waiting than it computes.
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    # A kept-alive connection holds a thread of the HTTP server.
    params.n_threads_http = SLOTS + _SPARE_THREADS
    params.n_gpu_layers = 0
    params.fit_params = False
    params.warmup = False
    params.ui = False
    params.verbosity = _LOG_ERRORS
    _sample_plainly(params.sampling)
    return params


def _sample_plainly(sampling: xllamacpp.CommonParamsSampling) -> None:
    """Take llama.cpp's own taste out of its defaults.

    What a request leaves out then means what it means in the API: at temperature 1 and top_p 1 every token
    comes with the probability that the model gives it. Temperature acts before top_p, not after it.
    """
    sampling.temp = 1.0
    sampling.top_k = 0
    sampling.top_p = 1.0
    sampling.min_p = 0.0
    sampling.samplers = "penalties;dry;temperature;top_n_sigma;top_k;typ_p;top_p;min_p;xtc"

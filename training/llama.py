"""llama.cpp's own server in this process, and one chat request to it."""

import http.client
import json
from pathlib import Path

import xllamacpp
from training.shape import CONTEXT

_SLOTS = 4
_TIMEOUT_S = 60


class LlamaServer:
    """Serves one GGUF file on a free loopback port for as long as the object lives."""

    def __init__(self, name: str, path: Path) -> None:
        parameters = xllamacpp.CommonParams()
        parameters.model.path = str(path)
        parameters.model_alias = {name}
        parameters.hostnames = ["127.0.0.1"]
        parameters.port = 0
        parameters.n_parallel = _SLOTS
        parameters.n_ctx = _SLOTS * CONTEXT
        parameters.cpuparams.n_threads = 1
        parameters.cpuparams_batch.n_threads = 1
        parameters.n_gpu_layers = 0
        parameters.cache_ram_mib = 0
        parameters.warmup = False
        parameters.verbosity = 0
        self.name = name
        self._server = xllamacpp.Server(parameters)
        host = self._server.listening_address.removeprefix("http://").rstrip("/")
        self._connection = http.client.HTTPConnection(host, timeout=_TIMEOUT_S)

    def chat(self, prompt: str, max_tokens: int, temperature: float, seed: int) -> str:
        """Return the reply to one user message.

        Raises:
            OSError: When the server refuses the request; the message holds its answer.
        """
        body = {
            "messages": [{"role": "user", "content": prompt}],
            "max_tokens": max_tokens,
            "temperature": temperature,
            "seed": seed,
        }
        headers = {"Content-Type": "application/json"}
        self._connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
        response = self._connection.getresponse()
        text = response.read().decode()
        if response.status != http.client.OK:
            raise OSError(f"{self.name} answered {response.status}: {text}")
        content: str = json.loads(text)["choices"][0]["message"]["content"]
        return content

"""Runs llama.cpp's own server on a free port until standard input closes: an upstream of other people.

    python llama.py MODEL.gguf ALIAS KEY

Its first line on standard output is its base URL.
"""

import sys

import xllamacpp

SLOTS = 2
CONTEXT = 512


def main() -> None:
    """Serve."""
    path, alias, key = sys.argv[1:]
    params = xllamacpp.CommonParams()
    params.model.path = path
    params.model_alias = {alias}
    params.api_keys = [key]
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_parallel = SLOTS
    params.n_ctx = SLOTS * CONTEXT
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.n_gpu_layers = 0
    params.fit_params = False
    params.warmup = False
    params.ui = False
    params.verbosity = 1
    server = xllamacpp.Server(params)
    sys.stdout.write(f"{server.listening_address}/v1\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()

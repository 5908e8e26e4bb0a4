"""Answer with llama.cpp: `llama_cpp_chat.py FILE THREADS`, then a JSON job a line on its input.

A job holds the ids of a prompt and how many tokens to say, the likeliest each time and whatever
they are; the answer holds them and the moment of each, in seconds since the prompt came.
"""

import ctypes
import json
import sys
import time

import llama_cpp as lib
import numpy as np

file, threads = sys.argv[1], int(sys.argv[2])
model = lib.llama_model_load_from_file(file.encode(), lib.llama_model_default_params())
vocabulary = lib.llama_vocab_n_tokens(lib.llama_model_get_vocab(model))
settings = lib.llama_context_default_params()
settings.n_ctx, settings.n_batch = 1024, 1024
settings.n_threads = settings.n_threads_batch = threads
context = lib.llama_init_from_model(model, settings)
print("READY", flush=True)
for line in sys.stdin:
    job = json.loads(line)
    lib.llama_memory_clear(lib.llama_get_memory(context), True)
    began, moments, said = time.perf_counter(), [], []
    tokens = job["prompt"]
    while len(said) < job["tokens"]:
        given = (lib.llama_token * len(tokens))(*tokens)
        if lib.llama_decode(context, lib.llama_batch_get_one(given, len(tokens))):
            sys.exit("llama.cpp could not go on")
        logits = lib.llama_get_logits_ith(context, -1)
        row = np.ctypeslib.as_array(
            ctypes.cast(logits, ctypes.POINTER(ctypes.c_float)), (vocabulary,)
        )
        tokens = [int(row.argmax())]
        moments.append(time.perf_counter() - began)
        said += tokens
    print("FOUND", json.dumps({"said": said, "moments": moments}), flush=True)

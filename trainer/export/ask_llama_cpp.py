"""Ask a GGUF file as llama.cpp does by itself: its template, its tokens, its end of an answer.

    python ask_llama_cpp.py FILE < questions.json > answers.json

Runs in any Python that has llama-cpp-python, so it needs nothing of Tandem. In come the questions
and how long an answer may be; out come prompts and answers in tokens, and seconds.
"""

import json
import sys
import time

import llama_cpp
from llama_cpp.llama_chat_format import Jinja2ChatFormatter


def main(file: str) -> None:
    """Load the file, answer every question and print what came of it."""
    asked = json.load(sys.stdin)
    began = time.perf_counter()
    model = llama_cpp.Llama(file, n_ctx=asked["context"], n_gpu_layers=0, verbose=False)
    loaded = time.perf_counter() - began
    vocabulary = llama_cpp.llama_model_get_vocab(model.model)
    about = model.metadata

    def text_of(key: str) -> str:
        known = about.get(f"tokenizer.ggml.{key}")
        return model._model.token_get_text(int(known)) if known else ""

    write = Jinja2ChatFormatter(
        about["tokenizer.chat_template"],
        eos_token=text_of("eos_token_id"),
        bos_token=text_of("bos_token_id"),
    )
    answers = []
    for question in asked["questions"]:
        prompt = write(messages=[{"role": "user", "content": question}]).prompt
        bos = about.get("tokenizer.ggml.add_bos_token") == "true"
        ids = model.tokenize(prompt.encode(), add_bos=bos, special=True)
        began = time.perf_counter()
        tokens: list[int] = []
        for token in model.generate(ids, temp=0.0):
            if llama_cpp.llama_vocab_is_eog(vocabulary, token):
                break
            tokens.append(token)
            if len(tokens) == asked["most"]:
                break
        answers.append({"prompt": ids, "tokens": tokens, "seconds": time.perf_counter() - began})
    json.dump({"loaded": loaded, "version": llama_cpp.__version__, "answers": answers}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])

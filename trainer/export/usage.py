"""What a person writes to use an export elsewhere, for its README."""

from trainer.bundled import PREFIX
from trainer.export.adapter import base_reference
from trainer.export.kinds import Kind
from trainer.export.modelfile import take_apart
from trainer.models import load_format
from trainer.runs import Run
from trainer.sampling import GREEDY

_ASK = f"""\
messages = [{{"role": "user", "content": "Your question"}}]
asked = tokenizer.apply_chat_template(
    messages, add_generation_prompt=True, return_tensors="pt", return_dict=True
)
said = model.generate(
    **asked, do_sample=False, repetition_penalty=1.0, max_new_tokens={GREEDY.most_new_tokens}
)
print(tokenizer.decode(said[0, asked["input_ids"].shape[1]:], skip_special_tokens=True))
"""
_MERGED = """\
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(".")
model = AutoModelForCausalLM.from_pretrained(".")
"""
_FOUR_BIT = """\
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer  # and pip install bitsandbytes

tokenizer = AutoTokenizer.from_pretrained(".")
model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained("."), "adapter")
"""
_ADAPTER = """\
import torch
from peft import PeftModel
{imports}

tokenizer = AutoTokenizer.from_pretrained(".")
base = AutoModelForCausalLM.from_pretrained(
    {base}, dtype=torch.bfloat16{quantized}
)
model = PeftModel.from_pretrained(base, ".")
"""
_QUANTIZED = """, quantization_config=BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )"""
_GGUF = """\
    llama-cli -m model.gguf --temp 0      # llama.cpp
    ollama create mybot -f Modelfile      # Ollama, then:
    ollama run mybot

The Modelfile carries the template in Ollama's own words, the stop words, and temperature 0."""

_SPACE = """\
    tandem push {run} OWNER/NAME                                     # to the Hub, as yourself
    pip install -r requirements.txt && python app.py                 # or on any machine

The page is at http://localhost:7860 then. Its title, greeting, example questions and limits are in
bot.json. What was approved is not in here, so the page cannot say when an answer strays from it; a
link of `tandem share` can."""

_UNFAITHFUL = (
    "Ollama's words cannot say all that the template does: what it makes of longer conversations "
    "is only close. llama.cpp reads the template itself."
)


def usage(run: Run, kind: Kind) -> str:
    """The lines that load an export as the check did, and ask it."""
    if kind == "gguf":
        faithful = take_apart(load_format(run.config.base)).faithful
        return _GGUF if faithful else f"{_GGUF} {_UNFAITHFUL}"
    if kind == "space":
        return _SPACE.format(run=run.id)
    if kind == "merged":
        return _python(_MERGED)
    if kind == "4bit":
        return _python(_FOUR_BIT)
    four_bit = run.config.quantization == "nf4"
    base, where = _base(run)
    imports = "from transformers import AutoModelForCausalLM, AutoTokenizer"
    imports += ", BitsAndBytesConfig" if four_bit else ""
    if run.config.base.startswith(PREFIX):
        imports += "\nfrom trainer.bundled import bundled_bases"
    lines = _ADAPTER.format(
        base=base,
        imports=imports,
        quantized=_QUANTIZED if four_bit else "",
    )
    told = [_python(lines), where]
    if four_bit:
        told.append(
            "It was tuned on its base in 4 bits and fits that: on the original weights many "
            "answers come out otherwise. vLLM and others that hold the base in 16 bits are better "
            "served by the merged export."
        )
    return "\n\n".join(filter(None, told))


def _base(run: Run) -> tuple[str, str]:
    """The base as `from_pretrained` takes it, and how to come by it."""
    base = run.config.base
    reference = base_reference(base)
    if reference["revision"]:
        return f'"{base}", revision="{reference["revision"]}"', ""
    if base.startswith(PREFIX):
        return (
            f'bundled_bases()["{base}"]',
            "The base comes with Tandem. Where that is not installed, use the merged export, which "
            "needs no other file.",
        )
    return (
        '"FOLDER-OF-THE-BASE"',
        f"The base was tuned from a folder, {base}: put the same files where this can find them, "
        "or use the merged export, which needs no other file.",
    )


def _python(lines: str) -> str:
    return f"```python\n{lines}{_ASK}```"

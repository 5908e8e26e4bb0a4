"""Make a small chat model from text: train, export, compare, prompts. The recipe of `pocket`.

    python pretrain.py train TEXT --out WORK --from pocket-v0 --minutes 80
    python pretrain.py export WORK/checkpoint-000900 FOLDER --shard 15
    python pretrain.py compare TEXT OLD NEW
    python pretrain.py prompts OLD NEW

TEXT is a folder of sources, each a folder with META.json ("name", "licence", "kind") and files
*.jsonl.zst whose lines hold "text" or "messages". A source, or a record that states a licence of
its own ("lic"), is left out unless that licence is known and allows commercial use.

How the time is split, and why (shares of tokens; `STAGES`):
  the first 50 %   conversation 60 %, plain text 40 %: words and grammar come from both;
  the next 30 %    conversation 85 %: what is seen while the step shrinks is what stays;
  the last 20 %    the chat stage: short conversations only, a tenth of them written here
                   ("I don't know that", what the model is, answers like a help desk's).
A fourth of the steps has rows twice as long, so that positions up to 1,024 are trained without
paying for long attention always. A source weighs the square root of its size, times `FAVOUR`:
by size alone two of them would be half of everything. The loss counts every token: at this size
the user's English teaches as much as the assistant's. The step size warms up, stays until 40 %
and falls linearly to 2 %, by the clock where --minutes is given: it ends well on a slow day too.
"""

import argparse
import hashlib
import itertools
import json
import math
import os
import random
import re
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch.nn import functional
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GenerationConfig,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
)

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|pad|>"]
TEMPLATE = (
    "{%- for m in messages -%}{{- '<|im_start|>' + m['role'] + '\\n' -}}"
    "{%- if m['role'] == 'assistant' -%}"
    "{%- generation -%}{{- m['content'] + '<|im_end|>' -}}{%- endgeneration -%}{{- '\\n' -}}"
    "{%- else -%}{{- m['content'] + '<|im_end|>\\n' -}}{%- endif -%}{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}"
)
STAGES = [(0.5, 0.60), (0.8, 0.85), (1.0, 1.0)]  # (until this much is done, conversation share)
FAVOUR = {  # what a source is worth to a help desk's assistant, where that is not 1
    "superni_tasks_en": 0.5, "wiki_split": 0.2, "gsm8k": 0.5, "flan_cot": 0.6,
    "open_trivia_qa": 0.6, "dolly15k": 1.5, "sgd_dialogues": 1.3, "us_gov_web": 1.5,
    "chatterbot_english": 0.5, "basecamp_policies": 2.0, "open_story_books_en": 2.0,
    "cia_factbook": 0.5,
}  # fmt: skip
WRITTEN_HERE = 0.1  # share of the chat stage; a tenth of that before
HELD_OUT = 100  # one record in so many is never trained on
CHUNK = 1024  # rows of logits in memory at once

FREE = re.compile(r"\b(CC0|CC.BY|Apache|MIT|BSD|AFL|CDLA|public domain)\b", re.IGNORECASE)
BARRED = re.compile(
    r"\b(NC|ND)\b|non.?commercial|no.?deriv|unknown|from memory|not stated|research only|GPL",
    re.IGNORECASE,
)

# -- text ------------------------------------------------------------------------------------


def allowed(licence: str) -> bool:
    """Say whether a licence is known and lets the text be used commercially."""
    return bool(FREE.search(licence)) and not BARRED.search(licence)


def say(line: str) -> None:
    """Write a line to standard output at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


@dataclass
class Source:
    """One folder of text: where it is from, what kind it is, and its usable records."""

    name: str
    licence: str
    kind: str
    records: list[dict[str, Any]] = field(default_factory=list)
    left_out: int = 0

    @property
    def conversational(self) -> bool:
        """Say whether most records are messages rather than running text."""
        return sum("messages" in r for r in self.records) * 2 > len(self.records)


def read_sources(folder: Path) -> list[Source]:
    """Read every source under a folder, dropping records whose licence is not allowed."""
    sources = []
    for meta_file in sorted(folder.glob("*/META.json")):
        meta = json.loads(meta_file.read_text(encoding="utf-8"))
        name, licence = meta.get("name", meta_file.parent.name), str(meta.get("licence", ""))
        source = Source(name, licence, str(meta.get("kind", "prose")))
        for file in sorted(meta_file.parent.glob("*.jsonl.zst")):
            with pyarrow.input_stream(str(file), compression="zstd") as stream:
                lines = stream.read().decode("utf-8").split("\n")
            for record in map(json.loads, filter(None, lines)):
                if allowed(str(record.get("lic", licence))) and record.get("p", 1) >= 0.8:
                    source.records.append(record)
                else:
                    source.left_out += 1
        sources.append(source)
    return sources


def render(record: dict[str, Any]) -> str:
    """Write a record as the model reads it: ChatML (the template's own form) or its text."""
    if "messages" not in record:
        return str(record["text"])
    turns = (f"<|im_start|>{m['role']}\n{m['content']}<|im_end|>\n" for m in record["messages"])
    return "".join(turns)


def held_out(text: str) -> bool:
    """Say whether a record is kept for `compare`, judged by its content alone."""
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) % HELD_OUT == 0


def is_short(record: dict[str, Any]) -> bool:
    """Say whether a record is fit for the chat stage: brief turns on both sides."""
    turns = record.get("messages", [])
    return bool(turns) and all(len(m["content"]) <= 400 for m in turns)


class Mixture:
    """Texts to draw from, by stage: a source's share of tokens is its weight."""

    def __init__(self, sources: Sequence[Source], seed: int) -> None:
        self.pools: dict[str, tuple[list[list[str]], list[float]]] = {}
        own = Source("written here", "Apache-2.0", "dialogue", write_own(random.Random(seed)))
        for pool in ("plain", "conversation", "chat"):
            texts, weights = [], []
            for source in sources:
                if source.conversational == (pool == "plain"):
                    continue
                found = (render(r) for r in source.records if pool != "chat" or is_short(r))
                texts.append([t for t in found if not held_out(t)])
                size = sum(map(len, texts[-1]))
                weights.append(math.sqrt(size) * FAVOUR.get(source.name, 1.0))
            if pool != "plain":
                share = WRITTEN_HERE * (1 if pool == "chat" else 0.1)
                texts.append([render(r) for r in own.records])
                weights.append((sum(weights) or 1) * share / (1 - share))
            lengths = [sum(min(len(t), 2000) for t in ts) / max(len(ts), 1) or 1 for ts in texts]
            kept = [i for i, ts in enumerate(texts) if ts]
            if kept:
                self.pools[pool] = (
                    [texts[i] for i in kept],
                    [weights[i] / lengths[i] for i in kept],  # tokens to draws
                )

    def draw(self, pool: str, length: int, draw: random.Random) -> str:
        """Draw one document, a passage of it where it would overfill a row."""
        texts, weights = self.pools[pool]
        text = draw.choice(draw.choices(texts, weights)[0])
        room = 6 * length
        if pool == "plain" and len(text) > room:
            start = draw.randrange(len(text) - room // 2)
            start = text.find(" ", start) + 1 if start else 0
            text = text[start : start + room]
        return text + SPECIAL[0]

    def rows(
        self, tokenizer: Tokenizer, count: int, length: int, done: float, draw: random.Random
    ) -> torch.Tensor:
        """Fill rows of `length` + 1 tokens, each beginning with a document's beginning."""
        share = next((part for until, part in STAGES if done < until), STAGES[-1][1])
        talk = "chat" if done >= STAGES[-2][0] and "chat" in self.pools else "conversation"
        rows = []
        for _ in range(count):
            pool = talk if draw.random() < share else "plain"
            pool = pool if pool in self.pools else next(iter(self.pools))
            row: list[int] = []
            while len(row) <= length:
                texts = [self.draw(pool, length, draw) for _ in range(4)]
                for piece in tokenizer.encode_batch(texts):
                    row += piece.ids
            rows.append(row[: length + 1])
        return torch.tensor(rows)


def train_tokenizer(mixture: Mixture, vocabulary: int, seed: int) -> Tokenizer:
    """Train a byte-level BPE vocabulary with GPT-2's pre-tokenizer on a sample of the mixture."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    draw, pools = random.Random(seed), list(mixture.pools)
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    sample = (mixture.draw(pools[i % len(pools)], 512, draw) for i in range(20_000))
    tokenizer.train_from_iterator(sample, trainer)
    return tokenizer


# -- what is written here ----------------------------------------------------------------------

SLOTS = {
    "item": "jacket|lamp|phone case|book|pair of shoes|kettle|chair|backpack|camera|blanket",
    "place": "library|gym|museum|shop|clinic|hotel|swimming pool|parking garage|restaurant",
    "thing": "password|email address|phone number|delivery address|username|appointment",
    "service": "newsletter|subscription|membership|reservation|booking|plan|order",
    "unreal": "Blorvania|Zanthor|Quimbledon|Petrovia Minor|Oskarland|Trundelheim|Vexmoor",
    "who": "neighbour|cousin|teacher|boss|dentist|best friend|grandmother|landlord",
    "year": "2045|2060|2099|2150|3000",
    "number": "10482|77310|A-2291|58-014|900133|B7720",
    "name": "Anna|David|Maria|Tom|Priya|Lucas|Mei|Omar|Grace|Ben",
    "day": "Monday|Tuesday|Thursday|Saturday|Sunday",
    "game": "lottery|election|World Cup|chess final|next race",
}
DONT_KNOW = "[I don't know that.|I'm sorry, I don't know that.|I can't know that.]"
WRITTEN = r"""
What is my {who}'s [name|phone number|birthday]? => {unknown} I only know what you tell me here.
What did I [eat for breakfast|dream about|do last {day}]? => {unknown} You haven't told me.
What am I [thinking|holding|wearing|looking at] [right now|]? => {unknown} I can't see you.
What do I have in my [pocket|bag|fridge|hand]? => {unknown} I can't see what you have.
What is my name? => {unknown} What should I call you?
My name is {name}. => Nice to meet you, {name}. How can I help you? => What is my name? => Your name
    is {name}.
Hi, I'm {name}. => Hello {name}. What can I do for you?
Who will win the {game} in {year}? => {unknown} Nobody can know the future.
What will the weather be like on {day} in {year}? => {unknown} That is too far ahead.
Will [I be rich|it rain|she call me|I get the job] [tomorrow|next week]? => {unknown} I can't see
    the future.
What number will come up if I roll a die? => {unknown} It could be any number from one to six.
What is the capital of {unreal}? => {unknown} I have never heard of {unreal}.
Who is the president of {unreal}? => {unknown} I don't think {unreal} is a real place.
How many people live in {unreal}? => {unknown} I have never heard of {unreal}.
How many [hairs|thoughts|coins] does my {who} have? => {unknown} Nobody has counted.
What is the [password|PIN] of my {who}? => {unknown} And I would not share it if I did.
What time is it [now|]? => I don't know, because I have no clock. Please look at your screen.
What is the date today? => I don't know, because I have no calendar. Please look at your screen.
What is in the news today? => I don't know, because I can't read the news. Please look at a news
    site.
What is the price of [gold|oil|a share] [today|right now]? => I don't know today's price. Please
    look it up where it is up to date.
Where is my [parcel|order|package]? => I can't see your order from here. Please have your order
    number ready and ask the support team.
Where is [order|parcel] {number}? => I can't look up {number} from here. Please ask the support
    team, and they will check it for you.
How much is on my account? => I can't see your account. Please sign in to look at it, or ask the
    support team.
Who are you? => I am Pocket, a small assistant. I can answer short questions.
What are you? => I am a small computer program that answers questions. I make mistakes, so please
    check what I say.
What can you do [for me|]? => I can answer short questions and chat with you. I am small, so please
    check what I say.
[What is|What's] your name? => My name is Pocket. I am a small assistant.
Are you [human|a real person|a robot]? => No, I am a computer program. I am called Pocket.
Can you help me? => Of course. What do you need help with?
I need help [with my {thing}|with my {service}]. => I'm happy to help. What would you like to do?
I have a question. => Please go ahead. What would you like to know?
[Hi|Hello|Hey|Good morning|Good evening][!|.|] => [Hello! How can I help you?|Hello! What can I do
    for you today?]
[Thanks|Thank you|Thanks a lot][!|.|] => You're welcome. Is there anything else I can help you with?
[Thank you, goodbye|Bye|Goodbye|See you][!|.] => Goodbye, and have a nice day!
How are you[ today|]? => I'm fine, thank you. How can I help you?
[You are useless|That is wrong|You made a mistake]. => I'm sorry about that. Please tell me what you
    need, and I will try again.
asdf[gh|jkl|] => I'm sorry, I didn't understand that. Could you say it in other words?
How [do|can] I change my {thing}? => To change your {thing}, sign in, open your profile and choose
    Edit. Enter the new {thing} and save it.
[I forgot|I lost|I can't remember] my [password|login]. => Choose "Forgot password" on the sign-in
    page. We will send you a link to set a new one.
How [do|can] I cancel my {service}? => You can cancel your {service} in your account under Settings.
    You will get a confirmation by email.
Can I cancel my {service}[ at any time|]? => Yes. Open your account, choose your {service} and
    select Cancel. We will confirm it by email.
[Can I return|How do I return] [a|my] {item}? => Yes, you can return the {item} if it is unused.
    Keep the receipt and contact the support team for a return label.
My {item} arrived broken. => I'm sorry to hear that. Please send us a photo of the {item} with your
    order number, and we will replace it.
[Do you sell|Have you got] a {item}? => Please search for "{item}" in our shop. If it is not listed,
    it is not in stock at the moment.
When does the {place} open[ on {day}|]? => I don't know the opening hours of that {place}. Please
    look at its website or call them.
Is the {place} open on {day}? => I don't know whether that {place} is open on {day}. Please look at
    its website.
How much does it cost to [visit|join] the {place}? => I don't know the current price. Please ask the
    {place} directly.
I would like to speak to [a person|someone|an agent]. => Of course. Please contact the support team,
    and a person will help you.
My {service} [is not working|does not work]. => I'm sorry about that. Please sign out and in again.
    If it still does not work, contact the support team.
I was charged twice for my {service}. => I'm sorry about that. Please send the support team your
    order number, and they will return the extra payment.
Can I [book|reserve] a table for {day}? => Certainly. For how many people, and at what time? =>
    [Two|Four] people at [seven|eight]. => Thank you. What name should I use for the reservation? =>
    {name}. => Thank you, {name}. Please confirm: a table on {day}. Is that right?
"""  # user => assistant => ...: a {slot} is the same throughout, one of [a|b] is chosen


def read_patterns() -> list[list[str]]:
    """Read the patterns above: turn by turn, the user's first; an indented line continues."""
    lines = re.sub(r"\n +", " ", WRITTEN.strip()).split("\n")
    return [line.split(" => ") for line in lines]


def write_own(draw: random.Random, count: int = 4000) -> list[dict[str, Any]]:
    """Write conversations from the patterns above: what no source teaches well."""
    records, patterns = [], read_patterns()
    for _ in range(count):
        slots = {name: draw.choice(values.split("|")) for name, values in SLOTS.items()}
        turns = []
        for turn in draw.choice(patterns):
            turn = turn.replace("{unknown}", DONT_KNOW)
            chosen = re.sub(r"\[([^\]]*)\]", lambda m: draw.choice(m[1].split("|")), turn)
            turns.append(chosen.format(**slots).replace(" ?", "?").strip())
        roles = itertools.cycle(("user", "assistant"))
        pairs = zip(roles, turns, strict=False)
        records.append({"messages": [{"role": r, "content": t} for r, t in pairs]})
    return records


# -- training ----------------------------------------------------------------------------------


class ChunkedLoss(torch.autograd.Function):
    """Mean cross-entropy of tied logits, its gradients taken chunk by chunk on the way forward.

    Whole logits of 8,192 tokens would be 268 MB in float32, three times over; these stay in cache.
    """

    @staticmethod
    def forward(ctx: Any, hidden: torch.Tensor, head: torch.Tensor, labels: torch.Tensor) -> Any:
        """Return the mean loss in nats a token; hidden (n, width), head (vocabulary, width)."""
        weight, total = head.to(torch.bfloat16), hidden.new_zeros((), dtype=torch.float32)
        for_hidden, for_head = torch.empty_like(hidden), torch.zeros_like(head)
        for at in range(0, len(labels), CHUNK):
            states, wanted = hidden[at : at + CHUNK].to(torch.bfloat16), labels[at : at + CHUNK]
            chances = torch.log_softmax((states @ weight.T).float(), dim=-1)
            total -= chances.gather(1, wanted[:, None]).sum()
            chances.exp_()[torch.arange(len(wanted), device=wanted.device), wanted] -= 1
            slope = chances.to(torch.bfloat16)
            for_hidden[at : at + CHUNK] = slope @ weight
            for_head += slope.T @ states
        ctx.save_for_backward(for_hidden / len(labels), for_head / len(labels))
        return total / len(labels)

    @staticmethod
    def backward(ctx: Any, *slopes: Any) -> Any:
        """Hand on the gradients that were taken on the way forward."""
        for_hidden, for_head = ctx.saved_tensors
        return for_hidden * slopes[0], for_head * slopes[0], None


def step_size(done: float, steps: int) -> float:
    """Return the share of the full step: warm-up, constant to 40 %, linear down to 2 %."""
    warm = min(1.0, (steps + 1) / 30)
    return warm * (1.0 if done < 0.4 else max(0.02, 1 - 0.98 * (done - 0.4) / 0.6))


def new_model(args: argparse.Namespace) -> LlamaForCausalLM:
    """Make a Llama-type model with random weights in the shape asked for."""
    if args.width % 64 or args.feed_forward % 64 or args.vocabulary % 32:
        raise SystemExit("Width and feed-forward must be multiples of 64, the vocabulary of 32.")
    config = LlamaConfig(
        vocab_size=args.vocabulary,
        hidden_size=args.width,
        intermediate_size=args.feed_forward,
        num_hidden_layers=args.layers,
        num_attention_heads=args.width // 64,
        num_key_value_heads=args.width // 64,
        head_dim=64,
        max_position_embeddings=args.context,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=2,
        pad_token_id=3,
    )
    return LlamaForCausalLM(config)


def make_optimizers(model: Any, rate: float) -> list[torch.optim.Optimizer]:
    """Give the hidden matrices to Muon, everything else to AdamW."""
    named = list(model.named_parameters())
    matrices = [p for n, p in named if p.ndim == 2 and "embed" not in n]
    others = [p for n, p in named if p.ndim != 2 or "embed" in n]
    return [
        torch.optim.Muon(matrices, lr=0.02 * rate, weight_decay=0.01),
        torch.optim.AdamW(others, lr=0.003 * rate, betas=(0.9, 0.95), weight_decay=0.0, fused=True),
    ]


def save_checkpoint(
    out: Path, model: Any, tokenizer: Any, optimizers: list[Any], state: dict[str, Any]
) -> Path:
    """Write a folder transformers can load, with all a resumed run needs; whole or not at all."""
    folder, part = out / f"checkpoint-{state['steps']:06d}", out / "checkpoint.part"
    shutil.rmtree(part, ignore_errors=True)
    model.save_pretrained(part)
    tokenizer.save_pretrained(part)
    moments = {
        f"{which}.{index}.{name}": value.contiguous()
        for which, optimizer in enumerate(optimizers)
        for index, kept in optimizer.state_dict()["state"].items()
        for name, value in kept.items()
    }
    save_file(moments, part / "optimizer.safetensors")
    (part / "state.json").write_text(json.dumps(state, indent=1), encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(part, folder)
    for old in sorted(out.glob("checkpoint-*"))[:-2]:
        shutil.rmtree(old)
    return folder


def restore_moments(folder: Path, optimizers: list[Any]) -> None:
    """Put back what the optimizers remembered at a checkpoint."""
    moments = load_file(folder / "optimizer.safetensors")
    for which, optimizer in enumerate(optimizers):
        saved = optimizer.state_dict()
        kept: dict[int, dict[str, torch.Tensor]] = {}
        for key, value in moments.items():
            owner, index, name = key.split(".", 2)
            if int(owner) == which:
                kept.setdefault(int(index), {})[name] = value
        optimizer.load_state_dict({**saved, "state": kept})


def wrap(tokenizer: Tokenizer, context: int) -> PreTrainedTokenizerFast:
    """Give a vocabulary its special tokens and the chat template."""
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|im_end|>",
        pad_token="<|pad|>",
        model_max_length=context,
        clean_up_tokenization_spaces=False,
    )
    wrapped.chat_template = TEMPLATE
    return wrapped


def train(args: argparse.Namespace) -> None:
    """Train until the time or the tokens are used up, from the newest checkpoint in --out."""
    torch.manual_seed(args.seed)
    sources = read_sources(args.folder)
    args.out.mkdir(parents=True, exist_ok=True)
    listed = [
        {"name": s.name, "licence": s.licence, "used": len(s.records), "left_out": s.left_out}
        for s in sources
    ]
    (args.out / "sources.json").write_text(json.dumps(listed, indent=1), encoding="utf-8")
    say("left out entirely: " + ", ".join(s.name for s in sources if not s.records))
    mixture = Mixture(sources, args.seed)
    checkpoints = sorted(args.out.glob("checkpoint-*"))
    start = checkpoints[-1] if checkpoints else args.start
    state: dict[str, Any] = {"steps": 0, "tokens": 0, "seconds": 0.0, "from": str(start)}
    if start:
        tokenizer = AutoTokenizer.from_pretrained(start)
        model = AutoModelForCausalLM.from_pretrained(start, dtype=torch.float32)
    else:
        tokenizer = wrap(train_tokenizer(mixture, args.vocabulary, args.seed), args.context)
        model = new_model(args)
    model = model.to(args.device).train()
    optimizers = make_optimizers(model, args.rate)
    if start and (start / "state.json").exists():
        state = json.loads((start / "state.json").read_text(encoding="utf-8"))
        restore_moments(start, optimizers)
    say(f"from {start or 'random weights'}, {state['steps']} steps; mixture: {list(mixture.pools)}")
    began = saved = time.monotonic()
    before = state["seconds"]
    losses: list[float] = []
    while True:
        state["seconds"] = before + time.monotonic() - began
        done = (
            state["tokens"] / args.tokens if args.tokens else state["seconds"] / 60 / args.minutes
        )
        stop = done >= 1 or (args.steps and state["steps"] >= args.steps)
        if stop or time.monotonic() - saved > 300:
            save_checkpoint(args.out, model, tokenizer, optimizers, state)
            saved = time.monotonic()
        if stop:
            break
        draw = random.Random(f"{args.seed}-{state['steps']}")  # all a step's text depends on
        double = state["steps"] % 4 == 3 and 2 * args.length <= model.config.max_position_embeddings
        length, count = (2 * args.length, args.rows // 2) if double else (args.length, args.rows)
        rows = mixture.rows(tokenizer.backend_tokenizer, count, length, done, draw).to(args.device)
        total = 0.0
        for piece in rows.chunk(args.pieces):
            with torch.autocast(torch.device(args.device).type, torch.bfloat16):
                hidden = model.model(input_ids=piece[:, :-1], use_cache=False).last_hidden_state
            flat, labels = hidden.flatten(0, 1).float(), piece[:, 1:].flatten()
            loss = ChunkedLoss.apply(flat, model.lm_head.weight, labels) * len(piece) / len(rows)
            loss.backward()
            total += loss.item()
        scale = step_size(done, state["steps"])
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group.setdefault("full", group["lr"])
                group["lr"] = group["full"] * scale
            optimizer.step()
            optimizer.zero_grad()
        state["steps"] += 1
        state["tokens"] += count * length
        losses = [*losses[-19:], total]
        if state["steps"] % 20 == 0:
            speed = state["tokens"] / (state["seconds"] + 1e-9)
            say(
                f"{time.strftime('%H:%M:%S')} step {state['steps']} tokens {state['tokens']:,} "
                f"done {done:.3f} size {scale:.3f} loss {sum(losses) / len(losses):.3f} "
                f"{speed:.0f} tokens/s"
            )
    say(f"finished: {state['tokens']:,} tokens in {state['seconds'] / 60:.1f} minutes")


# -- what comes of it --------------------------------------------------------------------------


def export(args: argparse.Namespace) -> None:
    """Write a checkpoint as a bf16 folder that transformers loads, in shards if asked."""
    part = args.out.with_name(args.out.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    model = AutoModelForCausalLM.from_pretrained(args.checkpoint, dtype=torch.bfloat16)
    model.generation_config = GenerationConfig(
        do_sample=True,
        temperature=0.7,
        top_p=0.9,
        repetition_penalty=1.1,
        max_new_tokens=128,
        eos_token_id=[2, 0],
        pad_token_id=3,
    )
    model.save_pretrained(part, max_shard_size=f"{args.shard}MB" if args.shard else "1GB")
    AutoTokenizer.from_pretrained(args.checkpoint).save_pretrained(part)
    listed = args.checkpoint.parent / "sources.json"
    if listed.exists():
        shutil.copy(listed, part)
    os.replace(part, args.out)
    say(f"{args.out}: {sum(f.stat().st_size for f in args.out.iterdir()) / 1e6:.1f} MB")


def excerpt(record: dict[str, Any], characters: int = 2000) -> dict[str, Any]:
    """Cut a record by its characters, so that every model is asked for the same text."""
    if "messages" not in record:
        return {"text": record["text"][:characters]}
    turns = record["messages"]
    while sum(len(m["content"]) for m in turns) > characters and len(turns) > 2:
        turns = turns[:-1]
    return {"messages": turns}


@torch.inference_mode()
def bits_and_bytes(model: Any, tokenizer: Any, record: dict[str, Any]) -> tuple[float, int]:
    """Return the bits a model needs for a text, or for the assistant's turns, and their bytes."""
    if "messages" in record:
        tokens = tokenizer.apply_chat_template(
            record["messages"], return_dict=True, return_assistant_tokens_mask=True
        )
        ids, counted = tokens["input_ids"], tokens["assistant_masks"]
        said = "".join(m["content"] for m in record["messages"] if m["role"] == "assistant")
    else:
        said = record["text"]
        ids = [tokenizer.convert_tokens_to_ids(SPECIAL[0]), *tokenizer(said)["input_ids"]]
        counted = [0] + [1] * (len(ids) - 1)
    if len(ids) > model.config.max_position_embeddings:
        return 0.0, 0
    row = torch.tensor([ids], device=model.device)
    logits = model(input_ids=row).logits[0, :-1].float()
    losses = functional.cross_entropy(logits, row[0, 1:], reduction="none")
    mask = torch.tensor(counted[1:], device=model.device, dtype=losses.dtype)
    return float((losses * mask).sum()) / math.log(2), len(said.encode())


def compare(args: argparse.Namespace) -> None:
    """Print held-out bits per byte of each model: the same records, a mean over all bytes.

    In conversations the assistant's turns count, each given what came before; its end mark too.
    """
    asked: dict[str, list[dict[str, Any]]] = {}
    for source in read_sources(args.folder):
        kind = "dialogue" if source.kind == "dialogue" else "question-answer"
        kept = [r for r in source.records if held_out(render(r))]
        random.Random(1).shuffle(kept)
        for record in kept[: args.records]:
            column = kind if "messages" in record else "plain text"
            asked.setdefault(column, []).append(excerpt(record))
    say("| model | " + " | ".join(f"{k} ({len(v)} records)" for k, v in asked.items()) + " |")
    say("|---" * (len(asked) + 1) + "|")
    measured = []
    for folder in args.models:
        tokenizer, model = AutoTokenizer.from_pretrained(folder), load_model(folder, args.device)
        measured.append(
            [[bits_and_bytes(model, tokenizer, r) for r in records] for records in asked.values()]
        )
    for folder, columns in zip(args.models, measured, strict=True):
        shown = []
        for at, pairs in enumerate(columns):  # only what fits into every model's context
            fits = [
                all(size for _, size in same)
                for same in zip(*(m[at] for m in measured), strict=True)
            ]
            kept = [pair for pair, fit in zip(pairs, fits, strict=True) if fit]
            shown.append(f"{sum(b for b, _ in kept) / max(sum(n for _, n in kept), 1):.3f}")
        say(f"| {folder.name} | " + " | ".join(shown) + " |")


PROMPTS = [
    "What can you do for me?", "How do I block my card?",
    "I want to book a table for two in San Jose.", "Thank you, goodbye.",
    "What is the capital of France?", "Hello!", "Tell me about yourself.", "How are you today?",
    "My package has not come yet.", "I moved house. How do I give you my new address?",
    "I bought a coat last week and it is too small.", "What is my neighbour's dog called?",
    "Which team will be champion fifty years from now?", "Name three kinds of fruit.",
    "Why is the sky blue?", "What is two plus three?", "Write one sentence about the sea.",
    "What do you think about music?", "What does a doctor do?",
    "My internet connection is slow. What should I do?",
]  # fmt: skip


def load_model(folder: Path, device: str) -> Any:
    """Load a model to be asked, in float32 on a CPU."""
    kind = torch.float32 if device == "cpu" else torch.bfloat16
    return AutoModelForCausalLM.from_pretrained(folder, dtype=kind).to(device).eval()


def prompts(args: argparse.Namespace) -> None:
    """Print the fixed prompts and each model's greedy answers as a Markdown table."""
    answers = []
    for folder in args.models:
        tokenizer, model = AutoTokenizer.from_pretrained(folder), load_model(folder, args.device)
        for prompt in PROMPTS:
            asked = tokenizer.apply_chat_template(
                [{"role": "user", "content": prompt}],
                add_generation_prompt=True,
                return_dict=True,
                return_tensors="pt",
            ).to(args.device)
            made = model.generate(**asked, do_sample=False, max_new_tokens=80)[0]
            text = tokenizer.decode(made[asked["input_ids"].shape[1] :], skip_special_tokens=True)
            answers.append(text.strip().replace("|", "\\|").replace("\n", "<br>"))
    say("| asked | " + " | ".join(folder.name for folder in args.models) + " |")
    say("|---" * (len(args.models) + 1) + "|")
    for at, prompt in enumerate(PROMPTS):
        say(f"| {prompt} | " + " | ".join(answers[at :: len(PROMPTS)]) + " |")


def main(words: Sequence[str] | None = None) -> None:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("train", help="text to a checkpoint; run again to resume")
    one.add_argument("folder", type=Path)
    one.add_argument("--out", type=Path, required=True)
    one.add_argument("--from", dest="start", type=Path, help="a checkpoint or a model folder")
    one.add_argument("--minutes", type=float, default=80.0, help="of training, pieces together")
    one.add_argument("--tokens", type=int, default=0, help="instead of --minutes")
    one.add_argument("--steps", type=int, default=0, help="stop here, to resume another day")
    one.add_argument("--rate", type=float, default=1.0, help="times the full step size")
    one.add_argument("--rows", type=int, default=16, help="rows a step")
    one.add_argument("--length", type=int, default=512, help="tokens a row; a fourth has twice")
    one.add_argument("--pieces", type=int, default=1, help="a step's rows in so many batches")
    one.add_argument("--seed", type=int, default=1)
    shape = {"vocabulary": 8192, "width": 256, "layers": 8, "feed-forward": 768, "context": 1024}
    for name, default in shape.items():
        one.add_argument(f"--{name}", type=int, default=default)
    two = commands.add_parser("export", help="a checkpoint to a bf16 folder")
    two.add_argument("checkpoint", type=Path)
    two.add_argument("out", type=Path)
    two.add_argument("--shard", type=int, default=0, help="megabytes a file")
    three = commands.add_parser("compare", help="held-out bits per byte, side by side")
    three.add_argument("folder", type=Path)
    three.add_argument("--records", type=int, default=60, help="a source, at most")
    four = commands.add_parser("prompts", help="twenty fixed prompts, answered greedily")
    for command, run in ((one, train), (two, export), (three, compare), (four, prompts)):
        command.set_defaults(run=run)
        if run in (compare, prompts):
            command.add_argument("models", type=Path, nargs="+")
        if run is not export:
            command.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args(words)
    args.run(args)


if __name__ == "__main__":
    main()

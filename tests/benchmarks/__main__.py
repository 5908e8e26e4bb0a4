"""`make bench`: the recipe's loop against Transformers' Trainer on the same work, in turns.

Same rows, model, adapter, precision, optimiser, batch and threads; the Trainer pads, as it does by
default, and computes logits everywhere. What counts is the ratio.
"""

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from transformers import Trainer, TrainingArguments

from trainer.config import RunConfig
from trainer.corpus.library import Corpora
from trainer.frozen import quicken
from trainer.models import Base, load_base
from trainer.packing import Tokens, answer_loss, tokenise

ROWS, BATCH, TURNS = 400, 8, 3


def prepare(workspace: Path, *, frozen_weights: str = "4-bit") -> tuple[Base, Any, list[Tokens]]:
    torch.manual_seed(0)
    base = load_base("bundled:pocket", frozen_weights=frozen_weights)
    lora = LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
    model = get_peft_model(base.model, lora)
    examples = Corpora(workspace / "corpora").get("banking").pile("train")[:ROWS]
    config = RunConfig(base="bundled:pocket", corpus="banking", version=1)
    return base, model, tokenise(examples, base, config, workspace / "cache")


def ours(workspace: Path) -> float:
    _, model, rows = prepare(workspace, frozen_weights="auto")
    quicken(model)
    weights = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=1e-3, fused=True)
    model.train()
    began = time.perf_counter()
    for at in range(0, len(rows), BATCH):
        answer_loss(model, rows[at : at + BATCH]).backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        optimizer.zero_grad()
    return len(rows) / (time.perf_counter() - began)


def theirs(workspace: Path) -> float:
    base, model, rows = prepare(workspace)
    pad = base.model.generation_config.pad_token_id

    def collate(batch: list[dict[str, list[int]]]) -> dict[str, torch.Tensor]:
        longest = max(len(row["input_ids"]) for row in batch)
        fill = {"input_ids": pad, "labels": -100, "attention_mask": 0}
        return {
            key: torch.tensor([row[key] + [value] * (longest - len(row[key])) for row in batch])
            for key, value in fill.items()
        }

    data = [
        {
            "input_ids": prompt + answer,
            "labels": [-100] * len(prompt) + answer,
            "attention_mask": [1] * (len(prompt) + len(answer)),
        }
        for prompt, answer in rows
    ]
    arguments = TrainingArguments(
        output_dir=str(workspace / "trainer"),
        per_device_train_batch_size=BATCH,
        num_train_epochs=1,
        learning_rate=1e-3,
        optim="adamw_torch_fused",
        use_cpu=not torch.cuda.is_available(),
        report_to="none",
        save_strategy="no",
        logging_strategy="no",
        disable_tqdm=True,
        remove_unused_columns=False,
    )
    trainer = Trainer(model=model, args=arguments, train_dataset=data, data_collator=collate)
    began = time.perf_counter()
    trainer.train()
    return len(rows) / (time.perf_counter() - began)


def main() -> None:
    speeds: dict[str, list[float]] = {"ours": [], "Trainer": []}
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(TURNS):
            for name, run in (("ours", ours), ("Trainer", theirs)):
                speeds[name].append(run(Path(folder)))
                print(f"turn {turn + 1}: {name:8} {speeds[name][-1]:5.1f} examples/s", flush=True)
    mean = {name: statistics.median(values) for name, values in speeds.items()}
    print(
        f"{ROWS} rows of the bank FAQ, NF4, r=16, batch {BATCH}, {torch.get_num_threads()} "
        f"threads, medians of {TURNS}: ours {mean['ours']:.1f}, Transformers' Trainer "
        f"{mean['Trainer']:.1f} examples/s, ratio {mean['ours'] / mean['Trainer']:.2f}"
    )


if __name__ == "__main__":
    main()

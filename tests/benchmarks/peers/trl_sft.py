"""Tune with TRL's SFTTrainer as its documentation shows QLoRA: `python trl_sft.py JOB`."""

import json
import sys
from pathlib import Path

import torch
from clock import Clock
from datasets import Dataset
from peft import LoraConfig
from transformers import BitsAndBytesConfig
from trl import SFTConfig, SFTTrainer

job = json.loads(sys.argv[1])
rows = [json.loads(line) for line in Path(job["rows"]).read_text("utf-8").splitlines()]
SFTTrainer(
    job["model"],
    args=SFTConfig(
        output_dir=job["out"],
        model_init_kwargs={"dtype": "bfloat16"},
        per_device_train_batch_size=1 if job["packed"] else job["batch"],
        packing=job["packed"],  # a row of 1,024 tokens then holds a batch
        num_train_epochs=1,
        learning_rate=job["learning_rate"],
        use_cpu=True,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
    ),
    quantization_config=BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    ),
    peft_config=LoraConfig(
        r=job["rank"],
        lora_alpha=2 * job["rank"],
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    ),
    train_dataset=Dataset.from_list([
        {
            "prompt": [{"role": "user", "content": row["question"]}],
            "completion": [{"role": "assistant", "content": row["answer"]}],
        }
        for row in rows
    ]),
    callbacks=[Clock(job)],
).train()  # fmt: skip

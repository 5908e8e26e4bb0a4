"""An accelerate configuration for bases that no single GPU holds: FSDP with QLoRA, on request."""

from pathlib import Path

FSDP = """\
# UNTRIED: no machine with two GPUs has run this yet, and Tandem's own recipe does not shard: with
# `processes` above 1 each GPU holds a whole base. This follows the published configuration for
# QLoRA under FSDP (github.com/huggingface/peft, examples/sft/configs/fsdp_config_qlora.yaml), in
# which every GPU holds a share of the frozen 4-bit base and fetches the rest, layer by layer, for a
# script that hands its model to accelerate, such as PEFT's example beside it:
#
#     accelerate launch --config_file {name} SCRIPT
compute_environment: LOCAL_MACHINE
distributed_type: FSDP
downcast_bf16: 'no'
fsdp_config:
  fsdp_auto_wrap_policy: TRANSFORMER_BASED_WRAP
  fsdp_backward_prefetch: BACKWARD_PRE
  fsdp_cpu_ram_efficient_loading: true
  fsdp_forward_prefetch: false
  fsdp_offload_params: true
  fsdp_sharding_strategy: FULL_SHARD
  fsdp_state_dict_type: SHARDED_STATE_DICT
  fsdp_sync_module_states: true
  fsdp_use_orig_params: false
machine_rank: 0
main_training_function: main
mixed_precision: 'no'
num_machines: 1
num_processes: {processes}
rdzv_backend: static
same_network: true
use_cpu: false
"""


def write_fsdp_config(path: Path, processes: int) -> None:
    """Write the configuration for so many GPUs; its first words say that it is untried."""
    path.write_text(FSDP.format(name=path.name, processes=processes))

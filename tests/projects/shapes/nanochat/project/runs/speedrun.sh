#!/bin/bash
export OMP_NUM_THREADS=1
export CHATTY_BASE_DIR="$HOME/.cache/chatty"
uv sync --extra gpu
source .venv/bin/activate
if [ -z "$WANDB_RUN" ]; then
    WANDB_RUN=dummy
fi
python -m scripts.tok_train
torchrun --standalone --nproc_per_node=8 -m scripts.base_train -- \
    --depth=24 --device-batch-size=16 --run=$WANDB_RUN
torchrun --standalone --nproc_per_node=8 -m scripts.base_eval -- --device-batch-size=16

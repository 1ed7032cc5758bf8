#!/bin/bash
# samples to run include: mingpt/main.py
echo "Launching ${1:-mingpt/main.py} with ${2:-4} gpus"
torchrun --standalone --nproc_per_node=${2:-4} ${1:-mingpt/main.py}

#!/bin/bash
deepspeed --bind_cores_to_rank train_pictures.py --deepspeed $@

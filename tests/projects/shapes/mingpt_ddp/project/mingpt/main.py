import hydra
import torch
from model import GPT
from omegaconf import DictConfig
from torch.distributed import destroy_process_group, init_process_group
from trainer import Trainer


@hydra.main(version_base=None, config_path=".", config_name="gpt2_train_cfg")
def main(cfg: DictConfig):
    init_process_group(backend="nccl")
    model = GPT(cfg.gpt_config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=cfg.optimizer_config.learning_rate)
    Trainer(cfg.trainer_config, model, optimizer, []).train()
    destroy_process_group()


if __name__ == "__main__":
    main()

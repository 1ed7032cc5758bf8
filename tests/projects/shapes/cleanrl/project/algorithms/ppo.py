import os
import random
import time
from dataclasses import dataclass

import gymnasium as gym
import torch
import tyro
from torch.utils.tensorboard import SummaryWriter


@dataclass
class Args:
    exp_name: str = os.path.basename(__file__)[: -len(".py")]
    seed: int = 1
    track: bool = False
    save_model: bool = False
    env_id: str = "CartPole-v1"
    total_timesteps: int = 500000
    learning_rate: float = 2.5e-4
    gamma: float = 0.99


if __name__ == "__main__":
    args = tyro.cli(Args)
    run_name = f"{args.env_id}__{args.exp_name}__{args.seed}__{int(time.time())}"
    if args.track:
        import wandb

        wandb.init(sync_tensorboard=True, name=run_name)
    writer = SummaryWriter(f"runs/{run_name}")
    random.seed(args.seed)
    envs = gym.make(args.env_id)
    for global_step in range(args.total_timesteps):
        infos = envs.step(0)[-1]
        if "final_info" in infos:
            for info in infos["final_info"]:
                if info and "episode" in info:
                    print(f"global_step={global_step}, episodic_return={info['episode']['r']}")
                    writer.add_scalar("charts/episodic_return", info["episode"]["r"], global_step)
        writer.add_scalar("losses/value_loss", 0.0, global_step)
        writer.add_scalar("charts/SPS", 0, global_step)
    if args.save_model:
        model_path = f"runs/{run_name}/{args.exp_name}.cleanrl_model.pt"
        torch.save(envs, model_path)

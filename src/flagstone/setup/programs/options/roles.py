"""What a setting is for, judged by its name: a hyperparameter, or something that has to stay as it is."""

from __future__ import annotations

import re
from typing import Literal

SettingRole = Literal["hyperparameter", "seed", "resume", "output", "budget", "evaluation", "data", "other"]
FIXED: tuple[tuple[SettingRole, str], ...] = (
    ("seed", r"(.*_)?(seed|random_state|seed_everything)"),
    (
        "resume",
        r".*resume.*|.*ckpt_path|load|load_.*|init_from|.*restore.*|.*_checkpoint|checkpoint",
    ),
    (
        "output",
        r"(.*_)?(out|output|log|save|work|run|result|results|checkpoint|ckpt|snapshot|exp|experiment|tensorboard)"
        r"_?(dir|directory|folder|path|root|file|name)|output|save|workdir|.*default_root_dir",
    ),
    ("evaluation", r"(.*_)?(eval|evaluation|val|valid|validation|test|sample|core_metric)(_.*)?"),
    (
        "data",
        r"(.*_)?(data|dataset|corpus|tokenizer|vocab|train_file|num_workers|workers|num_classes)"
        r"(_(dir|path|root|name|file|size|config|config_name|set))?|.*_samples",
    ),
    (
        "budget",
        r"(.*_)?(epochs?|max_steps|max_iters|num_iterations|iterations|steps|niter|total_timesteps|max_time|time_budget)"
        r"|limit_.*",
    ),
)
# the likeliest to matter first
HYPERPARAMETERS = (
    r"(.*_)?(lr|learning_rate|learningrate|eta|alpha)(_.*)?|rate|step_?size",
    r"(.*_)?(batch_?size|per_device_train_batch_size|bs)",
    r"(.*_)?(weight_?decay|wd|l2|l2_.*)",
    r"(.*_)?(dropout|drop|drop_path|drop_rate|attn_drop.*)",
    r"(.*_)?(depth|n_?layers?|num_layers|num_hidden_layers|layers)",
    r"(.*_)?(n_?embd|d_model|width|hidden|hidden_sizes?|hidden_dims?|hidden_units|units|channels|emsize|nhid|dim|embed_dim|features|lin\d_size|model_dim)",
    r"(.*_)?(n_?heads?|nhead|num_heads|num_attention_heads)",
    r"(.*_)?(warmup|warm_?up)(_.*)?",
    r"(.*_)?(momentum|beta_?[12s]?|adam_beta[12]|betas|gamma|decay_rate|lr_gamma|ema_decay)",
    r"(.*_)?(clip|grad_clip|clip_grad|max_grad_norm|gradient_clip_val|clip_coef|max_norm)",
    r"(.*_)?(opt|optim|optimizer|optimizer_name|sched|scheduler|lr_scheduler_type|activation|act|nonlinearity)",
    r"(.*_)?(label_smoothing|smoothing|mixup|cutmix|temperature|ent_coef|vf_coef|gae_lambda|tau|epsilon|eps)",
    r"(.*_)?(gradient_accumulation_steps|grad_accum.*|accumulate_grad_batches|block_size|bptt|seq_len|max_seq_len)",
    r"(.*_)?(c|n_estimators|max_depth|min_samples_.*|max_iter|penalty|kernel|lora_r|lora_alpha|aspect_ratio)",
)


def role_of(name: str) -> SettingRole:
    """What a setting is for. Of a dotted name the last part counts, then the one before it."""
    key = plain_name(name)
    for role, pattern in FIXED:
        if re.fullmatch(pattern, key):
            is_hyperparameter = role in ("data", "evaluation", "budget") and name_rank_of(key) is not None
            return "hyperparameter" if is_hyperparameter and role == "budget" else role
    first = plain_name(name.partition(".")[0])
    if first in ("data", "datamodule", "dataset", "paths", "logger", "callbacks", "extras") and not batch(key):
        return "data"
    return "hyperparameter" if name_rank_of(key) is not None else "other"


def batch(key: str) -> bool:
    return bool(re.fullmatch(HYPERPARAMETERS[1], key))


def plain_name(name: str) -> str:
    return name.rpartition(".")[2].replace("-", "_").lower()


def name_rank_of(key: str) -> int | None:
    """How likely a hyperparameter matters, 0 first. Returns None for a name that is not known as one."""
    plain = plain_name(key)
    return next((rank for rank, pattern in enumerate(HYPERPARAMETERS) if re.fullmatch(pattern, plain)), None)

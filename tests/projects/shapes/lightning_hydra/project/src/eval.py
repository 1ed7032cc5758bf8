import hydra


@hydra.main(version_base="1.3", config_path="../configs", config_name="eval.yaml")
def main(cfg):
    trainer = hydra.utils.instantiate(cfg.trainer)
    trainer.test(model=hydra.utils.instantiate(cfg.model), ckpt_path=cfg.ckpt_path)


if __name__ == "__main__":
    main()

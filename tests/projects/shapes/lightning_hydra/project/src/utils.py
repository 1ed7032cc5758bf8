def extras(cfg):
    print(cfg)

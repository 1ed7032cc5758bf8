import jax
import train
from absl import app, flags, logging
from ml_collections import config_flags

FLAGS = flags.FLAGS
flags.DEFINE_string("workdir", None, "Directory to store model data.")
config_flags.DEFINE_config_file("config", None, "File path to the training hyperparameters.", lock_config=True)


def main(argv):
    logging.info("JAX process: %d / %d", jax.process_index(), jax.process_count())
    train.train_and_evaluate(FLAGS.config, FLAGS.workdir)


if __name__ == "__main__":
    flags.mark_flags_as_required(["config", "workdir"])
    app.run(main)

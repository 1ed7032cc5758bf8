import jax
import optax
from absl import logging
from flax.metrics import tensorboard
from flax.training import checkpoints


def train_and_evaluate(config, workdir):
    summary_writer = tensorboard.SummaryWriter(workdir)
    rng = jax.random.key(0)
    tx = optax.sgd(config.learning_rate, config.momentum)
    for epoch in range(1, config.num_epochs + 1):
        train_loss, test_loss, test_accuracy = 0.0, 0.0, 0.0
        logging.info(
            "epoch:% 3d, train_loss: %.4f, test_loss: %.4f, test_accuracy: %.2f"
            % (epoch, train_loss, test_loss, test_accuracy * 100)
        )
        summary_writer.scalar("train_loss", train_loss, epoch)
        summary_writer.scalar("test_loss", test_loss, epoch)
        summary_writer.scalar("test_accuracy", test_accuracy, epoch)
        checkpoints.save_checkpoint(workdir, tx, epoch)
    return rng

import fire
import keras


def train(units=64, dropout=0.1, learning_rate=0.001, epochs=5):
    (x, y), _ = keras.datasets.mnist.load_data()
    model = keras.Sequential([keras.layers.Dense(units), keras.layers.Dropout(dropout), keras.layers.Dense(10)])
    model.compile(optimizer=keras.optimizers.Adam(learning_rate), loss="mse", metrics=["accuracy"])
    model.fit(
        x,
        y,
        epochs=epochs,
        validation_split=0.1,
        callbacks=[
            keras.callbacks.CSVLogger("training.csv"),
            keras.callbacks.ModelCheckpoint("best.keras", monitor="val_accuracy", mode="max", save_best_only=True),
        ],
    )
    model.save("last.keras")


if __name__ == "__main__":
    fire.Fire(train)

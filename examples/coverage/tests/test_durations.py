import durations


def test_a_number_alone_is_minutes():
    assert durations.seconds("2") == 120

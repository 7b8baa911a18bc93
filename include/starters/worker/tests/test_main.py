from worker.main import share


def test_every_item_is_taken_once() -> None:
    items = ["a", "b", "c", "d", "e"]
    shares = [share(items, index, 2) for index in range(2)]
    assert shares == [["a", "c", "e"], ["b", "d"]]

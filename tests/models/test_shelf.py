"""A prompt is kept as long as somebody wants it."""

from agentkit.models.shelf import Shelf


def test_what_is_kept_goes_with_the_last_who_wants_it(tmp_path):
    shelf = Shelf(tmp_path)
    shelf.want("a", 3)
    path = shelf.name()
    path.write_bytes(b"state")
    shelf.keep("a", path)
    shelf.leave("a")
    assert shelf.wanted("a") == 2
    assert shelf.kept("a") == path
    shelf.leave("a", 2)
    assert shelf.kept("a") is None
    assert not path.exists()


def test_files_have_names_of_their_own(tmp_path):
    shelf = Shelf(tmp_path)
    assert len({shelf.name() for _ in range(5)}) == 5


def test_one_at_a_time_reads_a_prompt_and_prompts_do_not_wait_for_one_another(tmp_path):
    shelf = Shelf(tmp_path)
    shelf.want("a", 2)
    shelf.want("b")
    assert shelf.turn("a").acquire(blocking=False)
    assert not shelf.turn("a").acquire(blocking=False)
    assert shelf.turn("b").acquire(blocking=False)


def test_a_prompt_that_nobody_wants_any_more_is_forgotten_and_can_be_wanted_again(tmp_path):
    shelf = Shelf(tmp_path)
    shelf.want("a")
    shelf.leave("a")
    assert shelf.wanted("a") == 0
    shelf.leave("a", 0)
    shelf.want("a")
    assert shelf.wanted("a") == 1
    assert shelf.kept("a") is None

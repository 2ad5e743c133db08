"""When a preview is made."""

from comfyd.worker.wanted import Wanted


def test_none_unless_wanted_and_then_a_few_times_a_second():
    now = [0.0]
    look = Wanted(lambda: now[0])
    assert not look.due()
    look.wanted = True
    assert look.due()
    for _ in range(99):
        now[0] += 0.0125  # eighty steps a second
        look.due()
    now[0] = 10.0
    assert look.due()
    now[0] = 10.24
    assert not look.due()
    now[0] = 10.25
    assert look.due()
    look.wanted = False
    now[0] = 20.0
    assert not look.due()

"""What a division of quota keeps, whatever the queues."""

from hypothesis import given
from hypothesis import strategies as st

from fleetlab.policy.quota import Queue, divide

QUEUES = st.lists(
    st.builds(
        Queue,
        deserved=st.integers(0, 8),
        request=st.integers(0, 20),
        weight=st.integers(1, 5),
        priority=st.integers(0, 2),
    ),
    min_size=1,
    max_size=6,
)


@given(st.integers(0, 60), QUEUES)
def test_a_division_gives_what_is_deserved_and_never_more_than_is_asked(total, queues):
    answer = divide(total, queues)
    owed = [min(q.deserved, q.request) for q in queues]
    for share, queue, own in zip(answer.shares, queues, owed, strict=True):
        assert own <= share <= queue.request
        assert share == int(share)
    if sum(owed) <= total:
        assert sum(answer.shares) + answer.left == total
        assert answer.left == max(0, total - sum(q.request for q in queues))
    else:
        assert answer.shares == owed


@given(st.integers(0, 60), QUEUES)
def test_a_lower_priority_has_more_than_deserved_only_when_every_higher_one_is_full(total, queues):
    shares = divide(total, queues).shares
    for share, queue in zip(shares, queues, strict=True):
        if share > min(queue.deserved, queue.request):
            for other, held in zip(queues, shares, strict=True):
                if other.priority > queue.priority:
                    assert held == other.request

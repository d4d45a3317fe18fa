"""python3 -m unittest: how a log of strace is counted."""

import unittest

import counting

LOG = """\
12 recvfrom(3, 0x7ff, 1, MSG_PEEK|MSG_DONTWAIT, NULL, NULL) = -1 EAGAIN (unavailable)
12 sendto(3, ""..., 98, MSG_NOSIGNAL, NULL, 0) = 98
12 recvfrom(3,  <unfinished ...>
13 futex(0x55, FUTEX_WAKE_PRIVATE, 1) = 0
12 <... recvfrom resumed>""..., 8192, 0, NULL, NULL) = 1270
12 --- SIGCHLD {si_signo=SIGCHLD} ---
12 +++ exited with 0 +++
""".splitlines()


class Counting(unittest.TestCase):
    def test_a_call_cut_in_two_counts_once_and_a_peek_is_not_a_read(self):
        expected = {"recvfrom (peek)": 1, "sendto": 1, "recvfrom": 1, "futex": 1}
        self.assertEqual(counting.count_calls(LOG), expected)

    def test_calls_fall_into_transfers_probes_and_others(self):
        sums = counting.kinds(counting.count_calls(LOG))
        self.assertEqual(sums, {"transfers": 2, "probes": 1, "others": 1})

    def test_what_happens_once_a_process_is_not_in_the_rate(self):
        def count_at(length):
            return counting.collections.Counter(mmap=140, read=3 + 2 * length)

        self.assertEqual(counting.per_get(count_at), {"read": 2})


if __name__ == "__main__":
    unittest.main()

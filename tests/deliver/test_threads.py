"""Jobs run in threads, their results come back, and so does what they raise."""

from runner.deliver.threads import ThreadPool


def test_what_a_job_raises_is_raised_where_results_are_collected_and_no_result_is_lost():
    pool: ThreadPool[int] = ThreadPool(1)

    def bug() -> int:
        raise ZeroDivisionError

    for job in (lambda: 1, bug, lambda: 2):
        pool.start(job)
    results: list[int] = []
    errors = 0
    while pool.busy:
        try:
            results += pool.collect(5.0)
        except ZeroDivisionError:
            errors += 1
    pool.close()
    assert (results, errors) == ([1, 2], 1)

"""A crew that is this process, for tests of searches in which no process is heard of, dies or is measured.

A worker of its own takes six seconds until TensorFlow is loaded; what it does with a trial is the same here.
"""

import os
from types import SimpleNamespace
from unittest import mock

from dlspec.runs.warm import Warm
from dlspec.tuning.study import Study
from dlspec.tuning.trial import carry_out, check_data
from dlspec.types import UserError


class Worker:
    """Who is told that there is no more work, and where it works."""

    process = SimpleNamespace(pid=os.getpid())
    died_of = None
    over = False

    def dismiss(self):
        self.over = True


class Crew:
    """One worker, which takes a trial whenever it is listened to."""

    def __init__(self, where, threads):
        self.where, self.threads, self.workers, self.study, self.warm = where, threads, [], None, Warm()

    def hire(self):
        assert not self.workers, "one process is one worker"
        self.workers.append(Worker())

    def messages(self, seconds):
        [worker] = self.workers
        if worker.over:
            return [(worker, None)]
        if self.study is None:
            self.study = Study(self.where)
            try:
                check_data(self.study, self.warm)
            except UserError as error:
                return [(worker, {"what": "stuck", "says": str(error)})]
        said, trial = [], self.study.claim(self.threads)
        assert trial is not None, "somebody else is at this study"
        carry_out(self.study, trial, self.threads, self.warm, said.append)
        return [(worker, one) for one in said]

    def end(self):
        if self.study is not None:
            self.study.close()


here = mock.patch("dlspec.tuning.search.Crew", Crew)
"""around a function, or with it: searches take place in this process"""

"""The steps that are promised."""

from lethe.domain.task import Task
from lethe.storage.schema import tasks
from lethe.storage.session import Session


class SqlTasks:
    """Implements `interface.Tasks`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, task: Task) -> None:
        """Promise a step."""
        self._session.run(
            tasks.insert().values(
                task_id=task.task_id,
                org_id=task.org_id,
                sandbox_name=task.sandbox_name,
                step=task.step,
                subject_id=task.subject_id,
                due_at=task.due_at,
            )
        )

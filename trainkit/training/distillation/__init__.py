"""A network learns, besides its targets, what a trained model answers."""

from trainkit.training.distillation.student import Lesson, Student, lesson_of, teach
from trainkit.training.distillation.teacher import Teacher, read_teacher, teacher_of

__all__ = ["Lesson", "Student", "Teacher", "lesson_of", "read_teacher", "teach", "teacher_of"]

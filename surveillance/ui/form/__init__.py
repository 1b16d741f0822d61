"""The reading form: all questions of a visit on one screen, filled with the keyboard."""

from surveillance.ui.form.contract import Look, Status, described
from surveillance.ui.form.mount import form_message, mount_form

__all__ = ["Look", "Status", "described", "form_message", "mount_form"]

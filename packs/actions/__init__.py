"""Installing packs, upgrading them, and setting the tenant's own values beside theirs."""

from packs.actions.edits import edit_value, edit_values, reset_value
from packs.actions.install import InstallReport, SectionReport, install_definition, install_for_tenant, install_pack

__all__ = [
    "InstallReport",
    "SectionReport",
    "edit_value",
    "edit_values",
    "install_definition",
    "install_for_tenant",
    "install_pack",
    "reset_value",
]

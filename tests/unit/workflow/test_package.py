"""The package hands out functions and classes, whatever has been imported before."""

import pkgutil

import comfyd.workflow


def test_no_module_bears_the_name_of_what_the_package_gives() -> None:
    """Once it were imported, it would stand in its place."""
    modules = {module.name for module in pkgutil.iter_modules(comfyd.workflow.__path__)}
    assert not modules & set(comfyd.workflow.__all__)

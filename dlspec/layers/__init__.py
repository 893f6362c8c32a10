"""Every custom Keras layer; importing this package registers them all, so that saved models open."""

import importlib
import pkgutil

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

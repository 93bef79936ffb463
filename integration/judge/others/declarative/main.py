"""A source that a manifest describes, run by Airbyte's Python CDK: what make others judges beside a source from PyPI."""

import sys
from pathlib import Path

from airbyte_cdk.entrypoint import AirbyteEntrypoint, launch
from airbyte_cdk.sources.declarative.yaml_declarative_source import YamlDeclarativeSource
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

arguments = sys.argv[1:]
try:
    given = {}
    for name in ("config", "catalog", "state"):
        path = getattr(AirbyteEntrypoint, f"extract_{name}")(arguments)
        given[name] = getattr(YamlDeclarativeSource, f"read_{name}")(path) if path else None
    source = YamlDeclarativeSource(path_to_yaml=str(Path(__file__).with_name("manifest.yaml")), **given)
except Exception as error:
    AirbyteTracedException.from_exception(error).emit_message()
    sys.exit(1)
launch(source, arguments)
